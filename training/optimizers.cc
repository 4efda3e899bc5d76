#include "training/optimizers.h"

#include <functional>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/gradient.h"
#include "ops/clip.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "optimizers/formula.h"

namespace seqgraph {
namespace {

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

// w - weight_decay lr w; w itself for 0.
Value Decayed(FunctionBuilder& g, double weight_decay, const VariableRead& weight, Value rate) {
  if (weight_decay == 0) return weight.value;
  const ScopedDefaultName name(g, absl::StrCat(weight.def.name, "/weight_decay"));
  const Expr w{&g, weight.value};
  return (w - weight_decay * (w * Expr{&g, rate})).value;
}

}  // namespace

absl::Status AddOptimizer(FunctionBuilder& g, Value loss, const Optimizer& optimizer) {
  SEQ_RETURN_IF_ERROR(optimizer.Check());
  std::vector<VariableRead> weights;
  std::vector<Value> values;
  for (const VariableRead& read : g.function().variables()) {
    if (read.def.role != VariableRole::kWeight || !read.def.trainable) continue;
    weights.push_back(read);
    values.push_back(read.value);
  }
  if (weights.empty()) {
    return InvalidArgument("function ", g.function().name(),
                           " reads no trainable weight: there is nothing to train");
  }
  SEQ_ASSIGN_OR_RETURN(std::vector<Value> gradients, AddGradients(g, loss, values));
  ClipGradients(g, optimizer.clipping, weights, gradients);

  const Value iteration = g.Variable(IterationVariable());
  const Value rate = g.Variable({kLearningRateVariable,
                                 {g.type(loss).dtype, {}},
                                 Initializer::Constant(optimizer.learning_rate),
                                 VariableRole::kOptimizer,
                                 /*trainable=*/false});
  OptimizerStep step(g, rate, iteration, [&](const std::function<void(WeightStep&)>& update) {
    for (size_t i = 0; i < weights.size(); ++i) {
      const Value w = Decayed(g, optimizer.weight_decay, weights[i], rate);
      WeightStep each(g, weights[i].def, w, gradients[i], optimizer.slots());
      const ScopedDefaultName name(g, each.name);
      update(each);
      each.Store();
    }
  });
  {
    const ScopedDefaultName name(g, "optimizer/update");
    optimizer.def->update(optimizer.hyperparameters, step);
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

absl::StatusOr<double> LearningRate(const Model& model) {
  const Variable* rate = model.variables.Find(kLearningRateVariable);
  if (rate == nullptr) {
    return NotFound("model ", model.name, " has no ", kLearningRateVariable,
                    ": it was made without an optimizer");
  }
  return rate->value.Cast(DType::kFloat64).Elements<double>()[0];
}

absl::Status SetLearningRate(Model& model, double learning_rate) {
  SEQ_RETURN_IF_ERROR(LearningRate(model).status());
  if (!kNotNegative.Allow(learning_rate)) {
    return InvalidArgument("learning_rate must be ", kNotNegative.text, ", got ", learning_rate);
  }
  const DType dtype = model.variables.Find(kLearningRateVariable)->value.dtype();
  return model.variables.Assign(kLearningRateVariable, Tensor::Scalar(learning_rate).Cast(dtype));
}

}  // namespace seqgraph
