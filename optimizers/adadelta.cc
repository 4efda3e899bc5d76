#include "optimizers/adadelta.h"

#include "optimizers/formula.h"

namespace seqgraph {
namespace {

std::vector<SlotGroup> Slots(const Adadelta&) {
  return {{{.name = "accumulated_grad", .keras2 = {"accumulated_grad", "accum_grad"}},
           {.name = "accumulated_delta_var", .keras2 = {"accumulated_delta_var", "accum_var"}}}};
}

void Update(const Adadelta& adadelta, OptimizerStep& step) {
  const double rho = adadelta.rho, epsilon = adadelta.epsilon;
  step.ForEachWeight([&](WeightStep& each) {
    const Expr a = rho * each.slot("accumulated_grad") + (1 - rho) * Square(each.g);
    const Expr d = each.slot("accumulated_delta_var");
    const Expr delta = Sqrt(d + epsilon) * each.g / Sqrt(a + epsilon);
    each.SetSlot("accumulated_grad", a);
    each.SetSlot("accumulated_delta_var", rho * d + (1 - rho) * Square(delta));
    each.SetWeight(each.w - step.rate() * delta);
  });
}

}  // namespace

const OptimizerDef& Adadelta::Def() {
  static const auto* const def = new OptimizerDef(DefineOptimizer<Adadelta>(
      "Adadelta",
      "a' = rho a + (1 - rho) g^2, s = sqrt(d + epsilon) g / sqrt(a' + epsilon), d' = rho d + "
      "(1 - rho) s^2, w' = w - lr s. Zeiler 2012.",
      Slots, Update));
  return *def;
}

template Optimizer::Optimizer(const Adadelta&);

}  // namespace seqgraph
