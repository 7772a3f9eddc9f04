#include "core/plugin/library/folder.h"

#include <algorithm>
#include <ctime>

#include <sys/stat.h>

#include "core/base/file.h"
#include "core/plugin/library/intake.h"
#include "core/plugin/proving/transcript.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kSettledNs = 150'000'000;

int64_t nanoseconds(const timespec& t) { return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; }

int64_t wallNs() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return nanoseconds(now);
}

Print printOf(const fs::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return {};
    Print out{info.st_dev, info.st_ino, info.st_size, nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
    for (const auto& transcript : sidecarTranscripts(file))
        if (::stat(transcript.c_str(), &info) == 0) out.transcripts_ns += nanoseconds(info.st_mtim);
    return out;
}

}  // namespace

// A clock that is ahead, as on a network file system, does not make a file young for ever.
bool isYoung(const Print& print) {
    const int64_t age = wallNs() - std::max(print.modified_ns, print.changed_ns);
    return age >= 0 && age < kSettledNs;
}

Result<std::map<fs::path, Print>> surveyFolder(const fs::path& dir) {
    if (auto folder = checkPluginsFolder(dir); !folder) return std::move(folder).error();
    std::map<fs::path, Print> out;
    const auto names = namesIn(dir);
    if (!names) return names.error();
    for (const auto& name : *names)
        if (const fs::path path = dir / name; path.extension() == ".so") out.emplace(path, printOf(path));
    return out;
}

}  // namespace stepper::plugin
