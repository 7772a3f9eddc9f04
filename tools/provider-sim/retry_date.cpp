#include "tools/provider-sim/retry_date.h"

#include <ctime>

namespace stepper::sim {

std::string httpDate(WallTime when, DateForm form) {
    const auto seconds = std::chrono::system_clock::to_time_t(when);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    const char* pattern = form == DateForm::ImfFixdate ? "%a, %d %b %Y %H:%M:%S GMT"
                          : form == DateForm::Rfc850   ? "%A, %d-%b-%y %H:%M:%S GMT"
                                                       : "%a %b %e %H:%M:%S %Y";
    char text[64];
    return {text, std::strftime(text, sizeof text, pattern, &utc)};
}

}  // namespace stepper::sim
