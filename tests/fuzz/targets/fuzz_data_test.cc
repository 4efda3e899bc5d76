#include "tests/fuzz/targets/fuzz.h"

namespace seqgraph {
namespace {

TEST_P(FuzzTest, FindsNothing) { Fuzz(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Data, FuzzTest, ::testing::ValuesIn(DataTargets()), FuzzName);

}  // namespace
}  // namespace seqgraph
