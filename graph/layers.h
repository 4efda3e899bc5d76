#ifndef SEQGRAPH_GRAPH_LAYERS_H_
#define SEQGRAPH_GRAPH_LAYERS_H_

// A model as a stack of layers: plain data that the layer builder (training/sequential.h) turns
// into functions and that file formats of other frameworks are read into and written from. Names,
// defaults and meanings are those of Keras 3.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "graph/function.h"

namespace seqgraph {

/// A penalty added to the loss: l1 sum |w| + l2 sum w^2.
struct Regularizer {
  double l1 = 0;
  double l2 = 0;
  bool present() const { return l1 != 0 || l2 != 0; }
  friend bool operator==(const Regularizer&, const Regularizer&) = default;
};

/// int32 [batch, time] -> [batch, time, output_dim]. Row i of the table for token i.
struct EmbeddingLayer {
  int64_t input_dim = 0;
  int64_t output_dim = 0;
  bool mask_zero = false;  ///< token 0 masks its step for the layers behind
  Initializer embeddings_initializer = Initializer::Uniform(0.05);
  Regularizer embeddings_regularizer;
  friend bool operator==(const EmbeddingLayer&, const EmbeddingLayer&) = default;
};

/// int32 [batch, time] -> [batch, time, depth]. No weights; in Keras files it is the input's shape.
struct OneHotLayer {
  int64_t depth = 0;
  friend bool operator==(const OneHotLayer&, const OneHotLayer&) = default;
};

enum class RecurrentKind { kSimpleRNN, kLSTM, kGRU };

/// [batch, time, features] -> [batch, units], or with return_sequences [batch, time, units].
struct RecurrentLayer {
  RecurrentKind kind = RecurrentKind::kSimpleRNN;
  int64_t units = 0;
  std::string activation = "tanh";  ///< "tanh", "relu" or "sigmoid"; gates take the sigmoid
  bool use_bias = true;
  bool return_sequences = false;
  bool go_backwards = false;  ///< the sequence comes reversed, as in Keras
  /// The state of a row of one batch is where the same row of the next begins; zero at first. Needs
  /// LayerInput::batch.
  bool stateful = false;
  bool zero_output_for_mask = false;  ///< in Bidirectional it follows return_sequences
  bool reset_after = true;            ///< kGRU
  bool unit_forget_bias = true;       ///< kLSTM: the bias of the forget gate starts as 1
  double dropout = 0;                 ///< of the inputs, one mask for all steps
  double recurrent_dropout = 0;
  Initializer kernel_initializer = Initializer::GlorotUniform();
  Initializer recurrent_initializer = Initializer::Orthogonal();
  Initializer bias_initializer = Initializer::Zeros();
  Regularizer kernel_regularizer;
  Regularizer recurrent_regularizer;
  Regularizer bias_regularizer;
  friend bool operator==(const RecurrentLayer&, const RecurrentLayer&) = default;
};

enum class MergeMode { kConcat, kSum, kMul, kAve };

/// Two recurrent layers over the same input, the second from the end; their outputs merged.
struct BidirectionalLayer {
  RecurrentLayer forward;
  RecurrentLayer backward;  ///< go_backwards is the opposite of that of `forward`
  std::string forward_name = "forward";
  std::string backward_name = "backward";
  MergeMode merge_mode = MergeMode::kConcat;
  friend bool operator==(const BidirectionalLayer&, const BidirectionalLayer&) = default;
};

/// [..., features] -> [..., units].
struct DenseLayer {
  int64_t units = 0;
  std::string activation = "linear";  ///< "linear", "tanh", "relu", "sigmoid" or "softmax"
  bool use_bias = true;
  Initializer kernel_initializer = Initializer::GlorotUniform();
  Initializer bias_initializer = Initializer::Zeros();
  Regularizer kernel_regularizer;
  Regularizer bias_regularizer;
  friend bool operator==(const DenseLayer&, const DenseLayer&) = default;
};

/// Inverted dropout while training, nothing otherwise.
struct DropoutLayer {
  double rate = 0.5;
  bool spatial = false;  ///< SpatialDropout1D: one mask for all steps
  friend bool operator==(const DropoutLayer&, const DropoutLayer&) = default;
};

/// [batch, time, features] -> [batch, features].
struct PoolingLayer {
  enum class Kind { kAverage, kMax };
  Kind kind = Kind::kAverage;
  friend bool operator==(const PoolingLayer&, const PoolingLayer&) = default;
};

/// An activation alone: the names of DenseLayer.
struct ActivationLayer {
  std::string activation = "linear";
  friend bool operator==(const ActivationLayer&, const ActivationLayer&) = default;
};

using LayerKind = std::variant<EmbeddingLayer, OneHotLayer, RecurrentLayer, BidirectionalLayer,
                               DenseLayer, DropoutLayer, PoolingLayer, ActivationLayer>;

struct Layer {
  std::string name;       ///< unique in the stack; the prefix of its variables
  bool trainable = true;  ///< false: its weights are frozen
  LayerKind kind;
  friend bool operator==(const Layer&, const Layer&) = default;
};

/// What a stack takes, without the batch: tokens int32 [time], or with `features` float32
/// [time, features].
struct LayerInput {
  std::string name = "tokens";
  int64_t time = 0;
  std::optional<int64_t> features;
  /// Rows of every batch, where that is fixed: stateful layers need it.
  std::optional<int64_t> batch;
  friend bool operator==(const LayerInput&, const LayerInput&) = default;
};

/// A whole stack, first layer first.
struct LayerStack {
  std::string name = "sequential";
  LayerInput input;
  std::vector<Layer> layers;
  friend bool operator==(const LayerStack&, const LayerStack&) = default;
};

}  // namespace seqgraph

#endif  // SEQGRAPH_GRAPH_LAYERS_H_
