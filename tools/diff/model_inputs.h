#ifndef SEQGRAPH_TOOLS_DIFF_MODEL_INPUTS_H_
#define SEQGRAPH_TOOLS_DIFF_MODEL_INPUTS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "graph/function.h"
#include "graph/model.h"

namespace seqgraph::diff {

/// One tensor for each input of a function, by name, and the batch that they have.
struct ModelInputs {
  std::map<std::string, Tensor> tensors;
  int64_t batch = 1;
};

/// From a .npz file with an array for each input. Real arrays are rounded to the input's type.
/// InvalidArgument for one that is missing, of another shape or kind, or batches that differ.
absl::StatusOr<ModelInputs> InputsFromFile(const Function& function, const std::string& path);

/// `batch` reviews from all over the training split of `data`, encoded by the model's own
/// vocabulary, with their labels. InvalidArgument for a function with other inputs than tokens and
/// labels, or a model without a vocabulary.
absl::StatusOr<ModelInputs> InputsFromTexts(const Model& model, const Function& function,
                                            const std::string& data, int64_t batch);

}  // namespace seqgraph::diff

#endif  // SEQGRAPH_TOOLS_DIFF_MODEL_INPUTS_H_
