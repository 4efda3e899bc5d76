#pragma once

// Models from stacks of layers.
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
class Sequential {
 public:
  explicit Sequential(LayerInput input, std::string name = "sequential",
                      const LayerRegistry& registry = AllLayers());

  struct LayerOptions {
    std::string name;       ///< empty: as said above
    bool trainable = true;  ///< false: the weights stay as they are
  };
  Sequential& Add(LayerKind layer, LayerOptions options);
  Sequential& Add(LayerKind layer) { return Add(std::move(layer), LayerOptions()); }

  const LayerStack& stack() const { return stack_; }
  /// BuildModel(); the model is named like the stack.
  absl::StatusOr<Model> Build(TrainableOptions options = {}) const;

 private:
  std::string Number(const std::string& name);

  const LayerRegistry& registry_;
  LayerStack stack_;
  std::map<std::string, int> used_;
};

}  // namespace seqgraph
