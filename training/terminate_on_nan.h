#pragma once

#include "training/callback.h"

namespace seqgraph {

/// Ends the run after a batch whose loss is NaN or infinite, with a message, where the run would
/// fail otherwise: the callbacks get their OnEpochEnd and OnTrainEnd, and Fit returns what it has.
/// The weights are then of no use, unless EarlyStopping restores better ones.
class TerminateOnNaN : public Callback {
 public:
  absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) override;
};

}  // namespace seqgraph
