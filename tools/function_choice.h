#ifndef SEQGRAPH_TOOLS_FUNCTION_CHOICE_H_
#define SEQGRAPH_TOOLS_FUNCTION_CHOICE_H_

#include <string>

#include "absl/status/statusor.h"
#include "graph/model.h"

namespace seqgraph::tools {

/// The function of that name; for an empty one train_step, or the first function of a model without
/// it. NotFound lists the names that there are.
absl::StatusOr<const Function*> ChooseFunction(const Model& model, const std::string& name);

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_FUNCTION_CHOICE_H_
