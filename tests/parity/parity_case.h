#pragma once

// A training run recorded by Keras: a folder with case.json (how it was trained, the model's
// configuration) and expected.npz (inputs, targets, initial weights; what Keras got: the loss of
// each step, the trained weights, predictions before and after). Batches are taken in order,
// without shuffling. make_cases.py records such folders, and says what their arrays are called.
// With "scaled_loss" the loss is that of scaled numbers, or of their quantiles.
// Where case.json has no "config", the model is that of initial.keras beside it.

#include <cstdint>
#include <map>
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

/// One of the outputs.
struct CaseOutput {
  std::string name;  ///< of the result
  /// Whether it has labels and weights: a loss is on it.
  bool judged = true;
  /// float32 [rows, outputs] or [rows, time, outputs]; class numbers int32 [rows] or [rows, time].
  Tensor targets;
  /// float32 [rows] or [rows, time]; absent: ones. Class weights count while training only.
  std::optional<Tensor> train_weights, evaluate_weights;
  std::vector<double> predict_initial, predict_trained;  ///< of the first rows
};

struct ParityCase {
  std::string name;
  LayerStack stack;
  TrainableOptions training;
  int64_t batch = 0;
  int64_t epochs = 0;  ///< 0: nothing but predictions and the evaluation are compared
  /// int32 [rows, time], float32 [rows, time, features] or [rows, features], in the stack's order.
  std::vector<Tensor> inputs;
  std::vector<CaseOutput> outputs;
  std::vector<CaseWeight> weights;
  std::vector<double> step_losses;
  /// After training, on all rows: losses and metrics, by Keras's names.
  std::map<std::string, double> evaluation;

  int64_t rows() const { return inputs[0].shape()[0].size(); }
};

/// Reads the folder. What this project cannot express (another layer or loss, a constraint, ...) is
/// an Unimplemented error that names layer or optimizer, setting and value; so is training with
/// dropout, whose masks Keras draws otherwise.
absl::StatusOr<ParityCase> ReadParityCase(const std::string& folder);

}  // namespace seqgraph::parity
