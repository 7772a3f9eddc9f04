// The rule that no work grows faster than its input: each row names one dimension of one input, and the test
// fails where a row's CPU grows more than threefold when the dimension doubles.
#pragma once
#include <cstddef>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace stepper::growth {

using Work = std::function<void()>;

struct Row {
    std::string dimension;              // as a test's name: what there is more of
    size_t size;                        // of the largest input: near to what is let in, yet quick
    std::function<Work(size_t)> build;  // makes the input, which is not measured, and the work on it
};
inline void PrintTo(const Row& row, std::ostream* out) { *out << row.dimension; }

using Rows = std::vector<Row>;

// CPU of this process over two doublings, up to row.size; the best of a few takes, for the machine has others
// to serve.
testing::AssertionResult growsLinearly(const Row& row);

// So many different texts with one std::hash, 24 ASCII characters each, control characters among them: what
// an attacker sends to a hash table whose hash has no seed.
std::vector<std::string> collidingKeys(size_t count);
// The same of texts that collide as they stand in JSON, in quotes.
std::vector<std::string> collidingStrings(size_t count);

// "xx...", of that many.
std::string repeated(std::string_view what, size_t times);
// made(0) + "," + made(1) + ...
std::string joined(size_t count, const std::function<std::string(size_t)>& made);
// As JSON text, escaped.
std::string asJson(std::string_view text);

class Growth : public testing::TestWithParam<Row> {};
inline std::string nameOf(const testing::TestParamInfo<Row>& info) { return info.param.dimension; }

}  // namespace stepper::growth

#define STEPPER_GROWTH_ROWS(group, rows) \
    INSTANTIATE_TEST_SUITE_P(group, Growth, testing::ValuesIn(rows), nameOf)
