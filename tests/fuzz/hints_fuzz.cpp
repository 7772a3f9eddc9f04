#include "core/base/text.h"
#include "core/limits/hints.h"

// Lines of "name: value".
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper;
    constexpr milliseconds kLongest = std::chrono::hours{24 * 400};
    constexpr int64_t kMost = 1'000'000'000'000;
    std::vector<std::pair<std::string, std::string>> headers;
    for (const std::string_view line : splitLines({reinterpret_cast<const char*>(data), size})) {
        const size_t colon = std::min(line.find(':'), line.size());
        headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
    }
    const auto said = limits::allowancesIn(headers, WallTime{std::chrono::seconds{1'795'255'200}});
    if (said.size() > 32) __builtin_trap();
    for (const limits::Allowance& a : said) {
        if (!a.limit && !a.remaining) __builtin_trap();
        if (a.limit && (*a.limit < 1 || *a.limit > kMost)) __builtin_trap();
        if (a.remaining && (*a.remaining < 0 || *a.remaining > kMost)) __builtin_trap();
        if (a.reset_in && (*a.reset_in < milliseconds{0} || *a.reset_in > kLongest)) __builtin_trap();
        if (a.per && (*a.per <= milliseconds{0} || *a.per > kLongest)) __builtin_trap();
    }
    return 0;
}
