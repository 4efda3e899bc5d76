#include "training/step_parts.h"

#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_copy.h"
#include "graph/gradient.h"
#include "training/initializers.h"
#include "training/losses.h"
#include "training/model_builder.h"
#include "training/optimizers.h"

namespace seqgraph {
namespace {

bool IsOptimizers(const Function& step, const std::string& variable) {
  const VariableRead* read = step.FindVariable(variable);
  return read->def.role == VariableRole::kOptimizer || read->def.trainable;
}

// For each value whether one of these follows from it.
std::vector<bool> LeadingTo(const Function& function, const std::vector<Value>& ends) {
  std::vector<bool> leads(function.values().size());
  for (const Value end : ends) leads[end.index] = true;
  for (auto node = function.nodes().rbegin(); node != function.nodes().rend(); ++node) {
    bool needed = false;
    for (const Value output : node->outputs) needed = needed || leads[output.index];
    for (const Value input : node->inputs) {
      if (needed && input.present()) leads[input.index] = true;
    }
  }
  return leads;
}

// The forward pass and the loss of a step, without what follows from the loss.
class ForwardOfStep {
 public:
  ForwardOfStep(const Function& step, const OpRegistry& registry, StepParts* parts)
      : step_(step), copy_(step, registry), parts_(*parts) {}

  absl::StatusOr<Function> WithGradients() {
    CopyForward();
    FunctionBuilder& g = copy_.builder();
    std::vector<Value> weights;
    for (const VariableRead& read : TrainableWeights(g.function())) {
      parts_.weights.push_back(read.def);
      weights.push_back(read.value);
    }
    const Value loss = New(step_.FindResult(kLossResult));
    SEQ_ASSIGN_OR_RETURN(const std::vector<Value> gradients, AddGradients(g, loss, weights));
    for (const NamedValue& result : step_.results()) g.Result(result.name, New(result.value));
    for (size_t i = 0; i < weights.size(); ++i) {
      g.Result(absl::StrCat(StepParts::kGradientPrefix, parts_.weights[i].name),
               AsComputed(g, gradients[i]));
    }
    for (const NamedValue& update : step_.updates()) {
      if (IsOptimizers(step_, update.name)) continue;
      parts_.statistics.push_back(update.name);
      g.Result(absl::StrCat(StepParts::kStatisticPrefix, update.name),
               AsComputed(g, New(update.value)));
    }
    return std::move(g).Build();
  }

 private:
  Value New(Value old) { return copy_.new_values()[old.index]; }

  void CopyForward() {
    std::vector<Value> ends;
    for (const NamedValue& result : step_.results()) ends.push_back(result.value);
    for (const NamedValue& update : step_.updates()) {
      if (!IsOptimizers(step_, update.name)) ends.push_back(update.value);
    }
    const std::vector<bool> leads = LeadingTo(step_, ends);
    for (const Value input : step_.inputs()) copy_.AddInput(input, step_.type(input));
    for (const VariableRead& read : step_.variables()) {
      if (leads[read.value.index]) copy_.AddVariable(read, read.def);
    }
    for (const Node& node : step_.nodes()) {
      bool needed = false;
      for (const Value output : node.outputs) needed = needed || leads[output.index];
      if (needed) copy_.AddNode(node);
    }
  }

  const Function& step_;
  FunctionCopy copy_;
  StepParts& parts_;
};

// The one mask of the losses.
absl::StatusOr<std::string> MaskOf(const Function& step) {
  std::vector<std::string> masks;
  for (const NamedValue& result : step.results()) {
    if (absl::StartsWith(result.name, kLossMask)) masks.push_back(result.name);
  }
  if (masks.empty()) return "";
  if (masks.size() == 1 && masks[0] == kLossMask) return masks[0];
  return Unimplemented(
      "several losses with masks of their own count different rows of a batch, which cannot be "
      "cut into parts: train on one rank");
}

}  // namespace

absl::StatusOr<StepParts> SplitTrainStep(const Model& model, const OpRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(const Function* step, model.GetFunction(kTrainStep));
  std::optional<Optimizer> optimizer = OptimizerOf(model);
  if (!optimizer.has_value()) {
    return Unimplemented("what ", kTrainStep, " of model ", model.name,
                         " updates weights with is no optimizer that is known here");
  }
  StepParts parts{.optimizer = *std::move(optimizer)};
  SEQ_ASSIGN_OR_RETURN(parts.mask, MaskOf(*step));
  SEQ_ASSIGN_OR_RETURN(const Function function,
                       ForwardOfStep(*step, registry, &parts).WithGradients());
  // Under its own name.
  FunctionBuilder g(StepParts::kGradients, registry, function);
  SEQ_ASSIGN_OR_RETURN(parts.gradients, std::move(g).Build());
  return parts;
}

std::string PieceName(const std::vector<VariableDef>& weights, const WeightPiece& piece) {
  const VariableDef& weight = weights[static_cast<size_t>(piece.weight)];
  if (piece.size() == weight.type.shape.num_elements()) return weight.name;
  return absl::StrCat(weight.name, "[", piece.begin, ":", piece.end, "]");
}

absl::StatusOr<Model> OptimizerOfPieces(const StepParts& parts,
                                        const std::vector<WeightPiece>& pieces,
                                        const OpRegistry& registry) {
  using Kind = GradientClipping::Kind;
  FunctionBuilder g(kApply, registry);
  std::vector<VariableRead> weights;
  std::vector<Value> gradients, norms;
  const Kind clipping = parts.optimizer.clipping.kind;
  const auto norm = [&](const std::string& of) {
    return g.Input(absl::StrCat(kNormPrefix, of), {DType::kFloat32, {}});
  };
  if (clipping == Kind::kGlobalNorm) norms.push_back(norm(""));
  std::map<int, Value> norm_of;
  for (const WeightPiece& piece : pieces) {
    VariableDef def = parts.weights[static_cast<size_t>(piece.weight)];
    if (clipping == Kind::kNorm) {
      if (norm_of.count(piece.weight) == 0) norm_of[piece.weight] = norm(def.name);
      norms.push_back(norm_of[piece.weight]);
    }
    def.name = PieceName(parts.weights, piece);
    def.type.shape = {piece.size()};
    def.initializer = Initializer::Zeros();
    gradients.push_back(g.Input(absl::StrCat(StepParts::kGradientPrefix, def.name), def.type));
    weights.push_back({def, g.Variable(def)});
  }
  SEQ_RETURN_IF_ERROR(
      ApplyOptimizer(g, weights, std::move(gradients), parts.optimizer, std::move(norms)));
  SEQ_ASSIGN_OR_RETURN(Function apply, std::move(g).Build());
  Model model;
  model.name = kApply;
  SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(apply)));
  SEQ_RETURN_IF_ERROR(InitializeVariables(0, model.variables));
  return model;
}

}  // namespace seqgraph
