#include "layers/stack_recognition.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/layer_emission.h"
#include "layers/same_function.h"

namespace seqgraph {
namespace {

constexpr char kPredict[] = "predict";

absl::Status Verify(const Function& predict, const RecognizedStack& recognized,
                    const LayerRegistry& registry) {
  absl::StatusOr<Function> built = StackFunction(kPredict, recognized.stack, registry).Build();
  SEQ_RETURN_IF_ERROR(built.status());
  return CheckSameFunction(predict, *built, recognized.variable_of);
}

}  // namespace

absl::StatusOr<RecognizedStack> RecognizeStack(const Model& model, const LayerRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(const Function* predict, model.GetFunction(kPredict));
  std::string note;
  if (model.layers.has_value()) {
    RecognizedStack stored{*model.layers, {}};
    const absl::Status same = Verify(*predict, stored, registry);
    if (same.ok()) return stored;
    note = absl::StrCat(" (what its layers build ", same.message(), ")");
  }
  absl::StatusOr<RecognizedStack> recognized = StackRecognizer(*predict, registry).Run(model.name);
  if (!recognized.ok()) {
    return Annotate(recognized.status(),
                    absl::StrCat("function predict is no stack of layers", note));
  }
  const absl::Status same = Verify(*predict, *recognized, registry);
  if (same.ok()) return recognized;
  return Unimplemented("function predict is no stack of layers: the nearest one ", same.message());
}

}  // namespace seqgraph
