#include "tests/fuzz/targets/fuzz.h"

namespace seqgraph {
namespace {

TEST_P(FuzzTest, FindsNothing) { Fuzz(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Models, FuzzTest, ::testing::ValuesIn(ModelTargets()), FuzzName);

}  // namespace
}  // namespace seqgraph
