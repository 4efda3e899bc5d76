#include "backends/reference/reference_backend.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "runtime/node_by_definition.h"

namespace seqgraph {
namespace {

class ReferenceProgram : public Program {
 public:
  explicit ReferenceProgram(const ProgramRequest& request) {
    for (int n : request.nodes) nodes_.emplace(n, NodeByDefinition(*request.function, n));
  }

  std::string implementation(int node) const override {
    return absl::StrCat("reference ", DTypeName(nodes_.at(node).real()));
  }

  absl::Status Run(int node, const KernelArgs& args) override { return nodes_.at(node).Run(args); }

 private:
  absl::flat_hash_map<int, NodeByDefinition> nodes_;
};

class ReferenceBackend : public Backend {
 public:
  const BackendInfo& info() const override { return info_; }
  FunctionClaim ClaimFunction(const Function& function) const override {
    return ClaimEach(function, [](int) { return Claim::Yes(); });
  }
  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override {
    return std::make_unique<ReferenceProgram>(request);
  }

 private:
  BackendInfo info_{"reference", "1",
                    "naive loops, float32 and float64, one thread: the meaning of every op"};
};

}  // namespace

std::unique_ptr<Backend> MakeReferenceBackend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace seqgraph
