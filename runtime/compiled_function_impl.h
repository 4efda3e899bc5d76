#pragma once

// What a compiled function is made of, for the files that implement it.

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "graph/model.h"
#include "graph/pass.h"
#include "runtime/backend.h"
#include "runtime/call_memory.h"
#include "runtime/compiled_function.h"
#include "runtime/node_assignment.h"

namespace seqgraph {

/// A node ready to run: its program and all pointers.
struct CompiledStep {
  int node = 0;
  Program* program = nullptr;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  std::vector<uint64_t> versions;
  void* scratch = nullptr;
  void* persistent = nullptr;
};

/// A variable that constant nodes depend on, and its version when they ran.
struct ConstantInput {
  const Variable* variable;
  uint64_t version;
};

/// A version that has to be fetched anew for each call.
struct VersionLink {
  uint64_t* target;
  const uint64_t* version;
};

/// The values that are carried, and for each value of the function its pair, or -1.
struct CarriedPairs {
  std::vector<CarriedValue> pairs;
  std::vector<int> pair_of;
};

struct CompiledFunction::Impl {
  explicit Impl(int64_t guard_bytes) : memory(function, variables, guard_bytes) {}

  Function function;
  int64_t batch = 0;
  std::vector<const Variable*> variables;  // as in function.variables()
  std::vector<std::unique_ptr<Program>> programs;
  CallMemory memory;
  std::vector<CompiledStep> steps;
  std::vector<VersionLink> version_links;
  std::vector<bool> constant;  // for each node
  std::vector<ConstantInput> constant_inputs;
  // Have been computed, and nothing but variables can have changed.
  bool constants_are_valid = false;
  uint64_t constants_version = 0;  // how often they have been computed
  std::vector<const Variable*> updated;
  std::vector<NodeAssignment> assignments;
  std::vector<RewriteCount> passes;
  std::vector<bool> is_opaque;  // for each value

  absl::Status BindVariables(VariableStore* store);
  absl::Status Prepare(const CompileOptions& options, std::vector<int>& program_of);
  void FindConstantNodes(const Assignment& assignment);
  absl::Status CheckMemory(const CompileOptions& options) const;
  void MakeSteps(absl::Span<const int> program_of);
  absl::Status RunSteps(RunObserver* observer);
  bool HasFreshConstants();
  absl::Status CheckShareable() const;
  CarriedPairs FindCarried(absl::Span<const CarriedValue> wanted) const;
  absl::Status RunNodes(RunObserver* observer);
  absl::Status RunStep(CompiledStep& step, RunObserver* observer);
};

}  // namespace seqgraph
