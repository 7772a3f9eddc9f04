#include "tests/unit/store/random_run.h"

namespace stepper::store {
namespace {

INSTANTIATE_TEST_SUITE_P(Store, RandomRun, testing::ValuesIn(storeKinds()), kindName);

TEST_P(RandomRun, KeepsEveryPromise) { run(3000); }

}  // namespace
}  // namespace stepper::store
