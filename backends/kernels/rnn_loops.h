#pragma once

// h_t = act(z_t + h_{t-1}·u + b) and its gradients, over arrays. z_t is x_t·w, x_t itself, or
// table[ids_t].
//
// Samples are cut into groups, and groups into tasks, whose number depends on the sizes alone: each
// task sums gradients of weights of its own. These are added in the order of the tasks within teams
// of neighbours, and then in the order of the teams. So results are the same bits for any number of
// threads.

#include <cstdint>
#include <string>

#include "backends/kernels/recurrence.h"
#include "backends/kernels/thread_pool.h"
#include "graph/activation.h"

namespace seqgraph::kernels {

inline constexpr int64_t kMaxRnnTasks = 16;
inline constexpr int64_t kRnnTeam = 4;  ///< tasks whose sums are added while they are in a cache

enum class RnnInput {
  kFeatures,   ///< x [batch, time, features] and w [features, units]
  kProjected,  ///< x [batch, time, units]
  kLookup,     ///< ids [batch, time], each in [0, rows), and table [rows, units]
};

struct RnnSizes {
  int64_t batch = 0, time = 0, units = 0;
  RnnInput input = RnnInput::kProjected;
  int64_t features = 0;  ///< with kFeatures
  int64_t rows = 0;      ///< with kLookup
  Activation activation = Activation::kTanh;
  // As ops/rnn_cell.h has it; with a state of one vector and without kFeatures only.
  bool masked = false, reverse = false;

  /// Whether rows have an order of steps of their own.
  bool ordered() const { return masked || reverse; }
};

/// Null: absent. Dense and row-major, of any alignment.
struct RnnOperands {
  const float* x = nullptr;
  const float* w = nullptr;
  const int32_t* ids = nullptr;
  const float* table = nullptr;
  const float* u = nullptr;       ///< [units, units]
  const float* b = nullptr;       ///< [units]
  const float* h0 = nullptr;      ///< [batch, units]
  const int32_t* mask = nullptr;  ///< [batch, time]; if masked
};

/// Null: not wanted.
struct RnnOutputs {
  float* sequence = nullptr;  ///< [batch, time, units]
  float* last = nullptr;      ///< [batch, units]
  /// Whether places of masked steps in the sequence stay as they are: nobody reads them.
  bool own_steps_only = false;
};

struct RnnOutputGradients {
  const float* sequence = nullptr;    ///< RnnOutputs::sequence; must be there
  const float* d_sequence = nullptr;  ///< null: zero
  const float* d_last = nullptr;      ///< null: zero
};

/// Null: not wanted.
struct RnnGradients {
  float* dx = nullptr;      ///< like x; not with kLookup
  float* dw = nullptr;      ///< like w; with kFeatures
  float* dtable = nullptr;  ///< like table; with kLookup
  float* du = nullptr;      ///< [units, units]
  float* db = nullptr;      ///< [units]
  float* dh0 = nullptr;     ///< [batch, units]
};

/// How one recurrence is computed on the target in use when it is made.
struct RnnPlan {
  RnnSizes sizes;
  int64_t lanes = 0;          ///< floats in a vector
  int64_t width = 0;          ///< units, padded to whole vectors
  bool in_registers = false;  ///< a state is one vector: rnn_registers-inl.h
  int64_t chunk = 0;          ///< steps that are prepared at a time
  int64_t group = 0;          ///< samples that go through time together
  int64_t groups = 0;
  int64_t forward_tasks = 0;  ///< at most kMaxRnnTasks
  /// Fewer where adding their sums weighs much next to the steps that they take.
  int64_t backward_tasks = 0;
  /// Whether tasks sum gradients of the table, or leave those of its rows to a pass of their own.
  bool sums_table = false;
  RecurrencePlan rows;  ///< ordered: what a RowOrder reads

  int64_t first_group(int64_t task, int64_t tasks) const { return task * groups / tasks; }
  int64_t teams() const { return (backward_tasks + kRnnTeam - 1) / kRnnTeam; }
  /// Rows of `width` that hold a task's sums: of u, b, w and, if it sums that, the table.
  int64_t sum_rows() const {
    return sizes.units + 1 + sizes.features + (sums_table ? sizes.rows : 0);
  }
};

RnnPlan MakeRnnPlan(const RnnSizes& sizes);
/// Whether a state of so many units is one vector on the target in use.
bool RnnFitsRegisters(int64_t units);

/// In bytes, for 64-byte aligned memory.
int64_t RnnForwardScratch(const RnnPlan& plan);
int64_t RnnBackwardScratch(const RnnPlan& plan);

void RnnForward(const RnnPlan& plan, const RnnOperands& operands, const RnnOutputs& outputs,
                void* scratch, kernels::ThreadPool& pool);
void RnnBackward(const RnnPlan& plan, const RnnOperands& operands,
                 const RnnOutputGradients& incoming, const RnnGradients& gradients, void* scratch,
                 kernels::ThreadPool& pool);

/// "simd rnn AVX2: state of 8 lanes in registers".
std::string DescribeRnn(const RnnPlan& plan);

}  // namespace seqgraph::kernels
