#include "core/schema/pattern.h"

#include <string>

#include <gtest/gtest.h>

namespace stepper {
namespace {

bool search(std::string_view pattern, std::string_view text) {
    const auto compiled = Pattern::compile(pattern);
    if (!compiled) ADD_FAILURE() << pattern << ": " << compiled.error().message;
    return compiled && compiled->search(text);
}

TEST(Pattern, FindsWhatTheExpressionDescribes) {
    struct Case {
        const char* pattern;
        const char* text;
        bool found;
    };
    const Case cases[] = {
        {"", "", true},
        {"", "x", true},
        {"b", "abc", true},
        {"^b", "abc", false},
        {"b$", "abc", false},
        {"^a|c$", "xc", true},
        {"^a|c$", "ax", true},
        {"^a|c$", "xax", false},
        {"^(a|bc)+$", "abcbca", true},
        {"^(a|bc)+$", "abcb", false},
        {"^a?b*c+$", "cc", true},
        {"^a?b*c+$", "aac", false},
        {"^a{2}$", "aa", true},
        {"^a{2}$", "aaa", false},
        {"^a{2,}$", "aaaa", true},
        {"^a{2,}$", "a", false},
        {"^a{1,3}$", "aaa", true},
        {"^a{1,3}$", "aaaa", false},
        {"^a{0}$", "", true},
        {"^(ab){2,3}?$", "ababab", true},
        {"^x{,2}$", "x{,2}", true},
        {"^{}$", "{}", true},
        {"^.$", "\xC3\xA9", true},
        {"^.$", "\n", false},
        {"^...$", "\xF0\x9F\x98\x80\xE2\x82\xAC\xC3\xA9", true},
        {"^[a-c]+$", "abc", true},
        {"^[^a-c]+$", "abd", false},
        {"^[^a-c]+$", "xyz", true},
        {"^[]$", "", false},
        {"^[^]$", "\n", true},
        {"^[-a]+$", "a-", true},
        {"^[a-]+$", "a-", true},
        {"^[\\w.-]+$", "a.b-c_9", true},
        {"^[\\d\\s]+$", "1 2\t3", true},
        {"^[^\\d]+$", "ab1", false},
        {"^[\\]\\[]+$", "[]", true},
        {"^[\\b]$", "\b", true},
        {"^\\d{3}-\\d{4}$", "555-0199", true},
        {"^\\D\\W\\S$", "a-b", true},
        {"\\bcat\\b", "a cat.", true},
        {"\\bcat\\b", "concatenate", false},
        {"\\Bcat\\B", "concatenate", true},
        {"^\\u00e9\\x41\\u{1F600}\\ud83d\\ude00$",
         "\xC3\xA9"
         "A\xF0\x9F\x98\x80\xF0\x9F\x98\x80",
         true},
        {"^\\/\\-\\.\\*$", "/-.*", true},
        {"^(?:ab)+(?<name>c)$", "ababc", true},
        {"^()*$", "", true},
        {"a()b", "ab", true},
        {"(a|)b", "b", true},
    };
    for (const Case& c : cases)
        EXPECT_EQ(search(c.pattern, c.text), c.found) << c.pattern << " on " << c.text;
}

TEST(Pattern, ZeroBytesAreCharacters) {
    EXPECT_EQ(search("^a.b$", std::string_view("a\0b", 3)), true);
    EXPECT_EQ(search("^a$", std::string_view("a\0b", 3)), false);
}

TEST(Pattern, RefusesWhatItCannotDo) {
    for (const char* pattern : {"(?=a)", "(?!a)", "(?<=a)", "(a)\\1", "*a", "(a", "a)", "[a", "[b-a]",
                                "a{3,1}", "\\", "\\xZ1", "\\u{110000}", "\\u12", "a{5000}", "(?<n", "\xFF"})
        EXPECT_FALSE(Pattern::compile(pattern).ok()) << pattern;
}

TEST(Pattern, StrangersCannotMakeItLargeOrDeep) {
    EXPECT_FALSE(Pattern::compile("(((a{100}){100}){100}){100}").ok());
    EXPECT_FALSE(Pattern::compile(std::string(100'000, '(')).ok());
    EXPECT_FALSE(Pattern::compile(std::string(1'000'000, 'a')).ok());
}

// A backtracking engine would need 2^n steps for these, or a stack as deep as the text is long.
TEST(Pattern, HostileExpressionsEnd) {
    const std::string text = std::string(50'000, 'a') + "!";
    for (const char* pattern :
         {"(a+)+$", "^(a+)+$", "^(a*)*$", "^(a|a)*$", "^(a?){30}a{30}$", "^((a?|b?)(a?|b?))*$"})
        EXPECT_FALSE(search(pattern, text)) << pattern;
}

}  // namespace
}  // namespace stepper
