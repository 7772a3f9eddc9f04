// What does not return costs a thread and nothing else.
#include "core/base/errands.h"

#include <future>
#include <new>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stepper {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Something that goes on until it is let go.
struct Gate {
    std::promise<void> opener;
    std::shared_future<void> open = opener.get_future().share();
};

TEST(Errands, BringsBackAValueOrAnError) {
    Errands errands(milliseconds{60'000}, [] { FAIL() << "none was left behind"; });
    EXPECT_EQ(*errands.run<int>("counting", [] { return Result<int>(7); }), 7);
    const auto failed = errands.run<int>("counting", [] {
        return Result<int>(Error{ErrorClass::Auth, "no"});
    });
    EXPECT_EQ(failed.error().message, "no");
    EXPECT_EQ(errands
                  .run<std::unique_ptr<int>>(
                      "making", [] { return Result<std::unique_ptr<int>>(std::make_unique<int>(8)); })
                  .value()
                  .
                  operator*(),
              8);
}

TEST(Errands, WhatHangsIsLeftBehindAndTriedAgainOnceItIsBack) {
    std::promise<void> returned;
    Errands errands(milliseconds{200}, [&] { returned.set_value(); });
    Gate gate;
    int begun = 0;
    const auto work = [&begun, open = gate.open] {
        ++begun;
        open.wait();
        return Result<int>(1);
    };
    const auto first = errands.run<int>("reading /x", work);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().error_class, ErrorClass::Overloaded);
    EXPECT_THAT(first.error().message, StartsWith("reading /x has not ended within 200ms"));
    const auto second = errands.run<int>("reading /x", work);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().message, first.error().message) << "told once";
    EXPECT_EQ(*errands.run<int>("reading /y", [] { return Result<int>(2); }), 2) << "others go on";
    gate.opener.set_value();
    returned.get_future().wait();
    EXPECT_EQ(begun, 1);
    EXPECT_EQ(*errands.run<int>("reading /x", work), 1);
    EXPECT_EQ(begun, 2);
}

TEST(Errands, WhatComesTooLateDiesOnItsThread) {
    auto errands = std::make_unique<Errands>(milliseconds{1}, [] { FAIL() << "its owner is gone"; });
    Gate gate;
    std::promise<std::thread::id> died;
    struct Parcel {
        std::promise<std::thread::id>* died;
        ~Parcel() { died->set_value(std::this_thread::get_id()); }
    };
    EXPECT_FALSE(errands->run<std::unique_ptr<Parcel>>("fetching", [&died, open = gate.open] {
        open.wait();
        return Result<std::unique_ptr<Parcel>>(std::unique_ptr<Parcel>(new Parcel{&died}));
    }));
    errands.reset();
    gate.opener.set_value();
    EXPECT_NE(died.get_future().get(), std::this_thread::get_id());
}

TEST(Errands, OneThatFindsNoMemoryIsOverloadAndCanBeTriedAgain) {
    Errands errands(milliseconds{60'000}, [] { FAIL() << "none was left behind"; });
    const auto failed = errands.run<int>("reading /x", []() -> Result<int> { throw std::bad_alloc(); });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().error_class, ErrorClass::Overloaded);
    EXPECT_THAT(failed.error().message, StartsWith("reading /x found no memory"));
    EXPECT_EQ(*errands.run<int>("reading /x", [] { return Result<int>(1); }), 1);
}

TEST(Errands, OneThatWasLeftBehindTellsOfItsReturnWithoutMemory) {
    std::promise<void> returned;
    Errands errands(milliseconds{1}, [&] { returned.set_value(); });
    Gate gate;
    EXPECT_FALSE(errands.run<int>("reading /x", [open = gate.open]() -> Result<int> {
        open.wait();
        throw std::bad_alloc();
    }));
    gate.opener.set_value();
    returned.get_future().wait();
}

TEST(Errands, StoppingWaitsForNobody) {
    Errands errands(milliseconds{600'000}, [] {});
    Gate begun, gate;
    auto waiting = std::async(std::launch::async, [&] {
        return errands.run<int>("waiting", [&begun, open = gate.open] {
            begun.opener.set_value();
            open.wait();
            return Result<int>(1);
        });
    });
    begun.open.wait();
    errands.stop();
    EXPECT_THAT(waiting.get().error().message, HasSubstr("the process is ending"));
    EXPECT_THAT(errands.run<int>("more", [] { return Result<int>(1); }).error().message,
                HasSubstr("not begun"));
    gate.opener.set_value();
}

}  // namespace
}  // namespace stepper
