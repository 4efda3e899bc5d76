#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/trace.h"
#include "graph/cost.h"
#include "runtime/compiled_function.h"

namespace seqgraph {

/// What is known of a node before it runs.
struct ProfiledNode {
  std::string node;
  std::string op;
  std::string backend;
  std::string implementation;
  std::string shapes;  ///< "float32[64, 100, 16], float32[16, 8] -> float32[64, 8]"; used outputs
  OpCost cost;  ///< nothing where outputs are kept between calls (CompiledFunction::constant_nodes)
  int64_t live_bytes = 0;  ///< of values (CompiledFunction::buffers) while it runs
};

/// For each node the bytes of the values that live while it runs.
std::vector<int64_t> LiveBytes(const CompiledFunction& function);

/// One for each node, in their order.
std::vector<ProfiledNode> DescribeNodes(const CompiledFunction& function);

/// Times every node of every call, in nanoseconds of a trace; one that is left out, because its
/// outputs are kept from an earlier call, takes none. An error of a node ends the call; its
/// times are then incomplete.
class NodeTimer : public RunObserver {
 public:
  struct Times {
    int64_t begin_ns = 0;
    int64_t end_ns = 0;
  };
  explicit NodeTimer(const Trace& trace) : trace_(trace) {}

  /// Room for the nodes of a call, which then allocates nothing.
  void Reserve(size_t nodes) { times_.reserve(nodes); }
  void Clear() { times_.clear(); }
  /// Of the nodes of the calls since Clear, in their order.
  const std::vector<Times>& times() const { return times_; }

  absl::Status BeforeNode(int, const KernelArgs&) override {
    times_.push_back({trace_.Now(), 0});
    return absl::OkStatus();
  }
  absl::Status AfterNode(int, const KernelArgs&) override {
    times_.back().end_ns = trace_.Now();
    return absl::OkStatus();
  }
  bool OnlyLooks() const override { return true; }
  void OnConstant(int) override {
    const int64_t now = trace_.Now();
    times_.push_back({now, now});
  }

 private:
  const Trace& trace_;
  std::vector<Times> times_;
};

struct ProfileOptions {
  /// Calls of each function that are not recorded: they warm caches up, and start libraries.
  int64_t warm_up = 2;
  /// Calls of each function, after those, whose nodes are recorded.
  int64_t calls = 20;
};

/// A trace, and the nodes of some calls of each function. Calls are for one thread at a time.
class Profile {
 public:
  /// Times of nodes kept, over all functions: 100,000 calls of a small function.
  static constexpr size_t kMaxNodeTimes = 1'000'000;

  struct FunctionInfo {
    std::string name;
    int64_t batch = 1;
    std::vector<ProfiledNode> nodes;
    int64_t calls = 0;     ///< all of them
    int64_t recorded = 0;  ///< those below
  };
  struct Call {
    int function = 0;  ///< index into functions()
    int64_t begin_ns = 0;
    int64_t end_ns = 0;
    std::vector<NodeTimer::Times> nodes;
  };

  explicit Profile(const ProfileOptions& options = {}) : options_(options), timer_(trace_) {}

  Trace& trace() { return trace_; }
  const Trace& trace() const { return trace_; }

  /// Gives the number that Run knows the function by.
  int AddFunction(const CompiledFunction& function);
  /// Runs it, seen by the profile if it is the call's turn; otherwise at full speed.
  absl::Status Run(int number, CompiledFunction& function);

  const std::vector<FunctionInfo>& functions() const { return functions_; }
  const std::vector<Call>& calls() const { return calls_; }

 private:
  const ProfileOptions options_;
  Trace trace_;
  NodeTimer timer_;
  std::vector<FunctionInfo> functions_;
  std::vector<Call> calls_;
  size_t node_times_ = 0;
};

}  // namespace seqgraph
