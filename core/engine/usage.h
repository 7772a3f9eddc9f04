// Who used what of which provider, by day (UTC): what GET /v1/usage tells.
#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/config/config.h"
#include "core/engine/request.h"

namespace stepper::engine {

using Day = std::chrono::sys_days;

struct UsageCounts {
    int64_t requests = 0;                   // that were sent
    int64_t failed = 0;                     // of them: those that brought no answer
    int64_t tokens_in = 0, tokens_out = 0;  // as far as reported
    std::optional<double> cost;             // by the configured prices; none where there was no price

    void add(const UsageCounts& more);
};

struct ProviderUsage {
    std::string provider;
    UsageCounts counts;
};
using TenantUsage = std::vector<ProviderUsage>;
using DayUsage = std::map<std::string, TenantUsage, std::less<>>;  // by tenant

// The counts of that provider, which is added when it is new.
UsageCounts& countsOf(TenantUsage& usage, std::string_view provider);

// Whom a request counts for and takes turns as: "" when it names nobody. Reports name no tenant, so their
// user stands for one.
std::string_view tenantOf(const GenerateRequest& request);

// The ledger in memory. It holds the days that were recorded in and not yet written down; UsageKeeper keeps
// it. Safe from any thread.
class Usage {
public:
    // Of a day; what others use beyond that counts for kOthers.
    static constexpr size_t kMostTenants = 10'000;
    static constexpr std::string_view kOthers = "(other)";

    // The clock must outlive it.
    explicit Usage(const Clock& clock) : clock_(clock) {}

    // A request was sent to the provider and is over. Allocates only for the day's first of its kind.
    void record(std::string_view tenant, const config::Provider& provider, bool answered,
                const plugin::Tokens& used);

    Day today() const { return std::chrono::floor<std::chrono::days>(clock_.wall()); }

    // What is held of a day, of so many tenants by name, from the first on; `whole` when that is all there is
    // of them.
    struct Held {
        bool whole = false;
        DayUsage tenants;
    };
    Held of(Day day, std::string_view first, size_t most) const;

    // Days that were begun without knowing what had been written down of them; add it with complete().
    std::vector<Day> incomplete() const;
    void complete(Day day, const DayUsage& written);

    // Tenants whose numbers of whole days changed since they were taken last, at most so many.
    struct Change {
        Day day;
        std::string tenant;
        TenantUsage usage;
    };
    std::vector<Change> takeChanges(size_t most);
    // They could not be written: they will be taken again.
    void putBack(const std::vector<Change>& changes);
    // Lets go of days before today that are written down.
    void forgetWritten();

private:
    struct Tenant {
        TenantUsage usage;
        bool changed = false;
    };
    using Tenants = std::map<std::string, Tenant, std::less<>>;
    struct Book {
        bool whole = false;
        Tenants tenants;
        std::vector<Tenants::iterator> changed;

        Tenants::iterator of(std::string_view tenant, size_t most);
        void mark(Tenants::iterator tenant);
    };

    const Clock& clock_;
    mutable std::mutex mutex_;
    std::map<Day, Book> books_;
};

}  // namespace stepper::engine
