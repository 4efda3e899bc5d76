#include "layers/reshaping.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "layers/layer_context.h"
#include "ops/examples.h"
#include "ops/reshape.h"

namespace seqgraph {
namespace {

LayerFlow EmitReshape(LayerContext& c, const ReshapeLayer& layer) {
  const Shape& from = c.type().shape;
  const int steps = 1 + c.outer_axes();
  const int64_t elements = Shape(from.dims().subspan(steps)).num_elements();
  int64_t known = 1;  // all but the extent that is -1
  for (const int64_t extent : layer.target_shape) {
    if (extent != -1 && known <= elements) known *= extent;
  }
  if (steps + layer.target_shape.size() > Shape::kMaxRank) {
    c.Fail(absl::StrCat("target_shape has too many axes for ", c.type().ToString()));
    return {};
  }
  Shape to(from.dims().subspan(0, steps));
  for (const int64_t extent : layer.target_shape)
    to.Append(extent == -1 ? elements / known : extent);
  if (Shape(to.dims().subspan(steps)).num_elements() != elements || known > elements) {
    c.Fail(absl::StrCat("target_shape [", absl::StrJoin(layer.target_shape, ", "),
                        "] does not have the elements of its input ", c.type().ToString()));
    return {};
  }
  return c.Drop(ops::Reshape(c.g(), c.x(), to, c.name()));
}

absl::Status CheckReshape(const ReshapeLayer& layer) {
  const auto& target = layer.target_shape;
  if (target.size() < Shape::kMaxRank && std::count(target.begin(), target.end(), -1) <= 1 &&
      std::count(target.begin(), target.end(), 0) == 0) {
    return absl::OkStatus();
  }
  return InvalidArgument("target_shape [", absl::StrJoin(target, ", "), "] must have 1 to ",
                         Shape::kMaxRank - 1, " extents of at least 1, of which one may be -1");
}

LayerFlow EmitPermute(LayerContext& c, const PermuteLayer& layer) {
  if (static_cast<int>(layer.dims.size()) != c.type().shape.rank() - 1) {
    c.Fail(absl::StrCat("dims has ", layer.dims.size(), " axes behind the batch, and its input is ",
                        c.type().ToString()));
    return {};
  }
  std::vector<int64_t> permutation = {0};
  permutation.insert(permutation.end(), layer.dims.begin(), layer.dims.end());
  return c.Drop(ops::Transpose(c.g(), c.x(), std::move(permutation), c.name()));
}

absl::Status CheckPermute(const PermuteLayer& layer) {
  std::vector<int64_t> sorted = layer.dims;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<int64_t>(i) + 1) {
      return InvalidArgument("dims [", absl::StrJoin(layer.dims, ", "),
                             "] must have each axis from 1 on once");
    }
  }
  return absl::OkStatus();
}

}  // namespace

LayerDef ReshapeDef() {
  return DefineLayer<ReshapeLayer>()
      .Doc(
          "[batch, ...] -> [batch, target_shape...]: the same elements in row-major order. Masks "
          "end here, as in Keras.")
      .AllSteps(StepsAtOnce::kAlways)
      .Emit(EmitReshape)
      .Check(CheckReshape)
      .FitSample([](ReshapeLayer& layer, SampleSource& random) {
        layer.target_shape = random.Coin() ? std::vector<int64_t>{-1} : std::vector<int64_t>{1, -1};
      })
      .Example({"what_remains",
                ReshapeLayer{.target_shape = {3, -1}},
                ops::Reals({1, 2, 3}, {1, 2, 3, 4, 5, 6}),
                {},
                ops::Reals({1, 3, 2}, {1, 2, 3, 4, 5, 6})});
}

LayerDef PermuteDef() {
  return DefineLayer<PermuteLayer>()
      .Doc(
          "[batch, ...] -> the same elements with the axes behind the batch in the order dims: "
          "dims [2, 1] makes steps features. Masks end here, as in Keras.")
      .Emit(EmitPermute)
      .Check(CheckPermute)
      .FitSample([](PermuteLayer& layer, SampleSource& random) {
        layer.dims = random.Coin() ? std::vector<int64_t>{2, 1} : std::vector<int64_t>{1, 2};
      })
      .Example({"steps_to_features",
                PermuteLayer{.dims = {2, 1}},
                ops::Reals({1, 2, 3}, {1, 2, 3, 4, 5, 6}),
                {},
                ops::Reals({1, 3, 2}, {1, 4, 2, 5, 3, 6})});
}

}  // namespace seqgraph
