#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "training/callback.h"

namespace seqgraph {

/// What LambdaCallback calls; what is empty is left out.
struct LambdaCallbackFunctions {
  std::function<absl::Status(FitContext&)> on_train_begin;
  std::function<absl::Status(FitContext&, int epoch)> on_epoch_begin;
  std::function<absl::Status(FitContext&, int64_t batch, const Logs&)> on_batch_end;
  std::function<absl::Status(FitContext&, int epoch, Logs&)> on_epoch_end;
  std::function<absl::Status(FitContext&)> on_train_end;
  std::function<void(StateWriter&)> save_state;
  std::function<absl::Status(FitContext&, const StateReader&)> load_state;
};

/// A callback of functions, for what is not worth a class:
///
///   LambdaCallback({.on_epoch_end = [&](FitContext&, int, Logs& logs) { ... }})
class LambdaCallback : public Callback {
 public:
  explicit LambdaCallback(LambdaCallbackFunctions functions) : f_(std::move(functions)) {}

  absl::Status OnTrainBegin(FitContext& context) override {
    return f_.on_train_begin ? f_.on_train_begin(context) : absl::OkStatus();
  }
  absl::Status OnEpochBegin(FitContext& context, int epoch) override {
    return f_.on_epoch_begin ? f_.on_epoch_begin(context, epoch) : absl::OkStatus();
  }
  absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) override {
    return f_.on_batch_end ? f_.on_batch_end(context, batch, logs) : absl::OkStatus();
  }
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override {
    return f_.on_epoch_end ? f_.on_epoch_end(context, epoch, logs) : absl::OkStatus();
  }
  absl::Status OnTrainEnd(FitContext& context) override {
    return f_.on_train_end ? f_.on_train_end(context) : absl::OkStatus();
  }
  void SaveState(StateWriter& state) const override {
    if (f_.save_state) f_.save_state(state);
  }
  absl::Status LoadState(FitContext& context, const StateReader& state) override {
    return f_.load_state ? f_.load_state(context, state) : absl::OkStatus();
  }

 private:
  LambdaCallbackFunctions f_;
};

}  // namespace seqgraph
