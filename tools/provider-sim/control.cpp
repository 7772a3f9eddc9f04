#include "tools/provider-sim/control.h"

#include <charconv>
#include <limits>

#include "tools/provider-sim/formats/common.h"

namespace stepper::sim {
namespace {

Reply ok(const J& body) { return {.body = body.str()}; }

Reply refuse(int status, const std::string& why) {
    return {.status = status, .body = obj({{"error", why}}).str()};
}

template <class Map, class KeyText>
J mapOf(const Map& map, KeyText key_text) {
    std::string out = "{";
    for (const auto& [key, value] : map) {
        if (out.size() > 1) out += ',';
        out += J(std::string(key_text(key))).str() + ":" + J(value).str();
    }
    return J::raw(out + "}");
}

J countersOf(const Instance& instance) {
    const auto c = instance.counters();
    return obj({{"requests", c.requests},
                {"by_status", mapOf(c.by_status, [](int status) { return std::to_string(status); })},
                {"by_step", mapOf(c.by_step, [](const std::string& label) { return label; })},
                {"in_flight", c.in_flight},
                {"max_in_flight", c.max_in_flight},
                {"connections", c.connections},
                {"aborted", c.aborted},
                {"prompt_tokens", c.prompt_tokens},
                {"completion_tokens", c.completion_tokens}});
}

Reply onInstance(Simulator& sim, const Call& call, const std::string& name) {
    if (call.method == "PUT") {
        const auto document = json::parse(call.body, {.reject_duplicate_keys = true});
        auto behaviour = document ? parseBehaviour(*document) : Result<Behaviour>(document.error());
        if (!behaviour) return refuse(400, behaviour.error().message);
        sim.instances().get(name)->set(std::move(behaviour).value());
    } else if (call.method == "DELETE") {
        sim.instances().remove(name);
        return ok(obj({}));
    } else if (call.method != "GET") {
        return refuse(405, "use GET, PUT or DELETE");
    }
    const auto instance = sim.instances().get(name);
    return ok(obj({{"name", name},
                   {"behaviour", J::raw(instance->behaviour()->source)},
                   {"counters", countersOf(*instance)}}));
}

Reply stats(Simulator& sim, std::string_view blackhole) {
    std::string instances = "{";
    for (const auto& [name, instance] : sim.instances().all()) {
        if (instances.size() > 1) instances += ',';
        instances += J(name).str() + ":" + countersOf(*instance).str();
    }
    return ok(obj({{"blackhole", blackhole.empty() ? J(nullptr) : J(blackhole)},
                   {"instances", J::raw(instances + "}")}}));
}

Reply log(Simulator& sim, const Call& call) {
    size_t limit = std::numeric_limits<size_t>::max();
    const auto text = call.parameter("limit");
    if (!text.empty() &&
        std::from_chars(text.data(), text.data() + text.size(), limit).ptr != text.data() + text.size())
        return refuse(400, "limit is not a number");
    return ok(J::raw(sim.log().json(call.parameter("instance"), limit)));
}

}  // namespace

Reply control(Simulator& sim, const Call& call, std::string_view blackhole) {
    const auto path = std::string_view(call.path).substr(kControlPrefix.size());
    if (path.starts_with("p/")) return onInstance(sim, call, std::string(path.substr(2)));
    if (path == "stats" && call.method == "GET") return stats(sim, blackhole);
    if (path == "log" && call.method == "GET") return log(sim, call);
    if (path == "reset" && call.method == "POST") {
        sim.instances().clear();
        sim.log().clear();
        return ok(obj({}));
    }
    return refuse(404, "no such control: use p/NAME, stats, log or reset");
}

}  // namespace stepper::sim
