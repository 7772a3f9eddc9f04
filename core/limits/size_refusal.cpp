#include "core/limits/size_refusal.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <re2/re2.h>

namespace stepper::limits {
namespace {

// `L` stands for the limit, `N` for what was asked for.
constexpr const char* kForms[] = {
    // OpenAI, Groq, of tokens a minute
    "limit:? L, requested:? N",
    // OpenAI, DeepSeek, vLLM, OpenRouter
    "maximum context length (?:is|of) L tokens?.*?(?:resulted in|requested|contains?|has|have)(?: about)? N",
    // Anthropic, and its sum of prompt and answer
    "N tokens? > L maximum",
    "context limit: [0-9]+ \\+ [0-9]+ > L\\b",
    // Gemini
    "token count \\(?N\\)? exceeds the maximum number of tokens allowed \\(?L",
    // Mistral
    "contains N tokens.*?L maximum context length",
    // Cohere
    "cannot exceed L - received N",
    // xAI
    "maximum prompt length is L but the request contains N",
    // text-generation-inference, Together
    "must (?:have less than|be <=|have at most) L(?: tokens)?\\. Given: N",
    // llama.cpp, LM Studio
    "request \\(N tokens\\) exceeds the available context size \\(L tokens",
    "(?:of N tokens|N tokens).*?context (?:length|size|window)(?: of)?(?: only)? L\\b",
    // GitHub Models
    "max size: L tokens",
};

struct Form {
    std::unique_ptr<RE2> pattern;
    int limit = 0, asked = 0;  // numbers of their groups; asked is 0 when it is not told
};

void replace(std::string& text, std::string_view what, std::string_view with) {
    if (const auto at = text.find(what); at != std::string::npos) text.replace(at, what.size(), with);
}

std::vector<Form> compiled() {
    constexpr std::string_view kNumber = "([0-9][0-9,_]*)";
    std::vector<Form> out;
    for (std::string source : kForms) {
        const auto limit = source.find('L'), asked = source.find('N');
        Form form;
        form.limit = asked < limit ? 2 : 1;
        form.asked = asked == std::string::npos ? 0 : 3 - form.limit;
        replace(source, "L", kNumber);
        replace(source, "N", kNumber);
        form.pattern = std::make_unique<RE2>("(?is)" + source);
        out.push_back(std::move(form));
    }
    return out;
}

std::optional<int64_t> numberIn(std::string text) {
    std::erase_if(text, [](char c) { return c == ',' || c == '_'; });
    constexpr size_t kMostDigits = 12;
    if (text.empty() || text.size() > kMostDigits) return std::nullopt;
    return std::stoll(text);
}

std::optional<int64_t> matched(const Form& form, std::string_view words) {
    std::string first, second;
    // Newer RE2s come with a string_view of their own, which std's does not turn into.
    const re2::StringPiece text(words.data(), words.size());
    const bool found = form.asked ? RE2::PartialMatch(text, *form.pattern, &first, &second)
                                  : RE2::PartialMatch(text, *form.pattern, &first);
    if (!found) return std::nullopt;
    const auto limit = numberIn(form.limit == 1 ? first : second);
    if (!form.asked) return limit;
    const auto asked = numberIn(form.asked == 1 ? first : second);
    return limit && asked && *asked > *limit ? limit : std::nullopt;
}

}  // namespace

std::optional<int64_t> mostTokensIn(std::string_view words) {
    static const std::vector<Form> forms = compiled();
    for (const Form& form : forms)
        if (const auto most = matched(form, words)) return most;
    return std::nullopt;
}

}  // namespace stepper::limits
