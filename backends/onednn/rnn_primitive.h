#pragma once

// h_t = act(x_t w + h_{t-1} u + b) on oneDNN's vanilla RNN primitive, forward and backward.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/activation.h"

namespace seqgraph::onednn {

/// What a primitive is compiled for.
struct RnnConfig {
  int64_t time = 0;
  int64_t batch = 0;
  int64_t features = 0;  ///< equal to `units` when `projected`
  /// Row width of x, at least `features`: what lies beyond them counts for nothing.
  int64_t x_width = 0;
  int64_t units = 0;
  Activation activation = Activation::kTanh;
  /// The input already is x w (a row lookup of w, say). The primitive then runs with an identity
  /// as its input weights: exact for finite values; a value that is not finite spreads to every
  /// unit of its row and step (Inf x 0 is NaN).
  bool projected = false;
  /// Training keeps a workspace for Backward; inference uses packed weights and is faster.
  bool training = false;
  /// OpenMP threads the primitive is created for and must be run with.
  int threads = 1;
};

/// OK if a primitive can be made: InvalidArgument for sizes below 1 or beyond 2^20, or widths that
/// contradict each other; ResourceExhausted beyond 100 GB.
absl::Status ValidateRnnConfig(const RnnConfig& config);

/// Tensors of one forward run. x [time, batch, x_width] and y [time, batch, y_width()] are dense
/// and time-major; padding columns of x are finite, those of y are written (0, for sigmoid 0.5).
/// w [features, units], u [units, units], b [units], h0 and h_last [batch, units] are dense and
/// unpadded. Training: x, h0, y and workspace must stay as they are until Backward has run, for it
/// reads all of them again.
struct RnnForwardArgs {
  const float* x = nullptr;
  const float* h0 = nullptr;  ///< null: zeros
  const float* w = nullptr;   ///< null when projected
  const float* u = nullptr;
  const float* b = nullptr;  ///< null: zeros
  float* y = nullptr;
  float* h_last = nullptr;    ///< null: not wanted
  void* workspace = nullptr;  ///< workspace_bytes(), training only
  void* scratch = nullptr;    ///< scratch_bytes()
};

/// Tensors of one backward run, shaped as above. The results are overwritten; those left null are
/// not wanted.
struct RnnBackwardArgs {
  const float* x = nullptr;
  const float* h0 = nullptr;
  const float* w = nullptr;
  const float* u = nullptr;
  const float* b = nullptr;
  const float* y = nullptr;
  /// Gradient of y, padding columns zero; null: zeros.
  const float* dy = nullptr;
  /// Gradient of h_last [batch, units]; null: zeros.
  const float* dh_last = nullptr;
  /// Like x, padding columns zero; always needed, for the primitive cannot leave it out.
  float* dx = nullptr;
  float* dh0 = nullptr;
  float* dw = nullptr;
  float* du = nullptr;
  float* db = nullptr;
  void* workspace = nullptr;  ///< as Forward left it; Backward uses it up
  void* scratch = nullptr;
};

/// One compiled recurrence: all objects of oneDNN's are made by Create, and a run allocates nothing
/// of ours (oneDNN's own allocations aside). An instance is used by one thread at a time, not
/// necessarily the one that created it. Weights are packed anew in every run, so that a run never
/// sees weights older than its arguments.
///
/// Not finite: oneDNN's relu turns NaN into 0, and an identity spreads Inf and NaN over a row.
/// Forward notices where either could matter and computes y again with plain loops.
class RnnPrimitive {
 public:
  /// Errors: ValidateRnnConfig's; Unimplemented, in oneDNN's own words, if it has no
  /// implementation.
  static absl::StatusOr<std::unique_ptr<RnnPrimitive>> Create(const RnnConfig& config);
  ~RnnPrimitive();
  RnnPrimitive(const RnnPrimitive&) = delete;
  RnnPrimitive& operator=(const RnnPrimitive&) = delete;

  /// Row width of y and dy in floats: units, padded where that is faster.
  int64_t y_width() const;
  /// Bytes the caller provides; both aligned to kAlignment.
  size_t workspace_bytes() const;
  size_t scratch_bytes() const;
  /// Bytes the primitive itself holds (zero gradients and states, an identity).
  size_t constant_bytes() const;
  /// oneDNN's name of the chosen implementation, "forward/backward".
  std::string implementation() const;

  absl::Status Forward(const RnnForwardArgs& args);
  /// Runs once after each Forward, with the same x, weights, y and workspace.
  absl::Status Backward(const RnnBackwardArgs& args);

  static constexpr size_t kAlignment = 4096;

 private:
  class Impl;
  explicit RnnPrimitive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace seqgraph::onednn
