#include "tools/earlier_model.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/content_hash.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tools/output_path.h"
#include "training/model_builder.h"

namespace seqgraph::tools {
namespace {

// Of what a file holds; empty: there is none that can be read.
std::string HashOf(const std::string& path) {
  const absl::StatusOr<ContentHash> hash = HashFile(path);
  return hash.ok() ? hash->Hex() : "";
}

}  // namespace

absl::Status EarlierModel::Incomparable(const absl::Status& why) const {
  if (why.ok()) return why;
  return FailedPrecondition(
      "--output=", path_, came_since_ ? " has come since the run began" : " is there already",
      ", and nothing tells whether a new model would be better (", why.message(), "); ",
      came_since_ ? "move it away, or name another file"
                  : "name another file, or --overwrite replaces it");
}

absl::Status EarlierModel::LoadModelToBeat() {
  absl::StatusOr<Model> model = LoadModel(path_, AllOps());
  SEQ_RETURN_IF_ERROR(Incomparable(model.status()));
  SEQ_RETURN_IF_ERROR(Incomparable(model->GetFunction(kEvaluate).status()));
  model_ = *std::move(model);
  return absl::OkStatus();
}

absl::StatusOr<EarlierModel> EarlierModel::Find(const std::string& path, bool overwrite) {
  EarlierModel earlier;
  earlier.path_ = path;
  std::error_code none;
  earlier.exists_ = std::filesystem::exists(path, none);
  earlier.keeps_ = earlier.exists_ && !overwrite;
  earlier.hash_ = HashOf(path);
  if (earlier.keeps_) SEQ_RETURN_IF_ERROR(earlier.LoadModelToBeat());
  return earlier;
}

absl::StatusOr<std::optional<EarlierModel>> EarlierModel::Load(const StateReader& found,
                                                               const std::string& path,
                                                               const std::string& own_copy) {
  if (!found.Has("output")) return std::nullopt;
  EarlierModel earlier;
  SEQ_RETURN_IF_ERROR(found.Get("output", &earlier.path_));
  if (WholePath(earlier.path_) != WholePath(path)) return std::nullopt;
  SEQ_RETURN_IF_ERROR(found.Get("earlier_exists", &earlier.exists_));
  SEQ_RETURN_IF_ERROR(found.Get("earlier_keeps", &earlier.keeps_));
  SEQ_RETURN_IF_ERROR(found.Get("earlier_loss", &earlier.loss_));
  if (!found.Has("earlier_hash")) return earlier;  // The state is older than this record.
  SEQ_RETURN_IF_ERROR(found.Get("earlier_hash", &earlier.hash_));
  if (own_copy.empty()) return earlier;
  // A killed process may have written the run's best model and not its copy: that counts as come
  // since, and is as good as what the run comes to once more.
  const std::string now = HashOf(path);
  earlier.came_since_ = !now.empty() && now != earlier.hash_ && now != HashOf(own_copy);
  if (earlier.came_since_) SEQ_RETURN_IF_ERROR(earlier.LoadModelToBeat());
  return earlier;
}

void EarlierModel::Save(StateWriter& found) const {
  found.Set("output", WholePath(path_));
  found.Set("earlier_exists", exists_);
  found.Set("earlier_keeps", keeps_);
  found.Set("earlier_loss", loss_);
  found.Set("earlier_hash", hash_);
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
  (came_since_ ? since_ : loss_) = *loss;
  model_.reset();  // Its memory is for the run.
  return absl::OkStatus();
}

}  // namespace seqgraph::tools
