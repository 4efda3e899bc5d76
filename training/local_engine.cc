#include "training/local_engine.h"

#include "base/status_macros.h"

namespace seqgraph {

absl::Status LocalEngine::Begin(int epoch, int64_t done) {
  SEQ_RETURN_IF_ERROR(train_.Begin(epoch));
  rows_ = order_.Of(epoch);
  return train_.Skip(done, rows_);
}

absl::Status LocalEngine::Train(int64_t step, Judge judge) {
  SEQ_ASSIGN_OR_RETURN(const BatchRunner* batch, train_.Run(step, rows_));
  judge(*batch);
  return absl::OkStatus();
}

absl::Status LocalEngine::Validate(int epoch, JudgeBatch judge) {
  SEQ_RETURN_IF_ERROR(validation_->Begin(epoch));
  for (int64_t step = 0; step < validation_->steps(); ++step) {
    absl::StatusOr<const BatchRunner*> batch = validation_->Run(step);
    if (!batch.ok()) return Annotate(batch.status(), "validation");
    SEQ_ASSIGN_OR_RETURN(const bool go_on, judge(step, **batch));
    if (!go_on) return absl::OkStatus();
  }
  return absl::OkStatus();
}

std::string LocalEngine::TakeNote() {
  std::string note = train_.TakeNote();
  return note.empty() && validation_.has_value() ? validation_->TakeNote() : note;
}

}  // namespace seqgraph
