#include "tools/run_verification.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "training/early_stopping.h"
#include "training/lambda_callback.h"
#include "training/state_slots.h"

namespace seqgraph::tools {
namespace {

// What the steps make, and not who watched them or when.
constexpr absl::string_view kCompared[] = {"variable/", "meter/", "history/", "fit/messages"};

// The largest |a - b| over the largest magnitude of b; infinity where only one is finite, and for
// what is no tensor of float32.
double Apart(const Records::Value& a, const Records::Value& b) {
  const Tensor *x = std::get_if<Tensor>(&a), *y = std::get_if<Tensor>(&b);
  if (x == nullptr || y == nullptr || x->type() != y->type() || x->dtype() != DType::kFloat32) {
    const auto *u = std::get_if<std::vector<double>>(&a), *v = std::get_if<std::vector<double>>(&b);
    if (u == nullptr || v == nullptr || u->size() != v->size()) return INFINITY;
    double apart = 0, scale = 0;
    for (size_t i = 0; i < u->size(); ++i) {
      apart = std::max(apart, std::abs((*u)[i] - (*v)[i]));
      scale = std::max(scale, std::abs((*v)[i]));
    }
    return apart == 0 ? 0 : apart / scale;
  }
  double apart = 0;
  const auto p = x->Elements<float>(), q = y->Elements<float>();
  for (size_t i = 0; i < p.size(); ++i) {
    const double difference = std::abs(static_cast<double>(p[i]) - q[i]);
    if (p[i] == q[i] || (std::isnan(p[i]) && std::isnan(q[i]))) continue;
    apart = std::isfinite(difference) ? std::max(apart, difference) : INFINITY;
  }
  return apart == 0 ? 0 : apart / LargestFiniteMagnitude(*y);
}

// Meets the states that were kept, one after the other, in the steps that are repeated.
class Comparison : public StateKeeper {
 public:
  struct Kept {
    std::string path;
    RunState state;
    RunPosition position;
  };
  Comparison(std::vector<Kept> kept, Output& out) : kept_(std::move(kept)), out_(out) {}

  bool Wants(const RunPosition& position) override {
    return next_ < kept_.size() && Meets(position);
  }
  absl::Status Keep(RunState state) override {
    SEQ_ASSIGN_OR_RETURN(const RunPosition position, state.Position());
    while (next_ < kept_.size() && Meets(position)) Compare(kept_[next_++], state.records());
    if (next_ == kept_.size()) done_.store(true);
    return absl::OkStatus();
  }

  const std::atomic<bool>* done() const { return &done_; }
  bool is_within() const { return within_ && next_ == kept_.size(); }
  /// Where the run went past a state without meeting it; null: it did not.
  const Kept* missed() const { return next_ < kept_.size() ? &kept_[next_] : nullptr; }

 private:
  // The end of an epoch and that of the run are the same place.
  bool Meets(const RunPosition& position) const {
    const RunPosition& wanted = kept_[next_].position;
    return wanted.epoch == position.epoch && wanted.step == position.step;
  }

  void Compare(const Kept& kept, const Records& now) {
    std::string worst;
    double apart = 0;
    size_t compared = 0;
    for (const auto& [name, then] : kept.state.records().all()) {
      const auto made = [&, n = absl::string_view(name)](absl::string_view part) {
        return absl::StartsWith(n, part);
      };
      if (std::none_of(std::begin(kCompared), std::end(kCompared), made)) continue;
      ++compared;
      const Records::Value* found = now.Find(name);
      if (found != nullptr && SameBits(*found, then)) continue;
      const double by = found == nullptr ? INFINITY : Apart(*found, then);
      if (worst.empty() || by > apart) {
        worst = name;
        apart = by;
      }
    }
    const std::string place = absl::StrCat(kept.path, " (epoch ", kept.position.epoch + 1, ", ",
                                           kept.position.step, " batches of it): ");
    if (worst.empty()) {
      out_.Print("%sequal bits, %d values\n", place, compared);
      return;
    }
    const bool within = apart <= kVerificationBound;
    within_ = within_ && within;
    out_.Print("%s%s, most in %s, by %.3g of its largest magnitude\n", place,
               within ? "other bits, within the bound" : "it parts", worst, apart);
  }

  const std::vector<Kept> kept_;
  Output& out_;
  size_t next_ = 0;
  bool within_ = true;
  std::atomic<bool> done_{false};
};

}  // namespace

absl::StatusOr<int> VerifyRun(TrainingData& data, Trainer& trainer,
                              const TrainingRunOptions& options, Output& out) {
  SEQ_ASSIGN_OR_RETURN(std::vector<std::string> paths, StateSlots::Paths(options.state->path()));
  std::reverse(paths.begin(), paths.end());  // oldest first
  if (paths.size() < 2) {
    return FailedPrecondition(options.state->path(), " holds ", paths.size(),
                              " whole states; steps between two of them can be repeated");
  }
  SEQ_ASSIGN_OR_RETURN(const RunState first, RunState::Load(paths[0]));
  std::vector<Comparison::Kept> kept;
  for (size_t i = 1; i < paths.size(); ++i) {
    SEQ_ASSIGN_OR_RETURN(RunState state, RunState::Load(paths[i]));
    SEQ_ASSIGN_OR_RETURN(const RunPosition position, state.Position());
    kept.push_back({paths[i], std::move(state), position});
  }
  Comparison comparison(std::move(kept), out);
  FitOptions fit = FitOptionsOf(options);
  // Of the callbacks of a run only one changes what the steps make.
  const LambdaCallback nothing({});
  EarlyStopping stopping({.patience = static_cast<int>(options.patience)});
  fit.callbacks = {nothing};
  if (data.validation().rows > 0) {
    fit.callbacks.push_back(&stopping);
    fit.callbacks.push_back(nothing);
  }
  const size_t callbacks = first.CountCallbacks();
  while (fit.callbacks.size() < callbacks) fit.callbacks.push_back(nothing);
  fit.interrupt = comparison.done();
  fit.state = &first;
  fit.keeper = &comparison;
  fit.allow_changes = true;
  SEQ_RETURN_IF_ERROR(trainer.Fit(data.train(), data.validation(), fit).status());
  if (comparison.missed() != nullptr) {
    out.Print("%s: it parts, the run ends before that state\n", comparison.missed()->path);
  }
  return comparison.is_within() ? 0 : 1;
}

}  // namespace seqgraph::tools
