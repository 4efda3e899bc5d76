#include "training/losses.h"

#include <cstdint>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
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
                               {"MSE", "mean_squared_error", false}};

bool TakesClassNumbers(const Function& function) {
  const Value labels = function.FindValue(kLabels);
  return labels.present() && function.type(labels).dtype == DType::kInt32;
}

// The one loss op of the function; null if there is none or several.
const LossRow* FindLoss(const Function& function) {
  const LossRow* found = nullptr;
  for (const Node& node : function.nodes()) {
    for (const LossRow& row : kLosses) {
      if (node.op->name() != row.op) continue;
      if (found != nullptr) return nullptr;
      found = &row;
    }
  }
  return found;
}

}  // namespace

TensorType Loss::LabelsType(const TensorType& prediction) const {
  return labels_are_classes ? RowsType(prediction, DType::kInt32) : prediction;
}

TensorType RowsType(const TensorType& prediction, DType dtype) {
  const absl::Span<const Dim> dims = prediction.shape.dims();
  return {dtype, Shape(dims.first(dims.empty() ? 0 : dims.size() - 1))};
}

// The loss with weights 0 where the mask is, which is divided by all rows, divided by the share of
// rows that are left.
Value MaskedLoss(FunctionBuilder& g, const Loss& loss, LossInputs inputs, Value mask) {
  if (!g.status().ok()) return {};
  const DType dtype = g.type(inputs.prediction).dtype;
  const TensorType expected = RowsType(g.type(inputs.prediction), DType::kInt32);
  if (g.type(mask) != expected) {
    g.Fail(InvalidArgument("the mask of the loss is ", g.type(mask).ToString(), ", expected ",
                           expected.ToString(), ", one for each row"));
    return {};
  }
  const Value ones = ops::FillLike(g, ops::Cast(g, mask, dtype), 1);
  const Value counted = ops::ZeroMasked(g, ones, mask, kLossMask);
  g.Result(kLossMask, counted);
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

absl::StatusOr<Loss> LossByName(absl::string_view name) {
  if (name == "mse") return MeanSquaredError();
  std::string names;
  for (Loss (*make)(std::string) : {&BinaryCrossEntropy, &CategoricalCrossEntropy,
                                    &SparseCategoricalCrossEntropy, &MeanSquaredError}) {
    Loss loss = make("");
    if (loss.name == name) return loss;
    absl::StrAppend(&names, names.empty() ? "" : ", ", loss.name);
  }
  return InvalidArgument("unknown loss \"", name, "\": expected one of ", names);
}

std::string LossOf(const Function& function) {
  const LossRow* found = FindLoss(function);
  if (found == nullptr) return "";
  // Labels that are class numbers become one-hot rows first.
  return TakesClassNumbers(function) ? absl::StrCat("sparse_", found->loss) : found->loss;
}

bool HasClassLoss(const Function& function) {
  const LossRow* found = FindLoss(function);
  return found == nullptr ? TakesClassNumbers(function) : found->of_classes;
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
