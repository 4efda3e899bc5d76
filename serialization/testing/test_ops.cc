#include "serialization/testing/test_ops.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

template <typename T>
absl::Status CopyFirst(const ReferenceContext& c) {
  const TensorView<const T> x = c.input<T>(0);
  for (int i = 0; i < 2; ++i) {
    if (const TensorView<T> y = c.output<T>(i)) std::copy(x.data, x.data + x.size(), y.data);
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status CopyOnly(const ReferenceContext& c) {
  const TensorView<const T> x = c.input<T>(0);
  std::copy(x.data, x.data + x.size(), c.output<T>(0).data);
  return absl::OkStatus();
}

OpExample CopyExample(int num_inputs, int num_outputs) {
  OpExample example{.name = "copies"};
  example.inputs.resize(num_inputs);
  example.inputs[0] = Tensor::Of<float>({1}, {2.0f});
  example.outputs.assign(num_outputs, Tensor::Of<float>({1}, {2.0f}));
  return example;
}

OpDef Mix(int version) {
  return OpDef("Mix", version)
      .Doc("y = z = x; for tests of files.")
      .Input({.name = "x"})
      .Input({.name = "w", .optional = true})
      .Input({.name = "b", .optional = true})
      .Output({.name = "y"})
      .Output({.name = "z"})
      .Attribute({.name = "size", .kind = AttributeKind::kInt, .default_value = int64_t{3}})
      .Attribute({.name = "rate", .kind = AttributeKind::kFloat, .default_value = 0.1})
      .Attribute({.name = "flag", .kind = AttributeKind::kBool, .default_value = false})
      .Attribute({.name = "mode",
                  .kind = AttributeKind::kString,
                  .default_value = std::string("soft"),
                  .one_of = {"soft", "hard"}})
      .Attribute(
          {.name = "axes", .kind = AttributeKind::kInts, .default_value = std::vector<int64_t>{}})
      .Attribute({.name = "dtype", .kind = AttributeKind::kDType, .default_value = DType::kFloat32})
      .Shapes([](const ShapeContext& c) -> absl::StatusOr<std::vector<TensorType>> {
        if (c.shape(0).rank() == 0) return absl::InvalidArgumentError("C1: x must have an axis");
        return std::vector<TensorType>{c.type(0), c.type(0)};
      })
      .Reference(CopyFirst<float>, CopyFirst<double>)
      .Constrain("C1", "x has an axis")
      .Bound(ExactBound())
      .Example(CopyExample(3, 2));
}

OpDef Copy() {
  return OpDef("Copy", 1)
      .Doc("y = x; for tests of files.")
      .Input({.name = "x"})
      .Output({.name = "y"})
      .Shapes([](const ShapeContext& c) -> absl::StatusOr<std::vector<TensorType>> {
        return std::vector<TensorType>{c.type(0)};
      })
      .Reference(CopyOnly<float>, CopyOnly<double>)
      .Bound(ExactBound())
      .Example(CopyExample(1, 1));
}

void Must(const absl::Status& status) { SEQ_CHECK(status.ok()); }

}  // namespace

OpRegistry FileTestOps(int mix_version) {
  OpRegistry registry;
  Must(registry.Register(Mix(mix_version)));
  Must(registry.Register(Copy()));
  return registry;
}

absl::Span<const float> AwkwardFloats() {
  using Limits = std::numeric_limits<float>;
  static const float kFloats[] = {
      0.0f,
      -0.0f,
      Limits::denorm_min(),
      -Limits::denorm_min(),
      std::bit_cast<float>(uint32_t{0x007FFFFF}),  // the largest denormal
      Limits::min(),
      Limits::max(),
      Limits::lowest(),
      Limits::infinity(),
      -Limits::infinity(),
      0.1f,
      std::bit_cast<float>(uint32_t{0x3DCCCCCE}),  // 0.1f and one unit in the last place
      16777217.0f,
      std::bit_cast<float>(uint32_t{0x7FC00000}),  // the usual NaN
      std::bit_cast<float>(uint32_t{0xFFC12345}),  // a negative one with a payload
      std::bit_cast<float>(uint32_t{0x7F800001}),  // a signalling one
  };
  return kFloats;
}

SeriesPreprocessing AwkwardSeries() {
  return {.task = "forecast",
          .features = {"caf\xE9", "", std::string("nul\0l", 5), "two\nlines"},
          .targets = {"\"{'"},
          .known_future = {"", ""},
          .series_column = "series",
          .order_column = "\xFF",
          .time_column = "time",
          .label_column = "label",
          .group_column = "group",
          .weight_column = "weight",
          .time_format = "%d.%m.%Y",
          .missing = "mask",
          .scale = "robust",
          .loss = "huber",
          .split = "validation=0.2 test=0 seed=1",
          .window = 24,
          .horizon = 3,
          .stride = 1,
          .max_steps = 2147483647,
          .season = 12,
          .many_labels = true,
          .per_step = true,
          .quantiles = {0.1, 1.0 / 3, 0.975}};
}

Model FileTestModel(const OpRegistry& registry) {
  Model model;
  model.name = "test";
  model.description = "two functions over shared variables; Größe \"in quotes\"\n";
  const VariableDef weight{"layer/kernel", {DType::kFloat32, {2, 8}}, Initializer::Uniform(0.05)};
  const VariableDef slot{"optimizer/layer/kernel/velocity",
                         {DType::kFloat32, {2, 8}},
                         Initializer::Constant(0.25),
                         VariableRole::kOptimizer,
                         false};
  const TensorType x_type{DType::kFloat32, {Dim::Batch(), 100}};
  {
    FunctionBuilder g("predict", registry);
    const Value x = g.Input("x", x_type);
    g.Input("unused", {DType::kInt32, {Dim::Batch()}});
    const Value w = g.Variable(weight);
    const std::vector<Value> mixed = g.AddNode("Mix", {x, {}, w},
                                               {{"size", int64_t{-7}},
                                                {"rate", 1e-7},
                                                {"flag", true},
                                                {"mode", std::string("hard")},
                                                {"axes", std::vector<int64_t>{0, -1}},
                                                {"dtype", DType::kInt64}},
                                               "layer/mix");
    g.AddNode("Copy", {x});
    g.Result("y", mixed[0]);
    absl::StatusOr<Function> predict = std::move(g).Build();
    Must(predict.status());
    Must(model.AddFunction(*std::move(predict)));
  }
  {
    FunctionBuilder g("train_step", registry);
    const Value w = g.Variable(weight);
    const Value s = g.Variable(slot);
    const Value kept = g.AddNode("Copy", {w})[0];
    g.Result("w", g.AddNode("Copy", {kept})[0]);
    g.Update(weight.name, s);
    g.Update(slot.name, kept);
    absl::StatusOr<Function> train = std::move(g).Build();
    Must(train.status());
    Must(model.AddFunction(*std::move(train)));
  }
  Must(
      model.variables.Declare({"steps", {DType::kInt64, {}}, {}, VariableRole::kOptimizer, false}));
  Must(model.variables.Declare({"ids", {DType::kInt32, {3}}, Initializer::GlorotUniform()}));
  Must(model.variables.Declare({"exact", {DType::kFloat64, {2, 2}}, Initializer::Orthogonal()}));
  Must(model.variables.Declare({"empty", {DType::kFloat32, {0, 4}}, {}}));
  Must(model.variables.Assign(weight.name, Tensor::Of<float>({2, 8}, AwkwardFloats())));
  Must(model.variables.Assign("steps", Tensor::Scalar<int64_t>(int64_t{1} << 53 | 1)));
  Must(model.variables.Assign("ids", Tensor::Of<int32_t>({3}, {-1, 0, INT32_MIN})));
  Must(model.variables.Assign(
      "exact", Tensor::Of<double>({2, 2}, {0.1, -0.0, std::numeric_limits<double>::denorm_min(),
                                           std::bit_cast<double>(0x7FF8000000000123)})));
  model.preprocessing = {
      "imdb", 500, 100, {"the", "caf\xE9", std::string("nul\0l", 5), "\"{'"}, "te\xFFxt", "a\nb"};
  model.series = AwkwardSeries();
  model.labels = {"negative", "positive"};
  return model;
}

}  // namespace seqgraph
