#include "core/app/admin_token.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/descriptor.h"
#include "core/base/id.h"
#include "core/base/text.h"
#include "core/runtime/host.h"

namespace stepper::app {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFile = "admin-token";
constexpr size_t kRandomBytes = 32;
constexpr milliseconds kPatience{5'000}, kLookAgain{5};  // with another server that replaces the file
constexpr mode_t kOthers = 077, kPermissions = 07777;

// The same for every process of the user, as far as their environments agree.
fs::path runtimeFolder() {
    const char* own = std::getenv("XDG_RUNTIME_DIR");
    if (own && fs::path(own).is_absolute()) return fs::path(own) / "stepper";
    std::error_code ec;
    const fs::path shared = fs::temp_directory_path(ec);
    return (ec ? fs::path("/tmp") : shared) / ("stepper-" + std::to_string(::geteuid()));
}

Descriptor opened(const fs::path& path) {
    return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

// "" when it holds none.
std::string tokenIn(int file) {
    std::array<char, 2 * kRandomBytes + 2> bytes;
    const ssize_t n = ::pread(file, bytes.data(), bytes.size(), 0);
    const std::string_view text = trim({bytes.data(), n > 0 ? static_cast<size_t>(n) : 0});
    const bool sound = text.size() == 2 * kRandomBytes &&
                       text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return std::string(sound ? text : "");
}

struct Found {
    std::string token;  // none: there is no file, or `flaw` says what is wrong with it
    std::string flaw;
};

Found lookAt(const fs::path& path) {
    const Descriptor file = opened(path);
    if (!file)
        return {"", errno == ENOENT ? "" : fmt::format("could not be read ({})", std::strerror(errno))};
    struct stat is {};
    if (::fstat(file.get(), &is) != 0 || !S_ISREG(is.st_mode)) return {"", "was no file"};
    if (is.st_uid != ::geteuid()) return {"", fmt::format("belonged to the user {}", is.st_uid)};
    if (is.st_mode & kOthers)
        return {"", fmt::format("could be used by others (mode {:o})", is.st_mode & kPermissions)};
    Found out{tokenIn(file.get()), ""};
    if (out.token.empty()) out.flaw = "held no key";
    return out;
}

Error cannot(const char* what, const fs::path& path, int code) {
    return {ErrorClass::Config, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(code))};
}

// In a file of another name, which is not there under the real one before it is whole.
Result<void> writeDraft(const fs::path& draft, std::string_view token) {
    const Descriptor out(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    const std::string line = std::string(token) + "\n";
    if (!out) return cannot("write", draft, errno);
    const ssize_t written = ::write(out.get(), line.data(), line.size());
    // What a full disk takes in part sets no error.
    if (written >= 0 && written < static_cast<ssize_t>(line.size())) return cannot("write", draft, ENOSPC);
    if (written < 0 || ::fsync(out.get()) != 0) return cannot("write", draft, errno);
    return {};
}

// Who comes second where there was nothing leaves the first one's.
Result<void> write(const fs::path& path, bool replace) {
    std::array<char, kRandomBytes> random;
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
        return cannot("make random bytes for", path, errno);
    const fs::path draft = path.string() + "." + newId();
    auto done = writeDraft(draft, sha256Hex({random.data(), random.size()}));
    const bool placed = done && (replace ? ::rename(draft.c_str(), path.c_str()) == 0
                                         : ::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
    if (done && !placed) done = cannot("put a new key in", path, errno);
    ::unlink(draft.c_str());
    return done;
}

// Those who replace a flawed key at once do so one after the other. Where nothing can be locked, or somebody
// else keeps it locked, they go on without.
Descriptor turnIn(const fs::path& folder) {
    Descriptor out(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const SteadyTime until = std::chrono::steady_clock::now() + kPatience;
    while (::flock(out.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK &&
           std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(kLookAgain);
    return out;
}

}  // namespace

fs::path adminTokenPath(const config::Config& config) {
    const fs::path state = runtime::stateFolder(config);
    const fs::path path = (state.empty() ? runtimeFolder() : state) / kFile;
    std::error_code ec;
    const fs::path absolute = fs::absolute(path, ec);
    return ec ? path : absolute;
}

Result<AdminToken> keepAdminToken(const fs::path& path) {
    const Found before = lookAt(path);
    if (!before.token.empty()) return AdminToken{config::Secret(before.token), ""};
    std::error_code ec;
    if (fs::create_directories(path.parent_path(), ec)) ::chmod(path.parent_path().c_str(), 0700);
    Found now = before;
    Descriptor turn;
    if (!before.flaw.empty()) {
        turn = turnIn(path.parent_path());
        now = lookAt(path);
    }
    if (now.token.empty()) {
        if (auto written = write(path, !now.flaw.empty()); !written) return std::move(written).error();
        now = lookAt(path);
    }
    if (now.token.empty())
        return Error{ErrorClass::Config, "the new key in " + path.string() + " did not stay there"};
    if (before.flaw.empty()) return AdminToken{config::Secret(now.token), ""};
    return AdminToken{config::Secret(now.token),
                      fmt::format("{} {}; there is a new key in its place", path.string(), before.flaw)};
}

Result<config::Secret> readAdminToken(const fs::path& path) {
    const Descriptor file = opened(path);
    if (!file && errno == ENOENT)
        return Error{
            ErrorClass::Config,
            fmt::format("there is no admin key in {}, where a server of this configuration would have "
                        "put it; name that server's configuration with --config, or its key with --key "
                        "or STEPPER_ADMIN_KEY",
                        path.string())};
    if (!file)
        return Error{ErrorClass::Config,
                     fmt::format("the admin key in {} cannot be read: {}; do this as the user who runs the "
                                 "server, or name the key with --key or STEPPER_ADMIN_KEY",
                                 path.string(), std::strerror(errno))};
    std::string token = tokenIn(file.get());
    if (token.empty())
        return Error{ErrorClass::Config,
                     path.string() + " holds no admin key; remove it and restart the server"};
    return config::Secret(std::move(token));
}

}  // namespace stepper::app
