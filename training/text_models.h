#pragma once

// Classifiers of texts in the shape of the tutorial's, with any recurrent layers and classes.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/layer_stack.h"
#include "graph/model.h"
#include "training/losses.h"
#include "training/model_builder.h"
#include "training/recurrent_layers.h"

namespace seqgraph {

/// The defaults are those of the tutorial.
struct TextModelOptions {
  bool one_hot = false;     ///< words as one-hot vectors; otherwise as rows of a trained table
  int64_t num_words = 500;  ///< codes are in [0, num_words)
  int64_t maxlen = 100;     ///< codes of a text
  int64_t embedding_dim = 16;
  bool mask_zero = false;          ///< steps in front of a text are skipped; needs an embedding
  std::string cell = "SimpleRNN";  ///< the class of the recurrent layers: one of RecurrentCells()
  int64_t units = 8;               ///< of each recurrent layer, in each direction
  int64_t layers = 1;              ///< recurrent ones, each over all states of the one before
  bool bidirectional = false;      ///< each of them
  double dropout = 0;              ///< of the inputs of each of them
  double recurrent_dropout = 0;
  StatePooling pooling = StatePooling::kLast;
  int64_t classes = 2;
  /// A class of each step instead of the text: states are not pooled, and of two classes there are
  /// two probabilities as well.
  bool each_step = false;
  /// So many numbers beside each text, which the answer is told from too; and what they are scaled
  /// by in the model, (x - offset) / scale for each; empty: nothing.
  int64_t numbers = 0;
  std::vector<double> number_offset, number_scale;
};

/// The input of a model of texts that takes numbers beside them.
inline constexpr char kNumbers[] = "numbers";

/// tokens int32[batch, maxlen] -> words (one-hot or embedded) -> recurrent layers -> pooling ->
/// Dense: for two classes one sigmoid, the probability of the second, otherwise a softmax over all.
/// With numbers, "numbers" float32[batch, numbers] -> [Normalization] stand behind what is pooled.
/// With each_step Dense is applied to each state: [batch, maxlen, classes].
/// The defaults are the tutorial's embedding model. Layers are named as Keras does it.
LayerStack TextStack(const TextModelOptions& options);

/// What training makes small: binary cross-entropy for two classes, otherwise sparse categorical.
Loss TextLoss(int64_t classes);

/// The whole model, ready to be trained on TextLoss(), whatever loss `trainable` has. Errors: as
/// BuildModel.
absl::StatusOr<Model> MakeTextModel(const TextModelOptions& options,
                                    TrainableOptions trainable = {
                                        .optimizer = RMSProp{.learning_rate = 1e-4}});

}  // namespace seqgraph
