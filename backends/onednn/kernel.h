#pragma once

// What a kernel of this backend sees while it is made, beyond what backends share: layouts, and the
// pairs of forward and backward nodes. The one list of kernels is in kernels.cc.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "backends/kernels/kernel.h"
#include "backends/kernels/kernel_table.h"
#include "backends/kernels/thread_pool.h"

namespace seqgraph::onednn {

struct RnnPair;  // rnn_cell.h

/// How a value [batch, time, width] is stored: dense and batch-major as everywhere, or, if only
/// kernels of this backend see it, time-major [time, batch, row_width] with rows that may be wider.
struct Layout {
  int64_t row_width = 0;  ///< 0: dense and batch-major

  bool time_major() const { return row_width > 0; }
};

using kernels::ClaimAlways;
using kernels::FloatsAt;
using kernels::In;
using kernels::Kernel;
using kernels::MadeKernel;
using kernels::NodeContext;
using kernels::Out;

/// What all nodes of one program share while it is made.
struct ProgramPlan : kernels::ProgramResources {
  std::vector<Layout> layouts;  ///< one for each value
  int threads = 1;              ///< of oneDNN
  /// The recurrences whose gradient is in the program too, on oneDNN's primitive: by the index of
  /// the forward node.
  std::map<int, std::shared_ptr<RnnPair>> rnn_pairs;
};

/// What the maker of a kernel sees.
class KernelContext : public kernels::KernelContext {
 public:
  KernelContext(const NodeContext& node, ProgramPlan& plan)
      : kernels::KernelContext(node, plan), plan_(plan) {}

  Layout input_layout(int i) const { return plan_.layouts[node().inputs[i].index]; }
  Layout output_layout(int i) const { return plan_.layouts[node().outputs[i].index]; }
  int threads() const { return plan_.threads; }
  std::map<int, std::shared_ptr<RnnPair>>& rnn_pairs() { return plan_.rnn_pairs; }

 private:
  ProgramPlan& plan_;
};

/// The names of a node's inputs, and that of its output, that may be time-major.
struct TimeMajorOperands {
  std::array<const char*, 3> inputs = {};
  const char* output = nullptr;
};

/// One row of the kernel table.
struct KernelDef : kernels::KernelRow<KernelContext> {
  TimeMajorOperands time_major = {};
  /// The row width in which the kernel writes a time-major output. `layouts` holds those of all
  /// values computed before.
  int64_t (*row_width)(const NodeContext& context, const std::vector<Layout>& layouts) = nullptr;
};

/// All kernels, in order of preference among those of one op.
absl::Span<const KernelDef> Kernels();

}  // namespace seqgraph::onednn
