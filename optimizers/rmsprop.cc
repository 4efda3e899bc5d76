#include "optimizers/rmsprop.h"

#include "ops/rmsprop_update.h"
#include "optimizers/formula.h"

namespace seqgraph {
namespace {

std::vector<SlotGroup> Slots(const RMSProp& rmsprop) {
  std::vector<SlotGroup> slots = {{{.name = "velocity", .keras2 = {"velocity", "rms"}}}};
  if (rmsprop.momentum > 0) slots.push_back({{.name = "momentum"}});
  if (rmsprop.centered) {
    slots.push_back({{.name = "average_gradient", .keras2 = {"average_gradient", "mg"}}});
  }
  return slots;
}

void Update(const RMSProp& rmsprop, OptimizerStep& step) {
  FunctionBuilder& g = step.builder();
  step.ForEachWeight([&](WeightStep& each) {
    const auto next = ops::RMSPropUpdate(g, each.w.value, each.g.value, step.rate().value,
                                         each.slot("velocity").value,
                                         {.m = each.slot("momentum").value,
                                          .a = each.slot("average_gradient").value,
                                          .rho = rmsprop.rho,
                                          .momentum = rmsprop.momentum,
                                          .epsilon = rmsprop.epsilon,
                                          .centered = rmsprop.centered,
                                          .name = each.name});
    each.SetWeight({&g, next.new_w});
    each.SetSlot("velocity", {&g, next.new_v});
    each.SetSlot("momentum", {&g, next.new_m});
    each.SetSlot("average_gradient", {&g, next.new_a});
  });
}

}  // namespace

const OptimizerDef& RMSProp::Def() {
  static const auto* const def = [] {
    auto* def = new OptimizerDef(DefineOptimizer<RMSProp>(
        "RMSprop",
        "v' = rho v + (1 - rho) g^2, d = v', w' = w - lr g / sqrt(d + epsilon). Centered: a' = rho "
        "a + (1 - rho) g, d = v' - a'^2. With momentum mu: m' = mu m + lr g / sqrt(d + epsilon), "
        "w' = w - m'. Tieleman and Hinton 2012; Graves 2013.",
        Slots, Update));
    def->update_op = "RMSPropUpdate";
    return def;
  }();
  return *def;
}

template Optimizer::Optimizer(const RMSProp&);

}  // namespace seqgraph
