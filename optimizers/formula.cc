#include "optimizers/formula.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "graph/op_def.h"
#include "ops/cast.h"

namespace seqgraph {
namespace {

Value DeclareSlot(FunctionBuilder& g, std::string name, TensorType type, double initial) {
  const Initializer initializer =
      initial == 0 ? Initializer::Zeros() : Initializer::Constant(initial);
  return g.Variable({std::move(name), std::move(type), initializer, VariableRole::kOptimizer,
                     /*trainable=*/false});
}

std::string SharedVariable(const SlotDef& slot) { return absl::StrCat("optimizer/", slot.name); }

}  // namespace

WeightStep::WeightStep(FunctionBuilder& g, const VariableDef& weight, Value w, Value gradient,
                       const std::vector<SlotGroup>& slots)
    : w{&g, w}, g{&g, gradient}, name(absl::StrCat(weight.name, "/update")), weight_(weight) {
  for (const SlotGroup& group : slots) {
    for (const SlotDef& slot : group) {
      if (slot.shared || slot.idle) continue;
      slots_[slot.name] = DeclareSlot(g, VariableOf(slot.name), weight.type, slot.initial);
      names_.push_back(slot.name);
    }
  }
}

std::string WeightStep::VariableOf(absl::string_view slot) const {
  return absl::StrCat("optimizer/", weight_.name, "/", slot);
}

Expr WeightStep::slot(absl::string_view slot) const {
  const auto found = slots_.find(slot);
  return {g.g, found == slots_.end() ? Value{} : found->second};
}

void WeightStep::Store() const {
  FunctionBuilder& builder = *g.g;
  if (!builder.status().ok()) return;
  builder.Update(weight_.name, new_w_);
  for (const std::string& slot : names_) {
    const auto next = new_slots_.find(slot);
    if (next != new_slots_.end()) builder.Update(VariableOf(slot), next->second);
  }
}

Expr OptimizerStep::StepNumber() {
  if (!builder_.status().ok()) return rate();
  return Expr{&builder_, ops::Cast(builder_, iteration_, builder_.type(rate_).dtype, "")} + 1;
}

void OptimizerStep::UpdateByOp(absl::string_view op, const Attributes& hyperparameters,
                               const std::map<absl::string_view, absl::string_view>& slots) {
  const absl::StatusOr<const OpDef*> found = builder_.registry().Get(op);
  if (!found.ok()) return builder_.Fail(found.status());
  const OpDef& def = **found;
  ForEachWeight([&](WeightStep& each) {
    std::map<absl::string_view, Value> operands = {
        {"w", each.w.value}, {"g", each.g.value}, {"lr", rate_}, {"t", iteration_}};
    for (const auto& [input, slot] : slots) operands[input] = each.slot(slot).value;
    const std::vector<Value> outputs = builder_.AddNodeByNames(
        op, [&](absl::string_view input) { return operands.at(input); }, hyperparameters,
        each.name);
    each.SetWeight({&builder_, outputs[0]});
    for (size_t i = 1; i < outputs.size(); ++i) {
      const absl::string_view slot = absl::StripPrefix(def.outputs()[i].name, "new_");
      each.SetSlot(slots.at(slot), {&builder_, outputs[i]});
    }
  });
}

Expr OptimizerStep::Shared(const SlotDef& slot) {
  if (!builder_.status().ok()) return rate();
  return {&builder_,
          DeclareSlot(builder_, SharedVariable(slot), builder_.type(rate_), slot.initial)};
}

void OptimizerStep::SetShared(const SlotDef& slot, Expr next) {
  if (builder_.status().ok()) builder_.Update(SharedVariable(slot), next.value);
}

}  // namespace seqgraph
