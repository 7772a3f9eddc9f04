// Does what may never return (reading a file of a server that is gone, running foreign code) on threads
// that are left behind when it does not. Safe from any thread.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace stepper {

class Errands {
public:
    // How long one is waited for. `returned` is called, on its thread, when one that was left behind returns.
    Errands(milliseconds patience, std::function<void()> returned);
    ~Errands() { stop(); }
    Errands(const Errands&) = delete;
    Errands& operator=(const Errands&) = delete;

    // What `work` returns. It must own all that it uses; what it returns too late dies on its thread. `what`
    // names it, such as "reading /x". Overloaded when it has not come back in time, when one of that name is
    // still out (there is never a second one), or when no thread or no memory is to be had.
    template <class T>
    Result<T> run(const std::string& what, std::function<Result<T>()> work) {
        auto brought = std::make_shared<std::optional<Result<T>>>();
        if (auto failed = send(what, [brought, work = std::move(work)] { brought->emplace(work()); }))
            return std::move(*failed);
        if (!*brought) return outOfMemory(what);
        return std::move(**brought);
    }

    // From now on nothing is waited for and nothing begun, and `returned` is not called any more.
    void stop();

private:
    struct Shared;
    static Error outOfMemory(const std::string& what);
    std::optional<Error> send(const std::string& what, std::function<void()> work);

    const milliseconds patience_;
    const std::shared_ptr<Shared> shared_;
};

}  // namespace stepper
