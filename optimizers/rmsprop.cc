#include "optimizers/rmsprop.h"

#include "optimizers/formula.h"

namespace seqgraph {
namespace {

constexpr char kRMSPropUpdate[] = "RMSPropUpdate";

std::vector<SlotGroup> Slots(const RMSProp& rmsprop) {
  std::vector<SlotGroup> slots = {{{.name = "velocity", .keras2 = {"velocity", "rms"}}}};
  if (rmsprop.momentum > 0) slots.push_back({{.name = "momentum"}});
  if (rmsprop.centered) {
    slots.push_back({{.name = "average_gradient", .keras2 = {"average_gradient", "mg"}}});
  }
  return slots;
}

void Update(const RMSProp& rmsprop, OptimizerStep& step) {
  step.UpdateByOp(kRMSPropUpdate, HyperparametersOf(rmsprop),
                  {{"v", "velocity"}, {"m", "momentum"}, {"a", "average_gradient"}});
}

}  // namespace

const OptimizerDef& RMSProp::Def() {
  static const auto* const def = new OptimizerDef(DefineOptimizer<RMSProp>(
      "RMSprop",
      "v' = rho v + (1 - rho) g^2, d = v', w' = w - lr g / sqrt(d + epsilon). Centered: a' = rho "
      "a + (1 - rho) g, d = v' - a'^2. With momentum mu: m' = mu m + lr g / sqrt(d + epsilon), "
      "w' = w - m'. Tieleman and Hinton 2012; Graves 2013.",
      Slots, Update, kRMSPropUpdate));
  return *def;
}

template Optimizer::Optimizer(const RMSProp&);

}  // namespace seqgraph
