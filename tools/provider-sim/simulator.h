// The simulator itself: takes a request from its head to the last byte of the answer. Any thread.
#pragma once
#include <atomic>
#include <functional>

#include "core/base/clock.h"
#include "tools/provider-sim/instance.h"
#include "tools/provider-sim/render.h"
#include "tools/provider-sim/request_log.h"
#include "tools/provider-sim/respond.h"

namespace stepper::sim {

// The instance a path names and the path below it: "/p/one/v1/x" is {"one", "/v1/x"}, "/v1/x" {"default",
// "/v1/x"}.
struct Target {
    std::string instance, path;
};
Target targetOf(std::string_view path);

class Simulator {
public:
    explicit Simulator(const Clock& clock) : clock_(clock) {}

    // Answers one request on the wire; true when the connection may carry another one. `read_body` fills
    // call.body, returns false when it cannot, and is not called when the script leaves the request unread.
    bool serve(Call& call, Wire& wire, const std::function<bool(Call&)>& read_body, bool new_connection);

    Instances& instances() { return instances_; }
    RequestLog& log() { return log_; }

private:
    // What will be answered, and why.
    struct Plan {
        StepPtr step = {};
        milliseconds latency{0};
        Rendered rendered = {};
        uint64_t prompt_tokens = 0;  // 0 when the work was not done
    };
    struct Visit {
        Instance& instance;
        const Behaviour& behaviour;
        const Call& call;
        const Format* format;
        std::string_view key;
        Ask ask;
    };

    Plan plan(Visit& visit);
    Plan planSubmit(Visit& visit, Decision decision);
    Plan planFetch(Visit& visit);
    Rendered say(const Visit& visit, const Content& content) const;
    bool deliver(const Plan& plan, Instance& instance, Wire& wire, LogEntry entry);

    const Clock& clock_;
    Instances instances_;
    RequestLog log_;
    std::atomic<uint64_t> serial_{0};
};

}  // namespace stepper::sim
