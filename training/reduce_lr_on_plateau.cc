#include "training/reduce_lr_on_plateau.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/optimizers.h"

namespace seqgraph {

absl::Status ReduceLROnPlateau::OnTrainBegin(FitContext& context) {
  if (!(options_.factor >= 0 && options_.factor < 1)) {
    return InvalidArgument("ReduceLROnPlateau: factor must be in [0, 1), got ", options_.factor);
  }
  if (options_.patience < 0 || options_.cooldown < 0) {
    return InvalidArgument("ReduceLROnPlateau: patience and cooldown must be at least 0");
  }
  SEQ_RETURN_IF_ERROR(LearningRate(context.model).status());
  SEQ_ASSIGN_OR_RETURN(higher_is_better_, HigherIsBetter("ReduceLROnPlateau", options_.monitor,
                                                         options_.mode, context));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  best_ = higher_is_better_ ? -kInfinity : kInfinity;
  wait_ = 0;
  cooldown_left_ = 0;
  return absl::OkStatus();
}

absl::Status ReduceLROnPlateau::OnEpochEnd(FitContext& context, int epoch, Logs& logs) {
  SEQ_ASSIGN_OR_RETURN(const double rate, LearningRate(context.model));
  logs["learning_rate"] = rate;
  const auto found = logs.find(options_.monitor);
  if (found == logs.end()) {
    context.messages.push_back(
        absl::StrCat("Learning rate reduction is conditioned on metric `", options_.monitor,
                     "` which is not available. Available metrics are: ", LogNames(logs)));
    return absl::OkStatus();
  }
  if (cooldown_left_ > 0) {
    --cooldown_left_;
    wait_ = 0;
  }
  if (Improves(found->second, best_, higher_is_better_, options_.min_delta)) {
    best_ = found->second;
    wait_ = 0;
    return absl::OkStatus();
  }
  if (cooldown_left_ > 0 || ++wait_ < options_.patience) return absl::OkStatus();
  return Reduce(context, epoch, rate);
}

void ReduceLROnPlateau::SaveState(StateWriter& state) const {
  state.Set("best", best_);
  state.Set("wait", wait_);
  state.Set("cooldown_left", cooldown_left_);
}

absl::Status ReduceLROnPlateau::LoadState(FitContext&, const StateReader& state) {
  SEQ_RETURN_IF_ERROR(state.Get("best", &best_));
  SEQ_RETURN_IF_ERROR(state.Get("wait", &wait_));
  return state.Get("cooldown_left", &cooldown_left_);
}

absl::Status ReduceLROnPlateau::Reduce(FitContext& context, int epoch, double rate) {
  // The rate is a float: it is never quite min_lr.
  if (!(rate > static_cast<float>(options_.min_lr))) return absl::OkStatus();
  const double reduced = std::max(rate * options_.factor, options_.min_lr);
  SEQ_RETURN_IF_ERROR(SetLearningRate(context.model, reduced));
  if (options_.verbose) {
    context.messages.push_back(absl::StrCat(
        "Epoch ", epoch + 1, ": ReduceLROnPlateau reducing learning rate to ", reduced, "."));
  }
  cooldown_left_ = options_.cooldown;
  wait_ = 0;
  return absl::OkStatus();
}

}  // namespace seqgraph
