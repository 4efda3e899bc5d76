#include "training/terminate_on_nan.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace seqgraph {

absl::Status TerminateOnNaN::OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) {
  const auto loss = logs.find("loss");
  if (loss == logs.end() || std::isfinite(loss->second)) return absl::OkStatus();
  context.messages.push_back(absl::StrCat("Batch ", batch, ": Invalid loss, terminating training"));
  context.stop_training = true;
  return absl::OkStatus();
}

}  // namespace seqgraph
