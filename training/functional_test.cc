// Graphs of layers: what they compute, against numbers worked out by hand, and how they are
// trained.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "graph/rewrite.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tests/testing.h"
#include "training/sequential.h"
#include "training/testing/shared_dense.h"

namespace seqgraph {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// `function` of the model on these inputs, of that many rows.
absl::StatusOr<TensorMap> RunFunction(const Model& model, const char* function, TensorMap feeds,
                                      int64_t rows) {
  SEQ_ASSIGN_OR_RETURN(const Function* open, model.GetFunction(function));
  SEQ_ASSIGN_OR_RETURN(const Function bound, BindBatch(*open, AllOps(), rows));
  for (const VariableRead& read : bound.variables()) {
    feeds[read.def.name] = model.variables.Find(read.def.name)->value;
  }
  return Evaluate(bound, feeds);
}

std::vector<float> Floats(const Tensor& tensor) {
  const absl::Span<const float> elements = tensor.Elements<float>();
  return {elements.begin(), elements.end()};
}

TensorMap SharedInputs() {
  return {{"a", Tensor::Of<float>({1, 2}, {1, 2})}, {"b", Tensor::Of<float>({1, 2}, {10, -5})}};
}

TEST(Functional, ALayerCalledTwiceHasOneWeight) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, SharedDense({.trainable = false}));
  EXPECT_EQ(model.functions.size(), 1u);
  EXPECT_EQ(model.variables.all().size(), 1u);
  // 2 + 6 = 8 and 20 - 15 = 5.
  SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap results,
                           RunFunction(model, "predict", SharedInputs(), 1));
  EXPECT_EQ(Floats(results.at("y")), std::vector<float>{13});
  EXPECT_EQ(Floats(results.at("z")), std::vector<float>{40});
}

TEST(Functional, LossesOfSeveralOutputsAreAddedByTheirWeights) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      const Model model,
      SharedDense({.losses = {{MeanSquaredError("y"), 0.5}, {MeanSquaredError("z"), 0.25}},
                   .optimizer = SGD{.learning_rate = 0.125}}));
  TensorMap feeds = SharedInputs();
  feeds["labels_y"] = Tensor::Of<float>({1, 1}, {11});
  feeds["labels_z"] = Tensor::Of<float>({1, 1}, {42});
  // 0.5 2^2 + 0.25 2^2.
  SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap evaluated, RunFunction(model, "evaluate", feeds, 1));
  EXPECT_EQ(Floats(evaluated.at("loss")), std::vector<float>{3});
  // dy = 0.5 2 2 = 2, dz = 0.25 2 (-2) = -1: du = dy + dz v = -3, dv = dy + dz u = -6, so that
  // dw = -3 (1, 2) - 6 (10, -5) = (-63, 24).
  SEQ_ASSERT_OK_AND_ASSIGN(const Function* step, model.GetFunction("train_step"));
  SEQ_ASSERT_OK_AND_ASSIGN(Function bound, BindBatch(*step, AllOps(), 1));
  FunctionBuilder g("probe", AllOps(), bound);
  Value updated;
  for (const NamedValue& update : bound.updates()) {
    if (update.name == "w/kernel") updated = update.value;
  }
  g.Result("updated", updated);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function probe, std::move(g).Build());
  for (const VariableRead& read : probe.variables()) {
    feeds[read.def.name] = model.variables.Find(read.def.name)->value;
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap results, Evaluate(probe, feeds));
  EXPECT_EQ(Floats(results.at("updated")), (std::vector<float>{2 + 0.125f * 63, 3 - 0.125f * 24}));
}

// An encoder's state is where the decoder begins: with weights 1 and no activation's bend, sums.
TEST(Functional, StatesAreHandedOn) {
  Functional graph;
  const LayerValue x = graph.Input({.name = "x", .time = 2, .features = 1});
  const LayerValue y = graph.Input({.name = "y", .time = 2, .features = 1});
  const RecurrentLayer sum = {.activation = "relu", .use_bias = false, .return_state = true};
  const LayerValue encoded = graph.Add(SimpleRNN(1, sum), {x}, {.name = "encoder"});
  RecurrentLayer steps = sum;
  steps.return_sequences = true;
  const LayerValue decoded =
      graph.Add(SimpleRNN(1, steps), {y, Functional::State(encoded, 0)}, {.name = "decoder"});
  graph.Outputs({decoded, Functional::State(decoded, 0)});
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, graph.Build({.trainable = false}));
  for (const char* layer : {"encoder", "decoder"}) {
    for (const char* weight : {"/kernel", "/recurrent_kernel"}) {
      SEQ_ASSERT_OK(
          model.variables.Assign(absl::StrCat(layer, weight), Tensor::Of<float>({1, 1}, {1})));
    }
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap results,
                           RunFunction(model, "predict",
                                       {{"x", Tensor::Of<float>({1, 2, 1}, {1, 2})},
                                        {"y", Tensor::Of<float>({1, 2, 1}, {10, 20})}},
                                       1));
  EXPECT_EQ(Floats(results.at("decoder")), (std::vector<float>{13, 33}));
  EXPECT_EQ(Floats(results.at("decoder_1")), std::vector<float>{33});
}

TEST(Functional, AChainIsAStack) {
  Functional graph("sequential");
  const LayerValue x = graph.Input({.time = 3});
  const LayerValue embedded =
      graph.Add(EmbeddingLayer{.input_dim = 5, .output_dim = 2, .mask_zero = true}, {x});
  graph.Outputs({graph.Add(DenseLayer{.units = 1}, {graph.Add(LSTM(4), {embedded})})});
  Sequential stack({.time = 3});
  stack.Add(EmbeddingLayer{.input_dim = 5, .output_dim = 2, .mask_zero = true})
      .Add(LSTM(4))
      .Add(DenseLayer{.units = 1});
  EXPECT_TRUE(graph.stack() == stack.stack());
  EXPECT_FALSE(graph.stack().is_graph());
}

TEST(Functional, ComesBackFromOurFiles) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, SharedDense({.trainable = false}));
  for (const ModelFormat format : {ModelFormat::kBinary, ModelFormat::kText}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeModel(model, format));
    SEQ_ASSERT_OK_AND_ASSIGN(const Model read, ParseModel(bytes, format, AllOps()));
    EXPECT_TRUE(read.layers == model.layers);
  }
}

TEST(Functional, MistakesNameTheLayer) {
  const auto built = [](const std::function<LayerValue(Functional&, LayerValue)>& make) {
    Functional graph;
    const LayerValue x = graph.Input({.name = "x", .time = 2, .features = 3});
    graph.Outputs({make(graph, x)});
    return graph.Build().status();
  };
  EXPECT_THAT(built([](Functional& g, LayerValue x) {
                return g.Add(MergeLayer{"Subtract"}, {x, x, x});
              }),
              StatusIs(kInvalid, "layer subtract: it takes 2 to 2 inputs, got 3"));
  EXPECT_THAT(built([](Functional& g, LayerValue x) {
                return g.Add(LSTM(4), {x, g.Add(SimpleRNN(4), {x})});
              }),
              StatusIs(kInvalid, "layer lstm: it begins with 2 states, got 1"));
  EXPECT_THAT(built([](Functional& g, LayerValue x) {
                return g.Add(DenseLayer{.units = 1}, {Functional::State(g.Add(LSTM(4), {x}), 0)});
              }),
              StatusIs(kInvalid, "layer dense: it takes output 1 of a layer that gives 1"));
  EXPECT_THAT(built([](Functional& g, LayerValue x) {
                g.Layer(DenseLayer{.units = 1});
                return g.Add(DenseLayer{.units = 1}, {x});
              }),
              StatusIs(kInvalid, "layer dense is not called"));
  EXPECT_THAT(built([](Functional& g, LayerValue x) {
                return g.Add(MergeLayer{"Add"}, {x, g.Add(DenseLayer{.units = 2}, {x})});
              }),
              StatusIs(kInvalid, "do not go together"));
  EXPECT_THAT(built([](Functional& g, LayerValue) {
                return g.Add(DenseLayer{.units = 2}, {LayerValue{.call = 7}});
              }),
              StatusIs(kInvalid, "takes what does not stand in front of it"));
}

}  // namespace
}  // namespace seqgraph
