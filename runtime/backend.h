#pragma once

// What a backend implements. The host (runtime/compiled_function.h) binds the batch, rewrites the
// function, asks each backend in the user's order which nodes it claims, hands each backend the
// nodes that are its own, plans all memory, and then runs the nodes in order:
//
//   ClaimFunction(function)  for each node yes, or no with a reason. A claim is a promise.
//   Prepare(request)         everything that is fixed before the first call: kernels, packing,
//                            private layouts, scratch. Returns a Program.
//   Program::Run(node)       computes one node; allocates nothing.
//
// Backends know only graph/.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "runtime/claims.h"

namespace seqgraph {

struct BackendInfo {
  std::string name;         ///< as the --backend flag takes it
  std::string version;      ///< of the backend and of the library it stands on
  std::string description;  ///< one line; names the instruction set in use
};

/// What Program::Run gets for one node. The pointers of one node are the same in every call of one
/// program; contents change.
struct KernelArgs {
  /// One for each input of the op; null for an absent one. 64-byte aligned.
  absl::Span<const void* const> inputs;
  /// One for each output of the op; null for one that nobody uses. 64-byte aligned. May equal an
  /// input where the op declares the pair InPlace.
  absl::Span<void* const> outputs;
  /// For each input the version of the variable that it reads, or of what follows from variables
  /// alone and is kept between calls, so that packed copies do not go stale; 0 for any other input.
  absl::Span<const uint64_t> versions;
  /// Program::scratch_bytes(node) bytes, 64-byte aligned, contents undefined, shared between nodes.
  void* scratch = nullptr;
  /// Program::persistent_bytes() bytes, page aligned, zero before the first call, then the
  /// backend's own (workspaces that forward leaves for backward).
  void* persistent = nullptr;
};

/// A node with the arguments of all its calls.
class BoundNode {
 public:
  virtual ~BoundNode() = default;
  /// Program::Run.
  virtual absl::Status Run() = 0;
};

/// A value whose storage is the backend's own business: its layout and size.
struct OpaqueLayout {
  Value value;
  int64_t bytes = 0;
};

/// One backend's share of one compiled function. Used by one thread at a time, not always the one
/// that made it.
class Program {
 public:
  virtual ~Program() = default;

  /// Which implementation runs the node, for people: "rnn:ref (units 8 padded to 16)".
  virtual std::string implementation(int node) const = 0;
  /// Of KernelArgs::scratch; -1: the node allocates itself, and how much is unknown.
  virtual int64_t scratch_bytes(int node) const { return (void)node, 0; }
  virtual int64_t persistent_bytes() const { return 0; }
  /// Values that may be private (see ProgramRequest) and that this program stores in a layout of
  /// its own: the host gives them that many bytes instead of the type's.
  virtual std::vector<OpaqueLayout> opaque_layouts() const { return {}; }

  /// Whether several threads may run it at once, each with memory of its own for values and scratch
  /// but one and the same persistent, after a first call has filled that. Begin and End then do
  /// nothing, and are not called.
  virtual bool is_shareable() const { return false; }
  /// Of such a program, the node with arguments that outlive it, for many calls: what follows from
  /// pointers and versions is then done once. Each argument begins at, and goes on to, a multiple
  /// of kBufferAlignment bytes; what lies behind its elements means nothing, and may be written.
  /// Null: Run is as good.
  virtual std::unique_ptr<BoundNode> Bind(int node, const KernelArgs& args) const {
    return (void)node, (void)args, nullptr;
  }

  /// Called once before the first node of a call and once after the last, in the thread that runs.
  /// End follows every Begin that was OK, also when a node fails.
  virtual absl::Status Begin() { return absl::OkStatus(); }
  virtual void End() {}

  /// Computes the node (an index into the function's nodes, one of those requested).
  virtual absl::Status Run(int node, const KernelArgs& args) = 0;
};

struct ProgramRequest {
  /// Static shapes. Outlives the program.
  const Function* function = nullptr;
  /// The nodes to run here, ascending. All claimed.
  absl::Span<const int> nodes;
  /// For each value of the function: true if it is computed and read by `nodes` only, and is
  /// neither result nor update, so that its storage may be private.
  std::vector<bool> may_be_opaque;
  int threads = 1;
  /// This backend's ClaimFunction of the function. `nodes` may be fewer than it claims.
  const FunctionClaim* claim = nullptr;
};

/// A setting that a backend brings with it. It holds for all that the backend runs from then on in
/// this process and in those that it starts.
struct BackendSetting {
  std::string name;         ///< "target": a command line has it as --simd_target
  std::string placeholder;  ///< for its value: "NAME"
  std::string help;
  std::function<absl::Status(const std::string& value)> set;  ///< an error says what was expected
};

/// Implementations are stateless and may be used by many threads.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual const BackendInfo& info() const = 0;
  /// Which nodes of `function`, whose shapes are static, can run here. Asked once for each function
  /// that is compiled or tried by a pass; the answer comes back in Prepare.
  virtual FunctionClaim ClaimFunction(const Function& function) const = 0;
  virtual absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const = 0;
  virtual std::vector<BackendSetting> settings() const { return {}; }
};

}  // namespace seqgraph
