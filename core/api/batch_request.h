// POST /v1/generate/batch: the client's JSON becomes the requests of its items, or a 400. Pure.
#pragma once
#include "core/api/generate_request.h"
#include "core/store/store.h"

namespace stepper::api {

inline constexpr size_t kMaxItemIdLength = 128;

struct ParsedItem {
    std::string id;
    ParsedRequest parsed;
    std::string body;  // the request's JSON, with the batch's tenant where it names none
};

struct ParsedBatch {
    std::string tenant_id;
    int concurrency = 1;
    int priority = store::kNormalPriority;
    std::optional<milliseconds> max_duration;  // of each item
    std::vector<ParsedItem> items;             // ids are unique
    bool strict = false;                       // a remark, also on an item, is reason enough to refuse it
    Remarks remarks;                           // those on the items are theirs
};

std::variant<ParsedBatch, BadRequest> parseBatch(std::string_view text, int max_items, int max_concurrency);

}  // namespace stepper::api
