#ifndef SEQGRAPH_BACKENDS_KERNELS_KERNEL_TABLE_H_
#define SEQGRAPH_BACKENDS_KERNELS_KERNEL_TABLE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "backends/kernels/kernel.h"
#include "backends/kernels/target.h"
#include "graph/op_def.h"

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

/// A row that takes the node, or the reason why none does.
template <typename Row>
struct KernelChoice {
  const Row* def = nullptr;
  Claim claim;
};

/// The first row of the table, which is in order of preference, that claims the node. The reason is
/// that of the last row for the op.
template <typename Row>
KernelChoice<Row> ChooseKernel(absl::Span<const Row> table, const NodeContext& context) {
  const OpDef& op = *context.node().op;
  const int version = NodeVersion(context.node());
  KernelChoice<Row> choice;
  choice.claim = Claim::No(ClaimReason::kUnknownOp,
                           absl::StrCat("no kernel for ", op.name(), " version ", version));
  for (const Row& row : table) {
    // A kernel that knows an older version takes the nodes that use nothing newer.
    if (row.op != op.name() || row.op_version < version) continue;
    choice.claim = row.claim == ClaimAnyType ? Claim::Yes() : ClaimFloat32(context);
    if (choice.claim.claimed()) choice.claim = row.claim(context);
    if (!choice.claim.claimed()) continue;
    choice.def = &row;
    return choice;
  }
  return choice;
}

/// For each node of a function the row that was chosen for it; null: none.
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
}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_KERNEL_TABLE_H_
