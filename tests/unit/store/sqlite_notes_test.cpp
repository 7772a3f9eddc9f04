// Notes in a file.
#include <gmock/gmock.h>

#include "tests/unit/store/sqlite_support.h"

namespace stepper::store::sqlite {
namespace {

using testing::HasSubstr;

class SqliteNotes : public SqliteTest {
protected:
    void put(const std::vector<Note>& notes) {
        const auto done = store_->putNotes(notes);
        EXPECT_TRUE(done.ok()) << done.error().message;
    }
    std::string textOf(const std::string& name) {
        const auto found = store_->notes(name);
        EXPECT_TRUE(found.ok());
        return found.ok() && found->size() == 1 ? (*found)[0].text : "not there";
    }
};

TEST_F(SqliteNotes, TheyAreThereAfterAnOrderlyEnd) {
    open();
    put({{"a", "1"}, {"b", "2"}});
    put({{"b", ""}});
    close();
    open();
    EXPECT_EQ(textOf("a"), "1");
    EXPECT_EQ(textOf("b"), "not there");
}

TEST_F(SqliteNotes, AKilledProcessLosesNone) {
    options_.durability = Durability::Full;
    open();
    put({{"a", "1"}});
    put({{"a", "2"}});
    const auto copy = folder_ / "copy.db";
    std::filesystem::copy(path_, copy);
    std::filesystem::copy(path_ + "-wal", copy.string() + "-wal");
    close();
    path_ = copy.string();
    open();
    EXPECT_EQ(textOf("a"), "2");
}

TEST_F(SqliteNotes, IfOneCannotBeWrittenNoneIs) {
    open();
    put({{"a", "1"}, {"gone", "1"}});
    script(
        "CREATE TRIGGER refuse BEFORE INSERT ON note WHEN NEW.name = 'bad' "
        "BEGIN SELECT RAISE(ABORT, 'refused'); END");
    const auto done = store_->putNotes(std::vector<Note>{{"a", "2"}, {"gone", ""}, {"bad", "1"}, {"c", "1"}});
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().message, HasSubstr("refused"));
    EXPECT_EQ(textOf("a"), "1");
    EXPECT_EQ(textOf("gone"), "1");
    EXPECT_EQ(textOf("bad"), "not there");
    EXPECT_EQ(textOf("c"), "not there");
    put({{"a", "3"}});
    EXPECT_EQ(textOf("a"), "3");
}

}  // namespace
}  // namespace stepper::store::sqlite
