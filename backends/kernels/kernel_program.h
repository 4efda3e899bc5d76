#ifndef SEQGRAPH_BACKENDS_KERNELS_KERNEL_PROGRAM_H_
#define SEQGRAPH_BACKENDS_KERNELS_KERNEL_PROGRAM_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "backends/kernels/kernel.h"
#include "backends/kernels/kernel_table.h"
#include "backends/kernels/target.h"
#include "base/status_macros.h"
#include "runtime/backend.h"

namespace seqgraph::kernels {

/// For each node of the request's function whether it is to run here.
inline std::vector<bool> RequestedNodes(const ProgramRequest& request) {
  std::vector<bool> mine(request.function->nodes().size(), false);
  for (const int n : request.nodes) mine[n] = true;
  return mine;
}

/// For each node of the request its row. Those of the claim, if the backend got all that it
/// claimed; otherwise they are chosen again, for a kernel may need a node that is now another
/// backend's. InvalidArgument for a node that no row takes then.
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
    const KernelChoice<Row> choice = ChooseKernel(table, NodeContext(*request.function, n, mine));
    if (choice.def == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("node ", request.function->nodes()[n].name,
                                                     " was not claimed: ", choice.claim.text));
    }
    rows[n] = choice.def;
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

 private:
  std::vector<std::unique_ptr<Kernel>> kernels_;  // null: another backend's
};

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_KERNEL_PROGRAM_H_
