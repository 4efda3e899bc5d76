#ifndef SEQGRAPH_TESTS_PARITY_PARITY_CASE_H_
#define SEQGRAPH_TESTS_PARITY_PARITY_CASE_H_

// A training run recorded by Keras: a folder with case.json (layers, optimizer, batch size, epochs)
// and expected.npz (tokens, targets, initial weights; what Keras got: the loss of each step, the
// trained weights, predictions before and after). Batches are taken in order, without shuffling.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/tensor.h"
#include "training/optimizers.h"

namespace seqgraph::parity {

struct EmbeddingLayer {
  int64_t input_dim = 0;
  int64_t output_dim = 0;
};

/// Token ids to one-hot rows; Keras does this before the model.
struct OneHotLayer {
  int64_t depth = 0;
};

struct SimpleRNNLayer {
  int64_t units = 0;
  std::string activation;
  bool use_bias = true;
  bool return_sequences = false;
};

struct DenseLayer {
  int64_t units = 0;
  std::string activation;  ///< "none" for Keras's "linear"
  bool use_bias = true;
};

struct Layer {
  std::string name;
  std::variant<EmbeddingLayer, OneHotLayer, SimpleRNNLayer, DenseLayer> kind;
};

struct ParityCase {
  std::string name;
  std::vector<Layer> layers;
  Optimizer optimizer;
  int64_t batch = 0;
  int64_t epochs = 0;
  Tensor tokens;                                         ///< int32 [rows, time]
  Tensor targets;                                        ///< float32 [rows, 1]
  std::vector<Tensor> initial_weights, trained_weights;  ///< float32, in Keras's order
  std::vector<double> step_losses;
  std::vector<double> predict_initial, predict_trained;  ///< of the first rows
  /// After training, on all rows.
  double evaluate_loss = 0, evaluate_accuracy = 0;

  int64_t rows() const { return tokens.shape()[0].size(); }
  int64_t time() const { return tokens.shape()[1].size(); }
};

/// Reads the folder. What this project cannot express (another layer, a mask, dropout, clipping,
/// another loss, ...) is an Unimplemented error that names layer or optimizer, setting and value.
absl::StatusOr<ParityCase> ReadParityCase(const std::string& folder);

}  // namespace seqgraph::parity

#endif  // SEQGRAPH_TESTS_PARITY_PARITY_CASE_H_
