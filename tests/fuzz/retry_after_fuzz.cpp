#include "stepper/kit/retry_after.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper::kit;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const Headers headers = {{"date", "Sat, 21 Nov 2026 10:00:00 GMT"},
                             {"retry-after", text},
                             {"retry-after-ms", text},
                             {"x-ratelimit-reset-requests", text},
                             {"x-ratelimit-remaining-requests", "0"}};
    const Document body = parse(text);
    constexpr int64_t kDay = 86'400'000;
    for (const int64_t ms :
         {statedDelayMs(headers, body, text), resetDelayMs(headers, body), delayInText(text)})
        if (ms < -1 || ms > 31 * kDay) __builtin_trap();
    return 0;
}
