// The example plugin at the path in the environment variable EXAMPLE_PLUGIN, as the host loads it;
// example_build_test.sh builds it and runs this.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "backends/plugin/plugin_probe.h"
#include "backends/plugin/select_backends.h"
#include "base/counter_random.h"
#include "graph/function_builder.h"
#include "graph/model.h"
#include "graph/rewrite.h"
#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "runtime/compiled_function.h"
#include "tests/plugins/plugin_testing.h"
#include "tests/testing.h"
#include "tools/diff/lockstep.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

std::string ExamplePath() {
  const char* path = std::getenv("EXAMPLE_PLUGIN");
  return path == nullptr ? "" : path;
}

// sigmoid(Dense(x, w, b)) with each activation, x [2, 3], w [3, 2].
Function DenseFunction(const std::string& activation) {
  FunctionBuilder g("layer", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {2, 3}});
  const Value w = g.Input("w", {DType::kFloat32, {3, 2}});
  const Value b = g.Input("b", {DType::kFloat32, {2}});
  const Value y = g.AddNode("Dense", {x, w, b}, {{"activation", activation}})[0];
  g.Result("y", y);
  g.Result("s", g.AddNode("Sigmoid", {y})[0]);
  return *std::move(g).Build();
}

PluginOptions Options(const Function& function) {
  PluginOptions options;
  options.built_in = &AllBackends();
  options.serialize = SerializeForPlugins();
  options.search_path = "";
  options.probe_options = {.run = true, .leak_repeats = 200};
  options.functions = {*EncodedFunction::Encode(function, SerializeForPlugins())};
  return options;
}

TEST(ExamplePlugin, ComputesDenseAndSigmoid) {
  // x w + b = {{1-4+.5, 2-1}, {0+.5, .5-1}}
  const double z[] = {-2.5, 1, 0.5, -0.5};
  for (const std::string activation : {"none", "tanh", "relu", "sigmoid"}) {
    const Function function = DenseFunction(activation);
    SEQ_ASSERT_OK_AND_ASSIGN(const BackendSelection selection,
                             SelectBackends(ExamplePath(), Options(function)));
    ASSERT_EQ(selection.names, "example");
    VariableStore variables;
    CompileOptions options;
    options.backends = {selection.registry.all()[0].get()};
    SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled,
                             CompiledFunction::Compile(function, AllOps(), &variables, options));
    SEQ_ASSERT_OK(compiled->SetInput(0, Tensor::Of<float>({2, 3}, {1, 2, 0, 0, 0, 1})));
    SEQ_ASSERT_OK(compiled->SetInput(1, Tensor::Of<float>({3, 2}, {1, 2, -2, 0, 0, 0.5})));
    SEQ_ASSERT_OK(compiled->SetInput(2, Tensor::Of<float>({2}, {0.5, -1})));
    SEQ_ASSERT_OK(compiled->Run());
    for (int i = 0; i < 4; ++i) {
      const double y = activation == "tanh"   ? std::tanh(z[i])
                       : activation == "relu" ? std::max(z[i], 0.0)
                       : activation == "none" ? z[i]
                                              : 1 / (1 + std::exp(-z[i]));
      EXPECT_NEAR(compiled->Result(0).Elements<float>()[i], y, 3e-7) << activation;
      EXPECT_NEAR(compiled->Result(1).Elements<float>()[i], 1 / (1 + std::exp(-y)), 3e-7);
    }
    EXPECT_EQ(compiled->assignments()[0].implementation, "example dense loop");
    EXPECT_EQ(compiled->assignments()[1].implementation, "example sigmoid loop");
  }
}

TEST(ExamplePlugin, RefusesTheRestWithReasons) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, MakeTextModel({.num_words = 20, .maxlen = 5}));
  SEQ_ASSERT_OK_AND_ASSIGN(const Function step,
                           BindBatch(*model.FindFunction("train_step"), AllOps(), 4));
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendSelection selection,
                           SelectBackends(ExamplePath(), Options(step)));
  CompileOptions options;
  options.backends = {selection.registry.all()[0].get()};
  const auto compiled = CompiledFunction::Compile(step, AllOps(), &model.variables, options);
  for (const char* text : {"op RNNCell is not implemented", "op DenseGrad is not implemented",
                           "op RMSPropUpdate is not implemented"}) {
    EXPECT_THAT(compiled, StatusIs(absl::StatusCode::kInvalidArgument, text));
  }
  EXPECT_EQ(compiled.status().message().find("(Dense)"), absl::string_view::npos);
}

TEST(ExamplePlugin, TrainsBesideTheReference) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      Model model, MakeTextModel({.num_words = 10, .maxlen = 4, .embedding_dim = 3, .units = 4},
                                 {.optimizer = RMSProp{.learning_rate = 1e-2}, .seed = 5}));
  SEQ_ASSERT_OK_AND_ASSIGN(const Function step,
                           BindBatch(*model.FindFunction("train_step"), AllOps(), 16));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const BackendSelection selection,
      SelectBackends(absl::StrCat(ExamplePath(), ",reference"), Options(step)));
  Trainer trainer(&model, {.backend = selection.names, .backends = &selection.registry});
  std::vector<int32_t> tokens, targets;
  CounterRandom random(1, "examples");
  for (int i = 0; i < 200 * 4; ++i) tokens.push_back(4 + random.NextBelow(6));
  for (int i = 0; i < 200; ++i) targets.push_back(tokens[i * 4 + 3] >= 7);
  const Examples examples = {tokens, 200, 4, targets};
  SEQ_ASSERT_OK_AND_ASSIGN(const FitResult result,
                           trainer.Fit(examples, examples, {.epochs = 20, .batch = 16}));
  EXPECT_LT(result.history["val_loss"].back(), 0.2);
  SEQ_ASSERT_OK_AND_ASSIGN(const CompiledFunction* compiled,
                           trainer.runner().Compile("train_step", 16));
  int by_example = 0;
  for (const NodeAssignment& node : compiled->assignments()) {
    by_example += node.backend == "example";
  }
  EXPECT_GE(by_example, 1);
}

// As `seqgraph diff MODEL --backends=reference,PATH` does it.
TEST(ExamplePlugin, IsComparedOnTheNodesThatItTakes) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, MakeTextModel({.num_words = 20, .maxlen = 5}));
  const Function& predict = *model.FindFunction("predict");
  SEQ_ASSERT_OK_AND_ASSIGN(const Function bound, BindBatch(predict, AllOps(), 4));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const BackendSelection selection,
      SelectBackends(absl::StrCat("reference,", ExamplePath()), Options(bound)));
  const Backend* reference = selection.registry.all()[0].get();
  const diff::LockstepOptions options{
      .first = reference, .second = selection.registry.all()[1].get(), .rest = {reference}};
  const Tensor tokens = Tensor::Of<int32_t>({4, 5}, std::vector<int32_t>(20, 7));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const diff::LockstepResult result,
      diff::RunLockstep(model, predict, 4, {{"tokens", tokens}}, AllOps(), options));
  EXPECT_FALSE(result.fault.has_value());
  int64_t compared = 0;
  for (const diff::NodeRecord& node : result.nodes) {
    EXPECT_EQ(node.backend, node.op == "Dense" ? "example" : "reference") << node.node;
    if (node.backend == "example") compared += node.compared;
  }
  EXPECT_EQ(compared, 4);
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) {
  seqgraph::RunProbeChild(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  if (seqgraph::ExamplePath().empty()) {
    std::fprintf(stderr, "EXAMPLE_PLUGIN must name the example's shared library\n");
    return 2;
  }
  return RUN_ALL_TESTS();
}
