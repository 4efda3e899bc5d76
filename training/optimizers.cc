#include "training/optimizers.h"

#include <functional>
#include <numeric>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/gradient.h"
#include "graph/op_def.h"
#include "ops/clip.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "optimizers/formula.h"
#include "training/model_builder.h"

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
                   const std::vector<VariableRead>& weights, std::vector<Value> norms,
                   std::vector<Value>& gradients) {
  using Kind = GradientClipping::Kind;
  if (clipping.kind == Kind::kNone) return;
  const bool given = !norms.empty();
  if (clipping.kind != Kind::kValue && !given) {
    for (size_t i = 0; i < gradients.size(); ++i) {
      norms.push_back(
          SquaredNorm(g, gradients[i], absl::StrCat(weights[i].def.name, "/squared_norm")));
    }
  }
  if (given && clipping.kind == Kind::kGlobalNorm) norms.assign(gradients.size(), norms[0]);
  if (clipping.kind == Kind::kGlobalNorm && !given) {
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

// What is done to the gradient before the update; false for what Keras does not do.
bool ReadClipping(const Function& step, Value gradient, GradientClipping* clipping) {
  const Node* clip = step.producer(gradient);
  if (clip == nullptr) return true;
  if (clip->op->name() == "Clip") {
    *clipping = GradientClipping::Value(clip->attributes.GetFloat("limit"));
  }
  if (clip->op->name() != "ClipByNorm") return true;
  // The norm of one gradient, or the sum of all of them.
  const Node* norm = step.producer(clip->inputs[1]);
  const double limit = clip->attributes.GetFloat("limit");
  if (norm == nullptr) return false;
  if (norm->op->name() == "ReduceSum") *clipping = GradientClipping::Norm(limit);
  if (norm->op->name() == "Add") *clipping = GradientClipping::GlobalNorm(limit);
  return clipping->kind != GradientClipping::Kind::kNone;
}

// What is done to the weight before the update: nothing, or w - weight_decay lr w.
bool ReadDecay(const Function& step, Value weight, double* weight_decay) {
  if (step.info(weight).origin == Origin::kVariable) return true;
  const Node* subtract = step.producer(weight);
  if (subtract == nullptr || subtract->op->name() != "Subtract") return false;
  const Node* scale = step.producer(subtract->inputs[1]);
  if (scale == nullptr || scale->op->name() != "Scale") return false;
  *weight_decay = scale->attributes.GetFloat("factor");
  return true;
}

// The optimizer whose whole update is that node.
std::optional<Optimizer> OptimizerOfNode(const Function& step, const Node& node) {
  for (const OptimizerDef* def : AllOptimizers()) {
    if (def->update_op != node.op->name()) continue;
    Optimizer optimizer(*def);
    for (const Hyperparameter& each : def->hyperparameters) {
      const AttributeValue* value = node.attributes.Find(each.key);
      if (value != nullptr) optimizer.hyperparameters.Set(each.key, *value);
    }
    if (!ReadDecay(step, node.inputs[0], &optimizer.weight_decay) ||
        !ReadClipping(step, node.inputs[1], &optimizer.clipping)) {
      return std::nullopt;
    }
    return optimizer;
  }
  return std::nullopt;
}

// The one optimizer that updates all weights in train_step: files before optimizers were noted.
std::optional<Optimizer> OptimizerOfUpdates(const Model& model, const Function& step) {
  std::optional<Optimizer> found;
  for (const NamedValue& update : step.updates()) {
    const Variable* variable = model.variables.Find(update.name);
    if (variable == nullptr || variable->def.role != VariableRole::kWeight ||
        !variable->def.trainable) {
      continue;
    }
    const Node* node = step.producer(update.value);
    std::optional<Optimizer> optimizer;
    if (node != nullptr) optimizer = OptimizerOfNode(step, *node);
    if (!optimizer.has_value() || (found.has_value() && !(*found == *optimizer))) {
      return std::nullopt;
    }
    found = optimizer;
  }
  return found;
}

std::optional<Optimizer> OptimizerOfRecord(const OptimizerRecord& record) {
  const OptimizerDef* def = FindOptimizer(record.name);
  if (def == nullptr) return std::nullopt;
  absl::StatusOr<Optimizer> optimizer = Optimizer::FromSettings(*def, record.settings);
  if (!optimizer.ok()) return std::nullopt;
  return *std::move(optimizer);
}

}  // namespace

absl::Status AddOptimizer(FunctionBuilder& g, Value loss, const Optimizer& optimizer) {
  SEQ_RETURN_IF_ERROR(optimizer.Check());
  const std::vector<VariableRead> weights = TrainableWeights(g.function());
  std::vector<Value> values;
  for (const VariableRead& read : weights) values.push_back(read.value);
  if (weights.empty()) {
    return InvalidArgument("function ", g.function().name(),
                           " reads no trainable weight: there is nothing to train");
  }
  SEQ_ASSIGN_OR_RETURN(std::vector<Value> gradients, AddGradients(g, loss, values));
  return ApplyOptimizer(g, weights, std::move(gradients), optimizer);
}

std::vector<VariableRead> TrainableWeights(const Function& function) {
  std::vector<VariableRead> weights;
  for (const VariableRead& read : function.variables()) {
    if (read.def.role == VariableRole::kWeight && read.def.trainable) weights.push_back(read);
  }
  return weights;
}

absl::Status ApplyOptimizer(FunctionBuilder& g, const std::vector<VariableRead>& weights,
                            std::vector<Value> gradients, const Optimizer& optimizer,
                            std::vector<Value> norms) {
  SEQ_RETURN_IF_ERROR(optimizer.Check());
  ClipGradients(g, optimizer.clipping, weights, std::move(norms), gradients);
  const Value iteration = g.Variable(IterationVariable());
  const Value rate = g.Variable({kLearningRateVariable,
                                 {g.type(gradients[0]).dtype, {}},
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

std::optional<Optimizer> OptimizerOf(const Model& model) {
  const Function* step = model.FindFunction(kTrainStep);
  const absl::StatusOr<double> rate = LearningRate(model);
  if (step == nullptr || !rate.ok()) return std::nullopt;
  std::optional<Optimizer> found = model.optimizer.has_value() ? OptimizerOfRecord(*model.optimizer)
                                                               : OptimizerOfUpdates(model, *step);
  if (found.has_value()) found->learning_rate = *rate;
  return found;
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
