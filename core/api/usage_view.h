// GET /v1/usage: who used what of which provider.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/engine/usage_keeper.h"
#include "core/http/http.h"

namespace stepper::api {

// ?days=1..31 (1 unless given, today first) &tenant=NAME (all unless given). What is more than one portion
// leaves as it is read, however many tenants there are. The keeper must outlive the response.
http::Response usage(const http::Request& request, engine::UsageKeeper& keeper);

// {"days":[{"day","tenants":[{"tenant","providers":[{"provider","requests","failed","promptTokens",
// "completionTokens","estimatedCost"?}]}]}],"total":{"requests",...},"warnings"?}, written piece by piece, in
// this order. Used by one thread at a time.
class UsageWriter {
public:
    UsageWriter();

    void day(engine::Day day);
    // Of the day that was begun last.
    void tenant(std::string_view name, const engine::TenantUsage& usage);
    // Nothing follows.
    void end(const std::vector<std::string>& warnings);

    // What was written since it was last forgotten; the next pieces continue it.
    std::string_view written() const { return {buffer_.GetString(), buffer_.GetSize()}; }
    void forget() { buffer_.Clear(); }
    std::string take();  // forgets it
    size_t size() const { return buffer_.GetSize(); }

private:
    void endDay();

    json::Buffer buffer_;
    json::Writer writer_{buffer_};
    bool in_day_ = false;
    engine::UsageCounts total_;
};

}  // namespace stepper::api
