#include "core/plugin/elf_check.h"

#include <cstring>
#include <string>

#include <elf.h>

namespace stepper::plugin {
namespace {

#if defined(__x86_64__)
constexpr auto kThisMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr auto kThisMachine = EM_AARCH64;
#else
#error "name this machine's ELF number here"
#endif

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
    std::string_view text(uint64_t offset) const {
        if (offset >= bytes_.size()) return {};
        const std::string_view rest = bytes_.substr(offset);
        return rest.substr(0, rest.find('\0'));
    }

private:
    std::string_view bytes_;
};

bool needsStaticTls(const File& file, const Elf64_Shdr& dynamic) {
    for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic.sh_size; at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn entry;
        if (!file.read(dynamic.sh_offset + at, entry) || entry.d_tag == DT_NULL) return false;
        if (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_STATIC_TLS)) return true;
    }
    return false;
}

bool defines(const File& file, const Elf64_Shdr& symbols, const Elf64_Shdr& names, std::string_view wanted) {
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= symbols.sh_size; at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        if (!file.read(symbols.sh_offset + at, symbol)) return false;
        if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) != STT_FUNC) continue;
        if (file.text(names.sh_offset + symbol.st_name) == wanted) return true;
    }
    return false;
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

    bool found = false;
    for (unsigned i = 0; i < head.e_shnum; ++i) {
        Elf64_Shdr section;
        if (!file.read(head.e_shoff + i * sizeof(Elf64_Shdr), section))
            return refused("section table unreadable");
        if (section.sh_type != SHT_NOBITS && !file.holds(section.sh_offset, section.sh_size))
            return refused("incomplete: a section lies outside the file; copy it again");
        if (section.sh_type == SHT_DYNAMIC && needsStaticTls(file, section))
            return refused(
                "needs static TLS, which a process has little of; build without -ftls-model=initial-exec");
        if (section.sh_type != SHT_DYNSYM) continue;
        Elf64_Shdr names;
        if (section.sh_link >= head.e_shnum ||
            !file.read(head.e_shoff + section.sh_link * sizeof(Elf64_Shdr), names))
            return refused("symbol table without names");
        found = found || defines(file, section, names, entry_symbol);
    }
    if (!found)
        return refused("exports no function " + std::string(entry_symbol) +
                       ": not a Stepper plugin of this ABI major version, or stripped of its entry");
    return {};
}

}  // namespace stepper::plugin
