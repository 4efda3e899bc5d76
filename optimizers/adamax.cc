#include "optimizers/adamax.h"

#include "optimizers/formula.h"

namespace seqgraph {
namespace {

std::vector<SlotGroup> Slots(const Adamax&) {
  return {{{.name = "momentum", .keras2 = {"m"}}, {.name = "norm", .keras2 = {"u", "v"}}}};
}

void Update(const Adamax& adamax, OptimizerStep& step) {
  const Expr rest = 1 - Power(adamax.beta_1, step.StepNumber());
  step.ForEachWeight([&](WeightStep& each) {
    const Expr old_m = each.slot("momentum");
    const Expr m = old_m + (1 - adamax.beta_1) * (each.g - old_m);
    const Expr u = Max(adamax.beta_2 * each.slot("norm"), Abs(each.g));
    each.SetSlot("momentum", m);
    each.SetSlot("norm", u);
    each.SetWeight(each.w - step.rate() * m / (rest * (u + adamax.epsilon)));
  });
}

}  // namespace

const OptimizerDef& Adamax::Def() {
  static const auto* const def = new OptimizerDef(DefineOptimizer<Adamax>(
      "Adamax",
      "m' = m + (1 - beta_1) (g - m), u' = max(beta_2 u, |g|), w' = w - lr m' / ((1 - beta_1^t) "
      "(u' + epsilon)) in step t. Kingma and Ba 2015, section 7.",
      Slots, Update));
  return *def;
}

template Optimizer::Optimizer(const Adamax&);

}  // namespace seqgraph
