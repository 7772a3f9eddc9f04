#include "core/plugin/library/ledger.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/telemetry/log.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFile = "plugins.json";
constexpr size_t kMaxBytes = 16u << 20;

Error failed(const fs::path& what, const char* doing) {
    return Error{ErrorClass::Config, what.string() + ": cannot be " + doing + ": " + std::strerror(errno)};
}

std::string text(const json::Value& v, std::string_view key) {
    return std::string(json::string(v, key).value_or(""));
}

bool writeWhole(const fs::path& path, std::string_view bytes) {
    const Descriptor out(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0600));
    return out && ::write(out.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
           ::fsync(out.get()) == 0;
}

}  // namespace

Result<Ledger> Ledger::open(const fs::path& dir) {
    if (dir.empty()) return Error{ErrorClass::Config, "there is no folder to remember plugins in"};
    std::error_code ec;
    fs::create_directories(dir, ec);
    Ledger out;
    out.dir_ = dir;
    const fs::path lock = dir / "lock";
    out.lock_ = Descriptor(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!out.lock_) return failed(lock, "opened");
    if (::flock(out.lock_.get(), LOCK_EX | LOCK_NB) != 0)
        return Error{ErrorClass::Config, dir.string() +
                                             ": another process uses this folder; give each its own with "
                                             "plugins.state_dir"};
    ::chmod(dir.c_str(), 0700);
    out.marks_ = std::make_unique<CallMarks>(dir);
    out.read();
    out.condemnDead();
    return out;
}

void Ledger::read() {
    std::error_code ec;
    if (!fs::exists(fs::symlink_status(dir_ / kFile, ec))) return;
    const auto text = readFile(dir_ / kFile, kMaxBytes);
    if (!text) return findings_.push_back(text.error().message + "; what was known of plugins is forgotten");
    understand(*text);
}

void Ledger::understand(std::string_view all) {
    const auto d = json::parse(all);
    if (!d || !d->IsObject()) {
        std::error_code ec;
        fs::rename(dir_ / kFile, dir_ / (std::string(kFile) + ".damaged"), ec);
        findings_.push_back((dir_ / kFile).string() +
                            " is damaged and was set aside; what was known of plugins is forgotten");
        return;
    }
    const auto each = [&](std::string_view key, const auto& take) {
        const json::Value* object = json::find(*d, key);
        if (!object || !object->IsObject()) return;
        for (const auto& m : object->GetObject()) take(std::string(json::view(m.name)), m.value);
    };
    each("files", [&](std::string name, const json::Value& v) {
        files_[name] = {text(v, "sha256"), text(v, "previous"), json::boolean(v, "probation").value_or(false),
                        static_cast<int>(json::integer(v, "deaths").value_or(0))};
    });
    each("quarantine", [&](std::string sha, const json::Value& v) { quarantine_[sha] = text(v, "reason"); });
}

void Ledger::condemnDead() {
    std::set<std::string> dead = marks_->died();
    for (auto& [name, known] : files_) {
        if (dead.erase(known.sha256) == 0 || !known.probation) continue;
        const std::string what = "plugin " + name + " (sha256 " + known.sha256 + ")";
        if (known.previous.empty() && known.deaths++ == 0) {
            findings_.push_back(
                "the process died in a call of " + what +
                ", which was on probation; there is no previous version, so it is tried once more");
            continue;
        }
        quarantine_[known.sha256] = "the process died in a call of this version while it was on probation";
        findings_.push_back(what +
                            " is quarantined: the process died in a call of it while it was on probation" +
                            (known.previous.empty() ? "" : "; the previous version is used"));
        known = {known.previous, "", false, 0};
    }
    for (const auto& [name, known] : files_) dead.erase(known.previous);
    // It had not even been put in force.
    for (const auto& sha256 : dead) {
        quarantine_[sha256] = "the process died while this version was started";
        findings_.push_back("the plugin with the sha256 " + sha256 +
                            " is quarantined: the process died while it was started");
    }
    std::erase_if(files_, [](const auto& f) { return f.second.sha256.empty(); });
    if (findings_.empty()) return;
    if (const auto written = write(); !written) findings_.push_back(written.error().message);
}

const KnownFile* Ledger::find(const std::string& file) const {
    const auto it = files_.find(file);
    return it == files_.end() ? nullptr : &it->second;
}

std::optional<std::string> Ledger::quarantined(const std::string& sha256) const {
    const auto it = quarantine_.find(sha256);
    if (it == quarantine_.end()) return std::nullopt;
    return it->second;
}

Result<void> Ledger::note(const std::string& file, KnownFile known) {
    files_[file] = std::move(known);
    return write();
}

Result<void> Ledger::forget(const std::string& file) {
    return files_.erase(file) > 0 ? write() : Result<void>{};
}

Result<void> Ledger::quarantine(const std::string& sha256, std::string reason) {
    quarantine_[sha256] = std::move(reason);
    return write();
}

Result<bool> Ledger::release(const std::string& sha256) {
    if (quarantine_.erase(sha256) == 0) return false;
    if (auto written = write(); !written) return std::move(written).error();
    return true;
}

Result<void> Ledger::close() {
    if (marks_) marks_->close();
    bool any = false;
    for (auto& [name, known] : files_) {
        any = std::exchange(known.probation, false) || any;
        known.deaths = 0;
    }
    return any ? write() : Result<void>{};
}

Result<void> Ledger::write() const {
    if (dir_.empty()) return {};
    json::Document d(rapidjson::kObjectType);
    auto& a = d.GetAllocator();
    json::Value files(rapidjson::kObjectType), quarantine(rapidjson::kObjectType);
    for (const auto& [name, known] : files_) {
        json::Value v(rapidjson::kObjectType);
        json::set(v, "sha256", known.sha256, a);
        json::set(v, "previous", known.previous, a);
        json::set(v, "probation", json::Value(known.probation), a);
        if (known.deaths > 0) json::set(v, "deaths", json::Value(known.deaths), a);
        json::set(files, name, std::move(v), a);
    }
    for (const auto& [sha, reason] : quarantine_) {
        json::Value v(rapidjson::kObjectType);
        json::set(v, "reason", reason, a);
        json::set(quarantine, sha, std::move(v), a);
    }
    json::set(d, "files", std::move(files), a);
    json::set(d, "quarantine", std::move(quarantine), a);
    const fs::path path = dir_ / kFile, draft = path.string() + ".new";
    if (!writeWhole(draft, json::dumpPretty(d)) || ::rename(draft.c_str(), path.c_str()) != 0)
        return failed(path, "written");
    const Descriptor folder(::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0) return failed(dir_, "written");
    return {};
}

void warnUnless(const Result<void>& written) {
    if (!written) log::warn("plugin ledger", {{"reason", written.error().message}});
}

}  // namespace stepper::plugin
