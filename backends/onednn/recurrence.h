#ifndef SEQGRAPH_BACKENDS_ONEDNN_RECURRENCE_H_
#define SEQGRAPH_BACKENDS_ONEDNN_RECURRENCE_H_

// RNNCell, LSTMCell and GRUCell step by step, forward and backward: oneDNN's matrix product for the
// sums, our own loops (cell_loops.h) in between. x·w of all steps is one product before the first
// step; the gradients of w, u and x are one product each after the last. Only h·u and its
// transpose go step by step.

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "backends/onednn/rnn_primitive.h"

namespace seqgraph::onednn {

enum class CellKind { kSimple, kLstm, kGruAfter, kGruBefore };

struct RecurrenceConfig {
  CellKind kind = CellKind::kSimple;
  int64_t time = 0;
  int64_t batch = 0;
  int64_t features = 0;
  int64_t units = 0;
  Activation activation = Activation::kTanh;
  bool projected = false;  ///< x is x·w already: features = gates units
  bool reverse = false;
  bool masked = false;

  int64_t gates() const { return kind == CellKind::kSimple ? 1 : kind == CellKind::kLstm ? 4 : 3; }
  int64_t columns() const { return gates() * units; }
};

/// OK if the sizes are 1 to 2^20 and need no more than 100 GB; as ValidateRnnConfig's errors.
absl::Status ValidateRecurrence(const RecurrenceConfig& config);

/// [time, batch, width] wherever its rows lie; null data: absent.
template <typename T>
struct Rows {
  T* data = nullptr;
  int64_t time_stride = 0, row_stride = 0;

  T* at(int64_t t, int64_t b) const { return data + t * time_stride + b * row_stride; }
};

/// The inputs of a cell, dense but for x: shapes as in ops/lstm_cell.h. Null: absent.
struct RecurrenceInputs {
  Rows<const float> x;
  const float* w = nullptr;
  const float* u = nullptr;
  const float* b = nullptr;
  const float* h0 = nullptr;
  const float* c0 = nullptr;
  const int32_t* mask = nullptr;
  const float* dropout = nullptr;
};

struct RecurrenceResults {
  Rows<float> sequence;
  float* last = nullptr;
  float* last_cell = nullptr;
};

struct RecurrenceGradientInputs {
  /// Of the forward op; read only when Backward computes the gates anew.
  Rows<const float> sequence;
  Rows<const float> d_sequence;
  const float* d_last = nullptr;
  const float* d_last_cell = nullptr;
};

/// Results that are null are not wanted.
struct RecurrenceGradients {
  Rows<float> dx;
  float* dw = nullptr;
  float* du = nullptr;
  float* db = nullptr;
  float* dh0 = nullptr;
  float* dc0 = nullptr;
};

/// Holds nothing but the plan; all memory is the caller's, 64-byte aligned.
class Recurrence {
 public:
  explicit Recurrence(const RecurrenceConfig& config);

  const RecurrenceConfig& config() const { return c_; }
  /// What Forward leaves for Backward: gates, states, cells.
  size_t workspace_bytes() const { return workspace_bytes_; }
  size_t scratch_bytes() const { return scratch_bytes_; }

  absl::Status Forward(const RecurrenceInputs& in, const RecurrenceResults& out, void* workspace,
                       void* scratch) const;
  /// After Forward with the same inputs and workspace, which is used up; or, if `anew`, from the
  /// sequence of a forward pass that ran elsewhere, with a workspace of any content.
  absl::Status Backward(const RecurrenceInputs& in, const RecurrenceGradientInputs& grad, bool anew,
                        const RecurrenceGradients& out, void* workspace, void* scratch) const;

 private:
  class Pass;
  RecurrenceConfig c_;
  // Offsets in bytes.
  struct {
    size_t gates, states, cells, product;
  } workspace_;
  struct {
    size_t x, dx, bias, first, h, dh, dc, gate, scaled;
  } scratch_;
  size_t workspace_bytes_, scratch_bytes_;
};

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_RECURRENCE_H_
