#ifndef SEQGRAPH_BACKENDS_ONEDNN_KERNEL_H_
#define SEQGRAPH_BACKENDS_ONEDNN_KERNEL_H_

// What a kernel of this backend is made of. The one list of kernels is in kernels.cc.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "backends/backend.h"
#include "graph/function.h"

namespace seqgraph::onednn {

struct RnnPair;  // rnn_cell.h

/// How a value [batch, time, width] is stored: dense and batch-major as everywhere, or, if only
/// kernels of this backend see it, time-major [time, batch, row_width] with rows that may be wider.
struct Layout {
  int64_t row_width = 0;  ///< 0: dense and batch-major

  bool time_major() const { return row_width > 0; }
};

/// Computes one node, with everything fixed beforehand. Run allocates nothing.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// For people: "rnn:ref (units 8 padded to 16)".
  virtual std::string implementation() const = 0;
  virtual int64_t scratch_bytes() const { return 0; }
  virtual absl::Status Run(const KernelArgs& args) = 0;
};

/// A node that may or may not be taken, and which other nodes are this backend's.
class NodeContext {
 public:
  /// `mine`: for each node whether it is this backend's; empty: all that it can run.
  NodeContext(const Function& function, int node, const std::vector<bool>& mine)
      : function_(function), node_(node), mine_(mine) {}

  const Function& function() const { return function_; }
  int index() const { return node_; }
  const Node& node() const { return function_.nodes()[node_]; }
  bool has_input(int i) const { return node().inputs[i].present(); }
  const Shape& input_shape(int i) const { return function_.type(node().inputs[i]).shape; }
  const Shape& output_shape(int i) const { return function_.type(node().outputs[i]).shape; }
  int64_t input_size(int i) const { return input_shape(i).num_elements(); }
  int64_t output_size(int i) const { return output_shape(i).num_elements(); }
  const Attributes& attributes() const { return node().attributes; }
  bool IsMine(int node) const { return mine_.empty() || mine_[node]; }

 private:
  const Function& function_;
  const int node_;
  const std::vector<bool>& mine_;
};

/// What all nodes of one program share while it is made.
struct ProgramPlan {
  std::vector<Layout> layouts;  ///< one for each value
  int64_t persistent_bytes = 0;
  int threads = 1;
  /// The recurrences whose gradient is in the program too, by the index of the RNNCell node.
  std::map<int, std::shared_ptr<RnnPair>> rnn_pairs;
};

/// What the maker of a kernel sees.
class KernelContext : public NodeContext {
 public:
  KernelContext(const Function& function, int node, const std::vector<bool>& mine,
                ProgramPlan& plan)
      : NodeContext(function, node, mine), plan_(plan) {}

  Layout input_layout(int i) const { return plan_.layouts[node().inputs[i].index]; }
  Layout output_layout(int i) const { return plan_.layouts[node().outputs[i].index]; }
  int threads() const { return plan_.threads; }
  std::map<int, std::shared_ptr<RnnPair>>& rnn_pairs() { return plan_.rnn_pairs; }

  /// Page-aligned bytes of KernelArgs::persistent: their offset.
  int64_t TakePersistent(int64_t bytes) {
    const int64_t offset = plan_.persistent_bytes;
    plan_.persistent_bytes = offset + (bytes + 4095) / 4096 * 4096;
    return offset;
  }

 private:
  ProgramPlan& plan_;
};

/// One row of the kernel table.
struct KernelDef {
  const char* op;
  int op_version;
  Claim (*claim)(const NodeContext& context);
  absl::StatusOr<std::unique_ptr<Kernel>> (*make)(KernelContext& context);
  /// Bits of the inputs and outputs that may be time-major.
  uint32_t time_major_inputs = 0;
  uint32_t time_major_outputs = 0;
  /// The row width in which the kernel writes a time-major output. `layouts` holds those of all
  /// values computed before.
  int64_t (*row_width)(const NodeContext& context, const std::vector<Layout>& layouts) = nullptr;
};

inline Claim ClaimAlways(const NodeContext&) { return Claim::Yes(); }

template <typename T>
const T* In(const KernelArgs& args, int i) {
  return static_cast<const T*>(args.inputs[i]);
}
template <typename T>
T* Out(const KernelArgs& args, int i) {
  return static_cast<T*>(args.outputs[i]);
}

/// `offset` bytes into a region.
inline float* FloatsAt(void* region, int64_t offset) {
  return reinterpret_cast<float*>(static_cast<char*>(region) + offset);
}

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_KERNEL_H_
