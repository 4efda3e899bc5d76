#pragma once

// Models that other frameworks wrote, each with inputs and, where it has them, the outputs that the
// framework computed: those of this folder and of the shared data.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/model.h"
#include "graph/tensor.h"

namespace seqgraph::onnx {

struct ForeignModel {
  std::string name;  ///< "torch_gru_last__leg17"
  std::string path;
};

/// Those of a folder, in the order of their names; none where there is no such folder.
std::vector<ForeignModel> ForeignModels(const std::string& folder);

struct ForeignCase {
  Model model;
  int64_t batch = 0;
  std::vector<Tensor> inputs;    ///< in the order and of the types of predict's
  std::vector<Tensor> expected;  ///< of the first results; none: not known
};

/// Imports the model and reads NAME.npz beside it (NAME ends at "__"), with arrays in0, .. and
/// out0,
/// .. or in_0, .. and out_0; without it inputs are random, the same each time. Open extents but the
/// batch get their number from the arrays, or 5. Errors are those of the import, or name the
/// arrays.
absl::StatusOr<ForeignCase> ReadForeignCase(const ForeignModel& foreign);

/// What predict gives on these backends.
absl::StatusOr<std::vector<Tensor>> RunForeignCase(ForeignCase& foreign,
                                                   const std::string& backends);

}  // namespace seqgraph::onnx
