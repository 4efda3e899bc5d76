#include "tools/convert/imported_training.h"

#include <utility>

#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "training/losses.h"
#include "training/model_builder.h"

namespace seqgraph::tools {

absl::StatusOr<Model> MakeImportedTrainable(Model imported, absl::string_view loss) {
  TrainableOptions options;
  options.name = imported.name;
  SEQ_ASSIGN_OR_RETURN(options.loss, LossByName(loss));
  SEQ_ASSIGN_OR_RETURN(const Function* predict, imported.GetFunction(kPredict));
  SEQ_ASSIGN_OR_RETURN(Model model,
                       MakeTrainable(FunctionBuilder(kPredict, AllOps(), *predict), options));
  for (const Variable& variable : imported.variables.all()) {
    SEQ_RETURN_IF_ERROR(model.variables.Assign(variable.def.name, variable.value));
  }
  model.preprocessing = std::move(imported.preprocessing);
  model.labels = std::move(imported.labels);
  model.description = std::move(imported.description);
  return model;
}

}  // namespace seqgraph::tools
