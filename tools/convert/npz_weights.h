#ifndef SEQGRAPH_TOOLS_CONVERT_NPZ_WEIGHTS_H_
#define SEQGRAPH_TOOLS_CONVERT_NPZ_WEIGHTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/model.h"

namespace seqgraph::tools {

/// The bytes of a numpy archive with the model's weights, not the optimizer's state, by the names
/// of its variables.
absl::StatusOr<std::string> NpzOfWeights(const Model& model);

/// Sets the weights of a model from such a file, or from one with arrays arr_0, arr_1, ... in the
/// order of the model's weights (`numpy.savez(path, *model.get_weights())`). All weights must be
/// there and nothing else; float64 is rounded. Then some may have been set: InvalidArgument names
/// path and array.
absl::Status ReadNpzWeights(const std::string& path, Model& model);

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_CONVERT_NPZ_WEIGHTS_H_
