#pragma once

// What a backend is made of that chooses a kernel for each node from a table.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "backends/kernels/kernel.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/target.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "runtime/backend.h"

namespace seqgraph::kernels {

/// One row of a table of kernels, whose makers take a context of the backend's own.
template <typename Context>
struct KernelRow {
  const char* op;
  int op_version;
  Claim (*claim)(const NodeContext& context);
  MadeKernel (*make)(Context& context);
};

/// A maker that backends share, as the `make` of such a row.
template <MadeKernel (*kMake)(const KernelContext&), typename Context>
MadeKernel Shared(Context& context) {
  return kMake(context);
}

/// A row that takes the node, and how; if by definition, the reason why no other does.
template <typename Row>
struct KernelChoice {
  const Row* def = nullptr;
  Claim claim;
};

/// What takes any node: the computation of its op's definition.
template <typename Row>
inline constexpr Row kByDefinition = {"", 0, ClaimAnyType, Shared<MakeByDefinition>};

/// The first row of the table, which is in order of preference, that claims the node; else
/// kByDefinition, with the reason of the last row for the op.
template <typename Row>
KernelChoice<Row> ChooseKernel(absl::Span<const Row> table, const NodeContext& context) {
  const OpDef& op = *context.node().op;
  const int version = NodeVersion(context.node());
  KernelChoice<Row> choice;
  choice.claim.text = absl::StrCat("no kernel for ", op.name(), " version ", version);
  for (const Row& row : table) {
    // A kernel that knows an older version takes the nodes that use nothing newer.
    if (row.op != op.name() || row.op_version < version) continue;
    choice.claim = row.claim == ClaimAnyType ? Claim::Yes() : ClaimFloat32(context);
    if (choice.claim.claimed()) choice.claim = row.claim(context);
    if (!choice.claim.claimed()) continue;
    choice.def = &row;
    return choice;
  }
  choice.claim.reason = ClaimReason::kByDefinition;
  choice.def = &kByDefinition<Row>;
  return choice;
}

/// For each node of a function the row that was chosen for it; null: another backend's.
template <typename Row>
using ChosenRows = std::vector<const Row*>;

/// Backend::ClaimFunction of a backend that is a table of kernels: asks for every node as if all
/// that it can run were its own, and leaves the rows in FunctionClaim::choice. Refuses every node
/// where the vector code cannot run (target.h).
template <typename Row>
FunctionClaim ClaimByTable(absl::Span<const Row> table, const Function& function) {
  if (const absl::Status status = TargetStatus(); !status.ok()) {
    return ClaimEach(function, [&status](int) {
      return Claim::No(ClaimReason::kUnknownOp, std::string(status.message()));
    });
  }
  auto rows = std::make_shared<ChosenRows<Row>>();
  FunctionClaim claim = ClaimEach(function, [&](int node) {
    KernelChoice<Row> choice = ChooseKernel(table, NodeContext(function, node, /*mine=*/{}));
    rows->push_back(choice.def);
    return std::move(choice.claim);
  });
  claim.choice = std::move(rows);
  return claim;
}
/// For each node of the request's function whether it is to run here.
inline std::vector<bool> RequestedNodes(const ProgramRequest& request) {
  std::vector<bool> mine(request.function->nodes().size(), false);
  for (const int n : request.nodes) mine[n] = true;
  return mine;
}

/// For each node of the request its row. Those of the claim, if the backend got all that it
/// claimed; otherwise they are chosen again, for a kernel may need a node that is now another
/// backend's.
template <typename Row>
absl::StatusOr<ChosenRows<Row>> RowsFor(absl::Span<const Row> table, const ProgramRequest& request,
                                        const std::vector<bool>& mine) {
  SEQ_RETURN_IF_ERROR(TargetStatus());
  const auto* chosen = static_cast<const ChosenRows<Row>*>(request.claim->choice.get());
  bool complete = chosen != nullptr;
  for (size_t n = 0; complete && n < mine.size(); ++n) {
    complete = mine[n] == ((*chosen)[n] != nullptr);
  }
  if (complete) return *chosen;
  ChosenRows<Row> rows(mine.size(), nullptr);
  for (const int n : request.nodes) {
    rows[n] = ChooseKernel(table, NodeContext(*request.function, n, mine)).def;
  }
  return rows;
}

/// A program that is a kernel for each node.
class KernelProgram : public Program {
 public:
  /// Makes the kernels, in the order of the nodes; context_of(node) is what its maker sees.
  template <typename Row, typename ContextOf>
  absl::Status MakeKernels(const ProgramRequest& request, const ChosenRows<Row>& rows,
                           ContextOf context_of) {
    kernels_.resize(rows.size());
    for (const int n : request.nodes) {
      auto context = context_of(n);
      MadeKernel kernel = rows[n]->make(context);
      if (!kernel.ok()) {
        return Annotate(kernel.status(), absl::StrCat("node ", request.function->nodes()[n].name));
      }
      kernels_[n] = *std::move(kernel);
    }
    return absl::OkStatus();
  }

  std::string implementation(int node) const override { return kernels_[node]->implementation(); }
  int64_t scratch_bytes(int node) const override { return kernels_[node]->scratch_bytes(); }
  absl::Status Run(int node, const KernelArgs& args) override { return kernels_[node]->Run(args); }
  std::unique_ptr<BoundNode> Bind(int node, const KernelArgs& args) const override {
    return kernels_[node]->Bind(args);
  }

 private:
  std::vector<std::unique_ptr<Kernel>> kernels_;  // null: another backend's
};

}  // namespace seqgraph::kernels
