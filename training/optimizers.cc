#include "training/optimizers.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/gradient.h"
#include "graph/status_macros.h"

namespace seqgraph {
namespace {

constexpr char kIteration[] = "optimizer/iteration";
constexpr char kLearningRate[] = "optimizer/learning_rate";

// One weight on its way through the step, and what all optimizers share.
struct Step {
  FunctionBuilder& g;
  const VariableDef& weight;
  Value w;
  Value gradient;
  Value learning_rate;
  Value iteration;  // steps done before this one

  std::string SlotName(absl::string_view slot) const {
    return absl::StrCat("optimizer/", weight.name, "/", slot);
  }
  Value Slot(absl::string_view slot) const {
    return g.Variable({SlotName(slot), weight.type, Initializer::Zeros(), VariableRole::kOptimizer,
                       /*trainable=*/false});
  }
  std::vector<Value> Update(absl::string_view op, absl::Span<const Value> inputs,
                            Attributes attributes) const {
    std::vector<Value> outputs =
        g.AddNode(op, inputs, std::move(attributes), absl::StrCat(weight.name, "/update"));
    if (g.status().ok()) g.Update(weight.name, outputs[0]);
    return outputs;
  }
  // Stores output `i` of the update node in the slot, if the slot is in use.
  void Store(absl::string_view slot, Value value, const std::vector<Value>& outputs, int i) const {
    if (value.present() && g.status().ok()) g.Update(SlotName(slot), outputs[i]);
  }
};

void Emit(const SGD& sgd, const Step& step) {
  const Value m = sgd.momentum > 0 ? step.Slot("momentum") : Value{};
  const auto outputs = step.Update("SGDUpdate", {step.w, step.gradient, step.learning_rate, m},
                                   {{"momentum", sgd.momentum}, {"nesterov", sgd.nesterov}});
  step.Store("momentum", m, outputs, 1);
}

void Emit(const RMSProp& rmsprop, const Step& step) {
  const Value v = step.Slot("velocity");
  const Value m = rmsprop.momentum > 0 ? step.Slot("momentum") : Value{};
  const Value a = rmsprop.centered ? step.Slot("average_gradient") : Value{};
  const auto outputs =
      step.Update("RMSPropUpdate", {step.w, step.gradient, step.learning_rate, v, m, a},
                  {{"rho", rmsprop.rho},
                   {"momentum", rmsprop.momentum},
                   {"epsilon", rmsprop.epsilon},
                   {"centered", rmsprop.centered}});
  step.Store("velocity", v, outputs, 1);
  step.Store("momentum", m, outputs, 2);
  step.Store("average_gradient", a, outputs, 3);
}

void Emit(const Adam& adam, const Step& step) {
  const Value m = step.Slot("momentum");
  const Value v = step.Slot("velocity");
  const auto outputs =
      step.Update("AdamUpdate", {step.w, step.gradient, step.learning_rate, step.iteration, m, v},
                  {{"beta_1", adam.beta_1}, {"beta_2", adam.beta_2}, {"epsilon", adam.epsilon}});
  step.Store("momentum", m, outputs, 1);
  step.Store("velocity", v, outputs, 2);
}

absl::Status CheckSize(absl::string_view name, double value) {
  if (std::isfinite(value) && value >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("optimizer: ", name, " must be finite and at least 0, got ", value));
}

absl::Status CheckDecay(absl::string_view name, double value) {
  if (value >= 0 && value < 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("optimizer: ", name, " must be in [0, 1), got ", value));
}

absl::Status CheckMomentum(double value) {
  if (value >= 0 && value <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("optimizer: momentum must be in [0, 1], got ", value));
}

absl::Status Check(const SGD& sgd) { return CheckMomentum(sgd.momentum); }

absl::Status Check(const RMSProp& rmsprop) {
  SEQ_RETURN_IF_ERROR(CheckDecay("rho", rmsprop.rho));
  SEQ_RETURN_IF_ERROR(CheckMomentum(rmsprop.momentum));
  return CheckSize("epsilon", rmsprop.epsilon);
}

absl::Status Check(const Adam& adam) {
  SEQ_RETURN_IF_ERROR(CheckDecay("beta_1", adam.beta_1));
  SEQ_RETURN_IF_ERROR(CheckDecay("beta_2", adam.beta_2));
  return CheckSize("epsilon", adam.epsilon);
}

struct NameOf {
  const char* operator()(const SGD&) const { return "SGD"; }
  const char* operator()(const RMSProp&) const { return "RMSprop"; }
  const char* operator()(const Adam&) const { return "Adam"; }
};

}  // namespace

absl::Status AddOptimizer(FunctionBuilder& g, Value loss, const Optimizer& optimizer) {
  const double learning_rate = std::visit([](const auto& o) { return o.learning_rate; }, optimizer);
  SEQ_RETURN_IF_ERROR(CheckSize("learning_rate", learning_rate));
  SEQ_RETURN_IF_ERROR(std::visit([](const auto& o) { return Check(o); }, optimizer));

  std::vector<VariableRead> weights;
  std::vector<Value> values;
  for (const VariableRead& read : g.function().variables()) {
    if (read.def.role != VariableRole::kWeight || !read.def.trainable) continue;
    weights.push_back(read);
    values.push_back(read.value);
  }
  if (weights.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "function ", g.function().name(), " reads no trainable weight: there is nothing to train"));
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<Value> gradients, AddGradients(g, loss, values));

  const Value iteration = g.Variable({kIteration,
                                      {DType::kInt64, {}},
                                      Initializer::Zeros(),
                                      VariableRole::kOptimizer,
                                      /*trainable=*/false});
  const Value rate = g.Variable({kLearningRate,
                                 {g.type(loss).dtype, {}},
                                 Initializer::Constant(learning_rate),
                                 VariableRole::kOptimizer,
                                 /*trainable=*/false});
  for (size_t i = 0; i < weights.size(); ++i) {
    const Step step{g, weights[i].def, values[i], gradients[i], rate, iteration};
    std::visit([&](const auto& o) { Emit(o, step); }, optimizer);
  }
  const std::vector<Value> next = g.AddNode("Increment", {iteration}, {}, "optimizer/increment");
  if (g.status().ok()) g.Update(kIteration, next[0]);
  return g.status();
}

std::string OptimizerName(const Optimizer& optimizer) { return std::visit(NameOf(), optimizer); }

absl::StatusOr<double> LearningRate(const Model& model) {
  const Variable* rate = model.variables.Find(kLearningRate);
  if (rate == nullptr) {
    return absl::NotFoundError(absl::StrCat("model ", model.name, " has no ", kLearningRate,
                                            ": it was made without an optimizer"));
  }
  return rate->value.Cast(DType::kFloat64).Elements<double>()[0];
}

absl::Status SetLearningRate(Model& model, double learning_rate) {
  SEQ_RETURN_IF_ERROR(LearningRate(model).status());
  SEQ_RETURN_IF_ERROR(CheckSize("learning_rate", learning_rate));
  const DType dtype = model.variables.Find(kLearningRate)->value.dtype();
  return model.variables.Assign(kLearningRate, Tensor::Scalar(learning_rate).Cast(dtype));
}

}  // namespace seqgraph
