// Whom the server lets in: the keys that are in force, and the guard that asks for them.
#pragma once
#include <memory>

#include "core/api/guard.h"
#include "core/base/published.h"

namespace stepper::app {

class Doors {
public:
    // Where no admin key is configured one is kept in a file, see admin_token.h; that is logged.
    explicit Doors(const config::Config& config)
        : first_(adminKey(config)), guard_(std::make_shared<const api::Guard>(config, first_)) {}

    // Another configuration is in force. For one thread.
    void replace(const config::Config& config) {
        guard_.publish(std::make_shared<const api::Guard>(config, adminKey(config)));
    }
    // Safe from any thread.
    std::shared_ptr<const api::Guard> guard() const { return guard_.get(); }
    // Whether the key of /admin that the first configuration came with is in a file.
    bool keepKey() const { return !first_.configured && !first_.key.empty(); }

private:
    api::AdminKey adminKey(const config::Config& config);

    api::AdminKey kept_;  // from when it was first wanted
    const api::AdminKey first_;
    Published<api::Guard> guard_;
};

}  // namespace stepper::app
