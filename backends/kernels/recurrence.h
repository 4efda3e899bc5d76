#pragma once

// RNNCell, LSTMCell and GRUCell over arrays, forward and backward; ops/{rnn,lstm,gru}_cell.h have
// the formulas.
//
// A batch is cut into groups of rows that go through time together, and each row takes its own
// steps alone: those that are not masked, counted from 0 in the order in which they are computed.
// In a group rows lie by their number of steps, the longest first, so that the rows of a step are
// the first ones of the step before, and all steps lie one behind the other without gaps.
//
// How rows are cut depends on sizes and masks alone, and sums of gradients are added in the order
// of the tasks, so results are the same bits for any number of threads.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "backends/kernels/packed_matrix.h"
#include "backends/kernels/thread_pool.h"
#include "graph/cell_functions.h"
#include "graph/weight_format.h"

namespace seqgraph::kernels {

enum class CellKind { kSimple, kLstm, kGruAfter, kGruBefore };

struct RecurrenceSizes {
  CellKind cell = CellKind::kSimple;
  CellFunctions functions;
  int64_t batch = 0, time = 0, features = 0, units = 0;
  bool projected = false;  ///< x is x·w already, of columns() instead of `features`
  int64_t rows = 0;      ///< projected: x is a table of so many rows, which ids choose from; 0: not
  bool trained = false;  ///< w, u, b and the table are others in each call
  bool reverse = false;
  bool masked = false;
  bool dropout = false;
  /// What w and u are rounded to when they are packed for Forward and RecurrenceSteps, as
  /// RoundWeights does; not with dropout.
  WeightFormat weights = WeightFormat::kFloat32;

  int64_t gates() const { return cell == CellKind::kSimple ? 1 : cell == CellKind::kLstm ? 4 : 3; }
  int64_t columns() const { return gates() * units; }
};

/// Dense and row-major, of any alignment; shapes as in ops/lstm_cell.h. Null: absent.
struct RecurrenceOperands {
  const float* x = nullptr;  ///< with `rows`: [rows, columns]
  const float* w = nullptr;
  const float* u = nullptr;
  const float* b = nullptr;
  const float* h0 = nullptr;
  const float* c0 = nullptr;
  const int32_t* ids = nullptr;  ///< with `rows`: [batch, time], each in [0, rows)
  const int32_t* mask = nullptr;
  const float* dropout = nullptr;
};

/// Null: not wanted.
struct RecurrenceOutputs {
  float* sequence = nullptr;
  float* last = nullptr;
  float* last_cell = nullptr;
};

/// Null: zero, but for `sequence`, the output of the forward op.
struct RecurrenceOutputGradients {
  const float* sequence = nullptr;
  const float* d_sequence = nullptr;
  const float* d_last = nullptr;
  const float* d_last_cell = nullptr;
};

/// Null: not wanted.
struct RecurrenceGradients {
  float* dx = nullptr;  ///< like x
  float* dw = nullptr;
  float* du = nullptr;
  float* db = nullptr;
  float* dh0 = nullptr;
  float* dc0 = nullptr;
};

/// How a recurrence is computed on the target in use when it is made.
struct RecurrencePlan {
  RecurrenceSizes sizes;
  int64_t lanes = 0;     ///< floats in a vector
  int64_t width = 0;     ///< units, padded to whole vectors
  int64_t x_stride = 0;  ///< features, the same
  int64_t groups = 0;    ///< at least 1 row each
  int64_t group = 0;     ///< rows of the largest one
  int64_t chunk = 0;     ///< steps that are prepared at a time
  int64_t forward_tasks = 0;
  int64_t backward_tasks = 0;  ///< each sums gradients of weights of its own
  /// Rows of x's gradient that tasks sum too, behind those of u: of w, or of a table, unless that
  /// is left to a pass over all tokens.
  int64_t input_rows = 0;
  bool packs_table = false;  ///< whether rows of a table are padded and get the bias beforehand

  /// Whether rows and steps need no order (StepTask).
  bool one_step() const { return sizes.time == 1 && !sizes.dropout; }
  int64_t first_row(int64_t group) const { return group * sizes.batch / groups; }
  int64_t first_group(int64_t task, int64_t tasks) const { return task * groups / tasks; }
};

/// A recurrence a step at a time, for streams whose inputs come as they happen: weights are packed
/// once, states stay where they are. A step allocates nothing and takes no lock; different objects
/// may be used on different threads.
class RecurrenceSteps {
 public:
  /// Of `sizes`, batch is the most streams that take a step together, at least 1; time, rows, masks
  /// and direction mean nothing. Of `in`, x, h0, c0, mask and dropout are not read; w, u and b are
  /// not needed afterwards.
  RecurrenceSteps(const RecurrenceSizes& sizes, const RecurrenceOperands& in);
  ~RecurrenceSteps();

  /// Floats from one stream's state to the next: units, padded to whole vectors, with zeros.
  int64_t width() const;
  /// States and, of an LSTM, cells of all streams, at first zero: to read and to write between
  /// steps.
  float* states() { return states_; }
  float* cells() { return cells_; }

  /// The next step of the first `streams` streams, with x [streams, features].
  void Step(const float* x, int64_t streams);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  float *states_, *cells_;
};

/// Holds nothing but the plan: all memory is the caller's, 64-byte aligned.
class Recurrence {
 public:
  explicit Recurrence(const RecurrenceSizes& sizes);

  /// OK, or why there is nothing to compute or sizes are too large: an extent of 0, more than 2^31
  /// rows of all steps, 100 GB.
  static absl::Status Validate(const RecurrenceSizes& sizes);

  const RecurrencePlan& plan() const { return plan_; }
  /// What Forward leaves for Backward: gates, states, cells.
  int64_t workspace_bytes() const { return workspace_bytes_; }
  /// `packed`: of Forward with PackedWeights.
  int64_t forward_scratch_bytes(bool packed = false) const {
    return packed ? forward_packed_bytes_ : forward_bytes_;
  }
  /// Of PackedWeights::memory, for w, u and b as products read them.
  int64_t packed_bytes() const { return packed_bytes_; }
  /// Of Backward with the workspace of a Forward, or without (`anew`).
  int64_t backward_scratch_bytes(bool anew) const { return backward_bytes_[anew]; }

  /// Null `workspace`: no Backward needs it.
  void Forward(const RecurrenceOperands& in, const RecurrenceOutputs& out, void* workspace,
               void* scratch, ThreadPool& pool, PackedWeights packed = {}) const;
  /// After a Forward with the same operands and that workspace; or, if that is null, with gates
  /// computed anew from the sequence of a forward pass that ran elsewhere.
  void Backward(const RecurrenceOperands& in, const RecurrenceOutputGradients& incoming,
                const RecurrenceGradients& out, void* workspace, void* scratch,
                ThreadPool& pool) const;

  /// "simd lstm AVX2: 2 vectors of 8 lanes, 32 rows together".
  std::string Describe() const;

 private:
  RecurrencePlan plan_;
  int64_t workspace_bytes_ = 0, packed_bytes_ = 0, forward_bytes_ = 0, forward_packed_bytes_ = 0;
  int64_t backward_bytes_[2];
};

/// Forward of a recurrence of one step, without dropout, on memory that stays the same: all but the
/// arithmetic is done beforehand. A run allocates nothing.
class BoundStep {
 public:
  /// True if a recurrence is one.
  static bool Fits(const RecurrencePlan& plan);
  /// `packed` must be current. The recurrence, and all memory, outlive it.
  BoundStep(const Recurrence& recurrence, const RecurrenceOperands& in,
            const RecurrenceOutputs& out, void* scratch, PackedWeights packed);
  ~BoundStep();
  void Run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace seqgraph::kernels
