#include "core/plugin/image.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/id.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/plugin/child_probe.h"
#include "core/plugin/elf_check.h"
#include "core/plugin/views.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

constexpr uintmax_t kMaxFileBytes = 256u << 20;

std::mutex log_mutex;
LogSink& logSink() {
    static LogSink sink;
    return sink;
}

extern "C" void hostLog(void*, int32_t level, stepper_str message) {
    const auto text = checkedView(message, 4096);
    if (!text) return;
    std::lock_guard lock(log_mutex);
    if (logSink()) logSink()(level, toValidUtf8(*text));
}

extern "C" const void* hostExtension(void*, const char*) { return nullptr; }

constexpr stepper_host kHost{sizeof(stepper_host), STEPPER_ABI_VERSION, nullptr, &hostLog, &hostExtension};

Error refused(const fs::path& file, std::string why) {
    return Error{ErrorClass::Config, file.string() + ": " + std::move(why)};
}

Result<std::string> readFile(const fs::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return refused(file, std::strerror(errno));
    if (!S_ISREG(info.st_mode)) return refused(file, "not a regular file");
    if (info.st_mode & S_IWOTH) return refused(file, "writable by everybody; chmod o-w it");
    if (info.st_uid != 0 && info.st_uid != ::geteuid())
        return refused(file, "owned by another user (uid " + std::to_string(info.st_uid) + ")");
    if (static_cast<uintmax_t>(info.st_size) > kMaxFileBytes) return refused(file, "larger than 256 MiB");
    std::ifstream in(file, std::ios::binary);
    std::string bytes(static_cast<size_t>(info.st_size), '\0');
    if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
        return refused(file, "could not be read in full");
    return bytes;
}

// glibc compares path strings before inodes: a path that was loaded once returns the old image for ever. The
// content hash in the name gives every build a path of its own.
Result<fs::path> privateCopy(const fs::path& file, std::string_view bytes, const std::string& sha,
                             const fs::path& dir) {
    std::error_code ec;
    fs::create_directories(dir, ec);
    if (ec) return refused(dir, "cannot create the folder for plugin copies: " + ec.message());
    ::chmod(dir.c_str(), 0700);
    const fs::path copy = dir / (file.stem().string() + "-" + sha.substr(0, 16) + ".so");
    const fs::path draft = copy.string() + "." + std::to_string(::getpid());
    const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0500);
    if (fd < 0) return refused(draft, std::string("cannot write the private copy: ") + std::strerror(errno));
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += static_cast<size_t>(n);
    }
    const bool closed = ::close(fd) == 0;
    if (done < bytes.size() || !closed || ::rename(draft.c_str(), copy.c_str()) != 0) {
        const int why = errno;
        ::unlink(draft.c_str());
        return refused(copy, std::string("cannot write the private copy: ") + std::strerror(why));
    }
    return copy;
}

bool isKind(std::string_view s) {
    return !s.empty() && s.size() <= 64 && std::all_of(s.begin(), s.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

// What is wrong with the description, "" when nothing is.
std::string flaw(const stepper_plugin* p) {
    if (!p) return "its entry function returned nothing";
    if (p->struct_size < offsetof(stepper_plugin, get_extension))
        return "its description is shorter than ABI 1.0's";
    if (p->abi_version >> 16 != STEPPER_ABI_MAJOR)
        return "built for ABI major " + std::to_string(p->abi_version >> 16) + ", this host speaks " +
               std::to_string(STEPPER_ABI_MAJOR);
    if (p->min_host_abi > STEPPER_ABI_VERSION)
        return "needs a host of ABI " + std::to_string(p->min_host_abi >> 16) + "." +
               std::to_string(p->min_host_abi & 0xFFFF) + " or newer";
    if (!p->init || !p->create || !p->destroy || !p->begin || !p->step || !p->end)
        return "a required function of its description is missing";
    const auto kind = checkedView(p->kind, 64), version = checkedView(p->version, 64);
    const auto schema = checkedView(p->config_schema, 1u << 20);
    if (!kind || !isKind(*kind)) return "its kind is not 1 to 64 of a-z, 0-9 and -";
    if (!version || version->empty() || !isValidUtf8(*version)) return "its version is missing or no text";
    if (!schema || !json::parse(*schema)) return "its config schema is not JSON";
    return {};
}

Error reason(std::string why) { return Error{ErrorClass::Config, std::move(why)}; }

// Errors hold the reason alone; the caller knows which file to name.
Result<const stepper_plugin*> open(const fs::path& copy) {
    void* handle = ::dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char* why = ::dlerror();  // NOLINT(concurrency-mt-unsafe): thread-local in glibc
        return reason(std::string("cannot be loaded: ") + (why ? why : "unknown reason"));
    }
    const auto entry = reinterpret_cast<stepper_entry_fn>(::dlsym(handle, STEPPER_ENTRY_SYMBOL));
    if (!entry) return reason("exports no " STEPPER_ENTRY_SYMBOL);
    try {
        const stepper_plugin* table = entry();
        if (std::string why = flaw(table); !why.empty()) return reason(why);
        if (const auto status = table->init(&kHost); status != STEPPER_OK)
            return reason("its init refused to start (status " + std::to_string(status) + ")");
        return table;
    } catch (...) {
        return reason("threw an exception across the C boundary while starting");
    }
}

}  // namespace

void setPluginLog(LogSink sink) {
    std::lock_guard lock(log_mutex);
    logSink() = std::move(sink);
}

Result<std::shared_ptr<const PluginImage>> PluginImage::load(const fs::path& file,
                                                             const LoadOptions& options) {
    auto bytes = readFile(file);
    if (!bytes) return std::move(bytes).error();
    if (auto sound = checkSharedObject(*bytes, STEPPER_ENTRY_SYMBOL); !sound)
        return refused(file, sound.error().message);
    const std::string sha = sha256Hex(*bytes);
    auto copy = privateCopy(file, *bytes, sha, options.copies_dir);
    if (!copy) return std::move(copy).error();
    if (!options.probe_program.empty()) {
        auto probed = probeInChild(options.probe_program, *copy, options.probe_timeout);
        if (!probed) return refused(file, probed.error().message);
    }
    auto table = open(*copy);
    if (!table) return refused(file, table.error().message);

    std::shared_ptr<PluginImage> image(new PluginImage);
    image->file_ = file;
    image->sha256_ = sha;
    image->table_ = *table;
    image->kind_ = *checkedView((*table)->kind, 64);
    image->version_ = *checkedView((*table)->version, 64);
    image->config_schema_ = *checkedView((*table)->config_schema, 1u << 20);
    return std::shared_ptr<const PluginImage>(std::move(image));
}

int probeMain(const fs::path& file) {
    auto table = open(file);
    if (!table) {
        std::fprintf(stderr, "%s\n", table.error().message.c_str());
        return 1;
    }
    const stepper_plugin& p = **table;
    char text[512];
    stepper_text_out error{text, sizeof text, 0};
    stepper_provider* provider = nullptr;
    // Most plugins refuse an empty configuration; what matters is that they do so without dying.
    if (p.create(stepper_str{"{}", 2}, &provider, &error) == STEPPER_OK) p.destroy(provider);
    std::printf("{\"kind\":\"%.*s\"}\n", static_cast<int>(p.kind.len), p.kind.ptr);
    std::fflush(stdout);
    return 0;
}

}  // namespace stepper::plugin
