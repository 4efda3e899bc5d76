#pragma once

// Models from stacks and graphs of layers.
//
//   Sequential stack({.time = 100});
//   stack.Add(EmbeddingLayer{.input_dim = 500, .output_dim = 16, .mask_zero = true})
//       .Add(Bidirectional(LSTM(32, {.return_sequences = true})))
//       .Add(Bidirectional(LSTM(16)))
//       .Add(DropoutLayer{.rate = 0.5})
//       .Add(DenseLayer{.units = 4, .activation = "softmax"});
//   SEQ_ASSIGN_OR_RETURN(Model model, stack.Build({.optimizer = Adam{}}));

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/function_builder.h"
#include "graph/model.h"
#include "layers/all_layers.h"
#include "layers/layer_emission.h"
#include "training/model_builder.h"

namespace seqgraph {

/// The function `predict` of a stack: its input, by its name and as InputType() has it, to the
/// result named ResultName(). No dropout. The first mistake, of which InvalidArgument names the
/// layer, is the builder's.
FunctionBuilder StackPredict(const LayerStack& stack, const LayerRegistry& registry = AllLayers());

/// A model of the stack that can be trained, Model::layers set. Weights are named, initialized,
/// frozen and penalized as the layers say; `options.penalties` are added to theirs. train_step
/// applies dropout, whose masks are a function of options.seed and of the steps done
/// ("optimizer/dropout_seed", "optimizer/iteration"); predict and evaluate have none. The states of
/// stateful layers are variables that all functions update. Where the output is a sequence that
/// still bears a mask, masked steps count neither in the loss nor in metrics. Errors: as
/// StackPredict and MakeTrainable.
absl::StatusOr<Model> BuildModel(const LayerStack& stack, const TrainableOptions& options = {},
                                 const LayerRegistry& registry = AllLayers());

/// Sets the states of stateful layers to zero: at the beginning of new sequences, so usually before
/// each epoch. FailedPrecondition for a model without layers; nothing happens if none is stateful.
absl::Status ResetStates(Model& model, const LayerRegistry& registry = AllLayers());

/// Collects layers. What is not named gets the name that Keras gives in a new session: "dense",
/// "dense_1", ...; the layers in a bidirectional one are "forward_lstm", "backward_lstm", ... and
/// count with the others of their class. `registry` has the classes that there are, which may be a
/// program's own, and must outlive this.
class LayerCollection {
 public:
  struct LayerOptions {
    std::string name;       ///< empty: as said above
    bool trainable = true;  ///< false: the weights stay as they are
  };
  const LayerStack& stack() const { return stack_; }
  /// BuildModel(); the model is named like the stack.
  absl::StatusOr<Model> Build(TrainableOptions options = {}) const;

 protected:
  LayerCollection(std::string name, const LayerRegistry& registry);
  void Collect(LayerKind layer, LayerOptions options);

  LayerStack stack_;

 private:
  std::string Number(const std::string& name);

  const LayerRegistry& registry_;
  std::map<std::string, int> used_;
};

/// Layers of which each takes what the one in front gives.
class Sequential : public LayerCollection {
 public:
  explicit Sequential(LayerInput input, std::string name = "sequential",
                      const LayerRegistry& registry = AllLayers());

  Sequential& Add(LayerKind layer, LayerOptions options);
  Sequential& Add(LayerKind layer) { return Add(std::move(layer), LayerOptions()); }
};

/// Layers of which each takes what it is given: several inputs and outputs, layers that are called
/// twice (with the same weights), states that are handed on. Mistakes are found by Build().
///
///   Functional graph;
///   const auto a = graph.Input({.name = "a", .time = 9}), b = graph.Input({.name = "b", .time =
///   9}); const int embedding = graph.Layer(EmbeddingLayer{.input_dim = 500, .output_dim = 16});
///   const int encoder = graph.Layer(LSTM(32));
///   const auto u = graph.Call(encoder, {graph.Call(embedding, {a})});
///   const auto v = graph.Call(encoder, {graph.Call(embedding, {b})});
///   graph.Outputs({graph.Add(DotLayer{.normalize = true}, {u, v})});
///   SEQ_ASSIGN_OR_RETURN(Model model, graph.Build({.loss = MeanSquaredError()}));
class Functional : public LayerCollection {
 public:
  explicit Functional(std::string name = "functional", const LayerRegistry& registry = AllLayers());

  LayerValue Input(LayerInput input);
  /// A layer to be called.
  int Layer(LayerKind layer, LayerOptions options);
  int Layer(LayerKind layer) { return Layer(std::move(layer), LayerOptions()); }
  /// The first of what it gives; State() the others.
  LayerValue Call(int layer, std::vector<LayerValue> inputs);
  LayerValue Add(LayerKind layer, std::vector<LayerValue> inputs, LayerOptions options = {}) {
    return Call(Layer(std::move(layer), std::move(options)), std::move(inputs));
  }
  /// Of a layer with return_state, the i-th: h, c; of a bidirectional one those of the forward
  /// layer first.
  static LayerValue State(LayerValue given, int i) { return {given.call, i + 1}; }
  /// To be called last. Layers that form a chain become a stack.
  void Outputs(std::vector<LayerValue> outputs);

 private:
  bool has_input_ = false;
};

}  // namespace seqgraph
