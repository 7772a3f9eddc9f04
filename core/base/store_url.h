// Where jobs, answers and usage are kept, as `store.url` names it. Values; pure, any thread.
#pragma once
#include <string>
#include <string_view>

namespace stepper {

struct StoreUrl {
    // Unknown: what names no store of any kind, or one of a kind without saying which.
    enum class Kind { Unknown, Sqlite, Memory, Redis };
    Kind kind = Kind::Unknown;
    std::string path;  // of Sqlite's file, never empty there
};

// sqlite:PATH, memory:, redis://HOST... or rediss://HOST...
StoreUrl parseStoreUrl(std::string_view url);
std::string sqliteUrl(std::string_view path);

}  // namespace stepper
