// Nodes whose outputs a compiled function keeps between calls: when they run, and what they leave.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "runtime/compiled_function.h"
#include "runtime/testing/fake_backend.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kKept[] = {"run sum", "run twice", "run y"};

// y = x 2 (a + b).
Function ScaledByVariables() {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {2}});
  const Value a = g.Variable("a", {2}, {}), b = g.Variable("b", {2}, {});
  const Value sum = g.AddNode("Add", {a, b}, {}, "sum")[0];
  const Value twice = g.AddNode("Scale", {sum}, {}, "twice")[0];
  g.Result("y", g.AddNode("Multiply", {x, twice}, {}, "y")[0]);
  return std::move(g).Build().value();
}

// a becomes 2 a.
Function DoublesA() {
  FunctionBuilder g("doubles_a", TestOps());
  g.Update("a", g.AddNode("Scale", {g.Variable("a", {2}, {})}, {}, "doubled")[0]);
  return std::move(g).Build().value();
}

class ConstantNodesTest : public ::testing::Test {
 protected:
  void Compile(FakeBehavior behavior = {}, int64_t guard_bytes = 0) {
    fake_ = std::make_unique<FakeBackend>(std::move(behavior), &log_);
    for (const VariableRead& read : f_.variables()) SEQ_ASSERT_OK(store_.Declare(read.def));
    SEQ_ASSERT_OK(store_.Assign("a", Tensor::Of<float>({2}, {1, 2})));
    SEQ_ASSERT_OK(store_.Assign("b", Tensor::Of<float>({2}, {10, 20})));
    SEQ_ASSERT_OK_AND_ASSIGN(compiled_, CompiledFunction::Compile(f_, TestOps(), &store_,
                                                                  {.backends = {fake_.get()},
                                                                   .guard_bytes = guard_bytes}));
    SEQ_ASSERT_OK(compiled_->SetInput(0, Tensor::Of<float>({2}, {1, 1})));
  }

  // Runs, and gives y.
  std::vector<float> Run(RunObserver* observer = nullptr) {
    log_.events.clear();
    const absl::Status status = compiled_->Run(observer);
    EXPECT_TRUE(status.ok()) << status;
    const Tensor y = compiled_->Result(0);
    const absl::Span<const float> elements = y.Elements<float>();
    return {elements.begin(), elements.end()};
  }

  const Function f_ = ScaledByVariables();
  FakeLog log_;
  std::unique_ptr<FakeBackend> fake_;
  VariableStore store_;
  std::unique_ptr<CompiledFunction> compiled_;
};

// Notes the nodes it is shown, and those that it is told of.
class Watcher : public RunObserver {
 public:
  explicit Watcher(bool only_looks) : only_looks_(only_looks) {}
  absl::Status BeforeNode(int node, const KernelArgs&) override {
    seen.push_back(node);
    return absl::OkStatus();
  }
  absl::Status AfterNode(int, const KernelArgs&) override { return absl::OkStatus(); }
  bool OnlyLooks() const override { return only_looks_; }
  void OnConstant(int node) override { kept.push_back(node); }

  std::vector<int> seen, kept;

 private:
  const bool only_looks_;
};

TEST_F(ConstantNodesTest, RunInTheFirstCallAndAfterAVariableHasChanged) {
  Compile();
  EXPECT_THAT(compiled_->constant_nodes(), ElementsAre(true, true, false));
  EXPECT_THAT(Run(), ElementsAre(22, 44));
  EXPECT_THAT(log_.events, ElementsAre("begin", kKept[0], kKept[1], kKept[2], "end"));
  SEQ_ASSERT_OK(compiled_->SetInput(0, Tensor::Of<float>({2}, {1, 3})));
  EXPECT_THAT(Run(), ElementsAre(22, 132));
  EXPECT_THAT(log_.events, ElementsAre("begin", kKept[2], "end"));
  SEQ_ASSERT_OK(store_.Assign("b", Tensor::Of<float>({2}, {0, 1})));
  EXPECT_THAT(Run(), ElementsAre(2, 18));
  EXPECT_THAT(log_.events, ElementsAre("begin", kKept[0], kKept[1], kKept[2], "end"));
  EXPECT_THAT(Run(), ElementsAre(2, 18));
  EXPECT_THAT(log_.events, ElementsAre("begin", kKept[2], "end"));
}

TEST_F(ConstantNodesTest, HaveVersionsThatGrowWhenTheyAreComputedAnew) {
  Compile();
  const auto versions = [&](RunObserver* observer = nullptr) {
    Run(observer);
    return log_.versions.back();  // of x and `twice`
  };
  const std::vector<uint64_t> first = versions();
  EXPECT_THAT(first, ElementsAre(0, testing::Gt(0u)));
  EXPECT_EQ(versions(), first);
  SEQ_ASSERT_OK(store_.Assign("b", Tensor::Of<float>({2}, {0, 1})));
  const std::vector<uint64_t> second = versions();
  EXPECT_GT(second[1], first[1]);
  EXPECT_EQ(versions(), second);
  // One who may write into them.
  Watcher watcher(/*only_looks=*/false);
  const std::vector<uint64_t> third = versions(&watcher);
  EXPECT_GT(third[1], second[1]);
  EXPECT_GT(versions()[1], third[1]);
}

TEST_F(ConstantNodesTest, NoticeWhatAnotherFunctionUpdates) {
  Compile();
  const Function doubles = DoublesA();
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto other,
      CompiledFunction::Compile(doubles, TestOps(), &store_, {.backends = {fake_.get()}}));
  EXPECT_THAT(Run(), ElementsAre(22, 44));
  SEQ_ASSERT_OK(other->Run());
  EXPECT_THAT(Run(), ElementsAre(24, 48));
  EXPECT_THAT(log_.events, ElementsAre("begin", kKept[0], kKept[1], kKept[2], "end"));
}

TEST_F(ConstantNodesTest, OutputsOfTheBackendsOwnLayoutAreKeptToo) {
  Compile({.opaque_layouts = true});
  EXPECT_THAT(Run(), ElementsAre(22, 44));
  EXPECT_THAT(Run(), ElementsAre(22, 44));
  EXPECT_THAT(log_.events, ElementsAre("begin", kKept[2], "end"));
}

TEST_F(ConstantNodesTest, RunAgainAfterACallThatFailed) {
  Compile({.failures = {{"twice", absl::DataLossError("broken")}}});
  EXPECT_FALSE(compiled_->Run().ok());
  log_.events.clear();
  EXPECT_FALSE(compiled_->Run().ok());
  EXPECT_THAT(log_.events, ElementsAre("begin", kKept[0], kKept[1], "end"));
}

TEST_F(ConstantNodesTest, WithGuardsThereAreNone) {
  Compile({}, /*guard_bytes=*/64);
  EXPECT_THAT(Run(), ElementsAre(22, 44));
  EXPECT_THAT(Run(), ElementsAre(22, 44));
  EXPECT_THAT(log_.events, ElementsAre("begin", kKept[0], kKept[1], kKept[2], "end"));
  EXPECT_THAT(log_.versions.back(), ElementsAre(0, 0));
}

TEST_F(ConstantNodesTest, WhatRunsOnlyBesideAnotherNodeIsNotKept) {
  Claim together = Claim::Yes();
  together.together = {1};
  Compile({.refusals = {{"Multiply", together}}});
  EXPECT_THAT(compiled_->constant_nodes(), ElementsAre(true, false, false));
  EXPECT_THAT(Run(), ElementsAre(22, 44));
  EXPECT_THAT(Run(), ElementsAre(22, 44));
  EXPECT_THAT(log_.events, ElementsAre("begin", kKept[1], kKept[2], "end"));
}

TEST_F(ConstantNodesTest, AnObserverThatMayWriteSeesAllNodesAndTheNextCallRunsThemAgain) {
  Compile();
  Run();
  Watcher watcher(/*only_looks=*/false);
  EXPECT_THAT(Run(&watcher), ElementsAre(22, 44));
  EXPECT_THAT(watcher.seen, ElementsAre(0, 1, 2));
  EXPECT_THAT(watcher.kept, IsEmpty());
  Run();
  EXPECT_THAT(log_.events, ElementsAre("begin", kKept[0], kKept[1], kKept[2], "end"));
}

TEST_F(ConstantNodesTest, AnObserverThatOnlyLooksSeesWhatRuns) {
  Compile();
  Watcher first(/*only_looks=*/true), second(/*only_looks=*/true);
  EXPECT_THAT(Run(&first), ElementsAre(22, 44));
  EXPECT_THAT(first.seen, ElementsAre(0, 1, 2));
  EXPECT_THAT(first.kept, IsEmpty());
  EXPECT_THAT(Run(&second), ElementsAre(22, 44));
  EXPECT_THAT(second.seen, ElementsAre(2));
  EXPECT_THAT(second.kept, ElementsAre(0, 1));
}

TEST_F(ConstantNodesTest, WhatIsKeptLiesApartFromAllElse) {
  Compile();
  // x, y, and the kept value in the memory of the sum: three lines of 64 bytes.
  EXPECT_EQ(compiled_->memory().values, 3 * 64);
  EXPECT_EQ(compiled_->memory().live_bound, 3 * 8);
}

}  // namespace
}  // namespace seqgraph
