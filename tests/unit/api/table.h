// The route table over everything it is made with: no provider, a store in memory, nothing that runs.
#pragma once
#include "core/api/api.h"
#include "core/store/memory/store.h"

namespace stepper::api {

class NoTransport final : public transport::Transport {
    Result<std::unique_ptr<transport::Exchange>> open(transport::HttpRequest, CancelToken&) override {
        return Error{ErrorClass::Transport, "there is none"};
    }
};

class NoFiles final : public engine::Reloading {
    Result<engine::ReloadReport> reload(SteadyTime) override { return engine::ReloadReport{}; }
    engine::ReloadReport last() const override { return {}; }
    std::vector<plugin::Listing> plugins() const override { return {}; }
    Result<engine::ReloadReport> release(const std::string&, SteadyTime) override {
        return Error{ErrorClass::InvalidRequest, "no such quarantine"};
    }
};

class Table {
public:
    const std::vector<http::Route>& routes() const { return routes_; }
    // That of a pattern, Client where nothing is.
    http::Role roleOf(std::string_view pattern) const {
        for (const auto& route : routes_)
            if (route.pattern == pattern) return route.role;
        return http::Role::Client;
    }

private:
    struct Empty : engine::SnapshotHolder {
        Empty() { publish(std::make_shared<engine::Snapshot>()); }
    };

    ManualClock clock_;
    store::MemoryStore store_{clock_, {}};
    Empty snapshots_;
    NoTransport transport_;
    NoFiles files_;
    Metrics metrics_;
    engine::Engine engine_{{snapshots_, transport_, metrics_, clock_}};
    engine::Usage usage_{clock_};
    engine::UsageKeeper keeper_{usage_, store_};
    jobs::JobService jobs_{{store_, engine_, snapshots_, metrics_, {}}, clock_};
    std::atomic<bool> draining_{false};
    std::vector<http::Route> routes_ =
        makeRoutes({engine_, jobs_, keeper_, snapshots_, files_, metrics_, clock_, draining_,
                    [] { return 0; }, std::make_shared<http::ByteBudget>(1u << 20)});
};

}  // namespace stepper::api
