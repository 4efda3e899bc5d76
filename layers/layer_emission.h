#pragma once

// A stack of layers as nodes of a function.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/function_builder.h"
#include "graph/layer_stack.h"
#include "layers/layer_context.h"
#include "layers/layer_def.h"

namespace seqgraph {

/// What a stack became in a function.
struct EmittedStack {
  Value value;
  Value mask;  ///< int32 [batch, time] where the output is a sequence that bears one
  std::vector<EmittedLayer> layers;
  bool drops = false;  ///< whether some layer drops anything in training
};

/// Emits the layers for `input` (of the type InputType) with their weights as variables. Dropout is
/// applied where `dropout` is given. A stateful layer reads its state from the variables
/// "<layer>/state" and, for an LSTM, "<layer>/cell_state", and updates them. Masks are carried as
/// Keras does it: from an Embedding with mask_zero, through dropout, dense, activations and
/// recurrent layers that return sequences, to the last recurrent layer or the average pooling. One
/// mask of input dropout serves all gates of a layer (Keras: the same, unless recurrent_dropout is
/// set too).
/// Mistakes go to the builder: InvalidArgument names the layer and says what to do.
EmittedStack EmitStack(FunctionBuilder& g, const LayerStack& stack, Value input,
                       const std::optional<DropoutCounters>& dropout,
                       const LayerRegistry& registry);

/// int32 [batch, time] or float32 [batch, time, features].
TensorType InputType(const LayerInput& input);

/// The name of the result of a stack: "probability" if its last activation is a sigmoid or softmax,
/// else "output".
std::string ResultName(const LayerStack& stack, const LayerRegistry& registry);
/// "sigmoid", "softmax", ...; "" where the stack ends in a layer without one.
std::string LastActivation(const LayerStack& stack, const LayerRegistry& registry);

/// The function `name` of a stack: its input, by its name and as InputType() has it, to the result
/// named ResultName(). What the layers became goes to *emitted if it is not null.
FunctionBuilder StackFunction(const char* name, const LayerStack& stack,
                              const LayerRegistry& registry, EmittedStack* emitted = nullptr);

/// What the layers of a stack become, without a function: weights, types. Nothing is allocated for
/// the weights. InvalidArgument names the layer that does not fit.
absl::StatusOr<EmittedStack> DescribeStack(const LayerStack& stack, const LayerRegistry& registry);

}  // namespace seqgraph
