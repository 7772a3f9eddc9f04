#include "core/base/store_url.h"

#include <gtest/gtest.h>

namespace stepper {
namespace {

TEST(StoreUrl, NamesAKindAndAFile) {
    using enum StoreUrl::Kind;
    struct Row {
        const char* url;
        StoreUrl::Kind kind;
        const char* path;
    };
    const Row rows[] = {
        {"sqlite:var/x.db", Sqlite, "var/x.db"},
        {"sqlite:/a b/x:y.db", Sqlite, "/a b/x:y.db"},
        {"sqlite:", Unknown, ""},
        {"SQLITE:x", Unknown, ""},
        {"memory:", Memory, ""},
        {"memory:x", Unknown, ""},
        {"redis://u:p@h:6379/0", Redis, ""},
        {"rediss://h", Redis, ""},
        {"redis://", Unknown, ""},
        {"postgres://h", Unknown, ""},
        {"", Unknown, ""},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(parseStoreUrl(row.url).kind, row.kind) << row.url;
        EXPECT_EQ(parseStoreUrl(row.url).path, row.path) << row.url;
    }
    EXPECT_EQ(parseStoreUrl(sqliteUrl("/x.db")).path, "/x.db");
}

}  // namespace
}  // namespace stepper
