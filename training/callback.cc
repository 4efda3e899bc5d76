#include "training/callback.h"

namespace seqgraph {

absl::Status Callback::OnTrainBegin(FitContext&) { return absl::OkStatus(); }
absl::Status Callback::OnEpochBegin(FitContext&, int) { return absl::OkStatus(); }
absl::Status Callback::OnBatchEnd(FitContext&, int64_t, const Logs&) { return absl::OkStatus(); }
absl::Status Callback::OnEpochEnd(FitContext&, int, Logs&) { return absl::OkStatus(); }
absl::Status Callback::OnTrainEnd(FitContext&) { return absl::OkStatus(); }

absl::Status Callback::OnTrainFailure(FitContext&) { return absl::OkStatus(); }

void Callback::SaveState(StateWriter&) const {}
absl::Status Callback::LoadState(FitContext&, const StateReader&) { return absl::OkStatus(); }

}  // namespace seqgraph
