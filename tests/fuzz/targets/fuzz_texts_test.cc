#include "tests/fuzz/targets/fuzz.h"

namespace seqgraph {
namespace {

TEST_P(FuzzTest, FindsNothing) { Fuzz(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Texts, FuzzTest, ::testing::ValuesIn(TextTargets()), FuzzName);

}  // namespace
}  // namespace seqgraph
