// What the stores do for many: items, followers, tenants.
#include "core/base/temporary_folder.h"
#include "tests/unit/growth/growth.h"
#include "tests/unit/store/support.h"

namespace stepper::growth {
namespace {

using namespace std::chrono_literals;
using store::Lane;

// A store with nothing in it, and short ways to use it.
class Scene {
public:
    explicit Scene(const std::string& kind) {
        store::OpenOptions options;
        options.url = kind == "memory" ? "memory:" : "sqlite:" + (folder_.path() / "jobs.db").string();
        options.durability = store::Durability::Normal;
        store_ = store::must(store::open(options, clock));
    }
    store::Store& operator*() { return *store_; }
    store::Store* operator->() { return store_.get(); }

    void add(const store::NewJob& job) { static_cast<void>(store::must(store_->enqueue(job))); }
    void end(const std::vector<store::Claimed>& claimed, bool alone = false) {
        store::Ending ending{store::JobState::Done, "{}", "{}", {}};
        ending.alone = alone;
        for (const auto& job : claimed) EXPECT_TRUE(store::must(store_->finish(job.lease, ending)));
    }
    // Runs whatever may run, four at a time. How many that were.
    size_t runAll(Lane lane) {
        size_t ended = 0;
        for (;;) {
            const auto claimed = store::must(store_->claim(lane, 4, store::kLease)).jobs;
            if (claimed.empty()) return ended;
            end(claimed);
            ended += claimed.size();
        }
    }

    ManualClock clock;

private:
    const TemporaryFolder folder_;
    std::unique_ptr<store::Store> store_;
};

// Jobs for one answer that follow the first, for each has its own time limit.
void addFollowers(Scene& scene, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        auto job = store::keyedJob("j" + std::to_string(i), "key");
        job.time_limit = milliseconds{10'000 + i};
        scene.add(job);
    }
}

store::NewBatch batchOf(size_t n) {
    std::vector<store::NewItem> items;
    for (size_t i = 0; i < n; ++i) items.push_back(store::plainItem("i" + std::to_string(i)));
    return store::newBatch("batch", 4, std::move(items));
}

Rows rowsOf(const std::string& kind) {
    const auto row = [&](const char* dimension, size_t size, std::function<void(Scene&, size_t)> work) {
        return Row{dimension, size, [kind, work = std::move(work)](size_t n) -> Work {
                       auto scene = std::make_shared<Scene>(kind);
                       return [scene, work, n] { work(*scene, n); };
                   }};
    };
    return {
        row("ItemsOfABatch", 1'000,
            [](Scene& scene, size_t n) {
                static_cast<void>(store::must(scene->enqueueBatch(batchOf(n))));
                EXPECT_EQ(scene.runAll(Lane::Batch), n);
            }),
        row("ItemsOfACancelledBatch", 4'000,
            [](Scene& scene, size_t n) {
                static_cast<void>(store::must(scene->enqueueBatch(batchOf(n))));
                EXPECT_EQ(store::must(scene->drop("batch", true)).how, store::Dropped::How::Cancelled);
            }),
        row("FollowersOfAJob", 1'000,
            [](Scene& scene, size_t n) {
                addFollowers(scene, n);
                EXPECT_EQ(scene.runAll(Lane::Live), 1u);
            }),
        row("FollowersWhoseTimeEnds", 1'000,
            [](Scene& scene, size_t n) {
                addFollowers(scene, n);
                scene.clock.advance(1h);
                for (;;) {
                    const auto overdue = store::must(scene->claimOverdue(4, store::kLease, 24h)).jobs;
                    if (overdue.empty()) break;
                    scene.end(overdue, true);
                }
            }),
        row("FollowersThatAreDropped", 1'000,
            [](Scene& scene, size_t n) {
                addFollowers(scene, n);
                for (size_t i = 0; i < n; ++i)
                    static_cast<void>(store::must(scene->drop("j" + std::to_string(i), true)));
            }),
        row("TenantsThatWait", 1'000,
            [](Scene& scene, size_t n) {
                for (size_t i = 0; i < n; ++i)
                    scene.add(store::plainJob("j" + std::to_string(i), "t" + std::to_string(i)));
                EXPECT_EQ(scene.runAll(Lane::Live), n);
            }),
        row("JobsToSweep", 1'000,
            [](Scene& scene, size_t n) {
                for (size_t i = 0; i < n; ++i) scene.add(store::plainJob("j" + std::to_string(i)));
                scene.runAll(Lane::Live);
                scene.clock.advance(1h);
                while (store::must(scene->sweep(milliseconds{1min}))) {
                }
            }),
    };
}

STEPPER_GROWTH_ROWS(MemoryStoreOf, rowsOf("memory"));
STEPPER_GROWTH_ROWS(SqliteStoreOf, rowsOf("sqlite"));

}  // namespace
}  // namespace stepper::growth
