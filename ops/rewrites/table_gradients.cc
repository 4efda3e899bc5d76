#include "ops/rewrites/table_gradients.h"

#include <algorithm>
#include <vector>

#include "graph/op_def.h"

namespace seqgraph::ops {

bool OnlyTableReads(const RewriteContext& c, const Node& lookup, Value dx) {
  if (c.Leaves(dx)) return false;
  const Function& f = c.source();
  const std::vector<int>& readers = c.Consumers(dx);
  return std::all_of(readers.begin(), readers.end(), [&](int n) {
    const Node& grad = f.nodes()[n];
    return grad.op->name() == "EmbeddingGrad" && grad.inputs[0] == lookup.inputs[0] &&
           f.type(grad.outputs[0]) == f.type(lookup.inputs[1]);
  });
}

void ReplaceTableGradients(RewriteContext& c, Value dx, Value dtable) {
  for (const int reader : c.Consumers(dx)) c.ReplaceLater(c.source().nodes()[reader], 0, dtable);
}

}  // namespace seqgraph::ops
