// Small texts beside the jobs.
#include <thread>

#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Notes : public StoreTest {
protected:
    void put(const std::vector<Note>& notes) {
        const auto done = store_->putNotes(notes);
        EXPECT_TRUE(done.ok());
    }
    // As "name=text".
    std::vector<std::string> notes(const std::string& prefix) {
        std::vector<std::string> found;
        for (const Note& note : must(store_->notes(prefix))) found.push_back(note.name + "=" + note.text);
        return found;
    }
};
INSTANTIATE_TEST_SUITE_P(Store, Notes, testing::ValuesIn(storeKinds()), kindName);

using Texts = std::vector<std::string>;

TEST_P(Notes, ThereAreNoneAtFirst) { EXPECT_EQ(notes(""), Texts{}); }

TEST_P(Notes, TheyAreFoundByTheBeginningOfTheirNames) {
    put({{"usage/b", "2"}, {"quota", "0"}, {"usage/a", "1"}, {"usage", "3"}, {"usagf", "4"}});
    EXPECT_EQ(notes("usage/"), (Texts{"usage/a=1", "usage/b=2"}));
    EXPECT_EQ(notes("usage"), (Texts{"usage=3", "usage/a=1", "usage/b=2"}));
    EXPECT_EQ(notes("usage/b"), (Texts{"usage/b=2"}));
    EXPECT_EQ(notes("usage/b/"), Texts{});
    EXPECT_EQ(notes("a"), Texts{});
    EXPECT_EQ(notes("z"), Texts{});
    EXPECT_EQ(notes(""), (Texts{"quota=0", "usage=3", "usage/a=1", "usage/b=2", "usagf=4"}));
}

TEST_P(Notes, NoCharacterOfANameMeansAnother) {
    put({{"a_c", "1"}, {"abc", "2"}, {"a%", "3"}, {"A", "4"}, {"a*", "5"}, {"a'--", "6"}, {"a\\", "7"}});
    EXPECT_EQ(notes("a_"), (Texts{"a_c=1"}));
    EXPECT_EQ(notes("a%"), (Texts{"a%=3"}));
    EXPECT_EQ(notes("a*"), (Texts{"a*=5"}));
    EXPECT_EQ(notes("a'"), (Texts{"a'--=6"}));
    EXPECT_EQ(notes("a\\"), (Texts{"a\\=7"}));
    EXPECT_EQ(notes("%"), Texts{});
    EXPECT_EQ(notes("_"), Texts{});
    EXPECT_EQ(notes("A"), (Texts{"A=4"}));
}

TEST_P(Notes, NamesAreInTheOrderOfTheirBytes) {
    put({{"é", "1"}, {"z", "2"}, {"Z", "3"}, {"\xf4\x8f\xbf\xbf", "4"}, {"", "5"}});
    EXPECT_EQ(notes(""), (Texts{"=5", "Z=3", "z=2", "é=1", "\xf4\x8f\xbf\xbf=4"}));
    EXPECT_EQ(notes("\xf4\x8f\xbf\xbf"), (Texts{"\xf4\x8f\xbf\xbf=4"}));
}

TEST_P(Notes, TheyAreReadInPages) {
    put({{"a/1", "1"}, {"a/2", "2"}, {"a/22", "3"}, {"a/3", "4"}, {"b", "5"}});
    const auto page = [&](const std::string& from, size_t most) {
        std::string names;
        for (const Note& note : must(store_->notes("a/", from, most))) names += note.name + " ";
        return names;
    };
    EXPECT_EQ(page("", 2), "a/1 a/2 ");
    EXPECT_EQ(page("a/2", 2), "a/2 a/22 ");
    EXPECT_EQ(page(std::string("a/2\0", 4), 2), "a/22 a/3 ");
    EXPECT_EQ(page("a/3", 9), "a/3 ");
    EXPECT_EQ(page("a/4", 9), "");
    EXPECT_EQ(page("z", 9), "");
    EXPECT_EQ(page("", 0), "");
}

TEST_P(Notes, ANewTextTakesThePlaceOfTheOld) {
    put({{"a", "1"}, {"b", "2"}});
    put({{"a", "longer than before"}});
    EXPECT_EQ(notes(""), (Texts{"a=longer than before", "b=2"}));
}

TEST_P(Notes, AnEmptyTextRemovesTheNote) {
    put({{"a", "1"}, {"ab", "2"}});
    put({{"a", ""}, {"never there", ""}});
    EXPECT_EQ(notes(""), (Texts{"ab=2"}));
    put({{"a", "3"}});
    EXPECT_EQ(notes(""), (Texts{"a=3", "ab=2"}));
}

TEST_P(Notes, OfTheSameNameTheLastCounts) {
    put({{"a", "1"}, {"b", "2"}, {"a", "3"}, {"b", ""}});
    EXPECT_EQ(notes(""), (Texts{"a=3"}));
}

TEST_P(Notes, TextsAreKeptToTheByte) {
    const std::string text("{\"a\":\0\"'é\n\"}", 14);
    put({{"a", text}, {"long", std::string(100'000, 'x')}});
    const auto found = must(store_->notes(""));
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].text, text);
    EXPECT_EQ(found[1].text, std::string(100'000, 'x'));
}

TEST_P(Notes, NothingToPutIsNoError) {
    put({{"a", "1"}});
    put({});
    EXPECT_EQ(notes(""), (Texts{"a=1"}));
}

TEST_P(Notes, JobsAndNotesLeaveEachOtherAlone) {
    put({{"a", "1"}});
    enqueue(plainJob("a"));
    put({{"a", "2"}});
    EXPECT_TRUE(finish(take("a")));
    clock_.advance(1h);
    sweepAll(0ms);
    EXPECT_FALSE(exists("a"));
    EXPECT_EQ(notes(""), (Texts{"a=2"}));
}

TEST_P(Notes, AllOfThemAreSeenOrNone) {
    put({{"a", "0"}, {"b", "0"}, {"c", "0"}});
    std::thread writer([&] {
        for (int i = 1; i <= 300; ++i) {
            const std::string text = std::to_string(i);
            EXPECT_TRUE(store_->putNotes(std::vector<Note>{{"a", text}, {"b", text}, {"c", text}}).ok());
        }
    });
    std::string last;
    while (last != "300" && !HasFailure()) {
        const auto found = must(store_->notes(""));
        if (found.size() != 3u) {
            ADD_FAILURE() << found.size() << " notes";
            break;
        }
        EXPECT_EQ(found[0].text, found[1].text);
        EXPECT_EQ(found[0].text, found[2].text);
        last = found[0].text;
    }
    writer.join();
}

}  // namespace
}  // namespace stepper::store
