// /admin: what is in force, and telling the process to look at its files.
#include "core/api/json_answer.h"
#include "core/api/routes.h"
#include "core/config/effective.h"

namespace stepper::api {
namespace {

constexpr milliseconds kPatience{30'000};

void putReport(json::Writer& w, const engine::ReloadReport& report) {
    json::put(w, "status", !report.ok() ? "refused" : report.changes.empty() ? "unchanged" : "applied");
    json::putInt(w, "generation", static_cast<int64_t>(report.generation));
    putTexts(w, "changes", report.changes);
    putTexts(w, "problems", report.problems);
    putTexts(w, "waitForRestart", report.restart);
    putTexts(w, "files", report.files);
    json::put(w, "at", isoTime(report.at));
    json::putInt(w, "ms", report.took.count());
}

http::Response answer(const Result<engine::ReloadReport>& report, const http::Request& request) {
    if (!report) {
        const bool unknown = report.error().error_class == ErrorClass::InvalidRequest;
        return http::Response::error(unknown ? 404 : 503, unknown ? "NOT_FOUND" : "TIMEOUT",
                                     report.error().message, request.id);
    }
    return jsonAnswer(report->ok() ? 200 : 422, [&](json::Writer& w) {
        if (!report->ok()) {
            json::put(w, "error", report->problems.front());
            json::put(w, "errorCode", "BAD_CONFIG");
            json::put(w, "requestId", request.id);
        }
        putReport(w, *report);
    });
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
    putTexts(w, "providers", loaded ? providersOf(snapshot, l) : std::vector<std::string>{});
    if (loaded) {
        json::putInt(w, "calls", l.counts.calls);
        json::putInt(w, "faults", l.counts.faults);
        json::putInt(w, "slowSteps", l.counts.slow_steps);
    }
    w.EndObject();
}

class Admin {
public:
    Admin(engine::Reloading& reloading, const engine::SnapshotHolder& snapshots)
        : reloading_(reloading), snapshots_(snapshots) {}

    // {"plugins":[{"file","kind","version","sha256","generation","state","providers",...}],"generation"}
    http::Response plugins(const http::Request&) const {
        const auto snapshot = snapshots_.get();
        return jsonAnswer(200, [&](json::Writer& w) {
            putArray(w, "plugins", reloading_.plugins(),
                     [&](const plugin::Listing& l) { putListing(w, l, *snapshot); });
            json::putInt(w, "generation", static_cast<int64_t>(snapshot->generation));
        });
    }

    // The configuration in force, secrets masked, and how the last look at the files went.
    http::Response config(const http::Request&) const {
        const auto snapshot = snapshots_.get();
        return jsonAnswer(200, [&](json::Writer& w) {
            json::putInt(w, "generation", static_cast<int64_t>(snapshot->generation));
            w.Key("config");
            config::effective(snapshot->config, config::Secrets::Masked).Accept(w);
            putObject(w, "lastReload", [&] { putReport(w, reloading_.last()); });
            putTexts(w, "warnings", snapshot->config.warnings);
        });
    }

    // 200 with what changed, 422 with what is wrong, 503 when it takes too long.
    http::Response reload(const http::Request& request) const {
        return answer(reloading_.reload(request.received + kPatience), request);
    }

    // As reload(), or 404.
    http::Response release(const http::Request& request) const {
        return answer(reloading_.release(std::string(request.param("sha256")), request.received + kPatience),
                      request);
    }

private:
    engine::Reloading& reloading_;
    const engine::SnapshotHolder& snapshots_;
};

}  // namespace

Routes adminRoutes(const ApiDeps& deps) {
    using http::Body, http::Role;
    const auto admin = std::make_shared<const Admin>(deps.reloading, deps.snapshots);
    return {
        {"GET", "/admin/plugins", "Plugins, what became of them and why", Body::None, Role::Admin,
         on(admin, &Admin::plugins)},
        {"GET", "/admin/config", "The configuration in force", Body::None, Role::Admin,
         on(admin, &Admin::config)},
        {"POST", "/admin/reload", "Look at the files now", Body::None, Role::Admin,
         on(admin, &Admin::reload)},
        {"DELETE", "/admin/plugins/quarantine/{sha256}", "Let a quarantined plugin try again", Body::None,
         Role::Admin, on(admin, &Admin::release)},
    };
}

}  // namespace stepper::api
