#pragma once

// What a Keras file says, as plain data and under our names.

#include <optional>
#include <string>
#include <vector>

#include "graph/layer_stack.h"
#include "graph/model.h"
#include "graph/tensor.h"
#include "optimizers/optimizer.h"

namespace seqgraph::keras {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// The loss of one of several outputs.
struct OutputLoss {
  std::string loss;          ///< empty: it is not trained on
  Attributes settings = {};  ///< of the loss, by Keras's keys: "delta"
  double weight = 1;
  std::vector<std::string> metrics = {};
  friend bool operator==(const OutputLoss&, const OutputLoss&) = default;
};

/// What the model was compiled with.
struct Training {
  /// Keras's name: "binary_crossentropy", or as the file has it a short one, "mae"; empty: none was
  /// given.
  std::string loss;
  Attributes loss_settings = {};  ///< by Keras's keys: "delta"
  double loss_weight = 1;         ///< times the loss
  /// Of all of several outputs, in their order, instead of `loss` and `metrics`; empty: there is
  /// one output, or `loss` is that of each.
  std::vector<OutputLoss> losses = {};
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
  /// Why `training` is absent though the file has some; empty: it has none, or it was not wanted.
  std::string training_left_out;
  /// "optimizer/iteration" (int64), "optimizer/learning_rate" (float32), and for each trainable
  /// weight its slots, "optimizer/<weight>/velocity" and the like. Empty: the file has no state, or
  /// one before the first step.
  std::vector<NamedTensor> optimizer_state;
  /// How text or series become the input, and the names of classes: Keras knows neither, and passes
  /// both over (text_assets.h). In files of whole models alone.
  TextPreprocessing preprocessing;
  SeriesPreprocessing series;
  std::vector<std::string> labels;
  /// What was assumed while reading, a sentence each: for people.
  std::vector<std::string> notes;
};

}  // namespace seqgraph::keras
