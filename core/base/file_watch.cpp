#include "core/base/file_watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/base/file.h"

namespace stepper {
namespace fs = std::filesystem;
namespace {

// Not IN_MODIFY: a database beside a watched file writes hundreds of times a second, and a file is worth a
// look once its writer has closed it.
constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                             IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr int kUntold = 250;    // ms, where no descriptor wakes the wait
constexpr int kMaxLinks = 40;   // as many as Linux follows
constexpr int kMaxRounds = 16;  // a structure that never stands still must not keep the caller

using Plan = std::map<fs::path, FileWatch::Interest>;

// Notes every name in every directory that decides what `path` leads to. Returns that place when it is a
// directory, "" otherwise. Symlinks are taken one by one, because each of them can be swapped.
fs::path follow(Plan& plan, const fs::path& path) {
    std::deque<fs::path> ahead(path.begin(), path.end());
    fs::path at = "/";
    int links = 0;
    while (!ahead.empty()) {
        const fs::path name = std::move(ahead.front());
        ahead.pop_front();
        if (name.empty() || name == "." || name.has_root_directory()) continue;
        if (name == "..") {
            at = at.parent_path();
            continue;
        }
        plan[at].names.insert(name);
        std::error_code ec;
        const auto type = fs::symlink_status(at / name, ec).type();
        if (type == fs::file_type::symlink) {
            const fs::path target = fs::read_symlink(at / name, ec);
            if (ec || ++links > kMaxLinks) return {};
            if (target.is_absolute()) at = "/";
            ahead.insert(ahead.begin(), target.begin(), target.end());
        } else if (type == fs::file_type::directory) {
            at /= name;
        } else {
            return {};
        }
    }
    return at;
}

void noteContents(Plan& plan, const fs::path& directory) {
    plan[directory].everything = true;
    const auto names = namesIn(directory);
    if (!names) return;
    for (const auto& name : *names) {
        std::error_code unreadable;
        const fs::path entry = directory / name;
        if (fs::symlink_status(entry, unreadable).type() == fs::file_type::symlink) follow(plan, entry);
    }
}

std::string remedy(int error) {
    if (error == ENOSPC) return "; raise fs.inotify.max_user_watches";
    if (error == EMFILE) return "; raise fs.inotify.max_user_instances or the limit of open files";
    return "";
}

Error unwatched(const std::string& what, int error) {
    return Error{ErrorClass::Config, what + ": changes are found by the periodic look only: " +
                                         std::strerror(error) + remedy(error)};
}

int millisUntil(SteadyTime until) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000));
}

}  // namespace

FileWatch::FileWatch() { ensureWake(); }

void FileWatch::ensureWake() {
    if (wake_) return;
    wake_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    wake_fd_ = wake_.get();
}

Result<void> FileWatch::watch(const std::vector<fs::path>& paths) {
    paths_.clear();
    for (const auto& path : paths) {
        std::error_code ec;
        if (auto whole = fs::absolute(path, ec); !whole.empty()) paths_.push_back(std::move(whole));
    }
    return establish();
}

FileWatch::Plan FileWatch::survey() const {
    Plan plan;
    for (const auto& path : paths_)
        if (const fs::path directory = follow(plan, path); !directory.empty()) noteContents(plan, directory);
    return plan;
}

// Adding a directory that is watched already only sets what it is watched for, and no event is lost. A plan
// is sorted, so parents come first: a directory replaced meanwhile is either added as the new one or told of.
Result<void> FileWatch::apply(const Plan& plan) {
    Result<void> result;
    std::map<int, Interest> now;
    for (const auto& [directory, interest] : plan) {
        const int wd = ::inotify_add_watch(inotify_.get(), directory.c_str(), kEvents);
        if (wd < 0) {
            const bool gone = errno == ENOENT || errno == ENOTDIR;
            if (!gone && result) result = unwatched(directory.string(), errno);
            continue;
        }
        // Two paths can lead to one directory: bind mounts.
        now[wd].everything |= interest.everything;
        now[wd].names.insert(interest.names.begin(), interest.names.end());
    }
    for (const auto& [wd, interest] : watched_)
        if (!now.contains(wd)) ::inotify_rm_watch(inotify_.get(), wd);
    watched_ = std::move(now);
    return result;
}

// What changed between survey and watch was not told of, so watches stand only once a second survey agrees.
Result<void> FileWatch::establish() {
    if (!inotify_) inotify_ = Descriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!inotify_) return unwatched("inotify", errno);
    Result<void> result;
    Plan plan = survey();
    in_flux_ = true;
    for (int round = 0; in_flux_ && round < kMaxRounds; ++round) {
        result = apply(plan);
        Plan again = survey();
        in_flux_ = again != plan;
        plan = std::move(again);
    }
    return result;
}

// True when an event concerns what is watched. Takes one buffer full; what is left makes the next poll
// return.
bool FileWatch::takeEvents() {
    alignas(inotify_event) std::array<char, 16384> buffer;
    const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
    bool relevant = false;
    for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        if (event->mask & IN_Q_OVERFLOW) relevant = true;
        const auto interest = watched_.find(event->wd);
        if (interest == watched_.end()) continue;
        const bool about_itself = event->len == 0;
        relevant = relevant || about_itself || interest->second.everything ||
                   interest->second.names.contains(event->name);
    }
    return relevant;
}

FileWatch::Why FileWatch::wait(SteadyTime until) {
    for (;;) {
        ensureWake();
        const int left = wake_ ? millisUntil(until) : std::min(millisUntil(until), kUntold);
        std::array<pollfd, 2> fds{{{wake_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}}};
        ::poll(fds.data(), fds.size(), in_flux_ ? 0 : left);
        if (takeWake()) return Why::Woken;
        if (in_flux_ || (fds[1].revents && takeEvents())) {
            (void)establish();  // what cannot be watched is said by the next watch()
            return Why::Changed;
        }
        if (std::chrono::steady_clock::now() >= until) return Why::Timeout;
    }
}

bool FileWatch::settle(milliseconds quiet, milliseconds at_most) {
    const auto end = std::chrono::steady_clock::now() + at_most;
    for (;;) {
        const auto now = std::chrono::steady_clock::now();
        if (now >= end) return true;
        const Why why = wait(std::min(end, now + quiet));
        if (why != Why::Changed) return why == Why::Timeout;
    }
}

void FileWatch::wake() {
    woken_ = true;
    const uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_fd_, &one, sizeof one);  // full means already woken
}

bool FileWatch::takeWake() {
    uint64_t count;
    [[maybe_unused]] const auto size = ::read(wake_.get(), &count, sizeof count);
    return woken_.exchange(false);
}

}  // namespace stepper
