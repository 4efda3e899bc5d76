#include "optimizers/sgd.h"

#include "optimizers/formula.h"

namespace seqgraph {
namespace {

constexpr char kSGDUpdate[] = "SGDUpdate";

std::vector<SlotGroup> Slots(const SGD& sgd) {
  return {{{.name = "momentum", .idle = sgd.momentum == 0, .keras2 = {"m"}}}};
}

void Update(const SGD& sgd, OptimizerStep& step) {
  step.UpdateByOp(kSGDUpdate, HyperparametersOf(sgd), {{"m", "momentum"}});
}

}  // namespace

const OptimizerDef& SGD::Def() {
  static const auto* const def = new OptimizerDef(DefineOptimizer<SGD>(
      "SGD",
      "w' = w - lr g; with momentum mu: m' = mu m - lr g, w' = w + m', and with nesterov w' = w "
      "+ mu m' - lr g. Sutskever et al. 2013.",
      Slots, Update, kSGDUpdate));
  return *def;
}

template Optimizer::Optimizer(const SGD&);

}  // namespace seqgraph
