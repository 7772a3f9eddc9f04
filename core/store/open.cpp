#include "core/store/open.h"

#include "core/base/store_url.h"
#include "core/store/memory/store.h"
#include "core/store/sqlite/store.h"

namespace stepper::store {

Result<void> checkKind(const std::string& url) {
    const auto kind = parseStoreUrl(url).kind;
    if (kind == StoreUrl::Kind::Sqlite || kind == StoreUrl::Kind::Memory) return {};
    // The rest of the address may hold a password.
    return Error{
        ErrorClass::Config,
        "store.url names a store of kind " + url.substr(0, url.find(':')) +
            ", which this version does not have. Use sqlite:PATH, for example "
            "sqlite:/var/lib/stepper/stepper.db, or memory: (is REDIS_URL set in the environment? It "
            "wins over the file)."};
}

Result<std::unique_ptr<Store>> open(const OpenOptions& options, const Clock& clock,
                                    std::optional<Salvaged>* salvaged) {
    if (auto known = checkKind(options.url); !known) return std::move(known).error();
    if (const auto url = parseStoreUrl(options.url); url.kind == StoreUrl::Kind::Sqlite)
        return sqlite::open(url.path, options, clock, {}, salvaged);
    return std::unique_ptr<Store>(std::make_unique<MemoryStore>(clock, options.crashes));
}

}  // namespace stepper::store
