// A trouble that lasts is told once, and once more when it is over. Used by one thread at a time.
#pragma once
#include <string_view>
#include <utility>

#include "core/telemetry/log.h"

namespace stepper {

class Complaint {
public:
    explicit Complaint(std::string_view about) : about_(about) {}

    void tell(std::string_view reason) {
        if (!std::exchange(told_, true)) log::warn(about_, {{"reason", reason}});
    }
    void over() {
        if (std::exchange(told_, false)) log::info(about_, {{"reason", "it is over"}});
    }

private:
    const std::string_view about_;
    bool told_ = false;
};

}  // namespace stepper
