// Jobs and cached answers as the HTTP contract writes them. Pure, any thread.
#pragma once
#include "core/http/http.h"
#include "core/store/store.h"

namespace stepper::api {

// queued | active | completed | failed | cancelled
std::string_view wireStatus(const store::Job& job);
std::string_view wireStatus(store::JobState state);
// What ?state= of the list means; none when the word is not known.
std::optional<store::ListFilter> filterNamed(std::string_view word);

// {"id","status","rawStatus","contractVersion","progress"[,"data"][,"error","failure"]}. `items` are a
// batch's, needed once it is final.
std::string jobJson(const store::Job& job, const std::vector<store::BatchItem>& items, WallTime now);
// 0..100, or {"done","total"} of a batch.
std::string progressJson(const store::Job& job);
// {"jobs":[...]}, without results.
std::string jobListJson(const std::vector<store::Job>& jobs);

// {"status":"completed","cached":true,["stale":true,]"data","metadata"}
std::string cachedJson(const store::CachedAnswer& answer, bool stale, bool report);

}  // namespace stepper::api
