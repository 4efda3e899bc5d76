#include "training/losses.h"

#include <cstdint>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ops/activations.h"
#include "ops/bce.h"
#include "ops/cross_entropy.h"
#include "ops/elementwise.h"
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

}  // namespace

TensorType Loss::LabelsType(const TensorType& prediction) const {
  if (!labels_are_classes) return prediction;
  const absl::Span<const Dim> dims = prediction.shape.dims();
  return {DType::kInt32, Shape(dims.first(dims.empty() ? 0 : dims.size() - 1))};
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
  return absl::InvalidArgumentError(
      absl::StrCat("unknown loss \"", name, "\": expected one of ", names));
}

Value AddPenalties(FunctionBuilder& g, Value loss, const std::vector<WeightPenalty>& penalties) {
  for (const WeightPenalty& penalty : penalties) {
    const VariableRead* weight = g.function().FindVariable(penalty.variable);
    if (weight == nullptr) {
      g.Fail(
          absl::InvalidArgumentError(absl::StrCat("penalty on ", penalty.variable, ": function ",
                                                  g.function().name(), " reads no such weight")));
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
