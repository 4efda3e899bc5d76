#include "optimizers/adam.h"

#include "optimizers/formula.h"

namespace seqgraph {
namespace {

constexpr char kAdamUpdate[] = "AdamUpdate";

std::vector<SlotGroup> Slots(const Adam& adam) {
  std::vector<SlotGroup> slots = {
      {{.name = "momentum", .keras2 = {"m"}}, {.name = "velocity", .keras2 = {"v"}}}};
  if (adam.amsgrad) slots.push_back({{.name = "velocity_hat", .keras2 = {"vhat"}}});
  return slots;
}

// The formula, as ops.
void UpdateWithMaximum(const Adam& adam, OptimizerStep& step) {
  const Expr t = step.StepNumber();
  const Expr alpha = step.rate() * Sqrt(1 - Power(adam.beta_2, t)) / (1 - Power(adam.beta_1, t));
  step.ForEachWeight([&](WeightStep& each) {
    const Expr old_m = each.slot("momentum"), old_v = each.slot("velocity");
    const Expr m = old_m + (1 - adam.beta_1) * (each.g - old_m);
    const Expr v = old_v + (1 - adam.beta_2) * (Square(each.g) - old_v);
    const Expr h = Max(each.slot("velocity_hat"), v);
    each.SetSlot("momentum", m);
    each.SetSlot("velocity", v);
    each.SetSlot("velocity_hat", h);
    each.SetWeight(each.w - m * alpha / (Sqrt(h) + adam.epsilon));
  });
}

void Update(const Adam& adam, OptimizerStep& step) {
  if (adam.amsgrad) return UpdateWithMaximum(adam, step);
  step.UpdateByOp(kAdamUpdate, HyperparametersOf(adam), {{"m", "momentum"}, {"v", "velocity"}});
}

}  // namespace

const OptimizerDef& Adam::Def() {
  static const auto* const def = new OptimizerDef(DefineOptimizer<Adam>(
      "Adam",
      "m' = m + (1 - beta_1) (g - m), v' = v + (1 - beta_2) (g^2 - v), w' = w - alpha m' / "
      "(sqrt(v') + epsilon) with alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t) in step t. "
      "Kingma and Ba 2015. With amsgrad: h' = max(h, v') for v' in w'. Reddi, Kale and Kumar "
      "2018.",
      Slots, Update, kAdamUpdate));
  return *def;
}

template Optimizer::Optimizer(const Adam&);

}  // namespace seqgraph
