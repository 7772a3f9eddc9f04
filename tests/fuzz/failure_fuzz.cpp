#include "stepper/kit/failure.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper;
    if (size == 0) return 0;
    constexpr int kStatuses[] = {200, 400, 401, 402, 403, 404, 408, 413, 422, 429, 498, 500, 503, 529};
    const kit::Headers headers = {{"date", "Sat, 21 Nov 2026 10:00:00 GMT"}};
    const auto failure = kit::classify(kStatuses[data[0] % std::size(kStatuses)], headers,
                                       std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
    if (failure.error_class < 1 || failure.error_class > 16 || failure.message.empty() ||
        failure.message.size() > 1024)
        __builtin_trap();
    return 0;
}
