#include "core/telemetry/log.h"

#include <atomic>
#include <memory>
#include <new>

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/secrets/redact.h"

namespace stepper::log {
namespace {

// When the reader of our standard error stops, this many lines wait; then the oldest go.
constexpr size_t kQueuedLines = 1'024;

struct State {
    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<spdlog::logger> logger;
    bool json = true;
    std::atomic<bool> is_ready{false};  // what stands above is there, and stays
};

State& state() {
    static State s;
    return s;
}

spdlog::level::level_enum toSpdlog(Level l) {
    switch (l) {
        case Level::Trace: return spdlog::level::trace;
        case Level::Debug: return spdlog::level::debug;
        case Level::Info: return spdlog::level::info;
        case Level::Warn: return spdlog::level::warn;
        case Level::Error: return spdlog::level::err;
        case Level::Off: break;
    }
    return spdlog::level::off;
}

std::string_view name(Level l) {
    constexpr std::string_view kNames[] = {"trace", "debug", "info", "warn", "error", "off"};
    return kNames[static_cast<int>(l)];
}

std::string asJson(Level level, std::string_view event, Fields fields) {
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    json::put(w, "time", isoTime(std::chrono::system_clock::now()));
    json::put(w, "level", name(level));
    json::put(w, "event", event);
    for (const auto& f : fields) {
        if (f.isNumber()) {
            json::putInt(w, f.key(), f.number());
        } else {
            json::put(w, f.key(), isValidUtf8(f.text()) ? secrets::redact(f.text()) : "(not UTF-8)");
        }
    }
    w.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

// One line whatever the values hold: control characters would let a request forge log lines.
std::string asText(Level level, std::string_view event, Fields fields) {
    std::string out = isoTime(std::chrono::system_clock::now());
    out.append(" ").append(name(level)).append(" ").append(event);
    for (const auto& f : fields) {
        out.append(" ").append(f.key()).append("=");
        if (f.isNumber()) {
            out += std::to_string(f.number());
            continue;
        }
        for (const char c : secrets::redact(f.text()))
            out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    }
    return out;
}

}  // namespace

void init(std::string_view level, std::string_view format) {
    State& s = state();
    s.json = format != "text";
    s.pool = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
    s.logger =
        std::make_shared<spdlog::async_logger>("stepper", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                               s.pool, spdlog::async_overflow_policy::overrun_oldest);
    s.logger->set_pattern("%v");
    s.logger->set_level(spdlog::level::from_str(std::string(level)));
    s.is_ready = true;
}

void setLevel(std::string_view level) {
    const State& s = state();
    if (s.is_ready) s.logger->set_level(spdlog::level::from_str(std::string(level)));
}

bool enabled(Level level) {
    const State& s = state();
    return s.is_ready && s.logger->should_log(toSpdlog(level));
}

void write(Level level, std::string_view event, Fields fields) {
    if (!enabled(level)) return;
    const State& s = state();
    try {
        const std::string line = s.json ? asJson(level, event, fields) : asText(level, event, fields);
        s.logger->log(toSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
    } catch (const std::bad_alloc&) {
        // A line that there is no memory for is lost; whoever writes it has more to do.
    }
}

}  // namespace stepper::log
