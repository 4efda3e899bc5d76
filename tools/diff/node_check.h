#pragma once

// The two sides of a run in lock-step, as what sees each node of a call.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/compiled_function.h"
#include "tools/diff/lockstep.h"

namespace seqgraph::diff {

/// Keeps every value that the first backend computes.
class Recorder : public RunObserver {
 public:
  explicit Recorder(const CompiledFunction& compiled)
      : compiled_(compiled), values_(compiled.function().values().size()) {}

  absl::Status BeforeNode(int, const KernelArgs&) override { return absl::OkStatus(); }
  absl::Status AfterNode(int n, const KernelArgs& args) override;
  const std::optional<Tensor>& value(Value value) const { return values_[value.index]; }

 private:
  const CompiledFunction& compiled_;
  std::vector<std::optional<Tensor>> values_;
};

/// Compares each node of the second backend. What it finds goes to `result`; a fault ends the call
/// with Aborted.
class Checker : public RunObserver {
 public:
  Checker(const CompiledFunction& compiled, const Recorder& first, Mode mode,
          LockstepResult& result);

  void BeginStep(int64_t step);
  absl::Status BeforeNode(int n, const KernelArgs& args) override;
  absl::Status AfterNode(int n, const KernelArgs& args) override;

 private:
  // What a private value must be, as far as it can be known without seeing it.
  struct Shadow {
    Tensor exact;             // in double
    double epsilons = 0;      // how far it may be from the truth, relative to its largest element
    std::vector<int> makers;  // the nodes that it came through since the last value that was seen
  };
  // A value that has been seen, and where.
  struct Live {
    const void* address = nullptr;
    Tensor content;
  };

  // What later nodes read must be as it was: the node may write nothing but its outputs.
  void CheckLive(int n, const KernelArgs& args);
  bool IsOutput(int n, int v) const;
  // In double; private ones as their shadows, whose uncertainty and makers are gathered.
  OptionalTensors ExactInputs(const Node& node, double* inherited, std::vector<int>* group) const;
  void NoteGrowth(const Node& node, const OptionalTensors& inputs);
  void Check(int n, int output, const Tensor& actual, const Tensor& exact, const ErrorBound& bound,
             const std::vector<int>& group);

  const CompiledFunction& compiled_;
  const Recorder& first_;
  const Mode mode_;
  LockstepResult& result_;
  int64_t step_ = 0;
  OptionalTensors inputs_;
  std::map<int, Shadow> shadows_;
  std::vector<int> last_use_;  // for each value the last node that reads it, or -1
  std::map<int, Live> live_;
};

}  // namespace seqgraph::diff
