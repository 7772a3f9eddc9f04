// What a plugin in a process of its own costs: the same sessions with the same plugin in this process
// and in its own, taking turns, so that both see the same machine. Prints microseconds; medians over the
// rounds.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/plugin/abi/views.h"
#include "core/plugin/isolation/remote_instance.h"
#include "core/plugin/isolation/remote_main.h"

namespace stepper::plugin {
namespace {

using std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr int kRounds = 11, kConversations = 500, kPieces = 10;
constexpr double kAim = 60;

struct Percentiles {
    double p50 = 0, p99 = 0;
};

Percentiles percentiles(std::vector<double>& all) {
    const auto at = [&](double share) {
        const auto nth =
            all.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(all.size() - 1));
        std::nth_element(all.begin(), nth, all.end());
        return *nth;
    };
    return {at(0.5), at(0.99)};
}

struct Sample {
    std::vector<double> steps, sessions;
    int emits = 0;
};

void step(RawSession& session, stepper_event event, Sample& sample) {
    event.struct_size = sizeof event;
    event.sink = &sample;
    event.emit = [](void* sink, int32_t, stepper_str) { ++static_cast<Sample*>(sink)->emits; };
    stepper_action action{};
    action.struct_size = sizeof action;
    action.request.struct_size = sizeof action.request;
    action.error.struct_size = sizeof action.error;
    const auto began = steady_clock::now();
    if (!session.step(event, action)) std::abort();
    sample.steps.push_back(Microseconds(steady_clock::now() - began).count());
}

// A streamed answer, as an OpenAI-compatible provider sends it.
void converse(Instance& instance, Sample& sample) {
    static const std::string request =
        R"({"messages":[{"role":"user","content":"hello there"}],"stream":true})";
    static const std::string piece = R"({"choices":[{"delta":{"content":"a few words of it "}}]})";
    static const std::string last = R"({"choices":[{"delta":{},"finish_reason":"stop"}]})";
    const auto began = steady_clock::now();
    {
        const auto session = instance.begin(Purpose::Generate, request);
        if (!session) std::abort();
        const auto event = [](int32_t kind, std::string_view data = {}) {
            stepper_event out{};
            out.kind = kind;
            out.data = toAbi(data);
            return out;
        };
        stepper_event head = event(STEPPER_EV_HEAD);
        static const stepper_kv headers[] = {{toAbi("date"), toAbi("Sat, 21 Nov 2026 07:12:22 GMT")},
                                             {toAbi("content-type"), toAbi("text/event-stream")}};
        head.http_status = 200;
        head.headers = headers;
        head.header_count = std::size(headers);
        step(**session, event(STEPPER_EV_START), sample);
        step(**session, head, sample);
        for (int i = 1; i < kPieces; ++i) step(**session, event(STEPPER_EV_DATA, piece), sample);
        step(**session, event(STEPPER_EV_DATA, last), sample);
        step(**session, event(STEPPER_EV_END), sample);
    }
    sample.sessions.push_back(Microseconds(steady_clock::now() - began).count());
}

struct Series {
    std::vector<double> step_p50, step_p99, whole_p50, whole_p99;
    void round(Instance& instance) {
        Sample sample;
        for (int i = 0; i < kConversations; ++i) converse(instance, sample);
        if (sample.emits < kConversations * kPieces) std::abort();  // it did not do the work
        const auto step = percentiles(sample.steps), whole = percentiles(sample.sessions);
        step_p50.push_back(step.p50);
        step_p99.push_back(step.p99);
        whole_p50.push_back(whole.p50);
        whole_p99.push_back(whole.p99);
    }
    std::array<double, 4> medians() {
        return {percentiles(step_p50).p50, percentiles(step_p99).p50, percentiles(whole_p50).p50,
                percentiles(whole_p99).p50};
    }
};

int run(const char* program) {
    namespace fs = std::filesystem;
    std::string folder = fs::temp_directory_path() / "stepper-bench-XXXXXX";
    if (!::mkdtemp(folder.data())) return 2;
    LoadOptions load;
    load.copies_dir = folder;
    const auto image = PluginImage::load(fs::path(PLUGIN), load);
    if (!image) return std::fprintf(stderr, "%s\n", image.error().message.c_str()), 2;
    const std::string config = R"({"name":"bench","base_url":"http://127.0.0.1:1","model":"m","options":{}})";
    RemoteOptions options;
    options.program = program;
    options.arguments = {};
    const auto here = createInProcess(*image, config);
    const auto there = createRemote((*image)->copy(), "openai-compatible", config, options);
    fs::remove_all(folder);
    if (!here || !there)
        return std::fprintf(stderr, "%s\n", (here ? there : here).error().message.c_str()), 2;

    Series in_process, isolated;
    for (int i = 0; i < kRounds; ++i) {
        in_process.round(**here);
        isolated.round(**there);
    }
    const auto a = in_process.medians(), b = isolated.medians();
    std::printf("%-34s %10s %10s %10s\n", "us, medians of rounds", "in process", "isolated", "added");
    const char* names[] = {"step p50", "step p99", "conversation of 13 steps p50",
                           "conversation of 13 steps p99"};
    for (size_t i = 0; i < a.size(); ++i)
        std::printf("%-34s %10.1f %10.1f %10.1f\n", names[i], a[i], b[i], b[i] - a[i]);
    return b[0] - a[0] <= kAim ? 0 : 1;
}

}  // namespace
}  // namespace stepper::plugin

// With an argument it is the isolated plugin's process.
int main(int argc, char** argv) {
    return argc > 1 ? stepper::plugin::remoteMain(argv[1]) : stepper::plugin::run(argv[0]);
}
