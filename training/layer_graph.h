#ifndef SEQGRAPH_TRAINING_LAYER_GRAPH_H_
#define SEQGRAPH_TRAINING_LAYER_GRAPH_H_

// A stack of layers as nodes of a function.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "graph/function_builder.h"
#include "graph/layers.h"
#include "training/losses.h"

namespace seqgraph {

/// The counters of dropout masks: int64 scalars, as ops::DropoutMask takes them.
struct DropoutCounters {
  Value seed;
  Value step;
};

/// What a stack gives for its input.
struct StackOutput {
  Value value;
  Value mask;  ///< int32 [batch, time] where the output is a sequence that bears one
};

/// Emits the layers for `input` (of the type InputType) with their weights as variables. Dropout is
/// applied where `dropout` is given. A stateful layer reads its state from the variables
/// "<layer>/state" and, for an LSTM, "<layer>/cell_state", and updates them. Masks are carried as
/// Keras does it: from an Embedding with mask_zero, through dropout, dense, activations and
/// recurrent layers that return sequences, to the last recurrent layer or the average pooling. One
/// mask of input dropout serves all gates of a layer (Keras: the same, unless recurrent_dropout is
/// set too).
/// Mistakes go to the builder: InvalidArgument names the layer and says what to do.
StackOutput EmitStack(FunctionBuilder& g, const LayerStack& stack, Value input,
                      const std::optional<DropoutCounters>& dropout);

/// int32 [batch, time] or float32 [batch, time, features].
TensorType InputType(const LayerInput& input);

/// Whether some layer drops anything while training.
bool HasDropout(const LayerStack& stack);

/// InvalidArgument, naming the layer, for sizes, rates and names that make no sense by themselves.
absl::Status CheckStack(const LayerStack& stack);

/// "simple_rnn", "bidirectional", "global_average_pooling1d", ...: how Keras names such a layer
/// where the user does not.
std::string KerasName(const LayerKind& kind);

/// What regularizers add to the loss, in the order of the layers; those of frozen layers add
/// nothing.
std::vector<WeightPenalty> Penalties(const LayerStack& stack);

/// Names of the variables that hold the states of stateful layers.
std::vector<std::string> StateVariables(const LayerStack& stack);

/// Names of the biases whose forget gate starts as 1.
std::vector<std::string> ForgetBiases(const LayerStack& stack);

}  // namespace seqgraph

#endif  // SEQGRAPH_TRAINING_LAYER_GRAPH_H_
