#include "optimizers/adagrad.h"

#include "optimizers/formula.h"

namespace seqgraph {
namespace {

std::vector<SlotGroup> Slots(const Adagrad& adagrad) {
  return {{{.name = "accumulator", .initial = adagrad.initial_accumulator_value}}};
}

void Update(const Adagrad& adagrad, OptimizerStep& step) {
  step.ForEachWeight([&](WeightStep& each) {
    const Expr a = each.slot("accumulator") + Square(each.g);
    each.SetSlot("accumulator", a);
    each.SetWeight(each.w - step.rate() * each.g / Sqrt(a + adagrad.epsilon));
  });
}

}  // namespace

const OptimizerDef& Adagrad::Def() {
  static const auto* const def = new OptimizerDef(DefineOptimizer<Adagrad>(
      "Adagrad", "a' = a + g^2, w' = w - lr g / sqrt(a' + epsilon). Duchi, Hazan and Singer 2011.",
      Slots, Update));
  return *def;
}

template Optimizer::Optimizer(const Adagrad&);

}  // namespace seqgraph
