#include "core/plugin/isolation/restart_policy.h"

#include <algorithm>

namespace stepper::plugin {

void RestartPolicy::crashed(SteadyTime now) {
    if (crashes_ > 0 && now - allowed_ >= options_.forgiven_after) crashes_ = 0;
    ++crashes_;
    allowed_ = now + delay();
}

milliseconds RestartPolicy::wait(SteadyTime now) const {
    if (crashes_ == 0) return milliseconds{0};
    return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(allowed_ - now));
}

milliseconds RestartPolicy::delay() const {
    if (crashes_ <= options_.at_once) return milliseconds{0};
    milliseconds delay = options_.first_delay;
    for (int i = options_.at_once + 1; i < crashes_ && delay < options_.longest_delay; ++i) delay *= 2;
    return std::min(delay, options_.longest_delay);
}

}  // namespace stepper::plugin
