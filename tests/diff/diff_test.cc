// Faults injected into a backend: the comparison must name the very node, and write a case that
// shows the fault again.

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "backends/all_backends.h"
#include "base/atomic_file.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "tests/faulty_backend.h"
#include "tests/testing.h"
#include "tools/conformance/file_cases.h"
#include "tools/diff/lockstep.h"
#include "tools/diff/minimal_case.h"
#include "tools/diff/report.h"
#include "tools/graph_test/graph_test_runner.h"
#include "training/text_models.h"

namespace seqgraph::diff {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kBatch = 6, kTime = 12;

const Backend* Named(const char* name) { return AllBackends().Get(name).value(); }

Model SmallModel(bool one_hot = false) {
  return MakeTextModel(
             {.one_hot = one_hot, .num_words = 30, .maxlen = kTime, .embedding_dim = 5, .units = 4},
             {.optimizer = RMSProp{.learning_rate = 0.01}, .seed = 7})
      .value();
}

std::map<std::string, Tensor> SmallBatch() {
  std::vector<int32_t> tokens(kBatch * kTime);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>(i * 7 % 30);
  std::vector<float> labels(kBatch);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<float>(i % 2);
  return {{"tokens", Tensor::Of<int32_t>({kBatch, kTime}, tokens)},
          {"labels", Tensor::Of<float>({kBatch, 1}, labels)}};
}

LockstepResult Compared(const Model& model, const LockstepOptions& options) {
  absl::StatusOr<LockstepResult> result =
      RunLockstep(model, *model.FindFunction(kTrainStep), kBatch, SmallBatch(), AllOps(), options);
  SEQ_EXPECT_OK(result);
  return result.ok() ? *std::move(result) : LockstepResult{};
}

// So that recurrences and lookups are nodes of their own.
PassList WithoutFusion() {
  return SelectPasses(StandardPasses(), "-fuse_lookup_rnn_cell,-commute_lookup_projection").value();
}

LockstepOptions Against(const Backend* second, Mode mode = Mode::kIsolated, int64_t steps = 1) {
  return {.first = Named("reference"),
          .second = second,
          .mode = mode,
          .steps = steps,
          .passes = StandardPasses()};
}

// The case of a fault, after it went through its text: fails on `options.second`, passes on the
// first.
MinimalCase CaseOf(const LockstepResult& result, const LockstepOptions& options) {
  absl::StatusOr<std::optional<MinimalCase>> found =
      FindMinimalCase(result, AllOps(), options, "a test");
  SEQ_EXPECT_OK(found);
  if (!found.ok() || !found->has_value()) {
    ADD_FAILURE() << "no case shows the fault";
    return {};
  }
  const auto read = ParseGraphTests(GraphTestToText((*found)->test), ".", AllOps());
  SEQ_EXPECT_OK(read);
  if (read.ok()) {
    EXPECT_FALSE(RunGraphTest(read->front(), AllOps(), {.backends = {options.second}}).passed());
    EXPECT_TRUE(RunGraphTest(read->front(), AllOps(), {.backends = {options.first}}).passed());
  }
  return *std::move(*found);
}

class RightBackends : public ::testing::TestWithParam<Mode> {};

TEST_P(RightBackends, StayWithinTheirBoundsOverSeveralSteps) {
  for (const bool one_hot : {false, true}) {
    const LockstepResult result =
        Compared(SmallModel(one_hot), Against(Named("onednn"), GetParam(), /*steps=*/5));
    EXPECT_FALSE(result.fault.has_value()) << ReportText(result, Against(Named("onednn")));
    EXPECT_EQ(result.steps.size(), 5u);
    int64_t compared = 0;
    for (const NodeRecord& record : result.nodes) {
      EXPECT_LE(record.ratio, 1) << record.node;
      compared += record.compared;
    }
    EXPECT_GT(compared, 1000);
  }
}
INSTANTIATE_TEST_SUITE_P(Modes, RightBackends, ::testing::Values(Mode::kIsolated, Mode::kChained));

TEST(Lockstep, ChainedShowsWhatAccumulatesAndIsolatedDoesNot) {
  const Model model = SmallModel();
  const LockstepResult isolated = Compared(model, Against(Named("onednn"), Mode::kIsolated, 4));
  const LockstepResult chained = Compared(model, Against(Named("onednn"), Mode::kChained, 4));
  ASSERT_EQ(isolated.steps.size(), 4u);
  ASSERT_EQ(chained.steps.size(), 4u);
  EXPECT_GT(chained.steps[3].difference, 0);
  EXPECT_GE(chained.steps[3].difference, isolated.steps[3].difference);
}

TEST(Lockstep, LeavesTheModelAsItIs) {
  const Model model = SmallModel();
  const Tensor before = model.variables.Find("dense/kernel")->value;
  Compared(model, Against(Named("onednn"), Mode::kChained, 2));
  EXPECT_TRUE(model.variables.Find("dense/kernel")->value.BitwiseEquals(before));
}

struct Injected {
  const char* op;
  int output;
};

class PerturbedOp : public ::testing::TestWithParam<std::tuple<Injected, Mode>> {};

// Every op of the step with a bound above zero, forward, backward and update.
TEST_P(PerturbedOp, IsNamedWithItsElementAndShownByACaseOfOneNode) {
  const auto& [injected, mode] = GetParam();
  const std::unique_ptr<Backend> faulty = MakeFaultyBackend(
      Named("reference"),
      {.op = injected.op, .output = injected.output, .element = 3, .times_bound = 10});
  LockstepOptions options = Against(faulty.get(), mode, 2);
  if (!absl::StartsWith(injected.op, "Lookup")) options.passes = WithoutFusion();
  const LockstepResult result = Compared(SmallModel(), options);
  ASSERT_TRUE(result.fault.has_value());
  const Fault& fault = *result.fault;
  const Node& node = result.function.nodes()[fault.node];
  EXPECT_EQ(node.op->name(), injected.op);
  EXPECT_EQ(fault.output, injected.output);
  EXPECT_EQ(fault.step, 0);
  const int64_t size = result.function.type(node.outputs[fault.output]).shape.num_elements();
  EXPECT_EQ(fault.element, 3 % size);
  EXPECT_NEAR(fault.measured / fault.bound.absolute(), 10, 1.1);
  const std::string report = ReportText(result, options);
  EXPECT_THAT(report, HasSubstr("node " + node.name + " (" + injected.op + ")"));
  EXPECT_THAT(report, HasSubstr(fault.bound.formula));

  const MinimalCase found = CaseOf(result, options);
  EXPECT_THAT(found.nodes, ElementsAre(fault.node));
  EXPECT_FALSE(found.two_calls);
}
INSTANTIATE_TEST_SUITE_P(
    Ops, PerturbedOp,
    ::testing::Combine(::testing::Values(Injected{"RNNCell", 1}, Injected{"Dense", 0},
                                         Injected{"BCEWithLogits", 0}, Injected{"DenseGrad", 1},
                                         Injected{"RNNCellGrad", 2}, Injected{"RNNCellGrad", 0},
                                         Injected{"EmbeddingGrad", 0}, Injected{"LookupRNNCell", 1},
                                         Injected{"LookupRNNCellGrad", 0},
                                         Injected{"RMSPropUpdate", 0}),
                       ::testing::Values(Mode::kIsolated, Mode::kChained)),
    [](const auto& info) {
      const Injected injected = std::get<0>(info.param);
      return injected.op + std::to_string(injected.output) +
             (std::get<1>(info.param) == Mode::kChained ? "Chained" : "Isolated");
    });

TEST(MinimalCaseTest, IsAsSmallAsTheFaultAllows) {
  // Element 3 of a gradient [units, 1]: with fewer than 4 units it is another element.
  const std::unique_ptr<Backend> faulty =
      MakeFaultyBackend(Named("reference"), {.op = "RNNCellGrad", .output = 2, .amount = 0.5f});
  LockstepOptions options = Against(faulty.get());
  options.passes = WithoutFusion();
  const LockstepResult result = Compared(SmallModel(), options);
  ASSERT_TRUE(result.fault.has_value());
  const MinimalCase found = CaseOf(result, options);
  // x, w, u, b, sequence, d_last of one number each.
  EXPECT_EQ(found.elements, 6);
}

TEST(MinimalCaseTest, OfAStaleCopyMakesTwoCallsWithChangedVariables) {
  for (Mode mode : {Mode::kIsolated, Mode::kChained}) {
    const std::unique_ptr<Backend> faulty =
        MakeFaultyBackend(Named("reference"), {.op = "Dense", .stale_variables = true});
    const LockstepOptions options = Against(faulty.get(), mode, 3);
    const LockstepResult result = Compared(SmallModel(), options);
    ASSERT_TRUE(result.fault.has_value());
    EXPECT_EQ(result.fault->step, 1);
    EXPECT_EQ(result.function.nodes()[result.fault->node].op->name(), "Dense");
    const MinimalCase found = CaseOf(result, options);
    EXPECT_TRUE(found.two_calls);
    EXPECT_THAT(found.nodes, ElementsAre(result.fault->node));
    EXPECT_EQ(found.test.earlier.size(), 1u);
  }
}

TEST(Lockstep, NamesTheGuiltyOneOfAGroupWhoseValuesArePrivate) {
  // oneDNN keeps the gradient that RNNCellGrad hands to EmbeddingGrad in a layout of its own.
  for (const char* op : {"EmbeddingGrad", "RNNCellGrad"}) {
    const bool last = std::string(op) == "EmbeddingGrad";
    const std::unique_ptr<Backend> faulty =
        MakeFaultyBackend(Named("onednn"), {.op = op, .output = 0, .element = 2, .amount = 0.25f});
    const LockstepOptions options = Against(faulty.get());
    const LockstepResult result = Compared(SmallModel(), options);
    ASSERT_TRUE(result.fault.has_value());
    ASSERT_FALSE(result.opaque_values.empty());
    // Seen where the values come out again.
    EXPECT_EQ(result.function.nodes()[result.fault->node].op->name(), "EmbeddingGrad");
    EXPECT_GT(result.fault->group.size(), 1u);
    const MinimalCase found = CaseOf(result, options);
    ASSERT_EQ(found.nodes.size(), 1u);
    EXPECT_EQ(result.function.nodes()[found.nodes[0]].op->name(), op) << last;
  }
}

// The kit's verdict of a case that was written to a file.
conformance::Verdict InKit(const GraphTestCase& test, const Backend& backend) {
  const std::string path = MakeTempDir() + "/case.textproto";
  SEQ_EXPECT_OK(AtomicWriteFile(path, GraphTestToText(test)));
  const auto cases = conformance::FileCases(path, AllOps());
  SEQ_EXPECT_OK(cases);
  conformance::Verdict verdict;
  if (cases.ok()) cases->front().run({backend, AllOps()}, verdict);
  return verdict;
}

// What a node does around one of its buffers.
struct Stray {
  Overrun overrun;
  const char* text;  // of the report
};

class StrayWrites : public ::testing::TestWithParam<std::tuple<bool, const char*, Stray>> {};

// Every node of the training step, one at a time: whatever lies beside its buffers.
TEST_P(StrayWrites, OfAnyNodeAreNamedAndShownByACaseOfThatNode) {
  const auto& [one_hot, inner, stray] = GetParam();
  const Model model = SmallModel(one_hot);
  const LockstepResult right = Compared(model, Against(Named(inner)));
  ASSERT_FALSE(right.fault.has_value()) << ReportText(right, Against(Named(inner)));
  for (const Node& node : right.function.nodes()) {
    SCOPED_TRACE(node.name);
    const std::unique_ptr<Backend> faulty =
        MakeFaultyBackend(Named(inner), {.node = node.name, .overrun = stray.overrun});
    const LockstepOptions options = Against(faulty.get());
    const LockstepResult result = Compared(model, options);
    ASSERT_TRUE(result.fault.has_value());
    EXPECT_EQ(result.function.nodes()[result.fault->node].name, node.name);
    ASSERT_TRUE(result.fault->damage.has_value());
    const GuardDamage& damage = *result.fault->damage;
    EXPECT_EQ(damage.offset, stray.overrun == Overrun::kBefore ? -4 : damage.bytes);
    const std::string report = ReportText(result, options);
    EXPECT_THAT(report, HasSubstr("WRITES OUTSIDE ITS BUFFERS in step 1: node " + node.name));
    EXPECT_THAT(report, HasSubstr(stray.text));

    const MinimalCase found = CaseOf(result, options);
    EXPECT_THAT(found.nodes, ElementsAre(result.fault->node));
    EXPECT_GT(found.test.guard_bytes, 0);
    EXPECT_LE(found.elements, 64);
    const conformance::Verdict guilty = InKit(found.test, *faulty);
    EXPECT_TRUE(guilty.row().damaged) << guilty.row().detail;
    const conformance::Verdict innocent = InKit(found.test, *Named("reference"));
    EXPECT_TRUE(innocent.ok()) << innocent.row().detail;
  }
}
INSTANTIATE_TEST_SUITE_P(
    Training, StrayWrites,
    ::testing::Combine(::testing::Values(false, true), ::testing::Values("reference", "onednn"),
                       ::testing::Values(Stray{Overrun::kBehind, "1 past its end"},
                                         Stray{Overrun::kBefore, "4 before its begin"})),
    [](const auto& info) {
      return std::string(std::get<1>(info.param)) +
             (std::get<0>(info.param) ? "OneHot" : "Embedding") +
             (std::get<2>(info.param).overrun == Overrun::kBefore ? "Before" : "Behind");
    });

TEST(Lockstep, NamesANodeThatWritesBehindItsScratch) {
  const std::unique_ptr<Backend> faulty =
      MakeFaultyBackend(Named("onednn"), {.op = "RNNCell", .overrun = Overrun::kScratch});
  const LockstepOptions options = Against(faulty.get());
  const LockstepResult result = Compared(SmallModel(), options);
  ASSERT_TRUE(result.fault.has_value());
  EXPECT_EQ(result.function.nodes()[result.fault->node].op->name(), "RNNCell");
  EXPECT_THAT(ReportText(result, options), HasSubstr("wrote outside of scratch, "));
  EXPECT_TRUE(InKit(CaseOf(result, options).test, *faulty).row().damaged);
}

TEST(MinimalCaseTest, InTheKitShowsWrongNumbersToo) {
  const std::unique_ptr<Backend> faulty =
      MakeFaultyBackend(Named("reference"), {.op = "Dense", .amount = 0.5f});
  const LockstepOptions options = Against(faulty.get());
  const MinimalCase found = CaseOf(Compared(SmallModel(), options), options);
  EXPECT_EQ(found.test.guard_bytes, 0);
  const conformance::Verdict guilty = InKit(found.test, *faulty);
  EXPECT_FALSE(guilty.ok());
  EXPECT_FALSE(guilty.row().damaged);
  EXPECT_TRUE(InKit(found.test, *Named("reference")).ok());
}

TEST(Lockstep, NaNThatOnlyOneOfThemHasIsBeyondEveryBound) {
  const std::unique_ptr<Backend> faulty =
      MakeFaultyBackend(Named("reference"), {.op = "Dense", .amount = std::nanf("")});
  const LockstepResult result = Compared(SmallModel(), Against(faulty.get()));
  ASSERT_TRUE(result.fault.has_value());
  EXPECT_EQ(result.function.nodes()[result.fault->node].op->name(), "Dense");
  EXPECT_TRUE(std::isinf(result.fault->measured));
}

// u = 2 I without saturation: each step doubles an error, so after t steps the variance is
// 1 + 4 + ... + 4^(t-1) = (4^t - 1) / 3.
TEST(RecurrenceGrowthTest, OfAScaledIdentityIsTheGeometricSum) {
  const Model model = SmallModel();
  const Function& predict = *model.FindFunction(kPredict);
  const Node* cell = nullptr;
  for (const Node& node : predict.nodes()) {
    if (node.op->name() == "RNNCell") cell = &node;
  }
  ASSERT_NE(cell, nullptr);
  OptionalTensors inputs(cell->op->inputs().size());
  inputs[0] = Tensor::Zeros({DType::kFloat64, {1, 5, 2}}).value();  // and so are the states
  inputs[2] = Tensor::Of<double>({2, 2}, {2, 0, 0, 2});
  const auto growth_of = [&] { return **GrowthOf(*cell, inputs); };
  const RecurrenceGrowth growth = growth_of();
  EXPECT_NEAR(growth.spectral_norm, 2, 1e-9);
  EXPECT_NEAR(growth.amplification, std::sqrt((std::pow(4, 5) - 1) / 3 / 5), 1e-9);
  inputs[2] = Tensor::Of<double>({2, 2}, {0, 1, -1, 0});
  EXPECT_NEAR(growth_of().spectral_norm, 1, 1e-9);
  EXPECT_EQ(growth_of().amplification, 1);
}

TEST(LockstepTest, SaysWhichInputIsMissing) {
  const Model model = SmallModel();
  auto inputs = SmallBatch();
  inputs.erase("labels");
  EXPECT_THAT(RunLockstep(model, *model.FindFunction(kTrainStep), kBatch, inputs, AllOps(),
                          Against(Named("onednn"))),
              StatusIs(absl::StatusCode::kInvalidArgument, "needs an input labels"));
}

// A backend that takes one op of many, as a first version of anybody's does.
class TheRest : public ::testing::Test {
 protected:
  LockstepOptions Options(InjectedFault fault) {
    fault.behavior = "claims_only";
    partial_ = MakeFaultyBackend(Named("onednn"), std::move(fault));
    LockstepOptions options = Against(partial_.get(), Mode::kIsolated, /*steps=*/2);
    options.rest = {Named("reference")};
    return options;
  }
  std::unique_ptr<Backend> partial_;
};

TEST_F(TheRest, RunsWhatTheSecondRefuses) {
  for (const std::string op : {"Dense", "DenseGrad", "RNNCell", "RMSPropUpdate"}) {
    SCOPED_TRACE(op);
    const LockstepOptions options = Options({.op = op});
    const LockstepResult result = Compared(SmallModel(), options);
    EXPECT_FALSE(result.fault.has_value()) << ReportText(result, options);
    int64_t of_second = 0;
    for (const NodeRecord& record : result.nodes) {
      EXPECT_EQ(record.backend, record.op == op ? "faulty" : "reference") << record.node;
      of_second += record.backend == "faulty" ? record.compared : 0;
    }
    EXPECT_GT(of_second, 0);
    EXPECT_THAT(ReportText(result, options), HasSubstr("faulty does not take "));
    EXPECT_THAT(ReportText(result, options), HasSubstr("reference runs them: "));
  }
}

TEST_F(TheRest, LeavesFaultsToBeFoundAndShown) {
  const LockstepOptions options = Options({.op = "Dense", .share = 0.01});
  const LockstepResult result = Compared(SmallModel(), options);
  ASSERT_TRUE(result.fault.has_value());
  EXPECT_EQ(result.function.nodes()[result.fault->node].op->name(), "Dense");
  const MinimalCase found = CaseOf(result, options);
  EXPECT_EQ(found.nodes.size(), 1u);
  EXPECT_THAT(CaseText(result, options, found, "f.textproto"),
              HasSubstr("seqgraph test f.textproto --backend=faulty\n"));
}

TEST_F(TheRest, RunsWhatTheFirstRefuses) {
  LockstepOptions options = Options({.op = "Dense"});
  std::swap(options.first, options.second);
  options.second = Named("onednn");
  const LockstepResult result = Compared(SmallModel(), options);
  EXPECT_FALSE(result.fault.has_value()) << ReportText(result, options);
  for (const NodeRecord& record : result.nodes) EXPECT_EQ(record.backend, "onednn");
}

TEST_F(TheRest, WithoutItRefusalsAreAnErrorAndSoIsABackendThatTakesNothing) {
  const Model model = SmallModel();
  LockstepOptions options = Options({.op = "Dense"});
  options.rest.clear();
  const auto run = [&] {
    return RunLockstep(model, *model.FindFunction(kTrainStep), kBatch, SmallBatch(), AllOps(),
                       options);
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(run(), StatusIs(kInvalid, "knows no op"));
  options = Options({.op = "Tanh"});
  EXPECT_THAT(run(), StatusIs(kInvalid, "backend faulty takes none of the "));
}

}  // namespace
}  // namespace seqgraph::diff
