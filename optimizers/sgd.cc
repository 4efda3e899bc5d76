#include "optimizers/sgd.h"

#include "ops/sgd_update.h"
#include "optimizers/formula.h"

namespace seqgraph {
namespace {

std::vector<SlotGroup> Slots(const SGD& sgd) {
  return {{{.name = "momentum", .idle = sgd.momentum == 0, .keras2 = {"m"}}}};
}

void Update(const SGD& sgd, OptimizerStep& step) {
  step.ForEachWeight([&](WeightStep& each) {
    const auto next = ops::SGDUpdate(step.builder(), each.w.value, each.g.value, step.rate().value,
                                     {.m = each.slot("momentum").value,
                                      .momentum = sgd.momentum,
                                      .nesterov = sgd.nesterov,
                                      .name = each.name});
    each.SetWeight({&step.builder(), next.new_w});
    each.SetSlot("momentum", {&step.builder(), next.new_m});
  });
}

}  // namespace

const OptimizerDef& SGD::Def() {
  static const auto* const def = [] {
    auto* def = new OptimizerDef(DefineOptimizer<SGD>(
        "SGD",
        "w' = w - lr g; with momentum mu: m' = mu m - lr g, w' = w + m', and with nesterov w' = w "
        "+ mu m' - lr g. Sutskever et al. 2013.",
        Slots, Update));
    def->update_op = "SGDUpdate";
    return def;
  }();
  return *def;
}

template Optimizer::Optimizer(const SGD&);

}  // namespace seqgraph
