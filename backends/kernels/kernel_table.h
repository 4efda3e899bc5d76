#ifndef SEQGRAPH_BACKENDS_KERNELS_KERNEL_TABLE_H_
#define SEQGRAPH_BACKENDS_KERNELS_KERNEL_TABLE_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "backends/kernels/kernel.h"
#include "graph/op_def.h"

namespace seqgraph::kernels {

/// What every row of a table of kernels begins with. A backend adds what its makers need:
///
///   struct KernelDef : kernels::KernelRow { MadeKernel (*make)(KernelContext& context); };
struct KernelRow {
  const char* op;
  int op_version;
  Claim (*claim)(const NodeContext& context);
};

/// A maker that backends share, as the `make` of a row that takes a context of the backend's own.
template <absl::StatusOr<std::unique_ptr<Kernel>> (*kMake)(const NodeContext&), typename Context>
absl::StatusOr<std::unique_ptr<Kernel>> Shared(Context& context) {
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
    choice.claim = ClaimFloat32(context);
    if (choice.claim.claimed()) choice.claim = row.claim(context);
    if (!choice.claim.claimed()) continue;
    choice.def = &row;
    return choice;
  }
  return choice;
}

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_KERNEL_TABLE_H_
