#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/judged_batch.h"

namespace seqgraph {

/// What Trainer::Fit runs its steps on: this process alone, or the ranks of a job. The model that
/// callbacks and states see is whole before Start, between Gather and Release, and after Finish;
/// in between it has all but the slots of the optimizer.
class FitEngine {
 public:
  virtual ~FitEngine() = default;

  virtual int64_t steps() const = 0;  ///< of an epoch
  virtual bool validates() const = 0;
  /// "backends" of the functions that run.
  virtual std::string DescribeBackends() const = 0;

  /// With the variables that the model has now.
  virtual absl::Status Start() = 0;
  virtual absl::Status Gather() = 0;
  virtual absl::Status Release() = 0;
  virtual absl::Status Finish() = 0;
  /// Instead, after an error: the model has all its variables again, some with older content.
  virtual void Abandon() = 0;

  /// To be called before the first step of each epoch, of which so many are done.
  virtual absl::Status Begin(int epoch, int64_t done) = 0;
  /// Once for each part of the batch, in the order of rows.
  using Judge = absl::FunctionRef<void(const JudgedBatch&)>;
  virtual absl::Status Train(int64_t step, Judge judge) = 0;
  /// Once for each batch, in their order, until false comes back.
  using JudgeBatch = absl::FunctionRef<absl::StatusOr<bool>(int64_t step, const JudgedBatch&)>;
  virtual absl::Status Validate(int epoch, JudgeBatch judge) = 0;
  virtual int64_t validation_steps() const = 0;
  /// What is worth to be told, once; else empty.
  virtual std::string TakeNote() = 0;
};

}  // namespace seqgraph
