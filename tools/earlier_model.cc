#include "tools/earlier_model.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tools/output_path.h"
#include "training/model_builder.h"

namespace seqgraph::tools {

absl::Status EarlierModel::Incomparable(const absl::Status& why) const {
  if (why.ok()) return why;
  return FailedPrecondition(
      "--output=", path_, " is there already, and nothing tells whether a new model ",
      "would be better (", why.message(), "); name another file, or --overwrite replaces it");
}

absl::StatusOr<EarlierModel> EarlierModel::Find(const std::string& path, bool overwrite) {
  EarlierModel earlier;
  earlier.path_ = path;
  std::error_code none;
  earlier.exists_ = std::filesystem::exists(path, none);
  earlier.keeps_ = earlier.exists_ && !overwrite;
  if (!earlier.keeps_) return earlier;
  absl::StatusOr<Model> model = LoadModel(path, AllOps());
  SEQ_RETURN_IF_ERROR(earlier.Incomparable(model.status()));
  SEQ_RETURN_IF_ERROR(earlier.Incomparable(model->GetFunction(kEvaluate).status()));
  earlier.model_ = *std::move(model);
  return earlier;
}

absl::StatusOr<std::optional<EarlierModel>> EarlierModel::Load(const StateReader& found,
                                                               const std::string& path) {
  if (!found.Has("output")) return std::nullopt;
  EarlierModel earlier;
  SEQ_RETURN_IF_ERROR(found.Get("output", &earlier.path_));
  if (WholePath(earlier.path_) != WholePath(path)) return std::nullopt;
  SEQ_RETURN_IF_ERROR(found.Get("earlier_exists", &earlier.exists_));
  SEQ_RETURN_IF_ERROR(found.Get("earlier_keeps", &earlier.keeps_));
  SEQ_RETURN_IF_ERROR(found.Get("earlier_loss", &earlier.loss_));
  return earlier;
}

void EarlierModel::Save(StateWriter& found) const {
  found.Set("output", WholePath(path_));
  found.Set("earlier_exists", exists_);
  found.Set("earlier_keeps", keeps_);
  found.Set("earlier_loss", loss_);
}

absl::StatusOr<double> EarlierModel::MeasuredLoss(TrainingData& data, const Model& ours,
                                                  const RunnerOptions& options, int64_t batch) {
  SEQ_RETURN_IF_ERROR(data.CheckComparable(*model_, ours));
  SEQ_ASSIGN_OR_RETURN(const Examples validation, data.ValidationFor(*model_));
  ModelRunner runner(&*model_, options);
  const EvaluateOptions evaluate = {.batch = batch, .metrics = {}};
  absl::StatusOr<Logs> logs = runner.Evaluate(validation, evaluate);
  if (!logs.ok()) {  // It may have what the chosen backends do not run.
    logs = ModelRunner(&*model_, {.backend = "reference"}).Evaluate(validation, evaluate);
  }
  SEQ_RETURN_IF_ERROR(logs.status());
  return logs->at("loss");
}

absl::Status EarlierModel::Measure(TrainingData& data, const Model& ours,
                                   const RunnerOptions& options, int64_t batch) {
  if (!model_.has_value()) return absl::OkStatus();
  const absl::StatusOr<double> loss = MeasuredLoss(data, ours, options, batch);
  SEQ_RETURN_IF_ERROR(Incomparable(loss.status()));
  loss_ = *loss;
  model_.reset();  // Its memory is for the run.
  return absl::OkStatus();
}

}  // namespace seqgraph::tools
