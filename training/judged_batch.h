#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "training/metrics.h"

namespace seqgraph {

/// What losses and metrics are measured by, of a batch that was run: here (BatchRunner), or by
/// another process (PackedBatch).
class JudgedBatch {
 public:
  virtual ~JudgedBatch() = default;

  virtual int64_t batch() const = 0;  ///< rows
  virtual size_t num_outputs() const = 0;
  virtual double loss() const = 0;
  /// The loss of an output by itself, where the function judges several.
  virtual double loss(size_t output) const = 0;
  virtual bool has_loss(size_t output) const = 0;
  /// Predictions (of several quantiles those nearest to the median) and labels, only for an output
  /// with labels: rows count by the function's result `loss_mask`, where it has one, and if
  /// `weighted` also by their sample weights.
  virtual MetricBatch metric_batch(bool weighted, size_t output = 0) const = 0;
};

/// All of it as bytes, for a process of the same program on a machine of the same byte order.
void AppendPacked(const JudgedBatch& batch, std::string* bytes);

/// What AppendPacked gave, read where it lies.
class PackedBatch : public JudgedBatch {
 public:
  /// Takes the first batch off the front of `bytes`, which must stay as they are. InvalidArgument:
  /// there is no whole one.
  static absl::StatusOr<PackedBatch> TakeFrom(absl::string_view* bytes);

  int64_t batch() const override { return batch_; }
  size_t num_outputs() const override { return outputs_.size(); }
  double loss() const override { return loss_; }
  double loss(size_t output) const override { return outputs_[output].loss; }
  bool has_loss(size_t output) const override { return outputs_[output].has_loss; }
  MetricBatch metric_batch(bool weighted, size_t output = 0) const override;

 private:
  struct Output {
    double loss = 0;
    bool has_loss = false;
    int64_t rows = 0;
    std::vector<float> predictions, labels, weights, mask;
    std::vector<int32_t> classes;
  };

  int64_t batch_ = 0;
  double loss_ = 0;
  std::vector<Output> outputs_;
};

}  // namespace seqgraph
