#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guarded_buffer.h"
#include "graph/function.h"
#include "graph/tensor.h"
#include "runtime/backend.h"
#include "tools/conformance/verdict.h"

namespace seqgraph::conformance {

struct GuardedRunOptions {
  Guard guard = Guard::kCanary;
  /// Lets the backend store values that only its own nodes see in layouts of its own; otherwise
  /// every value is there to be looked at.
  bool allow_opaque = false;
  int threads = 1;
  /// Outputs and scratch hold this byte before each run.
  uint8_t fill = 0xFF;
  /// For each pair of a node's output and input that the op declares InPlace and whose types agree:
  /// one buffer for both, if nothing else reads or returns the input.
  bool in_place = false;
};

/// OK if all nodes are claimed. Unimplemented names the first that is not, and the reason; Internal
/// if that is a broken promise.
absl::Status CheckClaimed(const Function& function, const FunctionClaim& claim);

/// A function of static shapes run by one backend through its interface alone, in which every
/// buffer that it is handed (inputs, variables, outputs, scratch, persistent memory) stands for
/// itself between guards.
class GuardedRun {
 public:
  /// Claims every node, then prepares. A node that is not claimed: Unimplemented, with node and
  /// reason. Whatever goes wrong after the claims is the backend's broken promise: Internal.
  static absl::StatusOr<std::unique_ptr<GuardedRun>> Create(const Function& function,
                                                            const Backend& backend,
                                                            const GuardedRunOptions& options);

  const Function& function() const { return function_; }
  /// Contents of an input, or of a variable, whose version rises.
  absl::Status Set(const std::string& name, const Tensor& tensor);
  absl::Status SetAll(const std::map<std::string, Tensor>& contents);

  /// One call: all nodes, then the updates are stored. Counts it in the verdict, and looks at the
  /// guards and at inputs that must not have changed. The status is the backend's own.
  absl::Status Run(Verdict& verdict);

  /// The nodes once more on what is in memory: nothing is set or looked at. For timing.
  absl::Status RunNodes(Verdict& verdict);

  /// Null for a value that nobody uses or that is stored in a layout of the backend's own.
  std::vector<const Tensor*> Values();
  /// Results, and updates by variable.
  std::map<std::string, Tensor> Results();
  std::string implementation(int node) const { return program_->implementation(node); }
  bool shares_memory() const { return !shared_.empty(); }

 private:
  struct Step {
    std::vector<const void*> inputs;
    std::vector<void*> outputs;
    std::vector<uint64_t> versions;
  };

  GuardedRun() = default;
  absl::Status Prepare(const Backend& backend);
  absl::Status AllocateValues();
  absl::Status AllocateScratch();
  void ShareInPlace();
  void MakeSteps();
  void LookAtGuards(Verdict& verdict);
  void CheckUnchanged(Verdict& verdict);
  Tensor Read(Value value) const;
  bool IsShared(Value value) const { return shared_.count(value.index) != 0; }

  Function function_;
  GuardedRunOptions options_;
  FunctionClaim claim_;
  std::vector<bool> may_be_opaque_;
  std::vector<int> nodes_;  // the request's
  std::unique_ptr<Program> program_;
  std::vector<std::unique_ptr<GuardedBuffer>> buffers_;  // one for each value; null: none
  std::vector<bool> is_opaque_;
  std::map<int, int> shared_;  // output value -> input value whose buffer it has
  std::vector<std::unique_ptr<GuardedBuffer>> scratch_;  // one for each node
  std::unique_ptr<GuardedBuffer> persistent_;
  std::map<int, Tensor> contents_;  // of inputs and variables, for the next call
  std::map<int, Tensor> ran_with_;  // the same for the last call
  std::map<int, uint64_t> versions_;
  std::vector<Step> steps_;
  std::vector<Tensor> read_;  // what Values() points to
};

}  // namespace seqgraph::conformance
