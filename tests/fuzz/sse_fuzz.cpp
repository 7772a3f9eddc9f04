#include <vector>

#include "core/transport/framer.h"

namespace {

using namespace stepper::transport;

// Every frame of the body, cut into pieces of `step` bytes; the last entry says how it ended.
std::vector<std::string> frames(std::string_view body, BodyMode mode, size_t step) {
    Framer framer(mode, 1u << 16);
    std::vector<std::string> out;
    const auto drain = [&] {
        for (;;) {
            const auto frame = framer.next();
            if (!frame) {
                out.push_back("error: " + frame.error().message);
                return false;
            }
            if (!*frame) return true;
            out.push_back(std::string((**frame).name) + "|" + std::string((**frame).data));
        }
    };
    for (size_t i = 0; i < body.size(); i += step) {
        framer.feed(body.substr(i, step));
        if (!drain()) return out;
    }
    framer.finish();
    drain();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > 4096) return 0;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    for (const auto mode : {BodyMode::Sse, BodyMode::Lines, BodyMode::Whole})
        if (frames(body, mode, 1) != frames(body, mode, body.size() + 1)) __builtin_trap();
    return 0;
}
