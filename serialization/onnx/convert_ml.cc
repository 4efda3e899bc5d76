// Linear models of the domain ai.onnx.ml, and what stands around models there.

#include <numeric>
#include <optional>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/ml.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {

using Ints = std::vector<int64_t>;
using Reals = std::vector<double>;

absl::StatusOr<Operand> Features(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  if (x.rank() == 2 && !x.shape()[1].is_batch()) return node.graph().Cast(x, DType::kFloat32);
  return Unimplemented("features of ", x.shape().ToString(), ", not of rows");
}

Operand Table(const Shape& shape, const Reals& values) {
  return Operand::Of(Tensor::Of<double>(shape, values).Cast(DType::kFloat32));
}

Operand Vector(const Reals& values) {
  return Table(Shape{static_cast<int64_t>(values.size())}, values);
}

Operand Indices(const std::vector<int32_t>& values) {
  return Operand::Of(Tensor::Of<int32_t>(Shape{static_cast<int64_t>(values.size())}, values));
}

Operand Numbers(int64_t count) {
  std::vector<int32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return Indices(numbers);
}

absl::StatusOr<Reals> RealsOf(NodeImport& node, const std::string& name) {
  SEQ_ASSIGN_OR_RETURN(std::optional<Reals> given, node.Floats(name));
  return given.value_or(Reals{});
}

absl::StatusOr<Ints> IntsOf(NodeImport& node, const std::string& name) {
  SEQ_ASSIGN_OR_RETURN(std::optional<Ints> given, node.Ints(name));
  return given.value_or(Ints{});
}

absl::StatusOr<Operand> Transformed(NodeImport& node, const Operand& scores) {
  SEQ_ASSIGN_OR_RETURN(const std::string name, node.String("post_transform", "NONE"));
  if (name == "NONE") return scores;
  if (name == "LOGISTIC") return node.graph().Emit("Sigmoid", {scores});
  if (name == "SOFTMAX") return node.graph().Emit("Softmax", {scores});
  return Unimplemented("post_transform \"", name, "\"");
}

absl::StatusOr<Ints> ClassesOf(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Ints numbers, IntsOf(node, "classlabels_int64s"));
  SEQ_ASSIGN_OR_RETURN(Ints more, IntsOf(node, "classlabels_ints"));
  SEQ_ASSIGN_OR_RETURN(std::vector<std::string> names, node.Strings("classlabels_strings"));
  numbers.insert(numbers.end(), more.begin(), more.end());
  if (numbers.empty() && !names.empty()) {
    numbers.resize(names.size());
    std::iota(numbers.begin(), numbers.end(), 0);
    node.graph().labels = std::move(names);
  }
  if (numbers.size() >= 2) return numbers;
  return InvalidArgument("it has ", numbers.size(), " classes");
}

absl::StatusOr<Operand> LabelOf(NodeImport& node, const Operand& scores, const Ints& classes) {
  GraphImport& g = node.graph();
  const auto count = static_cast<int64_t>(classes.size());
  const Term x(g, scores), places(g, Numbers(count));
  const Term there = Equal(x, Reduce("ReduceMax", x, {1}));
  const Term place = Where(there, places, places.Scalar(static_cast<double>(count - 1)));
  SEQ_ASSIGN_OR_RETURN(const Operand first, Map("ReduceMin", place, {{"axes", Ints{1}}}).Take());
  const Operand names = Operand::Of(Tensor::Of<int64_t>(Shape{count}, classes));
  return g.Emit("Gather", {names, first}, {{"axis", int64_t{0}}});
}

namespace {

// x W^T + b, W of the attribute coefficients.
absl::StatusOr<Operand> LinearScores(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, Features(node));
  SEQ_ASSIGN_OR_RETURN(const Reals weights, RealsOf(node, "coefficients"));
  SEQ_ASSIGN_OR_RETURN(const Reals bias, RealsOf(node, "intercepts"));
  const int64_t features = x.shape()[1].size();
  if (features < 1 || weights.empty() || weights.size() % features != 0) {
    return InvalidArgument(weights.size(), " coefficients of ", features, " features");
  }
  const int64_t rows = static_cast<int64_t>(weights.size()) / features;
  if (!bias.empty() && static_cast<int64_t>(bias.size()) != rows) {
    return InvalidArgument("it has ", bias.size(), " intercepts");
  }
  Operand w = Table(Shape{rows, features}, weights);
  w.variable = node.name() + "/kernel";
  SEQ_ASSIGN_OR_RETURN(w, node.graph().Transpose(w, {1, 0}));
  Operand b = bias.empty() ? Absent() : Vector(bias);
  if (b.present()) b.variable = node.name() + "/bias";
  return node.graph().Emit("Dense", {x, w, b});
}

absl::StatusOr<Operand> ConvertLinearRegressor(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(node.Int("targets", 1).status());
  SEQ_ASSIGN_OR_RETURN(const Operand y, LinearScores(node));
  return Transformed(node, y);
}

absl::StatusOr<Operand> ConvertLinearClassifier(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(node.Int("multi_class", 0).status());
  SEQ_ASSIGN_OR_RETURN(const Ints classes, ClassesOf(node));
  SEQ_ASSIGN_OR_RETURN(const Operand y, LinearScores(node));
  if (y.shape()[1] != static_cast<int64_t>(classes.size())) {
    return Unimplemented(y.shape().ToString(), " scores of ", classes.size(), " classes");
  }
  SEQ_ASSIGN_OR_RETURN(Operand scores, Transformed(node, y));
  node.SetOutput(1, std::move(scores));
  return LabelOf(node, y, classes);
}

// (x - offset) scale
absl::StatusOr<Operand> ConvertScaler(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, Features(node));
  SEQ_ASSIGN_OR_RETURN(const Reals offset, RealsOf(node, "offset"));
  SEQ_ASSIGN_OR_RETURN(const Reals scale, RealsOf(node, "scale"));
  const auto fits = [&x](const Reals& reals) {
    return reals.size() == 1 || x.shape()[1] == static_cast<int64_t>(reals.size());
  };
  if (!fits(offset) || !fits(scale)) return InvalidArgument("offset or scale differs in number");
  GraphImport& g = node.graph();
  return ((Term(g, x) - Term(g, Vector(offset))) * Term(g, Vector(scale))).Take();
}

// Each row divided by its norm; a row of zeros stays.
absl::StatusOr<Operand> ConvertNormalizer(NodeImport& node) {
  const Term x(node.graph(), Features(node));
  SEQ_ASSIGN_OR_RETURN(const std::string norm, node.String("norm", "MAX"));
  const Term size = norm == "L2"   ? Map("Sqrt", Reduce("ReduceSum", x * x, {1}))
                    : norm == "L1" ? Reduce("ReduceSum", Map("Abs", x), {1})
                                   : Reduce("ReduceMax", x, {1});
  return (x / Where(Equal(size, size.Scalar(0)), size.Scalar(1), size)).Take();
}

// A map from class to probability: the probabilities in the order of the classes.
absl::StatusOr<Operand> ConvertZipMap(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(node.Ints("classlabels_int64s").status());
  SEQ_RETURN_IF_ERROR(node.Strings("classlabels_strings").status());
  return node.input(0);
}

constexpr ConverterRow kMachineLearningRows[] = {
    {"ai.onnx.ml:LinearClassifier", ConvertLinearClassifier},
    {"ai.onnx.ml:LinearRegressor", ConvertLinearRegressor},
    {"ai.onnx.ml:Normalizer", ConvertNormalizer},
    {"ai.onnx.ml:Scaler", ConvertScaler},
    {"ai.onnx.ml:ZipMap", ConvertZipMap},
};

}  // namespace

absl::Span<const ConverterRow> MachineLearningConverters() { return kMachineLearningRows; }

}  // namespace seqgraph::onnx
