#include "core/plugin/proving/transcript.h"

#include <algorithm>
#include <array>

#include "core/base/file.h"
#include "core/base/text.h"

namespace stepper::plugin {
namespace {

constexpr std::array<std::string_view, 13> kVerbs = {"config", "case",   "begin", "head", "body",
                                                     "cut",    "data",   "event", "end",  "io",
                                                     "timer",  "cancel", "expect"};

Error at(const std::string& file, int line, std::string problem) {
    return Error{ErrorClass::Config, file + ":" + std::to_string(line) + ": " + std::move(problem)};
}

// Lines with their ends kept apart from their content; a transcript's own line ends never matter.
class Lines {
public:
    explicit Lines(std::string_view text) : lines_(splitLines(text)) {}
    bool next(std::string_view& line) {
        if (at_ == lines_.size()) return false;
        line = lines_[at_++];
        return true;
    }
    int number() const { return static_cast<int>(at_); }

private:
    std::vector<std::string_view> lines_;
    size_t at_ = 0;
};

// "<<WORD" at the end of `rest` is replaced by the lines up to WORD.
bool takeHeredoc(Lines& lines, std::string& rest) {
    const size_t mark = rest.rfind("<<");
    if (mark == std::string::npos || (mark != 0 && rest[mark - 1] != ' ')) return true;
    const std::string word = rest.substr(mark + 2);
    if (word.empty() || word.find(' ') != std::string::npos) return true;
    std::string text;
    for (std::string_view line; lines.next(line);) {
        if (line == word) {
            if (!text.empty()) text.pop_back();
            rest = rest.substr(0, mark) + text;
            return true;
        }
        text += line;
        text += '\n';
    }
    return false;
}

}  // namespace

Result<Transcript> parseTranscript(std::string_view text, std::string file) {
    Transcript out;
    out.file = std::move(file);
    if (!isValidUtf8(text)) return at(out.file, 1, "not UTF-8 text");
    Lines lines(text);
    for (std::string_view raw; lines.next(raw);) {
        const std::string_view line = trim(raw);
        if (line.empty() || line.front() == '#') continue;
        const size_t space = line.find(' ');
        Directive d;
        d.line = lines.number();
        d.verb = line.substr(0, space);
        d.rest = space == std::string_view::npos ? "" : std::string(trim(line.substr(space)));
        if (std::find(kVerbs.begin(), kVerbs.end(), d.verb) == kVerbs.end()) {
            const auto near = nearest(d.verb, {kVerbs.begin(), kVerbs.end()});
            return at(out.file, d.line,
                      "unknown directive '" + d.verb + "'" + (near ? "; did you mean '" + *near + "'?" : ""));
        }
        if (!takeHeredoc(lines, d.rest)) return at(out.file, d.line, "the text after << has no end");
        if (d.verb == "case") {
            if (d.rest.empty()) return at(out.file, d.line, "a case needs a title");
            out.cases.push_back({d.line, d.rest, {}});
        } else if (!out.cases.empty()) {
            out.cases.back().directives.push_back(std::move(d));
        } else if (d.verb == "config") {
            out.default_config = d.rest;
        } else {
            return at(out.file, d.line, "'" + d.verb + "' before the first case");
        }
    }
    if (out.cases.empty()) return at(out.file, 1, "no case in this file");
    return out;
}

std::vector<std::filesystem::path> sidecarTranscripts(const std::filesystem::path& plugin_file) {
    namespace fs = std::filesystem;
    std::vector<fs::path> out;
    std::error_code ec;
    const fs::path stem = fs::path(plugin_file).replace_extension();
    if (const fs::path single = stem.string() + ".transcript"; fs::is_regular_file(single, ec))
        out.push_back(single);
    const fs::path folder = stem.string() + ".transcripts";
    if (const auto names = namesIn(folder))
        for (const auto& name : *names)
            if (const fs::path file = folder / name; file.extension() == ".transcript") out.push_back(file);
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace stepper::plugin
