#include "optimizers/adam.h"

#include "ops/adam_update.h"
#include "optimizers/formula.h"

namespace seqgraph {
namespace {

std::vector<SlotGroup> Slots(const Adam&) {
  return {{{.name = "momentum", .keras2 = {"m"}}, {.name = "velocity", .keras2 = {"v"}}}};
}

void Update(const Adam& adam, OptimizerStep& step) {
  FunctionBuilder& g = step.builder();
  step.ForEachWeight([&](WeightStep& each) {
    const auto next = ops::AdamUpdate(
        g, each.w.value, each.g.value, step.rate().value, step.iteration(),
        each.slot("momentum").value, each.slot("velocity").value,
        {.beta_1 = adam.beta_1, .beta_2 = adam.beta_2, .epsilon = adam.epsilon, .name = each.name});
    each.SetWeight({&g, next.new_w});
    each.SetSlot("momentum", {&g, next.new_m});
    each.SetSlot("velocity", {&g, next.new_v});
  });
}

}  // namespace

const OptimizerDef& Adam::Def() {
  static const auto* const def = [] {
    auto* def = new OptimizerDef(DefineOptimizer<Adam>(
        "Adam",
        "m' = m + (1 - beta_1) (g - m), v' = v + (1 - beta_2) (g^2 - v), w' = w - alpha m' / "
        "(sqrt(v') + epsilon) with alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t) in step t. "
        "Kingma and Ba 2015.",
        Slots, Update));
    def->update_op = "AdamUpdate";
    return def;
  }();
  return *def;
}

}  // namespace seqgraph
