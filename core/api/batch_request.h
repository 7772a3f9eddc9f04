// POST /v1/generate/batch: the client's JSON becomes the requests of its items, or a 400. Pure.
#pragma once
#include "core/api/generate_request.h"
#include "core/store/store.h"

namespace stepper::api {

inline constexpr size_t kMaxItemIdLength = 128;

struct ParsedItem {
    std::string id;
    ParsedRequest parsed;
    std::string
        body;  // the request's JSON, with what its batch and its item say where it says nothing itself
};

struct ParsedBatch {
    std::string tenant_id, request_id;  // "" for none; of its items unless they say otherwise
    int concurrency = 1;
    int priority = store::kNormalPriority;
    std::optional<milliseconds> max_duration;  // of each item
    Start start;
    std::vector<ParsedItem> items;  // ids are unique
    bool strict = false;            // a remark, also on an item, is reason enough to refuse it
    Remarks remarks;                // those on the items are theirs
};

// Errors are refusals, see refusal.h.
Result<ParsedBatch> parseBatch(std::string_view text, int max_items, int max_concurrency);

}  // namespace stepper::api
