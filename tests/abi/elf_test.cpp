// What a shared object's headers must and must not say. Objects as compilers make them, and the same with
// single fields changed.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plugin/library/elf_check.h"
#include "stepper/plugin_abi.h"

namespace stepper::plugin {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::StartsWith;

std::string plugin(const std::string& name) {
    std::ifstream in(std::filesystem::path(PLUGINS) / (name + ".so"), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string verdict(const std::string& bytes) {
    const auto sound = checkSharedObject(bytes, STEPPER_ENTRY_SYMBOL);
    return sound ? "sound" : sound.error().message;
}

template <class Record>
Record recordAt(const std::string& bytes, uint64_t offset) {
    Record record;
    std::memcpy(&record, &bytes.at(offset), sizeof record);
    return record;
}

template <class Record>
void changeEach(std::string& bytes, uint64_t offset, uint64_t size,
                const std::function<void(Record&)>& change) {
    for (uint64_t at = offset; at + sizeof(Record) <= offset + size; at += sizeof(Record)) {
        auto record = recordAt<Record>(bytes, at);
        change(record);
        std::memcpy(&bytes.at(at), &record, sizeof record);
    }
}

std::string withHead(std::string bytes, const std::function<void(Elf64_Ehdr&)>& change) {
    changeEach(bytes, 0, sizeof(Elf64_Ehdr), change);
    return bytes;
}

std::string withSegments(std::string bytes, const std::function<void(Elf64_Phdr&)>& change) {
    const auto head = recordAt<Elf64_Ehdr>(bytes, 0);
    changeEach(bytes, head.e_phoff, head.e_phnum * sizeof(Elf64_Phdr), change);
    return bytes;
}

Elf64_Shdr sectionOf(const std::string& bytes, uint32_t type) {
    const auto head = recordAt<Elf64_Ehdr>(bytes, 0);
    for (unsigned i = 0; i < head.e_shnum; ++i) {
        const auto section = recordAt<Elf64_Shdr>(bytes, head.e_shoff + i * sizeof(Elf64_Shdr));
        if (section.sh_type == type) return section;
    }
    ADD_FAILURE() << "no section of type " << type;
    return {};
}

std::string withDynamic(std::string bytes, const std::function<void(Elf64_Dyn&)>& change) {
    const auto section = sectionOf(bytes, SHT_DYNAMIC);
    changeEach(bytes, section.sh_offset, section.sh_size, change);
    return bytes;
}

Elf64_Shdr namesOf(const std::string& bytes) {
    const auto head = recordAt<Elf64_Ehdr>(bytes, 0);
    return recordAt<Elf64_Shdr>(bytes,
                                head.e_shoff + sectionOf(bytes, SHT_DYNSYM).sh_link * sizeof(Elf64_Shdr));
}

// Changes the dynamic symbols whose name starts so.
std::string withSymbols(std::string bytes, const std::string& prefix,
                        const std::function<void(Elf64_Sym&)>& change) {
    const auto symbols = sectionOf(bytes, SHT_DYNSYM);
    const auto names = namesOf(bytes);
    const std::string before = bytes;
    changeEach<Elf64_Sym>(bytes, symbols.sh_offset, symbols.sh_size, [&](Elf64_Sym& symbol) {
        if (before.compare(names.sh_offset + symbol.st_name, prefix.size(), prefix) == 0) change(symbol);
    });
    return bytes;
}

std::string renamed(std::string bytes, const std::string& from, std::string to) {
    to.resize(from.size());
    for (size_t at; (at = bytes.find(from)) != std::string::npos;) bytes.replace(at, from.size(), to);
    return bytes;
}

TEST(Elf, TakesWhatTheSdkBuilds) {
    for (const auto* name : {"echo-c", "shout", "rogue"}) EXPECT_EQ(verdict(plugin(name)), "sound") << name;
}

TEST(Elf, RefusesOtherExportsAndNamesThree) {
    EXPECT_THAT(verdict(plugin("bad-exports")),
                ContainsRegex("^exports 4 symbols besides stepper_plugin_entry_v1: extra_[a-d], extra_[a-d], "
                              "extra_[a-d], \\.\\.\\.; link with the SDK's plugin\\.map"));
}

TEST(Elf, ToleratesWhatToolchainsExport) {
    std::string bytes = plugin("bad-exports");
    bytes = renamed(std::move(bytes), "extra_a", "_edata");
    bytes = renamed(std::move(bytes), "extra_b", "_init");
    bytes = renamed(std::move(bytes), "extra_c", "__stop_");
    EXPECT_THAT(verdict(bytes), StartsWith("exports 1 symbol besides stepper_plugin_entry_v1: extra_d; "));
    EXPECT_EQ(verdict(renamed(bytes, "extra_d", "_end")), "sound");
    EXPECT_THAT(verdict(renamed(bytes, "extra_d", "end")), StartsWith("exports 1 symbol"));
    EXPECT_THAT(verdict(renamed(bytes, "extra_d", "_init_")), StartsWith("exports 1 symbol"));
}

TEST(Elf, CountsOnlyWhatOthersCouldBindTo) {
    const auto bind = [](int to) {
        return [to](Elf64_Sym& s) { s.st_info = ELF64_ST_INFO(to, ELF64_ST_TYPE(s.st_info)); };
    };
    const auto visibility = [](unsigned char to) { return [to](Elf64_Sym& s) { s.st_other = to; }; };
    const auto place = [](uint16_t to) { return [to](Elf64_Sym& s) { s.st_shndx = to; }; };
    const auto section = [](Elf64_Sym& s) { s.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_SECTION); };
    const std::string bytes = plugin("bad-exports");
    EXPECT_EQ(verdict(withSymbols(bytes, "extra_", bind(STB_LOCAL))), "sound");
    EXPECT_EQ(verdict(withSymbols(bytes, "extra_", visibility(STV_HIDDEN))), "sound");
    EXPECT_EQ(verdict(withSymbols(bytes, "extra_", visibility(STV_INTERNAL))), "sound");
    EXPECT_EQ(verdict(withSymbols(bytes, "extra_", place(SHN_UNDEF))), "sound");
    EXPECT_EQ(verdict(withSymbols(bytes, "extra_", place(SHN_ABS))), "sound") << "a version's name";
    EXPECT_EQ(verdict(withSymbols(bytes, "extra_", section)), "sound");
    EXPECT_THAT(verdict(withSymbols(bytes, "extra_", bind(STB_WEAK))), StartsWith("exports 4 symbols"));
    EXPECT_THAT(verdict(withSymbols(bytes, "extra_", visibility(STV_PROTECTED))),
                StartsWith("exports 4 symbols"));
    EXPECT_THAT(verdict(withSymbols(bytes, "extra_", bind(STB_GNU_UNIQUE))), StartsWith("defines 4 symbols"));
    EXPECT_THAT(verdict(withSymbols(bytes, "stepper_", visibility(STV_HIDDEN))),
                StartsWith("exports no function"));
    EXPECT_THAT(verdict(withSymbols(bytes, "stepper_", place(SHN_UNDEF))), StartsWith("exports no function"));
    EXPECT_THAT(verdict(withSymbols(bytes, "stepper_",
                                    [](Elf64_Sym& s) { s.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT); })),
                StartsWith("exports no function"));
}

TEST(Elf, SaysNamesInShortAndAsText) {
    const std::string strange = renamed(plugin("bad-exports"), "extra_b", "\xff\xfe");
    EXPECT_THAT(verdict(strange), HasSubstr("\xef\xbf\xbd"));
    EXPECT_THAT(verdict(strange), Not(HasSubstr("\xff")));
    const std::string bytes = plugin("bad-exports") + std::string(5000, 'x');
    const auto last = static_cast<uint32_t>(bytes.size() - 5000 - namesOf(bytes).sh_offset);
    const auto endless = withSymbols(bytes, "extra_", [&](Elf64_Sym& s) { s.st_name = last; });
    EXPECT_THAT(verdict(endless), StartsWith("exports 4 symbols besides stepper_plugin_entry_v1: xxx"));
    EXPECT_LT(verdict(endless).size(), 600u);
    const auto outside = withSymbols(bytes, "extra_", [](Elf64_Sym& s) { s.st_name = 0xFFFFFFFF; });
    EXPECT_THAT(verdict(outside), StartsWith("exports 4 symbols"));
}

TEST(Elf, RefusesSymbolsThatAllBuildsWouldShare) {
#if defined(__clang__)
    GTEST_SKIP() << "clang makes no unique symbols";
#endif
    EXPECT_THAT(
        verdict(plugin("bad-unique")),
        StartsWith("defines 1 symbol that all its builds in one process would share: "
                   "_ZZ5callsvE5count; compile with -fno-gnu-unique or link with the SDK's plugin.map"));
}

TEST(Elf, RefusesStaticTls) { EXPECT_THAT(verdict(plugin("bad-tls")), StartsWith("needs static TLS")); }

TEST(Elf, RefusesExecutableStacks) {
    EXPECT_THAT(verdict(plugin("bad-stack")), StartsWith("needs an executable stack"));
    const auto silent = withSegments(plugin("echo-c"), [](Elf64_Phdr& segment) {
        if (segment.p_type == PT_GNU_STACK) segment.p_type = PT_NULL;
    });
    EXPECT_THAT(verdict(silent), StartsWith("needs an executable stack")) << "glibc's default";
}

TEST(Elf, RefusesRelocationsOfCode) {
    const std::string bytes = plugin("echo-c");
    const auto tag = withDynamic(bytes, [](Elf64_Dyn& entry) {
        if (entry.d_tag == DT_STRSZ) entry.d_tag = DT_TEXTREL;
    });
    EXPECT_THAT(verdict(tag), StartsWith("has relocations in its code"));
    const auto flag = withDynamic(bytes, [](Elf64_Dyn& entry) {
        if (entry.d_tag == DT_FLAGS) entry.d_un.d_val |= DF_TEXTREL;
    });
    EXPECT_THAT(verdict(flag), StartsWith("has relocations in its code"));
}

TEST(Elf, RefusesHeadersThatLieOutsideTheFile) {
    const std::string bytes = plugin("echo-c");
    const auto says = [&](const std::function<void(Elf64_Ehdr&)>& change) {
        return verdict(withHead(bytes, change));
    };
    for (const uint64_t offset : {bytes.size(), bytes.size() - 64, ~size_t{0}, ~size_t{0} - 63}) {
        EXPECT_THAT(says([&](Elf64_Ehdr& head) { head.e_phoff = offset; }), StartsWith("program headers"));
        EXPECT_THAT(says([&](Elf64_Ehdr& head) { head.e_shoff = offset; }), StartsWith("incomplete"));
    }
    EXPECT_THAT(says([](Elf64_Ehdr& head) { head.e_phentsize = 1; }), StartsWith("program headers"));
    EXPECT_THAT(says([](Elf64_Ehdr& head) { head.e_shentsize = 1; }), StartsWith("incomplete"));
    EXPECT_THAT(says([](Elf64_Ehdr& head) { head.e_machine ^= 1; }),
                StartsWith("built for another processor"));
}

}  // namespace
}  // namespace stepper::plugin
