#pragma once

// A stack of layers as nodes of a function.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function_builder.h"
#include "graph/layer_stack.h"
#include "layers/layer_context.h"
#include "layers/layer_def.h"

namespace seqgraph {

/// What a stack became in a function.
struct EmittedStack {
  /// Its outputs; masks int32 [batch, time] where they are sequences that bear one.
  std::vector<LayerFlow> outputs;
  std::vector<EmittedLayer> layers;
  /// What each call gives: of a stack, each layer's.
  struct Given {
    TensorType type;
    Value mask;
  };
  std::vector<std::vector<Given>> calls;
  bool drops = false;    ///< whether some layer draws random numbers in training
  bool updates = false;  ///< whether some layer updates statistics in training
};

/// The inputs, calls and outputs of a graph; of a stack, its one input and those that make it one.
std::vector<LayerInput> InputsOf(const LayerStack& stack);
std::vector<LayerCall> CallsOf(const LayerStack& stack);
std::vector<LayerValue> OutputsOf(const LayerStack& stack);

/// The stack that a graph is in which each layer takes what the one in front gives; else the graph.
LayerStack AsStack(LayerStack graph);

/// Emits the layers for `inputs` (of the types InputType) with their weights as variables. Dropout
/// is applied where `dropout` is given. A stateful layer reads its state from the variables
/// "<layer>/state" and, for an LSTM, "<layer>/cell_state", and updates them. Masks are carried as
/// Keras does it: from an Embedding with mask_zero, through dropout, dense, activations and
/// recurrent layers that return sequences, to the last recurrent layer or the average pooling. One
/// mask of input dropout serves all gates of a layer (Keras: the same, unless recurrent_dropout is
/// set too).
/// Mistakes go to the builder: InvalidArgument names the layer and says what to do.
EmittedStack EmitStack(FunctionBuilder& g, const LayerStack& stack, absl::Span<const Value> inputs,
                       const std::optional<DropoutCounters>& dropout,
                       const LayerRegistry& registry);

/// int32 [batch, time, ...], float32 [batch, time, ..., features] or float32 [batch, features].
TensorType InputType(const LayerInput& input);

/// The names of the results of a stack: of one, "probability" if its last activation is a sigmoid
/// or softmax, else "output"; of several, the layers that give them, with a number where one gives
/// more.
std::vector<std::string> ResultNames(const LayerStack& stack, const LayerRegistry& registry);
/// That of the first.
std::string ResultName(const LayerStack& stack, const LayerRegistry& registry);
/// "sigmoid", "softmax", ...; "" where what gives the output has none.
std::string LastActivation(const LayerStack& stack, const LayerRegistry& registry, int output = 0);

/// The function `name` of a stack: its inputs, by their names and as InputType() has it, to the
/// results named ResultNames(). What the layers became goes to *emitted if it is not null.
FunctionBuilder StackFunction(const char* name, const LayerStack& stack,
                              const LayerRegistry& registry, EmittedStack* emitted = nullptr);

/// What the layers of a stack become, without a function: weights, types. Nothing is allocated for
/// the weights. InvalidArgument names the layer that does not fit.
absl::StatusOr<EmittedStack> DescribeStack(const LayerStack& stack, const LayerRegistry& registry);

}  // namespace seqgraph
