#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "runtime/backend.h"

namespace seqgraph {

struct CompiledStep;  // runtime/compiled_function_impl.h

/// A result that is an input of the next call.
struct CarriedValue {
  int input = 0;   ///< index into Function::inputs
  int result = 0;  ///< index into Function::results
};

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
  /// written. What is in an input stays there. The places of carried values change places in each
  /// Run that ends well, all others stay the same.
  void* input(int i) const { return inputs_[i]; }
  const void* result(int i) const { return results_[i]; }
  /// Whether Run makes a result the content of input i.
  bool carries(int i) const;

  /// Runs all nodes that do not follow from variables alone, with denormals flushed. An error names
  /// the node, and leaves all inputs as they were.
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
    // Places in the pointers of a turn, and in versions_.
    size_t inputs, num_inputs, outputs, num_outputs;
  };
  // Every other call is of the other turn, which has the carried values the other way round.
  struct Turn {
    std::vector<void*> pointers;
    std::vector<std::unique_ptr<BoundNode>> bound;  ///< of each step
  };

  // Where a value is in a turn; the pointer is that of the compiled function.
  using PlaceOf = absl::FunctionRef<void*(size_t turn, Value value, const void* pointer)>;

  absl::Status Allocate(const Function& function, int64_t bytes);
  void AddStep(const CompiledStep& step, PlaceOf place);
  void BindNodes();
  KernelArgs ArgsOf(const Step& step, const Turn& turn) const;
  absl::Status NameNode(const absl::Status& status, int64_t step) const;

  std::shared_ptr<const void> shared_;  ///< what must live as long as it
  const Function* function_ = nullptr;
  std::byte* memory_ = nullptr;
  int64_t memory_bytes_ = 0;
  void* scratch_ = nullptr;
  std::vector<Step> steps_;
  std::vector<uint64_t> versions_;  ///< of the inputs, at their places in pointers
  std::vector<CarriedValue> carried_;
  std::vector<Turn> turns_;  ///< two if values are carried, otherwise one
  const Turn* now_ = nullptr;
  std::vector<void*> inputs_;
  std::vector<const void*> results_;
};

}  // namespace seqgraph
