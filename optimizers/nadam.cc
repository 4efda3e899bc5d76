#include "optimizers/nadam.h"

#include "optimizers/formula.h"

namespace seqgraph {
namespace {

// The product of all momenta so far.
SlotDef UProduct() { return {.name = "u_product", .initial = 1, .shared = true}; }

std::vector<SlotGroup> Slots(const Nadam&) {
  return {{{.name = "momentum", .keras2 = {"m"}}, {.name = "velocity", .keras2 = {"v"}}},
          {UProduct()}};
}

void Update(const Nadam& nadam, OptimizerStep& step) {
  // The momentum of step t: beta_1 (1 - 0.96^t / 2).
  const auto momentum = [&](Expr t) { return nadam.beta_1 * (1 - 0.5 * Power(0.96, t)); };
  const Expr t = step.StepNumber();
  const Expr u = momentum(t), next_u = momentum(t + 1);
  const Expr product = step.Shared(UProduct()) * u;
  step.SetShared(UProduct(), product);
  const Expr rest_of_product = 1 - product, rest_of_next = 1 - product * next_u;
  const Expr rest_of_u = 1 - u, rest_of_beta_2 = 1 - Power(nadam.beta_2, t);
  step.ForEachWeight([&](WeightStep& each) {
    const Expr old_m = each.slot("momentum"), old_v = each.slot("velocity");
    const Expr m = old_m + (1 - nadam.beta_1) * (each.g - old_m);
    const Expr v = old_v + (1 - nadam.beta_2) * (Square(each.g) - old_v);
    const Expr ahead = next_u * m / rest_of_next + rest_of_u * each.g / rest_of_product;
    each.SetSlot("momentum", m);
    each.SetSlot("velocity", v);
    each.SetWeight(each.w - ahead * step.rate() / (Sqrt(v / rest_of_beta_2) + nadam.epsilon));
  });
}

}  // namespace

const OptimizerDef& Nadam::Def() {
  static const auto* const def = new OptimizerDef(DefineOptimizer<Nadam>(
      "Nadam",
      "m and v as in Adam; u(t) = beta_1 (1 - 0.96^t / 2), p' = p u(t); n = u(t+1) m' / (1 - p' "
      "u(t+1)) + (1 - u(t)) g / (1 - p'), w' = w - lr n / (sqrt(v' / (1 - beta_2^t)) + epsilon) in "
      "step t. Dozat 2016.",
      Slots, Update));
  return *def;
}

template Optimizer::Optimizer(const Nadam&);

}  // namespace seqgraph
