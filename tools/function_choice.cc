#include "tools/function_choice.h"

#include "base/status_macros.h"
#include "training/model_builder.h"

namespace seqgraph::tools {

absl::StatusOr<const Function*> ChooseFunction(const Model& model, const std::string& name) {
  if (!name.empty()) return model.GetFunction(name);
  const Function* step = model.FindFunction(kTrainStep);
  if (step != nullptr) return step;
  if (model.functions.empty()) return InvalidArgument("the model has no function");
  return &model.functions.front();
}

}  // namespace seqgraph::tools
