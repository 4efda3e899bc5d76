#include "backends/reference/reference_backend.h"

#include <memory>
#include <utility>
#include <vector>

#include "graph/function_builder.h"
#include "graph/rewrite.h"
#include "graph/testing/test_ops.h"
#include "runtime/compiled_function.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

// y = sum(x / 10 + v) for int32 x: the type of Ramp comes from its output alone.
Function SumFunction() {
  FunctionBuilder g("f", TestOps());
  const Value ids = g.Input("ids", {DType::kInt32, {3}});
  const Value v = g.Variable("v", {3}, {});
  const Value ramp = g.AddNode("Ramp", {ids})[0];
  g.Result("ramp", ramp);
  g.Result("sum", g.AddNode("Sum", {g.AddNode("Add", {ramp, v})[0]})[0]);
  return std::move(g).Build().value();
}

TEST(ReferenceBackend, ComputesInTheFloatTypeOfTheFunction) {
  const std::unique_ptr<Backend> reference = MakeReferenceBackend();
  const Function in_float = SumFunction();
  SEQ_ASSERT_OK_AND_ASSIGN(const Function in_double,
                           WithRealType(in_float, TestOps(), DType::kFloat64));
  const Tensor ids = Tensor::Of<int32_t>({3}, {1, 2, 3});

  VariableStore floats;
  SEQ_ASSERT_OK(floats.Declare(in_float.variables()[0].def));
  SEQ_ASSERT_OK(floats.Assign("v", Tensor::Of<float>({3}, {16777216, 0, 0})));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto f,
      CompiledFunction::Compile(in_float, TestOps(), &floats, {.backends = {reference.get()}}));
  SEQ_ASSERT_OK(f->SetInput(0, ids));
  SEQ_ASSERT_OK(f->Run());
  EXPECT_THAT(f->Result(0).Elements<float>(), ElementsAre(0.1f, 0.2f, 0.3f));
  // 2^24 swallows 0.1, 0.2 and 0.3 in float.
  EXPECT_EQ(f->Result(1).Elements<float>()[0], 16777216.0f);
  EXPECT_EQ(f->assignments()[0].implementation, "reference float32");

  VariableStore doubles;
  SEQ_ASSERT_OK(doubles.Declare(in_double.variables()[0].def));
  SEQ_ASSERT_OK(doubles.Assign("v", Tensor::Of<double>({3}, {16777216, 0, 0})));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto d,
      CompiledFunction::Compile(in_double, TestOps(), &doubles, {.backends = {reference.get()}}));
  SEQ_ASSERT_OK(d->SetInput(0, ids));
  SEQ_ASSERT_OK(d->Run());
  EXPECT_THAT(d->Result(0).Elements<double>(), ElementsAre(0.1, 0.2, 0.3));
  EXPECT_NEAR(d->Result(1).Elements<double>()[0], 16777216.6, 1e-8);
  EXPECT_EQ(d->assignments()[0].implementation, "reference float64");
}

TEST(ReferenceBackend, LeavesOutUnusedOutputsAndAbsentInputs) {
  const std::unique_ptr<Backend> reference = MakeReferenceBackend();
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {2}}), y = g.Input("y", {DType::kFloat32, {2}});
  g.Result("diff", g.AddNode("SumDiff", {x, y})[1]);
  g.Result("same", g.AddNode("SumDiff", {x})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto compiled,
      CompiledFunction::Compile(f, TestOps(), nullptr, {.backends = {reference.get()}}));
  SEQ_ASSERT_OK(compiled->SetInput(0, Tensor::Of<float>({2}, {5, 7})));
  SEQ_ASSERT_OK(compiled->SetInput(1, Tensor::Of<float>({2}, {1, 10})));
  SEQ_ASSERT_OK(compiled->Run());
  EXPECT_THAT(compiled->Result(0).Elements<float>(), ElementsAre(4, -3));
  EXPECT_THAT(compiled->Result(1).Elements<float>(), ElementsAre(5, 7));
}

TEST(ReferenceBackend, ClaimsEveryNode) {
  const Function f = SumFunction();
  const std::unique_ptr<Backend> reference = MakeReferenceBackend();
  EXPECT_EQ(reference->info().name, "reference");
  const FunctionClaim claim = reference->ClaimFunction(f);
  ASSERT_EQ(claim.nodes.size(), f.nodes().size());
  for (const Claim& node : claim.nodes) EXPECT_TRUE(node.claimed());
}

}  // namespace
}  // namespace seqgraph
