// Losses of quantiles, and of numbers that are scaled.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "ops/binary.h"
#include "ops/constant.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "ops/row_loss.h"
#include "ops/slice.h"
#include "training/losses.h"

namespace seqgraph {
namespace {

constexpr char kPinballLoss[] = "pinball";
// Of the node that scales the labels.
constexpr char kScaledLabels[] = "scaled_labels";

// One for each element of the last axis of x, given for a part of it after which they repeat.
Value Along(FunctionBuilder& g, const std::vector<double>& values, Value x) {
  const Shape& shape = g.type(x).shape;
  Tensor content = *Tensor::Zeros({DType::kFloat64, {shape.back()}});
  const absl::Span<double> elements = content.Elements<double>();
  for (size_t i = 0; i < elements.size(); ++i) elements[i] = values[i % values.size()];
  std::vector<int64_t> rows(shape.rank() - 1);
  std::iota(rows.begin(), rows.end(), 0);
  return ops::BroadcastLike(g, ops::Constant(g, content.Cast(g.type(x).dtype)), x, rows);
}

// The loss of the part of the prediction that is for each quantile, the mean of them.
Value QuantilesLoss(FunctionBuilder& g, const std::vector<double>& quantiles,
                    const LossInputs& in) {
  Value sum;
  const int axis = g.type(in.prediction).shape.rank() - 1;
  const int64_t width = g.type(in.labels).shape.back().size();
  for (size_t i = 0; i < quantiles.size(); ++i) {
    const int64_t begin = static_cast<int64_t>(i) * width;
    const Value part =
        quantiles.size() == 1
            ? in.prediction
            : ops::Slice(g, in.prediction, {.axis = axis, .begin = begin, .end = begin + width});
    const Value loss = ops::RowLoss(g, kPinballLoss, part, in.labels,
                                    {.weights = in.weights, .delta = quantiles[i]});
    sum = sum.present() ? ops::Add(g, sum, loss) : loss;
  }
  return ops::Scale(g, sum, 1.0 / static_cast<double>(quantiles.size()));
}

}  // namespace

Loss Pinball(std::vector<double> quantiles, std::string prediction) {
  const auto each = static_cast<int64_t>(quantiles.size());
  return {kPinballLoss, std::move(prediction),
          [quantiles = std::move(quantiles)](FunctionBuilder& g, const LossInputs& in) -> Value {
            double below = 0;
            for (const double q : quantiles) {
              if (!(q > below) || !(q < 1)) below = 2;
              below = std::max(below, q);
            }
            const auto times = static_cast<int64_t>(quantiles.size());
            if (quantiles.empty() || below >= 1) {
              g.Fail(InvalidArgument("the quantiles of a pinball loss must ascend in (0, 1), got {",
                                     absl::StrJoin(quantiles, ", "), "}"));
            } else if (g.status().ok() && g.type(in.labels).shape.back().size() * times !=
                                              g.type(in.prediction).shape.back().size()) {
              g.Fail(InvalidArgument("the pinball loss of ", times, " quantiles judges ",
                                     g.type(in.prediction).ToString(),
                                     ", of which they do not divide the last axis"));
            }
            return g.status().ok() ? QuantilesLoss(g, quantiles, in) : Value();
          },
          /*labels_are_classes=*/false, std::max<int64_t>(each, 1)};
}

Loss Scaled(Loss loss, std::vector<double> mean, std::vector<double> scale) {
  Loss scaled = loss;
  scaled.build = [loss = std::move(loss), mean = std::move(mean), scale = std::move(scale)](
                     FunctionBuilder& g, const LossInputs& in) -> Value {
    if (!g.status().ok()) return {};
    const Shape& labels = g.type(in.labels).shape;
    const auto fits = [&](const std::vector<double>& values) {
      const auto size = static_cast<int64_t>(values.size());
      return size == 1 || (labels.rank() > 1 && size == labels.back().size());
    };
    if (loss.labels_are_classes || !fits(mean) || !fits(scale) ||
        std::count(scale.begin(), scale.end(), 0) > 0) {
      g.Fail(InvalidArgument("the loss ", loss.name, " of labels ", g.type(in.labels).ToString(),
                             " is scaled by ", mean.size(), " means and ", scale.size(),
                             " scales; expected real labels and one of each, not 0, for an "
                             "element of their last axis"));
      return {};
    }
    const auto apply = [&](Value x, std::string name) {
      const Value moved = ops::Binary(g, "Subtract", x, Along(g, mean, x));
      return ops::Binary(g, "Divide", moved, Along(g, scale, x), std::move(name));
    };
    return loss.build(g, {apply(in.prediction, "scaled_prediction"),
                          apply(in.labels, kScaledLabels), in.weights});
  };
  return scaled;
}

bool HasScaledLoss(const Function& function) {
  for (const Node& node : function.nodes()) {
    if (node.op->name() == "Divide" && node.name == kScaledLabels) return true;
  }
  return false;
}

}  // namespace seqgraph
