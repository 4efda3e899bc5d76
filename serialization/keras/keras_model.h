#ifndef SEQGRAPH_SERIALIZATION_KERAS_KERAS_MODEL_H_
#define SEQGRAPH_SERIALIZATION_KERAS_KERAS_MODEL_H_

// What a Keras file says, as plain data and under our names.

#include <optional>
#include <string>
#include <vector>

#include "graph/layers.h"
#include "graph/tensor.h"

namespace seqgraph::keras {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Defaults are Keras's. Which of the settings count depends on the kind.
struct Optimizer {
  std::string kind;  ///< "SGD", "RMSprop" or "Adam"
  double learning_rate = 1e-3;
  double momentum = 0;  ///< SGD, RMSprop
  bool nesterov = false;
  double rho = 0.9;
  bool centered = false;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;  ///< RMSprop, Adam
  // 0: none. At most one of the three ways of clipping.
  double weight_decay = 0;
  double clipvalue = 0;
  double clipnorm = 0;
  double global_clipnorm = 0;
  friend bool operator==(const Optimizer&, const Optimizer&) = default;
};

/// What the model was compiled with.
struct Training {
  std::string loss;  ///< Keras's name: "binary_crossentropy"; empty: none was given
  std::vector<std::string> metrics;
  std::optional<Optimizer> optimizer;
  friend bool operator==(const Training&, const Training&) = default;
};

/// A model with its weights, in Keras's order of layers and weights; names of variables are those
/// that a model built from the stack has.
struct KerasModel {
  LayerStack stack;
  std::vector<NamedTensor> weights;
  std::optional<Training> training;
  /// "optimizer/iteration" (int64), "optimizer/learning_rate" (float32), and for each trainable
  /// weight its slots, "optimizer/<weight>/velocity" and the like. Empty: the file has no state, or
  /// one before the first step.
  std::vector<NamedTensor> optimizer_state;
  /// What was assumed while reading, a sentence each: for people.
  std::vector<std::string> notes;
};

}  // namespace seqgraph::keras

#endif  // SEQGRAPH_SERIALIZATION_KERAS_KERAS_MODEL_H_
