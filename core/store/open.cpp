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
    // The rest of the address may hold a password.
    const std::string kind = url.substr(0, url.find(':'));
    return Error{ErrorClass::Config,
                 "store.url names a store of kind " + kind +
                     ", which this version does not have. Use sqlite:PATH, for example "
                     "sqlite:/var/lib/stepper/stepper.db, or memory: (is REDIS_URL set in "
                     "the environment? It wins over the file)."};
}

}  // namespace stepper::store
