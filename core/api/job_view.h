// Jobs and cached answers as the HTTP contract writes them. Pure, any thread.
#pragma once
#include "core/http/http.h"
#include "core/jobs/request_kind.h"
#include "core/store/store.h"

namespace stepper::api {

// queued | active | completed | failed | cancelled
std::string_view wireStatus(const store::Job& job);
std::string_view wireStatus(store::JobState state);
// What ?state= of the list means; none when the word is not known.
std::optional<store::ListFilter> filterNamed(std::string_view word);

// {"id","status","rawStatus","contractVersion","progress"[,"retriedAs"][,"warnings"][,"data"][,"error","failure"]}.
// `items` are a batch's, needed once it is final; `warnings` those on requests for it, before those a batch
// was stored with. Those in "data" are on the answer.
std::string jobJson(const store::Job& job, const std::vector<store::BatchItem>& items, WallTime now,
                    const std::vector<std::string>& warnings = {});
// 0..100, or {"done","total"} of a batch.
std::string progressJson(const store::Job& job);
// {"jobs":[...],"next"?,"warnings"?}, without results; `next` is for ?before=, where there may be more.
std::string jobListJson(const std::vector<store::Job>& jobs, bool may_be_more,
                        const std::vector<std::string>& warnings = {});

// {"status":"completed","cached":true,["stale":true,]"data","metadata"}; `warnings` are those on the request
// it answers and join the answer's own.
std::string cachedJson(const store::CachedAnswer& answer, bool stale, jobs::RequestKind kind,
                       const std::vector<std::string>& warnings = {});

// What a new batch is stored with, to be shown with it: {"warnings":[...]}, "" when there are none.
std::string batchMeta(const std::vector<std::string>& warnings);

}  // namespace stepper::api
