#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/function.h"
#include "graph/model.h"
#include "graph/op_registry.h"
#include "graph/pass.h"
#include "graph/tensor.h"
#include "runtime/backend.h"
#include "runtime/buffer_guards.h"
#include "runtime/function_call.h"
#include "runtime/memory_plan.h"
#include "runtime/node_assignment.h"
#include "runtime/storage_plan.h"

namespace seqgraph {

class Trace;  // base/trace.h

struct CompileOptions {
  /// In order of preference. A node that none claims is an error that lists every such node with
  /// each backend's reason.
  std::vector<const Backend*> backends;
  /// Nodes that go elsewhere than the order of `backends` says, if that backend claims them.
  BackendPreferences preferences;
  /// The number that the symbolic batch stands for.
  int64_t batch = 1;
  int threads = 1;
  /// Run after the batch is bound, with these backends to claim what they make of the function.
  PassList passes;
  /// What MemoryUse::total() may be. Beyond it, or where a backend does not report its scratch,
  /// compiling fails before that memory is allocated: ResourceExhausted with the numbers. Absent:
  /// MemoryLimit() (base/memory_limit.h), and scratch that is not reported does not count.
  std::optional<int64_t> max_memory;
  /// Only to be looked at: no memory is allocated or limited, and what is compiled must not be run.
  bool plan_only = false;
  /// Looks for writes past a buffer: at least so many known bytes, at most kMaxGuardBytes, lie
  /// before and behind every value, scratch and persistent memory, and are looked at after every
  /// node. Variables are copied into guarded memory for the call, and back after it. Slower; counts
  /// as values, scratch and persistent in MemoryUse. 0: none.
  int64_t guard_bytes = 0;
  /// Where the phases of compiling are recorded; null: nowhere.
  Trace* trace = nullptr;
};

/// Which backend runs a node, and how.
struct NodeAssignment {
  std::string node;
  std::string op;
  std::string backend;
  std::string implementation;
  int64_t scratch_bytes = 0;  ///< -1: the backend does not report it
  std::vector<int> together;  ///< nodes of the function beside which it runs only
};

/// Sees every node of a call, for tools that compare backends. An error ends the call.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// The inputs are there; what is written into them now (not into private ones) the node reads.
  virtual absl::Status BeforeNode(int node, const KernelArgs& args) = 0;
  /// The outputs are there. An input may be gone: an output can lie in its memory.
  virtual absl::Status AfterNode(int node, const KernelArgs& args) = 0;
  /// True if it never writes into what a node reads. Nodes whose outputs are kept from an earlier
  /// call (CompiledFunction::constant_nodes) are then left out, as in a call that nobody sees, and
  /// only told to OnConstant; otherwise they run, and again in the next call.
  virtual bool OnlyLooks() const { return false; }
  virtual void OnConstant(int node) { (void)node; }
};

/// A function made ready for one batch size on chosen backends, bound to the variables of a store.
/// A call allocates nothing of ours. Not for two threads at once; any one thread at a time may call
/// it. The store must outlive it.
class CompiledFunction {
 public:
  static absl::StatusOr<std::unique_ptr<CompiledFunction>> Compile(const Function& function,
                                                                   const OpRegistry& registry,
                                                                   VariableStore* variables,
                                                                   const CompileOptions& options);
  ~CompiledFunction();
  CompiledFunction(const CompiledFunction&) = delete;
  CompiledFunction& operator=(const CompiledFunction&) = delete;

  /// The function that runs: bound, and as the passes have left it.
  const Function& function() const;
  int64_t batch() const;

  /// Memory of input i (in the order of the function's inputs): write the elements there before
  /// Run. Its type is function().type(function().inputs()[i]).
  void* input(int i);
  /// Memory of result i: holds the elements after Run, until the next Run.
  const void* result(int i) const;
  /// -1 if there is none of that name.
  int FindInput(absl::string_view name) const;
  int FindResult(absl::string_view name) const;
  /// Copies a tensor of the input's type in; InvalidArgument if it has another, or if there is no
  /// input i.
  absl::Status SetInput(int i, const Tensor& tensor);
  /// A copy of result i.
  Tensor Result(int i) const;

  /// Runs all nodes with denormals flushed (restored afterwards), then stores the updates. If a
  /// node fails, no variable has changed unless an update was written in place before; the error
  /// names function and node. With guards: DataLoss, also by buffer and byte, if one is damaged;
  /// then no variable has changed.
  absl::Status Run() { return Run(nullptr); }
  /// The same, seen by `observer` if it is not null.
  absl::Status Run(RunObserver* observer);

  /// A caller of its own memory, which may run at the same time as others; this one must not run
  /// any more, and variables must not change, while there are any. `carried` are carried where that
  /// costs no copy (FunctionCall::carries): not what a node does not compute, or two results are.
  /// Errors: FailedPrecondition before a first Run has succeeded, with guards, for a function with
  /// updates, and where a backend's program is for one thread at a time; ResourceExhausted without
  /// memory.
  absl::StatusOr<std::unique_ptr<FunctionCall>> MakeCall(
      absl::Span<const CarriedValue> carried = {}) const;

  /// In the order of function().nodes().
  const std::vector<NodeAssignment>& assignments() const;
  const MemoryUse& memory() const;
  /// The buffers of intermediate values, inputs and results, and for which nodes they live.
  const std::vector<ArenaBuffer>& buffers() const;
  /// How often each of CompileOptions::passes fired, in that order.
  const std::vector<RewriteCount>& passes() const;
  /// For each value of function(): true if a backend keeps it in a layout of its own, so that its
  /// memory does not hold the elements as its type says.
  const std::vector<bool>& opaque_values() const;
  /// For each node of function(): true if its outputs follow from variables alone that the function
  /// does not update. They are kept between calls, and the node runs only in the first one and
  /// after one of these variables has changed (Variable::version). With guards there is none.
  const std::vector<bool>& constant_nodes() const;
  /// With guards: what the last call damaged.
  const std::optional<GuardDamage>& damage() const;

 private:
  struct Impl;
  explicit CompiledFunction(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // calls share it
};

}  // namespace seqgraph
