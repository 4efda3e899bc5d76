#pragma once

// What the code for one target gets to compute one call of a recurrence: operands, where
// everything lies in the scratch memory, and which rows take which steps.

#include <cstdint>
#include <utility>

#include "backends/kernels/packed_matrix.h"
#include "backends/kernels/pieces.h"
#include "backends/kernels/recurrence.h"

namespace seqgraph::kernels {

inline constexpr int64_t kMaxRecurrenceTasks = 16;

/// How the columns of a cell lie: arrays have one piece of `width` for each gate.
struct CellLayout {
  int gates = 0;     ///< of x·w: LSTM i f g o, GRU z r n
  int inputs = 0;    ///< columns of x·w + b: the gates; of GRU with the reset after z, r, b'_n, n
  int kept = 0;      ///< values that forward keeps for backward
  int dz = 0;        ///< gradients that a step gives: the first `gates` of x·w's sums,
  int state_dz = 0;  ///< and from here on `gates` of h·u's sums
  bool has_cell = false;
  int split = 0;  ///< gates from here on wait for r h: the candidate of GRU with the reset before
  int input_gate[4] = {0, 1, 2, 3};  ///< the gate of each of x·w's gradients
  int peepholes = 0;                 ///< weights behind those of b: 3 of an LSTM, or none
};
CellLayout LayoutOf(const RecurrenceSizes& sizes);
/// Where a gate stands among the columns of x·w + b.
inline int InputColumn(const CellLayout& layout, int gate) {
  return layout.inputs > layout.gates && gate == 2 ? 3 : gate;
}

/// Floats from one row of gradients of sums to the next. Not a power of two: rows that are read
/// side by side would fall on the same few lines of a cache.
int64_t DzStride(const RecurrencePlan& plan);

/// The rows of a group, the one with most steps first.
struct GroupRows {
  int64_t count = 0;
  int64_t steps = 0;                ///< of the first row
  const int32_t* row = nullptr;     ///< [count]: of the batch
  const int32_t* length = nullptr;  ///< [count]: steps
  /// [steps + 2]: where the rows of a step begin, among those of all steps.
  const int32_t* offset = nullptr;

  /// Rows that take step k: the first ones. None behind the last step.
  int64_t active(int64_t k) const { return offset[k + 1] - offset[k]; }
};

/// Which rows are computed together, and when.
class RowOrder {
 public:
  RowOrder(const RecurrencePlan& plan, Pieces& pieces);
  /// To be called once, by one thread.
  void Fill(const int32_t* mask);
  bool masked() const { return positions_ != nullptr; }
  GroupRows group(int64_t g) const;

  /// Where step k of a row of the batch stands in the order of computation, and where the next one;
  /// between them are masked steps. The time is counted down if the recurrence is reversed.
  int64_t Position(int64_t row, int64_t k) const {
    if (positions_ == nullptr) return k;
    return firsts_[row] >= 0 ? firsts_[row] + k : positions_[row * time_ + k];
  }
  /// The first of them, if the others stand right behind it; else -1.
  int64_t FirstOfRun(int64_t row) const { return positions_ == nullptr ? 0 : firsts_[row]; }
  int64_t NextPosition(int64_t row, int64_t k, int64_t length) const {
    return k + 1 < length ? Position(row, k + 1) : time_;
  }
  int64_t Time(int64_t position) const { return reverse_ ? time_ - 1 - position : position; }

 private:
  void FindPositions(const int32_t* mask);
  void DealRows();

  const RecurrencePlan& plan_;
  const int64_t time_;
  const bool reverse_;
  int32_t *rows_, *lengths_, *offsets_;
  // Null: no step is masked. Of rows whose steps stand one behind the other, only the first is
  // kept.
  int32_t* firsts_ = nullptr;     ///< [batch]; -1: see positions
  int32_t* positions_ = nullptr;  ///< [batch, time]
  // For sorting: where the rows of each length begin, and the length of each row.
  int32_t *starts_ = nullptr, *counts_ = nullptr;
};

/// What forward keeps of a group for backward, rows of all steps one behind the other. Without
/// backward states and cells have two places, which the steps take by turns.
struct GroupTrace {
  GroupTrace(const RecurrencePlan& plan, bool whole, Pieces pieces);

  float* kept = nullptr;    ///< [rows, kept, width]
  float* before = nullptr;  ///< [rows, width]: the state before the step
  float* cells = nullptr;   ///< [rows, width]: the cell before the step
  int64_t bytes;
};

/// What a task of the forward pass has of its own.
struct ForwardArea {
  ForwardArea(const RecurrencePlan& plan, Pieces pieces);

  float* x;          ///< [chunk, group, padded features]
  float* z;          ///< [chunk, group, inputs, width]: x·w + b
  float* sums;       ///< [group, gates, width]
  float* product;    ///< [group, width]: (r h)·u_n of GRU with the reset before
  float* scaled;     ///< [group, width]: a state times factors of dropout
  float* reset;      ///< [group, width]: r h of GRU with the reset before
  float* last;       ///< [group, width]
  float* last_cell;  ///< [group, width]
  float* unused;     ///< [group, width]: states that are known already
  char* trace;       ///< a GroupTrace that is not whole
  int64_t bytes;
};

struct BackwardArea {
  BackwardArea(const RecurrencePlan& plan, Pieces pieces);

  float* dz;      ///< [chunk, group, DzStride]
  float* x;       ///< [chunk, group, padded features]
  float* dx;      ///< [chunk, group, padded features]
  float* dh;      ///< [group, width]
  float* dc;      ///< [group, width]
  float* carry;   ///< [group, width]: of GRU, what goes to the state before, but by u
  float* gate;    ///< [group, width]: what one gate gives to the state
  float* scaled;  ///< [chunk, group, width]: states times factors of dropout
  // Sums over the task's rows, one behind the other.
  float* du;  ///< [units, gates, width]
  float* dw;  ///< [input_rows, gates, width]
  float* db;  ///< [dz + peepholes, width]
  int64_t bytes;
};

/// What both passes have: operands, packed weights.
struct RecurrenceJob {
  /// `packed`: memory for what PackForward packs; null: it is one of the pieces.
  RecurrenceJob(const RecurrencePlan& plan, Pieces& pieces, void* packed = nullptr);
  /// Gives u, w and bias their places.
  void TakeWeights(Pieces& pieces);

  const RecurrencePlan& plan;
  const CellLayout layout;
  RowOrder order;
  RecurrenceOperands in;
  // For products forward; u in parts, one for each gate with dropout.
  PackedMatrix u, w;
  float* bias;             ///< [inputs, width]
  float* table;            ///< [rows, inputs, width]: rows of x + b; null: they are not packed
  float* peepholes;        ///< [peepholes, width]; null: there are none
  char* traces = nullptr;  ///< of all groups; null: nothing is kept

  /// Those of u from gate `first` on, where a part begins.
  PackedMatrix u_from(int first) const {
    return u.From(first * plan.width / plan.lanes, plan.sizes.units, plan.lanes);
  }
  /// The gates [first, last) of h·u that are one product.
  int parts() const {
    return plan.sizes.dropout ? layout.gates : layout.split < layout.gates ? 2 : 1;
  }
  std::pair<int, int> part(int i) const;
  /// Which row of [batch, time] step k of row r of a group reads and writes.
  int64_t Token(const GroupRows& rows, int64_t r, int64_t k) const {
    return rows.row[r] * plan.sizes.time + order.Time(order.Position(rows.row[r], k));
  }
  GroupTrace trace(int64_t group) const {
    const int64_t bytes = GroupTrace(plan, true, Pieces(nullptr)).bytes;
    return GroupTrace(plan, true, Pieces(traces + group * bytes));
  }
};

struct ForwardJob : RecurrenceJob {
  ForwardJob(const RecurrencePlan& plan, Pieces& pieces, void* packed = nullptr);
  ForwardArea area(int64_t task) const { return {plan, Pieces(areas + task * area_bytes)}; }

  RecurrenceOutputs out;
  char* areas;
  int64_t area_bytes;
};

/// A function of the target in use; its type is known there.
using StepCell = void (*)();

struct BackwardJob : RecurrenceJob {
  /// `anew`: what forward leaves for backward is in the scratch memory too.
  BackwardJob(const RecurrencePlan& plan, bool anew, Pieces& pieces);
  BackwardArea area(int64_t task) const { return {plan, Pieces(areas + task * area_bytes)}; }
  /// For gates that are computed anew.
  ForwardArea forward_area(int64_t task) const {
    return {plan, Pieces(forward_areas + task * forward_bytes)};
  }
  /// Rows of u, and of w or the table.
  int64_t sum_rows() const { return plan.sizes.units + plan.input_rows; }
  /// Whether the gradients of looked-up rows are written, for a pass of their own that sums them.
  bool sums_rows_later() const {
    return plan.sizes.rows > 0 && plan.input_rows == 0 && out.dx != nullptr;
  }

  RecurrenceOutputGradients incoming;
  RecurrenceGradients out;
  const bool anew;
  float* u_transposed;  ///< packed; in parts
  float* w_transposed;  ///< packed
  float* dx_rows;       ///< [batch, time, columns]: where they are summed later
  float* table_sums;    ///< what ScatterAddRows needs for that
  char *areas, *forward_areas = nullptr;
  int64_t area_bytes, forward_bytes = 0;
};

/// What a step of a cell does between its products, for rows of a step. Rows are dense, but for dz:
/// each array has `width` floats a row for each value that it holds.
struct CellForward {
  const RecurrenceSizes* sizes;
  int64_t rows, width;
  const float* x;          ///< [inputs]: x·w + b, for GRU's candidate
  float* z;                ///< [gates]: the same with h·u; the last is h·u_n + b'_n of a GRU
  const float* product;    ///< GRU with the reset before: (r h)·u_n
  const float* before;     ///< the state before
  const float* c_before;   ///< LSTM: the cell before
  float* kept;             ///< for backward; null: not wanted
  float* h;                ///< the state
  float* c;                ///< LSTM: the cell
  float* reset;            ///< GRU with the reset before: r h
  const float* peepholes;  ///< [3]: p_i, p_o, p_f of an LSTM; null: there are none
};

struct CellBackward {
  const RecurrenceSizes* sizes;
  int64_t rows, width, units;
  const float* kept;
  const float* before;
  const float* c_before;
  float* dz;               ///< gradients of the sums; zero behind the units
  int64_t dz_row;          ///< from one row of dz to the next
  const float* dh;         ///< that of the state
  float* carry;            ///< GRU: what of it goes to the state before, but by u
  float* dc;               ///< LSTM: that of the cell, which becomes that of the cell before
  const float* d_reset;    ///< GRU with the reset before: that of r h
  const float* peepholes;  ///< as forward
  float* d_peepholes;      ///< what the rows give to them is added
};

// Steps of cells whose functions are not plain, and those of a GRU with the reset before the
// product that give and take r h.
void AnyCellForward(const CellForward& s);
void AnyCellForwardReset(const CellForward& s);
void AnyCellBackward(const CellBackward& s);
void AnyCellBackwardReset(const CellBackward& s);

// The passes, on the target in use.

int64_t FloatsInVector(int64_t units);
void PackForward(const RecurrenceJob& job);
/// What of an area stays the same from step to step; after PackForward.
void PrepareArea(const RecurrenceJob& job, const ForwardArea& area);
void ForwardTask(const ForwardJob& job, int64_t task);
/// The same for one_step(), without traces; the order of rows need not be known. `cell` is that of
/// the job.
void StepTask(const ForwardJob& job, const ForwardArea& area, int64_t task, StepCell cell);
/// The same for all rows without a mask, from states to states that lie where `places` says, in
/// rows as wide as plan.width. Whole vectors are written to all outputs.
void StepInPlaces(const ForwardJob& job, const ForwardArea& area, const CellForward& places,
                  StepCell cell);
/// A step of `rows` rows whose states stay in their places.
CellForward StepOf(const ForwardJob& job, const ForwardArea& area, int64_t rows, float* states,
                   float* cells);
/// What computes the states of a job from sums of gates.
StepCell FindStepCell(const ForwardJob& job);
/// One step of `streams` rows with states and cells that are padded and stay in place.
void StepInPlace(const ForwardJob& job, const ForwardArea& area, const float* x, int64_t streams,
                 float* states, float* cells);
/// Fills the group's trace from the states that a forward pass gave.
void TraceGroup(const RecurrenceJob& job, const ForwardArea& area, int64_t group,
                const float* sequence);
void PackBackward(const BackwardJob& job);
void BackwardTask(const BackwardJob& job, int64_t task);
/// Writes the tasks' sums, added in their order, to the gradients: part `part` of `parts`.
void AddTasks(const BackwardJob& job, int64_t part, int64_t parts);

}  // namespace seqgraph::kernels
