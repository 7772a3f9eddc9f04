// How one instance behaves: its script, key, limits and wire options, as the control API and --script write
// them. Plain data; README.md describes every member.
#pragma once
#include <map>
#include <memory>

#include "tools/provider-sim/quota.h"
#include "tools/provider-sim/step.h"

namespace stepper::sim {

enum class Then { Last, Repeat, Ok };

struct Latency {
    milliseconds min{0}, max{0};
    uint64_t seed = 1;
};

struct FailRate {
    double p = 0;
    int status = 500;
    uint64_t seed = 1;
};

// Asleep until that many calls or that long after the first call.
struct Sleep {
    uint64_t calls = 0;
    milliseconds ms{0};
};

struct Behaviour {
    std::vector<Step> steps;
    Then then = Then::Last;
    Step probe{.label = "ok"};  // of models, health and configuration requests
    std::optional<std::string> answer;
    std::string key;
    Latency latency;
    milliseconds chunk_delay{0};
    std::optional<QuotaRule> quota;
    uint64_t max_concurrency = 0;  // 0 is unlimited
    FailRate fail_rate;
    Sleep sleep;
    bool rate_limit_headers = false;
    FormatOptions format;
    std::string source = "{}";  // the JSON it was read from
};

// InvalidRequest naming the place and the nearest member when the value is no behaviour.
Result<Behaviour> parseBehaviour(const json::Value& v);

// {"instances":{"one":{...},...}}
Result<std::map<std::string, Behaviour>> parseScript(std::string_view text);

}  // namespace stepper::sim
