#ifndef SEQGRAPH_TOOLS_CONVERT_IMPORTED_TRAINING_H_
#define SEQGRAPH_TOOLS_CONVERT_IMPORTED_TRAINING_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/model.h"

namespace seqgraph::tools {

/// A model that only predicts, with evaluate and train_step beside it: by the loss of Keras's name
/// on its one result, and RMSprop. The weights stay. InvalidArgument for another loss, or several
/// results; Unimplemented if the loss depends on a weight through an op without a gradient.
absl::StatusOr<Model> MakeImportedTrainable(Model imported, absl::string_view loss);

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_CONVERT_IMPORTED_TRAINING_H_
