#include "training/losses.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "ops/activations.h"
#include "ops/bce.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/cross_entropy.h"
#include "ops/elementwise.h"
#include "ops/mask.h"
#include "ops/mse.h"
#include "ops/reductions.h"
#include "ops/row_loss.h"

namespace seqgraph {
namespace {

Value SumOfAll(FunctionBuilder& g, Value x, const std::string& name) {
  std::vector<int64_t> axes(g.type(x).shape.rank());
  std::iota(axes.begin(), axes.end(), 0);
  return ops::ReduceSum(g, x, {.axes = std::move(axes), .name = name});
}

// factor * sum of the elements of x.
Value Penalty(FunctionBuilder& g, double factor, Value x, const std::string& name) {
  return ops::Scale(g, SumOfAll(g, x, absl::StrCat(name, "/sum")), factor, name);
}

constexpr char kLossWeight[] = "loss_weight";  // of the node of Weighted()
constexpr char kHuber[] = "huber", kDelta[] = "delta", kPinball[] = "pinball";

// Losses that are no row of ops/row_loss.h.
constexpr Loss (*kOwnLosses[])(std::string) = {BinaryCrossEntropy, CategoricalCrossEntropy,
                                               SparseCategoricalCrossEntropy, MeanSquaredError};

// What the op of a loss is; those on logits stand where a rewrite has been.
struct LossRow {
  const char* op;
  const char* loss;
  bool of_classes;
};
constexpr LossRow kLosses[] = {{"BCE", "binary_crossentropy", true},
                               {"BCEWithLogits", "binary_crossentropy", true},
                               {"CategoricalCrossEntropy", "categorical_crossentropy", true},
                               {"SoftmaxCrossEntropyWithLogits", "categorical_crossentropy", true},
                               {"MSE", "mean_squared_error", false},
                               {"RowLoss", "", false}};  // its kind

// Keras's short names.
constexpr struct {
  const char* alias;
  const char* name;
} kAliases[] = {{"bce", "binary_crossentropy"},
                {"mse", "mean_squared_error"},
                {"mae", "mean_absolute_error"},
                {"mape", "mean_absolute_percentage_error"},
                {"msle", "mean_squared_logarithmic_error"},
                {"kld", "kl_divergence"},
                {"kullback_leibler_divergence", "kl_divergence"},
                {"logcosh", "log_cosh"},
                {"huber_loss", "huber"}};

bool TakesClassNumbers(const Function& function, absl::string_view output) {
  const Value labels = function.FindValue(NameForOutput(kLabels, output));
  return labels.present() && function.type(labels).dtype == DType::kInt32;
}

struct FoundLoss {
  const LossRow* row = nullptr;
  const Node* node = nullptr;
};

const LossRow* RowOf(const Node& node) {
  for (const LossRow& row : kLosses) {
    if (node.op->name() == row.op) return &row;
  }
  return nullptr;
}

// The nodes that the loss of the output is made by, down to the loss ops.
std::vector<const Node*> NodesOfLoss(const Function& function, absl::string_view output) {
  std::vector<const Node*> found;
  std::vector<Value> open = {function.FindResult(NameForOutput(kLossResult, output))};
  std::set<const Node*> seen;
  while (!open.empty()) {
    const Value value = open.back();
    open.pop_back();
    const Node* node = value.present() ? function.producer(value) : nullptr;
    if (node == nullptr || !seen.insert(node).second) continue;
    found.push_back(node);
    if (RowOf(*node) == nullptr) open.insert(open.end(), node->inputs.begin(), node->inputs.end());
  }
  return found;
}

// The loss ops among them.
std::vector<const Node*> LossNodes(const Function& function, absl::string_view output) {
  std::vector<const Node*> nodes = NodesOfLoss(function, output);
  nodes.erase(std::remove_if(nodes.begin(), nodes.end(),
                             [](const Node* node) { return RowOf(*node) == nullptr; }),
              nodes.end());
  return nodes;
}

// The one of them; nothing if there is none or several.
FoundLoss FindLoss(const Function& function, absl::string_view output) {
  const std::vector<const Node*> nodes = LossNodes(function, output);
  return nodes.size() == 1 ? FoundLoss{RowOf(*nodes[0]), nodes[0]} : FoundLoss{};
}

// A loss of a row by its kind.
Loss RowLossOf(const char* kind, double delta, std::string prediction) {
  return {kind, std::move(prediction), [kind, delta](FunctionBuilder& g, const LossInputs& in) {
            return ops::RowLoss(g, kind, in.prediction, in.labels,
                                {.weights = in.weights, .delta = delta});
          }};
}

bool IsPinball(const Node& node) {
  return node.op->name() == "RowLoss" && node.attributes.GetString("kind") == kPinball;
}

}  // namespace

std::string NameForOutput(absl::string_view name, absl::string_view output) {
  return output.empty() ? std::string(name) : absl::StrCat(name, "_", output);
}

std::vector<std::string> JudgedOutputs(const Function& function) {
  std::vector<std::string> outputs;
  for (const NamedValue& result : function.results()) {
    const Value labels = function.FindValue(NameForOutput(kLabels, result.name));
    if (labels.present() && function.info(labels).origin == Origin::kInput) {
      outputs.push_back(result.name);
    }
  }
  return outputs;
}

TensorType Loss::LabelsType(const TensorType& prediction) const {
  if (labels_are_classes) return RowsType(prediction, DType::kInt32);
  if (predictions_per_label == 1 || prediction.shape.rank() == 0) return prediction;
  std::vector<Dim> dims(prediction.shape.dims().begin(), prediction.shape.dims().end());
  if (!dims.back().is_batch()) dims.back() = dims.back().size() / predictions_per_label;
  return {prediction.dtype, Shape(dims)};
}

TensorType RowsType(const TensorType& prediction, DType dtype) {
  const absl::Span<const Dim> dims = prediction.shape.dims();
  return {dtype, Shape(dims.first(dims.empty() ? 0 : dims.size() - 1))};
}

// The loss with weights 0 where the mask is, which is divided by all rows, divided by the share of
// rows that are left.
Value MaskedLoss(FunctionBuilder& g, const Loss& loss, LossInputs inputs, Value mask,
                 const std::string& name) {
  if (!g.status().ok()) return {};
  const DType dtype = g.type(inputs.prediction).dtype;
  const TensorType expected = RowsType(g.type(inputs.prediction), DType::kInt32);
  if (g.type(mask) != expected) {
    g.Fail(InvalidArgument("the mask of the loss is ", g.type(mask).ToString(), ", expected ",
                           expected.ToString(), ", one for each row"));
    return {};
  }
  const Value ones = ops::FillLike(g, ops::Cast(g, mask, dtype), 1);
  const Value counted = ops::ZeroMasked(g, ones, mask, name);
  g.Result(name, counted);
  inputs.weights = inputs.weights.present() ? ops::ZeroMasked(g, inputs.weights, mask) : counted;
  std::vector<int64_t> axes(expected.shape.rank());
  std::iota(axes.begin(), axes.end(), 0);
  const Value share = ops::ReduceMean(g, counted, {.axes = std::move(axes)});
  // With no row left both are 0; a share above 0 is at least 1 / rows.
  const Value least = ops::FillLike(g, share, 1e-30);
  return ops::Binary(g, "Divide", loss.build(g, inputs), ops::Binary(g, "Maximum", share, least));
}

Loss BinaryCrossEntropy(std::string prediction) {
  return {"binary_crossentropy", std::move(prediction),
          [](FunctionBuilder& g, const LossInputs& in) {
            return ops::BCE(g, in.prediction, in.labels, {.weights = in.weights});
          }};
}

Loss CategoricalCrossEntropy(std::string prediction) {
  return {"categorical_crossentropy", std::move(prediction),
          [](FunctionBuilder& g, const LossInputs& in) {
            return ops::CategoricalCrossEntropy(g, in.prediction, in.labels,
                                                {.weights = in.weights});
          }};
}

Loss SparseCategoricalCrossEntropy(std::string prediction) {
  return {"sparse_categorical_crossentropy", std::move(prediction),
          [](FunctionBuilder& g, const LossInputs& in) {
            return ops::SparseCategoricalCrossEntropy(g, in.prediction, in.labels,
                                                      {.weights = in.weights});
          },
          /*labels_are_classes=*/true};
}

Loss MeanSquaredError(std::string prediction) {
  return {"mean_squared_error", std::move(prediction),
          [](FunctionBuilder& g, const LossInputs& in) {
            return ops::MSE(g, in.prediction, in.labels, {.weights = in.weights});
          }};
}

Loss Huber(double delta, std::string prediction) {
  return RowLossOf(kHuber, delta, std::move(prediction));
}

Loss Weighted(Loss loss, double weight) {
  Loss weighted = loss;
  weighted.build = [loss = std::move(loss), weight](FunctionBuilder& g, const LossInputs& in) {
    return ops::Scale(g, loss.build(g, in), weight, kLossWeight);
  };
  return weighted;
}

absl::string_view WholeLossName(absl::string_view name) {
  for (const auto& row : kAliases) {
    if (name == row.alias) return row.name;
  }
  return name;
}

absl::StatusOr<Loss> LossByName(absl::string_view name, const Attributes& settings) {
  name = WholeLossName(name);
  double delta = 1;
  for (const auto& [key, value] : settings.entries()) {
    const double* given = std::get_if<double>(&value);
    if (name != kHuber || key != kDelta || given == nullptr || !(*given > 0)) {
      return InvalidArgument("the loss ", name, " has no setting \"", key, "\" of such a value");
    }
    delta = *given;
  }
  for (const auto make : kOwnLosses) {
    Loss loss = make("");
    if (loss.name == name) return loss;
  }
  for (const ops::RowLossKind& kind : ops::RowLossKinds()) {
    if (kind.name == name) return RowLossOf(kind.name, name == kHuber ? delta : kind.delta, "");
  }
  return InvalidArgument("unknown loss \"", name, "\": expected one of ", LossNames());
}

std::string LossNames() {
  std::vector<std::string> names;
  for (const auto make : kOwnLosses) names.push_back(make("").name);
  for (const ops::RowLossKind& kind : ops::RowLossKinds()) names.push_back(kind.name);
  return absl::StrJoin(names, ", ");
}

std::string LossOf(const Function& function, absl::string_view output) {
  const FoundLoss found = FindLoss(function, output);
  if (found.row == nullptr) return "";
  if (IsPinball(*found.node)) return "";
  if (*found.row->loss == '\0') return found.node->attributes.GetString("kind");
  // Labels that are class numbers become one-hot rows first.
  return absl::StrCat(TakesClassNumbers(function, output) ? "sparse_" : "", found.row->loss);
}

Attributes LossSettingsOf(const Function& function, absl::string_view output) {
  Attributes settings;
  if (LossOf(function, output) != kHuber) return settings;
  const double delta = FindLoss(function, output).node->attributes.GetFloat(kDelta);
  if (delta != 1) settings.Set(kDelta, delta);
  return settings;
}

std::vector<double> QuantilesOf(const Function& function, absl::string_view output) {
  std::vector<double> quantiles;
  for (const Node* node : LossNodes(function, output)) {
    if (IsPinball(*node)) quantiles.push_back(node->attributes.GetFloat(kDelta));
  }
  std::sort(quantiles.begin(), quantiles.end());
  return quantiles;
}

bool HasClassLoss(const Function& function, absl::string_view output) {
  const LossRow* found = FindLoss(function, output).row;
  return found == nullptr ? TakesClassNumbers(function, output) : found->of_classes;
}

double LossWeightOf(const Function& function, absl::string_view output) {
  if (output.empty()) {
    for (const Node* node : NodesOfLoss(function, output)) {
      // A layer of that name makes it "loss_weight_1"; its penalties are "loss_weight/kernel/l2".
      if (node->op->name() == "Scale" && absl::StartsWith(node->name, kLossWeight) &&
          !absl::StrContains(node->name, '/')) {
        return node->attributes.GetFloat("factor");
      }
    }
    return 1;
  }
  const Value loss = function.FindResult(NameForOutput(kLossResult, output));
  for (const Node& node : function.nodes()) {
    if (node.op->name() == "Scale" && node.inputs[0] == loss) {
      return node.attributes.GetFloat("factor");
    }
  }
  return 1;
}

Value AddPenalties(FunctionBuilder& g, Value loss, const std::vector<WeightPenalty>& penalties) {
  for (const WeightPenalty& penalty : penalties) {
    const VariableRead* weight = g.function().FindVariable(penalty.variable);
    if (weight == nullptr) {
      g.Fail(InvalidArgument("penalty on ", penalty.variable, ": function ", g.function().name(),
                             " reads no such weight"));
      return {};
    }
    const Value w = weight->value;
    const auto add = [&](Value term, const std::string& name) {
      loss = ops::Add(g, loss, term, absl::StrCat(name, "/add"));
    };
    if (penalty.regularizer.l1 != 0) {
      const std::string name = absl::StrCat(penalty.variable, "/l1");
      const Value negative = ops::Relu(g, ops::Scale(g, w, -1, absl::StrCat(name, "/negated")),
                                       absl::StrCat(name, "/negative"));
      const Value positive = ops::Relu(g, w, absl::StrCat(name, "/positive"));
      add(Penalty(g, penalty.regularizer.l1,
                  ops::Add(g, positive, negative, absl::StrCat(name, "/absolute")), name),
          name);
    }
    if (penalty.regularizer.l2 != 0) {
      const std::string name = absl::StrCat(penalty.variable, "/l2");
      add(Penalty(g, penalty.regularizer.l2, ops::Multiply(g, w, w, absl::StrCat(name, "/squares")),
                  name),
          name);
    }
  }
  return loss;
}

}  // namespace seqgraph
