#include <chrono>

#include "core/config/formats.h"
#include "core/config/settings.h"
#include "core/secrets/redact.h"

namespace stepper::config {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kMostPerWindow = 1'000'000'000'000;
constexpr size_t kMostWindows = 16;

constexpr Integer kPerWindow{1, kMostPerWindow};
constexpr Special<milliseconds> kPause{"0s, or a duration from 10s to 1d", format::pause};

struct WindowList {
    std::string type() const { return "a list of windows"; }
    void read(const Value& v, std::vector<Window>& out) const {
        std::vector<Window> windows;
        read::list(v, kMostWindows, [&windows](const Value& item) {
            Window w;
            readMapping(item, fieldsOf<Window>(windowSettings(), w));
            if (item.node.isMapping() && !item.node.gives("requests") && !item.node.gives("tokens"))
                item.fail("a window limits \"requests\", \"tokens\" or both");
            windows.push_back(w);
        });
        out = std::move(windows);
    }
    json::Value show(const std::vector<Window>& all, const View& view) const {
        json::Value out;
        if (!all.empty()) out.SetArray();
        for (const auto& window : all)
            out.PushBack(shownBy<Window>(windowSettings(), window, view), view.memory);
        return out;
    }
};

struct PriceOfTokens {
    std::string type() const { return "input and output"; }
    void read(const Value& v, std::optional<Price>& out) const {
        Price price;
        readMapping(v, fieldsOf<Price>(priceSettings(), price));
        out = price;
    }
    json::Value show(const std::optional<Price>& price, const View& view) const {
        return price ? shownBy<Price>(priceSettings(), *price, view) : json::Value();
    }
};

struct ProxyUrl : Special<std::optional<Secret>> {
    ProxyUrl()
        : Special{"http://HOST:PORT, https://, socks5:// or socks5h:// such, or none", format::proxy} {}
    json::Value show(const std::optional<Secret>& proxy, const View& view) const {
        if (!proxy) return {};
        if (proxy->empty()) return view.of(std::string("none"));
        return view.masked() ? view.of(shownUrl(proxy->reveal())) : view.of(*proxy);
    }
};

struct Models : Special<std::vector<std::string>> {
    Models() : Special{"a list of texts", read::words} {}
    json::Value show(const std::vector<std::string>& names, const View& view) const {
        return names.empty() ? json::Value() : view.of(names);
    }
};

struct SystemText : Special<std::string> {
    SystemText() : Special{"a text", read::text} {}
    json::Value show(const std::string& text, const View& view) const {
        if (text.empty()) return {};
        return view.of(view.masked() ? secrets::redact(text) : text);
    }
};

// Only people see options as they are written; only their meaning is compared.
json::Value shownOptions(const Provider& p, const View& view) {
    const auto options = json::parse(view.masked() ? p.options_shown : p.options_json);
    if (!options) return {};
    return view.masked() ? view.withoutSecrets(*options) : json::Value(*options, view.memory);
}

bool sameOptions(const Provider& a, const Provider& b) {
    const auto one = json::parse(a.options_json), other = json::parse(b.options_json);
    return one && other ? *one == *other : a.options_json == b.options_json;
}

Setting<Provider> options() {
    return {{.path = "options", .type = "a mapping", .help = "what its plugin takes", .shown_at = 6},
            [](const Value& v, Provider& p) { read::json(v, p.options_json, p.options_shown); },
            shownOptions,
            sameOptions,
            {},
            [](const Provider& p) { return p.options_shown; }};
}

std::optional<std::string> whyDisabled(const Provider& p) {
    return p.enabled ? std::nullopt : std::optional(p.disabled_reason);
}
bool isEnabled(const Provider& p) { return p.enabled; }
// One key is shown as such, several as a list.
std::optional<Secret> oneKey(const Provider& p) {
    if (p.api_keys.size() > 1) return std::nullopt;
    return p.api_keys.empty() ? Secret() : p.api_keys.front();
}
std::optional<std::vector<Secret>> severalKeys(const Provider& p) {
    return p.api_keys.size() > 1 ? std::optional(p.api_keys) : std::nullopt;
}

Settings<Provider> ownSettings() {
    const Special<std::string> name{"1 to 64 characters of a-z, 0-9 and -", format::name},
        text{"a text", read::text}, url{"http:// or https://", read::url};
    return {
        setting("name", &Provider::name, name, "what it goes by in requests, logs and variables", kNeeded),
        setting("plugin", &Provider::plugin, name, "the kind of plugin that speaks its format", kNeeded),
        shownAs("enabled", isEnabled, "auto, true or false", "auto: when it has a key and a base_url",
                fromOwn("ENABLED")),
        shownAs("disabled_reason", whyDisabled, "", ""),
        setting("base_url", &Provider::base_url, url, "where its API is", fromAccounts("BASE_URL")),
        setting("model", &Provider::model, text, "that is asked unless a request names another",
                fromOwn("MODEL")),
        setting("models", &Provider::models, Models{}, "others that requests may name", shownAt(2)),
        shownAs("api_key", oneKey, "a text", "empty: it is off until there is one", kHidden,
                fromOwn("API_KEY"), shownAt(1)),
        shownAs("api_keys", severalKeys, "a list of texts",
                "in place of api_key: they take turns, and the limits hold for each", kHidden, shownAt(1)),
        options(),
    };
}

Settings<Limits> limits() {
    return {
        setting("rps", &Limits::rps, Number{0.001, 1e6}, "requests a second", fromAccounts("RPS")),
        setting("rpm", &Limits::rpm, kPerWindow, "requests a minute", fromAccounts("RPM")),
        setting("rpd", &Limits::rpd, kPerWindow, "requests a day"),
        setting("tpm", &Limits::tpm, kPerWindow, "tokens a minute"),
        setting("tpd", &Limits::tpd, kPerWindow, "tokens a day"),
        setting("windows", &Limits::windows, WindowList{}, "of any other length"),
        setting("day_resets_in", &Limits::day_resets_in,
                Special<std::string>{"a time zone", format::timeZone}, "where midnight is when a day begins"),
        setting("skew", &Limits::skew, Duration{0ms, 1min},
                "how much longer a window counts than it says; default: a percent, 50ms to 500ms"),
    };
}

Settings<Retry> retry() {
    return {
        setting("attempts", &Retry::attempts, Integer{1, 20},
                "of one request, while no byte of an answer came", from("RETRY_MAX_ATTEMPTS")),
        setting("base", &Retry::base, Duration{0ms, 10min}, "before the second; then ever longer",
                from("RETRY_BASE_DELAY_MS", "ms")),
        setting("cap", &Retry::cap, Duration{0ms, 1h}, "but no longer than this; at least base"),
    };
}

Settings<Breaker> breaker() {
    return {
        setting("window", &Breaker::window, Duration{1s, 24h}, "that failures are counted in",
                from("CIRCUIT_WINDOW_SECONDS", "s")),
        setting("min_calls", &Breaker::min_calls, Integer{1, 1'000'000}, "before the rate counts",
                from("CIRCUIT_FAILURE_THRESHOLD")),
        setting("failure_rate", &Breaker::failure_rate, Number{0.01, 1.0}, "from which it opens"),
        setting("consecutive", &Breaker::consecutive, Integer{1, 1'000'000}, "failures in a row that open it",
                from("CIRCUIT_FAILURE_THRESHOLD")),
        setting("open_for", &Breaker::open_for, Duration{1ms, 24h}, "the first time, then ever longer",
                from("CIRCUIT_COOLDOWN_SECONDS", "s")),
        setting("max_open_for", &Breaker::max_open_for, Duration{1ms, 24h},
                "but no longer than this; at least open_for"),
        setting("probes", &Breaker::probes, Integer{1, 1000}, "calls that have to succeed before it closes"),
    };
}

Settings<Provider> callSettings() {
    return {
        setting("proxy", &Provider::proxy, ProxyUrl{}, "its own; default: as the environment says",
                shownAt(4)),
        setting("timeout", &Provider::timeout, Duration{1ms, 24h}, "of one attempt as a whole",
                fromAccounts("TIMEOUT", "ms")),
        setting("connect_timeout", &Provider::connect_timeout, Duration{1ms, 1h}, "until it is connected"),
        setting("first_byte_timeout", &Provider::first_byte_timeout, Duration{1ms, 24h},
                "from the request sent to the first byte of the answer"),
        setting("idle_timeout", &Provider::idle_timeout, Duration{1ms, 24h}, "between two bytes"),
        setting("concurrency", &Provider::concurrency, Integer{1, 10'000}, "calls at a time",
                fromAccounts("CONCURRENCY")),
        setting("max_response_bytes", &Provider::max_response_bytes, Size{1024, 1u << 30}, "of one answer"),
        setting("stream", &Provider::stream, Flag{},
                "ask for streamed answers: without, the first byte comes only with the whole answer"),
    };
}

Settings<Provider> customSettings() {
    const Choice<PromptVariant> variants{{{"auto", PromptVariant::Auto},
                                          {"detailed", PromptVariant::Detailed},
                                          {"short", PromptVariant::Short},
                                          {"gemini", PromptVariant::Gemini}}};
    const Choice<Isolation> places{{{"none", Isolation::None}, {"process", Isolation::Process}}};
    return {
        setting("wait_up_to", &Provider::wait_up_to, Duration{0ms, 1h},
                "rather wait this long for it than move on; for a job, since it was queued"),
        setting("probe_every", &Provider::probe_every, kPause,
                "try its keys so often, at no cost, where its plugin can; 0s: never"),
        setting("keep_warm", &Provider::keep_warm, kPause,
                "after so long without an answer wake it, before it falls asleep; 0s: never"),
        setting("prompt_variant", &Provider::prompt_variant, variants,
                "wording of a commit report's prompt; auto: by plugin and model"),
        setting("isolation", &Provider::isolation, places,
                "process: the plugin runs in a process of its own and can crash only that"),
        setting("price", &Provider::price, PriceOfTokens{}, "per million tokens, in any one currency",
                shownAt(5)),
        setting("temperature", &Provider::temperature, Number{0, 2}, "for requests without one"),
        setting("system", &Provider::system, SystemText{}, "for requests without one", shownAt(3)),
        setting("max_tokens", &Provider::max_tokens, Integer{1, 100'000'000},
                "for requests without a number"),
    };
}

}  // namespace

Rows<Provider> providerSettings() {
    static const auto& all = *new Settings<Provider>(
        joined<Provider>({ownSettings(), callSettings(), section("limits", &Provider::limits, limits()),
                          section("retry", &Provider::retry, retry()),
                          section("breaker", &Provider::breaker, breaker()), customSettings()}));
    return all;
}

Rows<Provider> sharedSettings() {
    static const size_t own = ownSettings().size();
    return providerSettings().subspan(own);
}

const Settings<Window>& windowSettings() {
    static const auto& all = *new Settings<Window>{
        setting("requests", &Window::requests, kPerWindow, "never more in any stretch of `per`"),
        setting("tokens", &Window::tokens, kPerWindow, "likewise"),
        setting("per", &Window::per, Duration{1ms, 24h * 366}, "how long it is", kNeeded),
    };
    return all;
}

const Settings<Price>& priceSettings() {
    static const auto& all = *new Settings<Price>{
        setting("input", &Price::input, Number{0, 1e6}, "of a million tokens sent", kNeeded),
        setting("output", &Price::output, Number{0, 1e6}, "of a million tokens answered", kNeeded),
    };
    return all;
}

}  // namespace stepper::config
