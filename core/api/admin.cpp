#include "core/api/admin.h"

#include "core/config/effective.h"

namespace stepper::api {
namespace {

constexpr milliseconds kPatience{30'000};

void putList(json::Writer& w, std::string_view key, const std::vector<std::string>& items) {
    w.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    w.StartArray();
    for (const auto& item : items) w.String(item.data(), static_cast<rapidjson::SizeType>(item.size()));
    w.EndArray();
}

void putReport(json::Writer& w, const engine::ReloadReport& report) {
    json::put(w, "status", !report.ok() ? "refused" : report.changes.empty() ? "unchanged" : "applied");
    json::putInt(w, "generation", static_cast<int64_t>(report.generation));
    putList(w, "changes", report.changes);
    putList(w, "problems", report.problems);
    putList(w, "waitForRestart", report.restart);
    putList(w, "files", report.files);
    json::put(w, "at", isoTime(report.at));
    json::putInt(w, "ms", report.took.count());
}

http::Response answer(const Result<engine::ReloadReport>& report, const http::Request& request) {
    if (!report) {
        const bool unknown = report.error().error_class == ErrorClass::InvalidRequest;
        return http::Response::error(unknown ? 404 : 503, unknown ? "NOT_FOUND" : "TIMEOUT",
                                     report.error().message, request.id);
    }
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    if (!report->ok()) {
        json::put(w, "error", report->problems.front());
        json::put(w, "errorCode", "BAD_CONFIG");
        json::put(w, "requestId", request.id);
    }
    putReport(w, *report);
    w.EndObject();
    return http::Response::json(report->ok() ? 200 : 422, {buffer.GetString(), buffer.GetSize()});
}

std::vector<std::string> providersOf(const engine::Snapshot& snapshot, const plugin::Listing& listing) {
    std::vector<std::string> out;
    for (const auto& p : snapshot.providers)
        if (p.enabled() && p.plugin->image()->sha256() == listing.sha256) out.push_back(p.spec.name);
    return out;
}

void putListing(json::Writer& w, const plugin::Listing& l, const engine::Snapshot& snapshot) {
    using State = plugin::Listing::State;
    const bool loaded = l.state != State::Rejected && l.state != State::Quarantined;
    w.StartObject();
    json::put(w, "file", l.file.string());
    json::put(w, "kind", l.kind);
    json::put(w, "version", l.version);
    json::put(w, "sha256", l.sha256);
    json::putInt(w, "generation", static_cast<int64_t>(l.generation));
    json::put(w, "state", plugin::name(l.state));
    if (l.state == State::Retired) json::putInt(w, "retiredReferences", l.users);
    if (!l.reason.empty()) json::put(w, "reason", l.reason);
    putList(w, "providers", loaded ? providersOf(snapshot, l) : std::vector<std::string>{});
    if (loaded) {
        json::putInt(w, "calls", l.counts.calls);
        json::putInt(w, "faults", l.counts.faults);
        json::putInt(w, "slowSteps", l.counts.slow_steps);
    }
    w.EndObject();
}

}  // namespace

http::Response Admin::plugins() const {
    const auto snapshot = snapshots_.get();
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    w.Key("plugins");
    w.StartArray();
    for (const auto& listing : reloading_.plugins()) putListing(w, listing, *snapshot);
    w.EndArray();
    json::putInt(w, "generation", static_cast<int64_t>(snapshot->generation));
    w.EndObject();
    return http::Response::json(200, {buffer.GetString(), buffer.GetSize()});
}

http::Response Admin::config() const {
    const auto snapshot = snapshots_.get();
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    json::putInt(w, "generation", static_cast<int64_t>(snapshot->generation));
    w.Key("config");
    config::effective(snapshot->config, config::Secrets::Masked).Accept(w);
    w.Key("lastReload");
    w.StartObject();
    putReport(w, reloading_.last());
    w.EndObject();
    putList(w, "warnings", snapshot->config.warnings);
    w.EndObject();
    return http::Response::json(200, {buffer.GetString(), buffer.GetSize()});
}

http::Response Admin::reload(const http::Request& request) const {
    return answer(reloading_.reload(request.received + kPatience), request);
}

http::Response Admin::release(const http::Request& request) const {
    return answer(reloading_.release(std::string(request.param("sha256")), request.received + kPatience),
                  request);
}

}  // namespace stepper::api
