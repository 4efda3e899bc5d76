#pragma once

// What a backend that runs a function node by node is made of: kernels, what they see of a node
// while they are chosen, and access to a call's arguments. Which kernels there are is each
// backend's own table (kernel_table.h).

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/kernels/thread_pool.h"
#include "graph/function.h"
#include "runtime/backend.h"

namespace seqgraph::kernels {

/// Computes one node, with everything fixed beforehand. Run allocates nothing.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// For people: "rnn:ref (units 8 padded to 16)".
  virtual std::string implementation() const = 0;
  virtual int64_t scratch_bytes() const { return 0; }
  virtual absl::Status Run(const KernelArgs& args) = 0;
  /// Program::Bind. The kernel outlives it.
  virtual std::unique_ptr<BoundNode> Bind(const KernelArgs& args) const {
    return (void)args, nullptr;
  }
};

using MadeKernel = absl::StatusOr<std::unique_ptr<Kernel>>;

/// A node that may or may not be taken, and which other nodes are the backend's own.
class NodeContext {
 public:
  /// `mine`: for each node whether it is the backend's; empty: all that it can run.
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

/// What the kernels of one program share; they may add to it while they are made.
struct ProgramResources {
  std::shared_ptr<ThreadPool> pool;
  int64_t persistent_bytes = 0;
  /// What a recurrence leaves for its gradient: offsets, by the index of the forward node.
  std::map<int, int64_t> workspaces;
  std::vector<bool> may_be_opaque;           ///< as in ProgramRequest
  std::vector<OpaqueLayout> opaque_layouts;  ///< of the program, as far as kernels choose them

  /// Page-aligned bytes of KernelArgs::persistent: their offset.
  int64_t TakePersistent(int64_t bytes) {
    const int64_t offset = persistent_bytes;
    persistent_bytes = offset + (bytes + 4095) / 4096 * 4096;
    return offset;
  }
};

/// What the maker of a kernel sees: a node, and what the program has.
class KernelContext : public NodeContext {
 public:
  KernelContext(const NodeContext& node, ProgramResources& program)
      : NodeContext(node), program_(program) {}

  ProgramResources& program() const { return program_; }
  /// Kernels may hold it; a kernel's work is the same bits for any number of threads.
  const std::shared_ptr<ThreadPool>& pool() const { return program_.pool; }

 private:
  ProgramResources& program_;
};

inline Claim ClaimAlways(const NodeContext&) { return Claim::Yes(); }
/// For a kernel that takes all element types of the op, where others are asked for float32 alone.
inline Claim ClaimAnyType(const NodeContext&) { return Claim::Yes(); }

/// Refuses a node with float64 among its inputs or outputs, or with integers where it may have any
/// number; int32 that an op only moves is as good as float32.
Claim ClaimFloat32(const NodeContext& context);

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

}  // namespace seqgraph::kernels
