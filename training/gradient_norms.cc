#include "training/gradient_norms.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "training/model_builder.h"
#include "training/row_weights.h"

namespace seqgraph {

absl::StatusOr<std::unique_ptr<GradientNorms>> GradientNorms::Create(
    const Model& model, const RunnerOptions& options, const Examples& rows, int64_t batch,
    const std::map<int32_t, double>& class_weights) {
  if (rows.source != nullptr) {
    return Unimplemented("gradients are measured on rows in memory, and these come from a source");
  }
  if (rows.rows < 1 || batch < 1) {
    return InvalidArgument("gradients of a batch of ", batch, " of ", rows.rows,
                           " rows; expected at least one");
  }
  std::unique_ptr<GradientNorms> made(new GradientNorms(options, rows));
  SEQ_ASSIGN_OR_RETURN(made->row_weights_, RowWeights(rows, class_weights));
  made->rows_.weights = made->row_weights_;
  SEQ_ASSIGN_OR_RETURN(StepParts parts,
                       SplitTrainStep(model, options.ops != nullptr ? *options.ops : AllOps()));
  made->copy_.name = model.name;
  for (const VariableRead& read : parts.gradients.variables()) {
    SEQ_RETURN_IF_ERROR(made->copy_.variables.Declare(read.def));
  }
  SEQ_RETURN_IF_ERROR(made->copy_.AddFunction(std::move(parts.gradients)));
  SEQ_ASSIGN_OR_RETURN(CompiledFunction * compiled,
                       made->runner_.Compile(StepParts::kGradients, std::min(batch, rows.rows)));
  SEQ_ASSIGN_OR_RETURN(const Function* step, model.GetFunction(kTrainStep));
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> outputs, OutputsToRead(*step, ""));
  SEQ_ASSIGN_OR_RETURN(BatchRunner runner,
                       BatchRunner::Create(compiled, outputs.size() == 1 ? outputs[0] : ""));
  SEQ_RETURN_IF_ERROR(runner.CheckFits(made->rows_));
  made->batch_ = std::make_unique<BatchRunner>(std::move(runner));
  for (const VariableDef& weight : parts.weights) {
    if (weight.type.dtype != DType::kFloat32) continue;
    const int result = compiled->FindResult(absl::StrCat(StepParts::kGradientPrefix, weight.name));
    made->gradients_.emplace_back(static_cast<const float*>(compiled->result(result)),
                                  static_cast<size_t>(weight.type.shape.num_elements()));
    made->weights_.push_back(weight);
  }
  return made;
}

absl::StatusOr<std::vector<std::pair<std::string, double>>> GradientNorms::Measure(
    const Model& model) {
  for (const Variable& own : copy_.variables.all()) {
    SEQ_ASSIGN_OR_RETURN(const Variable* now, model.variables.Get(own.def.name));
    SEQ_RETURN_IF_ERROR(copy_.variables.Assign(own.def.name, now->value));
  }
  SEQ_RETURN_IF_ERROR(batch_->Run(rows_, {}, 0));
  std::vector<std::pair<std::string, double>> norms;
  for (size_t i = 0; i < weights_.size(); ++i) {
    double sum = 0;
    for (const float g : gradients_[i]) sum += static_cast<double>(g) * static_cast<double>(g);
    norms.emplace_back(weights_[i].name, std::sqrt(sum));
  }
  return norms;
}

}  // namespace seqgraph
