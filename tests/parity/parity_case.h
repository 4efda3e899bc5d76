#pragma once

// A training run recorded by Keras: a folder with case.json (how it was trained, the model's
// configuration) and expected.npz (tokens or features, targets, initial weights; what Keras got: the loss of
// each step, the trained weights, predictions before and after). Batches are taken in order,
// without shuffling. make_cases.py records such folders. With "scaled_loss" the loss is that of
// scaled numbers, or of their quantiles. Where case.json has no "config", the model
// is that of initial.keras beside it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/layer_stack.h"
#include "graph/tensor.h"
#include "training/model_builder.h"

namespace seqgraph::parity {

struct CaseWeight {
  std::string variable;     ///< ours: "simple_rnn/kernel"
  Tensor initial, trained;  ///< float32
};

struct ParityCase {
  std::string name;
  LayerStack stack;
  TrainableOptions training;
  int64_t batch = 0;
  int64_t epochs = 0;
  Tensor tokens;  ///< int32 [rows, time], or numbers, float32 [rows, time, features]
  /// float32 [rows, outputs] or [rows, time, outputs]; class numbers int32 [rows] or [rows, time].
  Tensor targets;
  /// float32 [rows] or [rows, time]; used if training.sample_weight. Class weights count while
  /// training only.
  Tensor train_weights, evaluate_weights;
  std::vector<CaseWeight> weights;
  std::vector<double> step_losses;
  std::vector<double> predict_initial, predict_trained;  ///< of the first rows
  /// After training, on all rows.
  double evaluate_loss = 0;
  std::optional<double> evaluate_accuracy;

  int64_t rows() const { return tokens.shape()[0].size(); }
  int64_t time() const { return tokens.shape()[1].size(); }
};

/// Reads the folder. What this project cannot express (another layer or loss, a constraint, ...) is
/// an Unimplemented error that names layer or optimizer, setting and value; so is dropout, whose
/// masks Keras draws otherwise.
absl::StatusOr<ParityCase> ReadParityCase(const std::string& folder);

}  // namespace seqgraph::parity
