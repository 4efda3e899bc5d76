#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/backend.h"

namespace seqgraph {

/// One byte that a node writes, after it has computed, into or around one of its buffers.
struct StrayWrite {
  enum class Buffer { kOutput, kInput, kScratch, kPersistent };
  Buffer buffer = Buffer::kOutput;
  int index = 0;       ///< which output or input
  int64_t offset = 0;  ///< from the begin of the buffer
};

/// What a FakeBackend does beyond computing: how it refuses, fails and stores.
struct FakeBehavior {
  std::string name = "fake";
  std::map<std::string, Claim> refusals;         ///< by op
  std::map<std::string, absl::Status> failures;  ///< by node: what Run returns, computing nothing
  std::map<std::string, StrayWrite> stray;       ///< by node
  absl::Status prepare;
  absl::Status begin;
  int64_t scratch_bytes = 0;
  int64_t persistent_bytes = 0;
  std::map<std::string, double> delays;  ///< by op: seconds that it takes longer
  /// Stores all values that may be private backwards, behind a header of 64 bytes.
  bool opaque_layouts = false;
  bool shareable = false;  ///< Program::is_shareable
  /// Asks for this private storage as well, whether it may or not.
  std::vector<OpaqueLayout> demanded;
};

/// What happened to the programs of a FakeBackend, in order.
struct FakeLog {
  std::vector<std::string> events;  ///< "begin", "run NODE", "end"
  /// For each run what the node was given.
  std::vector<std::vector<uint64_t>> versions;
  std::vector<std::vector<const void*>> inputs;
  std::vector<std::vector<void*>> outputs;
  std::vector<int64_t>
      persistent;  ///< a counter kept in the persistent memory, before its increment
  std::vector<const void*> scratch;
  std::vector<std::string> opaque_values;
  std::vector<std::string> may_be_opaque;
};

/// A backend for tests: computes with the ops' own reference functions and logs what the host does.
/// `log` must outlive it and may be null.
class FakeBackend : public Backend {
 public:
  explicit FakeBackend(FakeBehavior behavior, FakeLog* log = nullptr);

  const BackendInfo& info() const override { return info_; }
  FunctionClaim ClaimFunction(const Function& function) const override;
  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override;

 private:
  FakeBehavior behavior_;
  FakeLog* log_;
  BackendInfo info_;
};

}  // namespace seqgraph
