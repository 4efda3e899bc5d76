#include "training/early_stopping.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {

absl::Status EarlyStopping::OnTrainBegin(FitContext& context) {
  if (options_.patience < 0) {
    return InvalidArgument("EarlyStopping: patience must be at least 0, got ", options_.patience);
  }
  SEQ_ASSIGN_OR_RETURN(higher_is_better_,
                       HigherIsBetter("EarlyStopping", options_.monitor, options_.mode, context));
  wait_ = 0;
  stopped_epoch_ = -1;
  best_epoch_ = options_.initial_best.has_value() ? context.first_epoch - 1 : 0;
  best_ = options_.initial_best;
  best_weights_.clear();
  if (best_.has_value() && options_.restore_best_weights) StoreWeights(context.model);
  return absl::OkStatus();
}

absl::Status EarlyStopping::OnEpochEnd(FitContext& context, int epoch, Logs& logs) {
  const auto found = logs.find(options_.monitor);
  if (found == logs.end()) {
    context.messages.push_back(
        absl::StrCat("Early stopping conditioned on metric `", options_.monitor,
                     "` which is not available. Available metrics are: ", LogNames(logs)));
    return absl::OkStatus();
  }
  if (epoch < options_.start_from_epoch) return absl::OkStatus();
  const double current = found->second;
  ++wait_;
  if (Improves(current, best_, higher_is_better_, options_.min_delta)) {
    best_ = current;
    best_epoch_ = epoch;
    if (options_.restore_best_weights) StoreWeights(context.model);
    if (!options_.baseline.has_value() ||
        Improves(current, options_.baseline, higher_is_better_, options_.min_delta)) {
      wait_ = 0;
    }
    return absl::OkStatus();
  }
  if (wait_ >= options_.patience && epoch > 0) {
    stopped_epoch_ = epoch;
    context.stop_training = true;
  }
  return absl::OkStatus();
}

absl::Status EarlyStopping::OnTrainEnd(FitContext& context) {
  if (stopped_epoch_ >= 0 && options_.verbose) {
    context.messages.push_back(absl::StrCat("Epoch ", stopped_epoch_ + 1, ": early stopping"));
  }
  if (best_weights_.empty()) return absl::OkStatus();
  if (options_.verbose) {
    context.messages.push_back(absl::StrCat(
        "Restoring model weights from the end of the best epoch: ", best_epoch_ + 1, "."));
  }
  for (const auto& [name, value] : best_weights_) {
    SEQ_RETURN_IF_ERROR(context.model.variables.Assign(name, value));
  }
  return absl::OkStatus();
}

void EarlyStopping::SaveState(StateWriter& state) const {
  state.Set("wait", wait_);
  state.Set("stopped_epoch", stopped_epoch_);
  state.Set("best_epoch", best_epoch_);
  state.Set("best", best_);
  StateWriter weights = state.Below("best_weights");
  for (const auto& [name, value] : best_weights_) weights.Set(name, value);
}

absl::Status EarlyStopping::LoadState(FitContext&, const StateReader& state) {
  SEQ_RETURN_IF_ERROR(state.Get("wait", &wait_));
  SEQ_RETURN_IF_ERROR(state.Get("stopped_epoch", &stopped_epoch_));
  SEQ_RETURN_IF_ERROR(state.Get("best_epoch", &best_epoch_));
  SEQ_RETURN_IF_ERROR(state.Get("best", &best_));
  best_weights_.clear();
  return state.Below("best_weights")
      .ForEach([&](const std::string& name, const Records::Value& value) {
        const Tensor* weight = std::get_if<Tensor>(&value);
        if (weight == nullptr) return InvalidArgument("'", name, "' in it is no tensor");
        best_weights_.emplace_back(name, *weight);
        return absl::OkStatus();
      });
}

void EarlyStopping::StoreWeights(const Model& model) {
  best_weights_.clear();
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.role != VariableRole::kWeight) continue;
    best_weights_.emplace_back(variable.def.name, variable.value);
  }
}

}  // namespace seqgraph
