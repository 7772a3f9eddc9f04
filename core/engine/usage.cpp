#include "core/engine/usage.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/engine/plan.h"

namespace stepper::engine {
namespace {

// No request has more tokens, whatever its provider says.
constexpr int64_t kMostTokens = 1'000'000'000;

int64_t sane(const std::optional<int64_t>& tokens) {
    return std::clamp<int64_t>(tokens.value_or(0), 0, kMostTokens);
}

}  // namespace

void UsageCounts::add(const UsageCounts& more) {
    requests += more.requests;
    failed += more.failed;
    tokens_in += more.tokens_in;
    tokens_out += more.tokens_out;
    if (more.cost) cost = cost.value_or(0) + *more.cost;
}

UsageCounts& countsOf(TenantUsage& usage, std::string_view provider) {
    const auto known = std::ranges::find(usage, provider, &ProviderUsage::provider);
    if (known != usage.end()) return known->counts;
    return usage.emplace_back(ProviderUsage{std::string(provider), {}}).counts;
}

std::string_view tenantOf(const GenerateRequest& request) {
    return request.tenant_id.empty() ? request.question->user() : request.tenant_id;
}

Usage::Tenants::iterator Usage::Book::of(std::string_view tenant, size_t most) {
    const auto known = tenants.find(tenant);
    if (known != tenants.end()) return known;
    return tenants.try_emplace(std::string(tenants.size() < most ? tenant : kOthers)).first;
}

void Usage::Book::mark(Tenants::iterator tenant) {
    if (tenant->second.changed) return;
    changed.push_back(tenant);
    tenant->second.changed = true;
}

void Usage::record(std::string_view tenant, const config::Provider& provider, bool answered,
                   const plugin::Tokens& used) {
    UsageCounts one{1, answered ? 0 : 1, sane(used.prompt), sane(used.completion), {}};
    one.cost = costOf(provider, one.tokens_in, one.tokens_out);
    const Day day = today();
    std::lock_guard lock(mutex_);
    Book& book = books_[day];
    const auto row = book.of(tenant, kMostTenants);
    countsOf(row->second.usage, provider.name).add(one);
    book.mark(row);
}

Usage::Held Usage::of(Day day, std::string_view first, size_t most) const {
    std::lock_guard lock(mutex_);
    Held out;
    const auto book = books_.find(day);
    if (book == books_.end()) return out;
    out.whole = book->second.whole;
    const Tenants& tenants = book->second.tenants;
    for (auto it = tenants.lower_bound(first); it != tenants.end() && out.tenants.size() < most; ++it)
        out.tenants.emplace_hint(out.tenants.end(), it->first, it->second.usage);
    return out;
}

std::vector<Day> Usage::incomplete() const {
    std::lock_guard lock(mutex_);
    std::vector<Day> out;
    for (const auto& [day, book] : books_)
        if (!book.whole) out.push_back(day);
    return out;
}

void Usage::complete(Day day, const DayUsage& written) {
    std::lock_guard lock(mutex_);
    Book& book = books_[day];
    const auto each = [&](auto use) {
        for (const auto& [tenant, usage] : written) {
            // Whoever was written down is known, however many there are.
            Tenant& row = book.of(tenant, std::numeric_limits<size_t>::max())->second;
            for (const auto& [provider, counts] : usage) use(countsOf(row.usage, provider), counts);
        }
    };
    // First a place for everything, which may take memory: it is added all or not at all.
    each([](UsageCounts&, const UsageCounts&) {});
    each([](UsageCounts& sum, const UsageCounts& counts) { sum.add(counts); });
    book.whole = true;
}

std::vector<Usage::Change> Usage::takeChanges(size_t most) {
    std::lock_guard lock(mutex_);
    std::vector<Change> out;
    for (const auto& [day, book] : books_) {
        if (!book.whole) continue;
        for (auto it = book.changed.rbegin(); it != book.changed.rend() && out.size() < most; ++it)
            out.push_back({day, (*it)->first, (*it)->second.usage});
    }
    // When there is memory for all of them, so that none is lost.
    size_t taken = out.size();
    for (auto& [day, book] : books_) {
        if (!book.whole) continue;
        for (; !book.changed.empty() && taken > 0; --taken) {
            book.changed.back()->second.changed = false;
            book.changed.pop_back();
        }
    }
    return out;
}

void Usage::putBack(const std::vector<Change>& changes) {
    std::lock_guard lock(mutex_);
    for (const auto& change : changes) {
        const auto book = books_.find(change.day);
        if (book == books_.end()) continue;
        const auto row = book->second.tenants.find(change.tenant);
        if (row != book->second.tenants.end()) book->second.mark(row);
    }
}

void Usage::forgetWritten() {
    const Day now = today();
    std::lock_guard lock(mutex_);
    std::erase_if(books_, [now](const auto& entry) {
        return entry.first < now && entry.second.whole && entry.second.changed.empty();
    });
}

}  // namespace stepper::engine
