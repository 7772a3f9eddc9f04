// Server-sent events as text.
#include "core/http/sse.h"

#include <gtest/gtest.h>

namespace stepper::http {
namespace {

TEST(Sse, EventHoldsWhatItIsGiven) {
    EXPECT_EQ(sse::event("delta", "7", "{}"), "event: delta\nid: 7\ndata: {}\n\n");
    EXPECT_EQ(sse::event("", "", "{}"), "data: {}\n\n");
    EXPECT_EQ(sse::event("done", "", ""), "event: done\ndata: \n\n");
}

TEST(Sse, EveryKindOfLineBreakStaysInsideItsField) {
    EXPECT_EQ(sse::event("", "", "a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
    EXPECT_EQ(sse::event("", "", "a\n\nb\n"), "data: a\ndata: \ndata: b\ndata: \n\n");
    EXPECT_EQ(sse::event("", "1\r\n\r\ndata: forged", "x"), "id: 1\nid: \nid: data: forged\ndata: x\n\n");
}

TEST(Sse, CommentIsALineAndNoEvent) { EXPECT_EQ(sse::kComment, ": \n\n"); }

}  // namespace
}  // namespace stepper::http
