#include "runtime/backend_chooser.h"

#include <map>
#include <string>
#include <vector>

#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "runtime/testing/fake_backend.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

// Times far above the noise of a busy machine, and above what a node itself takes.
constexpr double kSlow = 0.02;
constexpr MeasureOptions kQuick{.only_small = {}, .seconds = 0};

// Nodes: scale (Scale), add (Add), sum (Sum); updates v.
Function ThreeNodes() {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {4}});
  const Value v = g.Variable("v", {4}, Initializer::Zeros());
  const Value scaled = g.AddNode("Scale", {x}, {}, "scale")[0];
  const Value sum = g.AddNode("Add", {scaled, v}, {}, "add")[0];
  g.Result("sum", g.AddNode("Sum", {sum}, {}, "sum")[0]);
  g.Update("v", sum);
  return std::move(g).Build().value();
}

class ChooseByMeasuringTest : public testing::Test {
 protected:
  ChooseByMeasuringTest() : function_(ThreeNodes()) {
    for (const VariableRead& read : function_.variables()) {
      SEQ_CHECK(variables_.Declare(read.def).ok());
    }
  }

  absl::StatusOr<BackendChoice> Choose(std::vector<const Backend*> backends,
                                       const MeasureOptions& measure = kQuick) {
    return ChooseByMeasuring(function_, TestOps(), variables_, {.backends = std::move(backends)},
                             measure);
  }

  const Function function_;
  VariableStore variables_;
};

TEST_F(ChooseByMeasuringTest, SendsEachNodeWhereItIsFastest) {
  const FakeBackend a({.name = "a", .delays = {{"Scale", kSlow}}});
  const FakeBackend b({.name = "b", .delays = {{"Add", kSlow}, {"Sum", kSlow}}});
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendChoice choice, Choose({&a, &b}));
  EXPECT_EQ(choice.preferences, (BackendPreferences{{"add", "a"}, {"scale", "b"}, {"sum", "a"}}));
  ASSERT_EQ(choice.groups.size(), 3u);
  EXPECT_THAT(choice.groups[0].nodes, ElementsAre("scale"));
  EXPECT_EQ(choice.groups[0].chosen, "b");
  EXPECT_EQ(choice.groups[0].times[0].backend, "a");
  EXPECT_GE(choice.groups[0].times[0].seconds, kSlow);
  EXPECT_LT(choice.groups[0].times[1].seconds, kSlow);
  ASSERT_EQ(choice.whole.size(), 3u);
  EXPECT_EQ(choice.whole[2].backend, "mixed");
  EXPECT_GE(choice.whole[1].seconds, 2 * kSlow);
}

TEST_F(ChooseByMeasuringTest, LeavesTheVariablesAsTheyAre) {
  const FakeBackend a({.name = "a"}), b({.name = "b"});
  SEQ_ASSERT_OK(variables_.Assign("v", Tensor::Of<float>({4}, {1, 2, 3, 4})));
  const uint64_t version = variables_.Find("v")->version;
  SEQ_ASSERT_OK(Choose({&a, &b}).status());
  EXPECT_TRUE(variables_.Find("v")->value.BitwiseEquals(Tensor::Of<float>({4}, {1, 2, 3, 4})));
  EXPECT_EQ(variables_.Find("v")->version, version);
}

TEST_F(ChooseByMeasuringTest, KeepsTogetherWhatABackendTakesOnlyTogether) {
  // Alone, `add` would be faster on b; but a takes `scale` only with it, and gains more there.
  Claim with_add = Claim::Yes(), with_scale = Claim::Yes();
  with_add.together = {1};
  with_scale.together = {0};
  const FakeBackend a({.name = "a",
                       .refusals = {{"Scale", with_add}, {"Add", with_scale}},
                       .delays = {{"Add", kSlow}}});
  const FakeBackend b({.name = "b", .delays = {{"Scale", 3 * kSlow}}});
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendChoice choice, Choose({&a, &b}));
  ASSERT_EQ(choice.groups.size(), 2u);
  EXPECT_THAT(choice.groups[0].nodes, ElementsAre("scale", "add"));
  EXPECT_EQ(choice.groups[0].chosen, "a");
  EXPECT_EQ(choice.preferences.at("add"), "a");
}

TEST_F(ChooseByMeasuringTest, ANodeThatTheFastestRefusesGoesOnInTheOrder) {
  const FakeBackend a(
      {.name = "a", .refusals = {{"Sum", Claim::No(ClaimReason::kUnknownOp, "none")}}});
  const FakeBackend b({.name = "b", .delays = {{"Add", kSlow}, {"Scale", kSlow}}});
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendChoice choice, Choose({&a, &b}));
  EXPECT_EQ(choice.preferences, (BackendPreferences{{"add", "a"}, {"scale", "a"}, {"sum", "b"}}));
}

TEST_F(ChooseByMeasuringTest, TriesABackendForSmallFunctionsOnlyOnThose) {
  const FakeBackend a({.name = "a", .delays = {{"Add", kSlow}}}), naive({.name = "naive"});
  MeasureOptions measure = kQuick;
  measure.only_small = {"naive"};
  measure.small_flops = 1e6;
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendChoice small, Choose({&a, &naive}, measure));
  EXPECT_EQ(small.preferences.at("add"), "naive");
  measure.small_flops = 1;
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendChoice large, Choose({&a, &naive}, measure));
  EXPECT_EQ(large.preferences.at("add"), "a");
  EXPECT_EQ(large.whole.size(), 1u);
}

TEST_F(ChooseByMeasuringTest, SaysWhatNobodyRuns) {
  const FakeBackend a(
      {.name = "a", .refusals = {{"Sum", Claim::No(ClaimReason::kUnknownOp, "none")}}});
  EXPECT_THAT(Choose({&a}), StatusIs(absl::StatusCode::kInvalidArgument, "sum (Sum)"));
  EXPECT_THAT(Choose({}), StatusIs(absl::StatusCode::kInvalidArgument, "no backend"));
}

}  // namespace
}  // namespace seqgraph
