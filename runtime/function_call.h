#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "runtime/backend.h"

namespace seqgraph {

/// Another caller of a compiled function (CompiledFunction::MakeCall): its weights, what follows
/// from them and its programs are shared, and only values and scratch are its own, so it is small,
/// and calls of one function may run on several threads at once. Made for functions that update
/// nothing. Run allocates nothing and takes no lock; memory has been touched when it is made.
class FunctionCall {
 public:
  FunctionCall(const FunctionCall&) = delete;
  FunctionCall& operator=(const FunctionCall&) = delete;
  ~FunctionCall();

  /// As of the compiled function: where the elements of input i are read and of result i are
  /// written. What is in an input stays there.
  void* input(int i) const { return inputs_[i]; }
  const void* result(int i) const { return results_[i]; }

  /// Runs all nodes that do not follow from variables alone, with denormals flushed. An error names
  /// the node.
  absl::Status Run();

  /// Of memory of its own.
  int64_t bytes() const;

 private:
  friend class CompiledFunction;
  FunctionCall() = default;

  struct Step {
    Program* program;
    int node;
    void* persistent;
    BoundNode* bound;  ///< of bound_; null: the program runs it
    // Places in pointers_ and versions_.
    size_t inputs, num_inputs, outputs, num_outputs;
  };

  KernelArgs ArgsOf(const Step& step) const;
  absl::Status NameNode(const absl::Status& status, int node) const;

  std::shared_ptr<const void> shared_;  ///< what must live as long as it
  const Function* function_ = nullptr;
  std::byte* memory_ = nullptr;
  int64_t memory_bytes_ = 0;
  void* scratch_ = nullptr;
  std::vector<Step> steps_;
  std::vector<std::unique_ptr<BoundNode>> bound_;
  std::vector<void*> pointers_;
  std::vector<uint64_t> versions_;  ///< of the inputs, at their places in pointers_
  std::vector<void*> inputs_;
  std::vector<const void*> results_;
};

}  // namespace seqgraph
