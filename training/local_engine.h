#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "training/fit_engine.h"
#include "training/model_runner.h"
#include "training/row_order.h"

namespace seqgraph {

/// Steps in this process alone.
class LocalEngine : public FitEngine {
 public:
  LocalEngine(ModelRunner* runner, DataPass train, std::optional<DataPass> validation,
              RowOrder order)
      : runner_(runner),
        train_(std::move(train)),
        validation_(std::move(validation)),
        order_(std::move(order)) {}

  int64_t steps() const override { return train_.steps(); }
  bool keeps_optimizer_whole() const override { return true; }
  bool validates() const override { return validation_.has_value(); }
  std::string DescribeBackends() const override { return runner_->DescribeBackends(); }
  absl::Status Start() override { return absl::OkStatus(); }
  absl::Status Gather() override { return absl::OkStatus(); }
  absl::Status Release() override { return absl::OkStatus(); }
  absl::Status Finish() override { return absl::OkStatus(); }
  void Abandon() override {}
  absl::Status Begin(int epoch, int64_t done) override;
  absl::Status Train(int64_t step, Judge judge) override;
  absl::Status Validate(int epoch, JudgeBatch judge) override;
  int64_t validation_steps() const override { return validation_->steps(); }
  std::string TakeNote() override;

 private:
  ModelRunner* runner_;
  DataPass train_;
  std::optional<DataPass> validation_;
  RowOrder order_;
  absl::Span<const int64_t> rows_;  // of the epoch
};

}  // namespace seqgraph
