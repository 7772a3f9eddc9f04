#include "core/plugin/library/elf_check.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>

#include <elf.h>

#include "core/base/text.h"

namespace stepper::plugin {
namespace {

#if defined(__x86_64__)
constexpr auto kThisMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr auto kThisMachine = EM_AARCH64;
#else
#error "name this machine's ELF number here"
#endif

constexpr size_t kMaxName = 120;
constexpr size_t kMaxListed = 3;

Error refused(std::string why) { return Error{ErrorClass::Config, std::move(why)}; }

// A view of `count` records of T at `offset`; absent when any of it lies outside the file.
class File {
public:
    explicit File(std::string_view bytes) : bytes_(bytes) {}

    bool holds(uint64_t offset, uint64_t size) const {
        return offset <= bytes_.size() && size <= bytes_.size() - offset;
    }
    template <class T>
    bool read(uint64_t offset, T& out) const {
        if (!holds(offset, sizeof(T))) return false;
        std::memcpy(&out, bytes_.data() + offset, sizeof(T));
        return true;
    }
    // The text at `offset`, cut short: a name can be as long as the file.
    std::string_view text(uint64_t offset) const {
        if (offset >= bytes_.size()) return {};
        const std::string_view rest = bytes_.substr(offset, kMaxName);
        return rest.substr(0, rest.find('\0'));
    }

private:
    std::string_view bytes_;
};

// What linkers and compilers export by themselves where no version script stops them; nobody but the object's
// own start-up code, instrumentation and unwinder looks for it.
bool isToolchains(std::string_view name) {
    // The second line is aarch64's; rust_eh_personality is in every cdylib of older rustc.
    constexpr std::string_view kNames[] = {
        "_init",         "_fini",      "_etext",      "_edata", "__bss_start", "_end", "rust_eh_personality",
        "__bss_start__", "_bss_end__", "__bss_end__", "__end__"};
    // Bounds of sections, and the address sanitizer's companion of each exported variable.
    constexpr std::string_view kPrefixes[] = {"__start_", "__stop_", "__odr_asan"};
    return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
           std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                       [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// How many symbols there are of a sort, and the first of them.
class Tally {
public:
    void add(std::string_view name) {
        if (count_++ < kMaxListed) listed_ += (listed_.empty() ? "" : ", ") + toValidUtf8(name);
    }
    bool empty() const { return count_ == 0; }
    // "2 symbols WHAT: a, b"
    std::string say(std::string_view what) const {
        return std::to_string(count_) + (count_ == 1 ? " symbol " : " symbols ") + std::string(what) + ": " +
               listed_ + (count_ > kMaxListed ? ", ..." : "");
    }

private:
    size_t count_ = 0;
    std::string listed_;
};

// What an object offers to others.
struct Exports {
    bool entry = false;
    Tally unique, others;
};

void readExports(const File& file, const Elf64_Shdr& symbols, const Elf64_Shdr& names, std::string_view entry,
                 Exports& out) {
    Elf64_Sym symbol;
    for (uint64_t at = 0; at + sizeof symbol <= symbols.sh_size; at += sizeof symbol) {
        if (!file.read(symbols.sh_offset + at, symbol)) return;
        const auto bind = ELF64_ST_BIND(symbol.st_info), type = ELF64_ST_TYPE(symbol.st_info);
        const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
        if (bind == STB_LOCAL || visibility == STV_HIDDEN || visibility == STV_INTERNAL) continue;
        // Absolute ones hold no state: the names of versions, and ends of sections with some linkers.
        if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS || type == STT_SECTION) continue;
        const std::string_view name = file.text(names.sh_offset + symbol.st_name);
        if (bind == STB_GNU_UNIQUE)
            out.unique.add(name);
        else if (name == entry && type == STT_FUNC)
            out.entry = true;
        else if (!isToolchains(name))
            out.others.add(name);
    }
}

// What the dynamic section asks of the loader, "" when it may.
std::string flawOfDynamic(const File& file, const Elf64_Shdr& dynamic) {
    Elf64_Dyn entry;
    for (uint64_t at = 0; at + sizeof entry <= dynamic.sh_size; at += sizeof entry) {
        if (!file.read(dynamic.sh_offset + at, entry) || entry.d_tag == DT_NULL) return {};
        const uint64_t flags = entry.d_tag == DT_FLAGS ? entry.d_un.d_val : 0;
        if (flags & DF_STATIC_TLS)
            return "needs static TLS, which a process has little of; build without -ftls-model=initial-exec";
        if (entry.d_tag == DT_TEXTREL || (flags & DF_TEXTREL))
            return "has relocations in its code, which would have to be writable; build with -fPIC";
    }
    return {};
}

Result<void> checkSegments(const File& file, const Elf64_Ehdr& head) {
    if (head.e_phentsize != sizeof(Elf64_Phdr)) return refused("program headers unreadable");
    for (unsigned i = 0; i < head.e_phnum; ++i) {
        Elf64_Phdr segment;
        if (!file.read(head.e_phoff + i * sizeof segment, segment))
            return refused("program headers unreadable");
        if (segment.p_type == PT_GNU_STACK && !(segment.p_flags & PF_X)) return {};
    }
    // Without a word about it glibc makes every stack of the process executable too.
    return refused(
        "needs an executable stack; build without nested functions, mark assembler sources with "
        ".note.GNU-stack and link with -z noexecstack");
}

}  // namespace

Result<void> checkSharedObject(std::string_view bytes, std::string_view entry_symbol) {
    const File file(bytes);
    Elf64_Ehdr head;
    if (!file.read(0, head) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return refused("not an ELF file");
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB || head.e_type != ET_DYN)
        return refused("not a 64-bit little-endian shared object");
    if (head.e_machine != kThisMachine)
        return refused("built for another processor (ELF machine " + std::to_string(head.e_machine) +
                       ", this is " + std::to_string(kThisMachine) + ")");
    // Linkers write the section table last, so a file that holds all of it is complete.
    if (head.e_shentsize != sizeof(Elf64_Shdr) || head.e_shnum == 0 ||
        !file.holds(head.e_shoff, uint64_t{head.e_shnum} * sizeof(Elf64_Shdr)))
        return refused("incomplete: the file ends before its section table; copy it again");

    if (auto sound = checkSegments(file, head); !sound) return sound;

    Exports exports;
    for (unsigned i = 0; i < head.e_shnum; ++i) {
        Elf64_Shdr section;
        if (!file.read(head.e_shoff + i * sizeof section, section))
            return refused("section table unreadable");
        if (section.sh_type != SHT_NOBITS && !file.holds(section.sh_offset, section.sh_size))
            return refused("incomplete: a section lies outside the file; copy it again");
        if (section.sh_type == SHT_DYNAMIC)
            if (auto flaw = flawOfDynamic(file, section); !flaw.empty()) return refused(std::move(flaw));
        if (section.sh_type != SHT_DYNSYM) continue;
        Elf64_Shdr names;
        if (section.sh_link >= head.e_shnum ||
            !file.read(head.e_shoff + section.sh_link * sizeof names, names))
            return refused("symbol table without names");
        readExports(file, section, names, entry_symbol, exports);
    }
    const std::string entry(entry_symbol);
    if (!exports.entry)
        return refused("exports no function " + entry +
                       ": not a Stepper plugin of this ABI major version, or stripped of its entry");
    constexpr auto kRemedy = "link with the SDK's plugin.map (stepper_add_plugin does)";
    if (!exports.unique.empty())
        return refused("defines " + exports.unique.say("that all its builds in one process would share") +
                       "; compile with -fno-gnu-unique or " + kRemedy);
    if (!exports.others.empty())
        return refused("exports " + exports.others.say("besides " + entry) + "; " + kRemedy);
    return {};
}

}  // namespace stepper::plugin
