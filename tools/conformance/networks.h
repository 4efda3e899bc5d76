#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "graph/op_def.h"
#include "tools/conformance/function_check.h"
#include "training/text_models.h"

namespace seqgraph::conformance {

/// A recurrent network with loss and gradients, in the forms that backends have fast paths for.
struct Network {
  int64_t batch = 6, time = 9, vocabulary = 12, width = 5, units = 8;
  std::string activation = "tanh";
  bool dense_input = false;      ///< x is an input, not the rows of a table
  bool projected = false;        ///< the rows are the projected input
  bool stacked = false;          ///< a second RNNCell reads the first one's sequence
  bool initial_state = false;    ///< a variable
  bool sequence_loss = false;    ///< the loss sees every step, not only the last
  bool sequence_result = false;  ///< the sequence leaves the backend
  bool relu_after = false;       ///< a Relu, which may run in place, reads the sequence
  bool twice = false;            ///< two gradients of one RNNCell
};

/// Function and contents: weights are variables, limited by 1 / sqrt(fan-in), so that nothing is
/// amplified over time. Results: the loss and each weight's gradient.
absl::StatusOr<Problem> MakeNetwork(const Network& network, const OpRegistry& registry,
                                    uint64_t seed);

/// Tokens and labels by the names of the inputs that `function` has.
TensorMap RandomBatch(const Function& function, const TextModelOptions& options, int64_t batch,
                      SampleSource& source);

/// The model with its starting weights, biases drawn at random instead of zero.
absl::StatusOr<Model> MakeTutorialModel(const TextModelOptions& options,
                                        const TrainableOptions& trainable, uint64_t seed);

/// A function of that model with contents for a batch, rewritten as it would be compiled if wanted.
absl::StatusOr<Problem> TutorialProblem(const TextModelOptions& options,
                                        const std::string& function, int64_t batch, bool rewritten,
                                        const OpRegistry& registry, uint64_t seed);

/// The contents of the variables that a function reads.
TensorMap VariablesOf(const Function& function, const VariableStore& variables);

}  // namespace seqgraph::conformance
