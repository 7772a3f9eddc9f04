#include "core/base/store_url.h"

namespace stepper {
namespace {

constexpr std::string_view kSqlite = "sqlite:", kMemory = "memory:";

}  // namespace

StoreUrl parseStoreUrl(std::string_view url) {
    const auto names = [url](std::string_view scheme) {
        return url.starts_with(scheme) && url.size() > scheme.size();
    };
    if (names(kSqlite)) return {StoreUrl::Kind::Sqlite, std::string(url.substr(kSqlite.size()))};
    if (names("redis://") || names("rediss://")) return {StoreUrl::Kind::Redis, ""};
    return {url == kMemory ? StoreUrl::Kind::Memory : StoreUrl::Kind::Unknown, ""};
}

std::string sqliteUrl(std::string_view path) { return std::string(kSqlite) + std::string(path); }

}  // namespace stepper
