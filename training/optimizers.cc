#include "training/optimizers.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/gradient.h"
#include "ops/clip.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"

namespace seqgraph {
namespace {

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

absl::Status CheckClipping(const GradientClipping& clipping) {
  if (clipping.kind == GradientClipping::Kind::kNone) return absl::OkStatus();
  if (std::isfinite(clipping.limit) && clipping.limit > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "optimizer: the limit of clipping must be finite and above 0, got ", clipping.limit));
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

// The sum of the squares of all elements.
Value SquaredNorm(FunctionBuilder& g, Value x, const std::string& name) {
  std::vector<int64_t> axes(g.type(x).shape.rank());
  std::iota(axes.begin(), axes.end(), 0);
  const Value squares = ops::Multiply(g, x, x, absl::StrCat(name, "/squares"));
  return ops::ReduceSum(g, squares, {.axes = std::move(axes), .name = name});
}

void ClipGradients(FunctionBuilder& g, const GradientClipping& clipping,
                   const std::vector<VariableRead>& weights, std::vector<Value>& gradients) {
  using Kind = GradientClipping::Kind;
  if (clipping.kind == Kind::kNone) return;
  std::vector<Value> norms;
  if (clipping.kind != Kind::kValue) {
    for (size_t i = 0; i < gradients.size(); ++i) {
      norms.push_back(
          SquaredNorm(g, gradients[i], absl::StrCat(weights[i].def.name, "/squared_norm")));
    }
  }
  if (clipping.kind == Kind::kGlobalNorm) {
    Value sum = norms[0];
    for (size_t i = 1; i < norms.size(); ++i) {
      sum = ops::Add(g, sum, norms[i], "optimizer/squared_norm");
    }
    norms.assign(norms.size(), sum);
  }
  for (size_t i = 0; i < gradients.size(); ++i) {
    const std::string name = absl::StrCat(weights[i].def.name, "/clip");
    gradients[i] = clipping.kind == Kind::kValue
                       ? ops::Clip(g, gradients[i], clipping.limit, name)
                       : ops::ClipByNorm(g, gradients[i], norms[i], clipping.limit, name);
  }
}

// w - weight_decay lr w.
Value Decayed(FunctionBuilder& g, double weight_decay, const VariableRead& weight, Value rate) {
  const Value w = weight.value;
  std::vector<int64_t> axes(weight.def.type.shape.rank());
  std::iota(axes.begin(), axes.end(), 0);
  const std::string name = absl::StrCat(weight.def.name, "/weight_decay");
  const Value rates = ops::BroadcastLike(g, rate, w, std::move(axes), name);
  const Value step = ops::Scale(g, ops::Multiply(g, w, rates, name), weight_decay, name);
  return ops::Subtract(g, w, step, name);
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
  const auto clipping = std::visit([](const auto& o) { return o.clipping; }, optimizer);
  SEQ_RETURN_IF_ERROR(CheckClipping(clipping));
  const double weight_decay = std::visit([](const auto& o) { return o.weight_decay; }, optimizer);
  SEQ_RETURN_IF_ERROR(CheckSize("weight_decay", weight_decay));

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
  SEQ_ASSIGN_OR_RETURN(std::vector<Value> gradients, AddGradients(g, loss, values));
  ClipGradients(g, clipping, weights, gradients);

  const Value iteration = g.Variable(IterationVariable());
  const Value rate = g.Variable({kLearningRateVariable,
                                 {g.type(loss).dtype, {}},
                                 Initializer::Constant(learning_rate),
                                 VariableRole::kOptimizer,
                                 /*trainable=*/false});
  for (size_t i = 0; i < weights.size(); ++i) {
    const Value w = weight_decay > 0 ? Decayed(g, weight_decay, weights[i], rate) : values[i];
    const Step step{g, weights[i].def, w, gradients[i], rate, iteration};
    std::visit([&](const auto& o) { Emit(o, step); }, optimizer);
  }
  const std::vector<Value> next = g.AddNode("Increment", {iteration}, {}, "optimizer/increment");
  if (g.status().ok()) g.Update(kIterationVariable, next[0]);
  return g.status();
}

VariableDef IterationVariable() {
  return {kIterationVariable,
          {DType::kInt64, {}},
          Initializer::Zeros(),
          VariableRole::kOptimizer,
          /*trainable=*/false};
}

std::string OptimizerName(const Optimizer& optimizer) { return std::visit(NameOf(), optimizer); }

absl::StatusOr<double> LearningRate(const Model& model) {
  const Variable* rate = model.variables.Find(kLearningRateVariable);
  if (rate == nullptr) {
    return absl::NotFoundError(absl::StrCat("model ", model.name, " has no ", kLearningRateVariable,
                                            ": it was made without an optimizer"));
  }
  return rate->value.Cast(DType::kFloat64).Elements<double>()[0];
}

absl::Status SetLearningRate(Model& model, double learning_rate) {
  SEQ_RETURN_IF_ERROR(LearningRate(model).status());
  SEQ_RETURN_IF_ERROR(CheckSize("learning_rate", learning_rate));
  const DType dtype = model.variables.Find(kLearningRateVariable)->value.dtype();
  return model.variables.Assign(kLearningRateVariable, Tensor::Scalar(learning_rate).Cast(dtype));
}

}  // namespace seqgraph
