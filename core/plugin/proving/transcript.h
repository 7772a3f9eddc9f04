// Transcripts: text files that drive a plugin through events and state what it must answer. The format is
// described in tests/transcripts/README.md. Sans-I/O but for reading the file.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/plugin/library/image.h"

namespace stepper::plugin {

struct Directive {
    int line = 0;
    std::string verb;  // "expect", "head", ...
    std::string rest;  // what follows it, or the lines of its heredoc
};

struct TranscriptCase {
    int line = 0;
    std::string title;
    std::vector<Directive> directives;
};

struct Transcript {
    std::string file;
    std::string default_config = "{}";
    std::vector<TranscriptCase> cases;
};

inline constexpr size_t kMaxTranscriptBytes = 16u << 20;

// Config error "file:line: problem".
Result<Transcript> parseTranscript(std::string_view text, std::string file);

// The transcripts beside a plugin file: STEM.transcript, and *.transcript in STEM.transcripts, by name.
std::vector<std::filesystem::path> sidecarTranscripts(const std::filesystem::path& plugin_file);

// A case that failed: where, and what was expected and seen.
struct TranscriptFailure {
    int line = 0;
    std::string message;
};
// Runs one case on the image in every framing variant. Empty when it passed.
std::vector<TranscriptFailure> runCase(const std::shared_ptr<const PluginImage>& image,
                                       const Transcript& transcript, const TranscriptCase& test);

}  // namespace stepper::plugin
