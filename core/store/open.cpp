#include "core/store/open.h"

#include "core/store/memory_store.h"
#include "core/store/sqlite/store.h"

namespace stepper::store {

Result<std::unique_ptr<Store>> open(const OpenOptions& options, const Clock& clock) {
    constexpr std::string_view kSqlite = "sqlite:";
    const std::string& url = options.url;
    if (url == "memory:")
        return std::unique_ptr<Store>(std::make_unique<MemoryStore>(clock, options.crashes));
    if (url.size() > kSqlite.size() && url.starts_with(kSqlite))
        return sqlite::open(url.substr(kSqlite.size()), options, clock);
    return Error{ErrorClass::Config, "store.url is \"" + url +
                                         "\", which names no kind of store that there is. Use sqlite:PATH, "
                                         "for example sqlite:/var/lib/stepper/stepper.db, or memory:."};
}

}  // namespace stepper::store
