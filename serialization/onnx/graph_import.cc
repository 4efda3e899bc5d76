#include "serialization/onnx/graph_import.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/constant_attributes.h"
#include "graph/evaluate.h"

namespace seqgraph::onnx {
namespace {

// Elements. A constant is copied out in each call; beyond this, what is known is a variable that is
// not trained, which is read where it lies.
constexpr int64_t kLargestConstant = 256;

std::vector<std::optional<TensorType>> TypesOf(absl::Span<const Operand> inputs) {
  std::vector<std::optional<TensorType>> types;
  for (const Operand& input : inputs) {
    types.push_back(input.present() ? std::optional<TensorType>(input.type) : std::nullopt);
  }
  return types;
}

std::vector<int64_t> Extents(const Shape& shape) {
  std::vector<int64_t> extents;
  for (Dim dim : shape.dims()) extents.push_back(dim.is_batch() ? -1 : dim.size());
  return extents;
}

// True if `from`, whose axes are the last ones of `to`, has the batch wherever `to` has it.
bool BringsBatch(const Shape& from, const Shape& to) {
  const int lead = to.rank() - from.rank();
  for (int i = 0; i < to.rank(); ++i) {
    if (to[i].is_batch() && (i < lead || !from[i - lead].is_batch())) return false;
  }
  return true;
}

// The one value of all elements that the op moves; absent if it computes, or moves others too.
std::optional<double> MovedFill(const OpDef& op, absl::Span<const Operand> inputs) {
  if (!op.moves()) return std::nullopt;
  std::optional<double> fill;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const InputDef& def = op.inputs()[i];
    if (!inputs[i].present() || def.shape_only || def.type != op.outputs()[0].type) continue;
    if (!inputs[i].fill.has_value() || inputs[i].fill != fill.value_or(*inputs[i].fill)) {
      return std::nullopt;
    }
    fill = inputs[i].fill;
  }
  return fill;
}

absl::Status BatchIsNoNumber() {
  return Unimplemented(
      "it computes with the batch as a number, which is known only when a function is compiled");
}

}  // namespace

Operand Absent() { return {}; }

bool HoldsBatch(const Tensor& tensor) {
  if (tensor.dtype() != DType::kInt64) return false;
  const absl::Span<const int64_t> elements = tensor.Elements<int64_t>();
  return std::find(elements.begin(), elements.end(), kBatchElement) != elements.end();
}

absl::StatusOr<Operand> WithBoolean(absl::StatusOr<Operand> operand, bool boolean) {
  if (operand.ok()) operand->boolean = boolean;
  return operand;
}

bool IsZero(const Operand& operand) {
  if (operand.fill.has_value()) return *operand.fill == 0;
  if (operand.known == nullptr || HoldsBatch(*operand.known)) return false;
  const Tensor exact = operand.known->Cast(DType::kFloat64);
  const absl::Span<const double> elements = exact.Elements<double>();
  return std::all_of(elements.begin(), elements.end(), [](double x) { return x == 0; });
}

absl::StatusOr<Shape> ShapeOf(absl::Span<const int64_t> extents) {
  if (extents.size() > static_cast<size_t>(Shape::kMaxRank)) {
    return Unimplemented("more than ", Shape::kMaxRank, " axes");
  }
  Shape shape;
  for (int64_t extent : extents) {
    shape.Append(extent == kBatchElement ? Dim::Batch() : Dim(extent));
  }
  SEQ_RETURN_IF_ERROR(shape.Validate());
  return shape;
}

absl::StatusOr<Shape> BroadcastShapes(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape result;
  for (int i = 0; i < rank; ++i) {
    const int at_a = i - (rank - a.rank()), at_b = i - (rank - b.rank());
    const Dim from_a = at_a < 0 ? Dim(1) : a[at_a], from_b = at_b < 0 ? Dim(1) : b[at_b];
    if (from_a != from_b && from_a != 1 && from_b != 1) {
      return InvalidArgument("shapes ", a.ToString(), " and ", b.ToString(), " do not broadcast");
    }
    result.Append(from_a == 1 ? from_b : from_a);
  }
  return result;
}

Operand GraphImport::FromValue(Value value) const {
  Operand operand;
  operand.type = builder_.type(value);
  operand.value = value;
  return operand;
}

absl::Status GraphImport::Charge(int64_t bytes) {
  if (bytes > budget_) {
    return ResourceExhausted("what can be computed beforehand takes far more memory than the file");
  }
  budget_ -= bytes;
  return absl::OkStatus();
}

Operand GraphImport::Scalar(double value, DType dtype) const {
  return Operand::Of(Tensor::Scalar(value).Cast(dtype));
}

absl::StatusOr<std::vector<Operand>> GraphImport::Fold(const OpDef& op,
                                                       absl::Span<const Operand> inputs,
                                                       const Attributes& attributes) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<TensorType> types,
                       op.InferTypes(TypesOf(inputs), attributes));
  std::vector<const Tensor*> known(inputs.size(), nullptr);
  std::string variable;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].present()) continue;
    known[i] = &*inputs[i].known;
    if (HoldsBatch(*known[i]) && !op.moves()) return BatchIsNoNumber();
    if (variable.empty()) variable = inputs[i].variable;
  }
  for (const TensorType& type : types) {
    SEQ_CHECK(type.shape.is_static());
    SEQ_RETURN_IF_ERROR(Charge(type.num_bytes()));
  }
  SEQ_ASSIGN_OR_RETURN(OptionalTensors results, Evaluate(op, attributes, known));
  std::vector<Operand> operands;
  for (std::optional<Tensor>& result : results) {
    const bool keeps = IsReal(result->dtype());
    operands.push_back(Operand::Of(*std::move(result), keeps ? variable : ""));
  }
  return operands;
}

absl::StatusOr<std::vector<Operand>> GraphImport::EmitAll(absl::string_view name,
                                                          absl::Span<const Operand> inputs,
                                                          const Attributes& attributes) {
  SEQ_ASSIGN_OR_RETURN(const OpDef* op, builder_.registry().Get(name));
  SEQ_ASSIGN_OR_RETURN(const Attributes complete, op->CompleteAttributes(attributes));
  std::vector<Operand> all(inputs.begin(), inputs.end());
  all.resize(op->inputs().size());
  bool any = false, all_known = true;
  for (const Operand& input : all) {
    any |= input.present();
    all_known &= !input.present() || input.known != nullptr;
  }
  if (any && all_known) return Fold(*op, all, complete);
  if (const std::optional<double> fill = MovedFill(*op, all); fill.has_value()) {
    SEQ_ASSIGN_OR_RETURN(const std::vector<TensorType> types,
                         op->InferTypes(TypesOf(all), complete));
    Operand moved;
    moved.type = types[0];
    moved.fill = fill;
    return std::vector<Operand>{moved};
  }
  std::vector<Value> values;
  for (const Operand& input : all) {
    SEQ_ASSIGN_OR_RETURN(values.emplace_back(), Materialize(input));
  }
  const std::vector<Value> outputs = builder_.AddNode(name, values, complete);
  SEQ_RETURN_IF_ERROR(builder_.status());
  std::vector<Operand> operands;
  for (Value output : outputs) operands.push_back(FromValue(output));
  return operands;
}

absl::StatusOr<Operand> GraphImport::Emit(absl::string_view op, absl::Span<const Operand> inputs,
                                          const Attributes& attributes) {
  SEQ_ASSIGN_OR_RETURN(std::vector<Operand> outputs, EmitAll(op, inputs, attributes));
  return std::move(outputs[0]);
}

absl::StatusOr<Value> GraphImport::Materialize(const Operand& operand) {
  if (!operand.present()) return Value{};
  if (operand.value.present()) return operand.value;
  if (operand.fill.has_value()) return MaterializeFill(operand);
  if (HoldsBatch(*operand.known)) return BatchIsNoNumber();
  const std::pair<const Tensor*, std::string> key(operand.known.get(), operand.variable);
  if (const auto found = materialized_.find(key); found != materialized_.end()) {
    return found->second.second;
  }
  const bool trainable = !operand.variable.empty();
  const Attributes constant = trainable ? Attributes() : ConstantAttributes(*operand.known);
  Value value;
  if (!trainable && constant.GetTensor("value").num_elements() <= kLargestConstant) {
    value = builder_.AddNode("Constant", {}, constant)[0];
  } else {
    std::string name = trainable ? operand.variable : "constant";
    const int count = variable_names_[name]++;
    if (count > 0) absl::StrAppend(&name, "_", count);
    VariableDef def{.name = name, .type = operand.type};
    def.trainable = trainable;
    value = builder_.Variable(def);
    variables_.push_back({def, *operand.known});
  }
  SEQ_RETURN_IF_ERROR(builder_.status());
  materialized_[key] = {operand.known, value};
  return value;
}

absl::StatusOr<Value> GraphImport::MaterializeFill(const Operand& operand) {
  const Shape& shape = operand.shape();
  if (shape.is_static()) {
    return builder_.AddNode("Constant", {},
                            {{"value", Tensor::Scalar(*operand.fill).Cast(operand.type.dtype)},
                             {"shape", Extents(shape)}})[0];
  }
  // The batch comes from an input: [batch] of the value, then the other axes.
  for (Value input : builder_.function().inputs()) {
    const Shape from = builder_.type(input).shape;
    const auto batch = std::find(from.dims().begin(), from.dims().end(), Dim::Batch());
    if (batch == from.dims().end()) continue;
    std::vector<int64_t> others;
    for (int i = 0; i < from.rank(); ++i) {
      if (i != batch - from.dims().begin()) others.push_back(i);
    }
    Operand x = FromValue(input);
    SEQ_ASSIGN_OR_RETURN(x, Emit("ReduceSum", {x}, {{"axes", others}}));
    SEQ_ASSIGN_OR_RETURN(x, Cast(x, DType::kFloat64));
    SEQ_ASSIGN_OR_RETURN(x, Emit("FillLike", {x}, {{"value", *operand.fill}}));
    SEQ_ASSIGN_OR_RETURN(x, Cast(x, operand.type.dtype));
    std::vector<Dim> ones;
    for (Dim dim : shape.dims()) ones.push_back(dim.is_batch() ? dim : Dim(1));
    SEQ_ASSIGN_OR_RETURN(x, Reshape(x, Shape(ones)));
    SEQ_ASSIGN_OR_RETURN(x, BroadcastTo(x, shape));
    return x.value;
  }
  return Internal("a shape has the batch, but no input has");
}

absl::StatusOr<Operand> GraphImport::Reshape(const Operand& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  // The first of a chain of reshapes has the same elements.
  const Node* node = builder_.function().producer(x.value);
  if (x.value.present() && node != nullptr && node->op->name() == "Reshape") {
    return Reshape(FromValue(node->inputs[0]), shape);
  }
  if (x.known != nullptr && !shape.is_static()) {
    return Unimplemented("the batch in the shape of a constant");
  }
  return WithBoolean(Emit("Reshape", {x}, {{"shape", Extents(shape)}}), x.boolean);
}

absl::StatusOr<Operand> GraphImport::Transpose(const Operand& x, std::vector<int64_t> permutation) {
  Operand from = x;
  const Node* node = x.value.present() ? builder_.function().producer(x.value) : nullptr;
  if (node != nullptr && node->op->name() == "Transpose") {
    const std::vector<int64_t>& first = node->attributes.GetInts("permutation");
    for (int64_t& axis : permutation) axis = first[axis];
    from = FromValue(node->inputs[0]);
  }
  std::vector<int64_t> identity(permutation.size());
  std::iota(identity.begin(), identity.end(), 0);
  if (permutation == identity) return WithBoolean(from, x.boolean);
  return WithBoolean(Emit("Transpose", {from}, {{"permutation", permutation}}), x.boolean);
}

absl::StatusOr<Operand> GraphImport::Cast(const Operand& x, DType dtype) {
  if (x.type.dtype == dtype) return x;
  if (x.fill.has_value()) {
    Operand y = x;
    y.type.dtype = dtype;
    y.fill = Tensor::Scalar(*x.fill).Cast(dtype).Cast(DType::kFloat64).Elements<double>()[0];
    return y;
  }
  // To a wider type and back changes nothing.
  const Node* node = x.value.present() ? builder_.function().producer(x.value) : nullptr;
  if (node != nullptr && node->op->name() == "Cast" &&
      builder_.type(node->inputs[0]).dtype == dtype && SizeOf(x.type.dtype) > SizeOf(dtype) &&
      IsReal(x.type.dtype) == IsReal(dtype)) {
    return FromValue(node->inputs[0]);
  }
  return Emit("Cast", {x}, {{"dtype", dtype}});
}

absl::StatusOr<Operand> GraphImport::Slice(const Operand& x, int64_t axis, int64_t begin,
                                           int64_t end, int64_t stride) {
  const Dim extent = x.shape()[static_cast<int>(axis)];
  if (!extent.is_batch() && begin == 0 && end == extent.size() && stride == 1) return x;
  return WithBoolean(
      Emit("Slice", {x}, {{"axis", axis}, {"begin", begin}, {"end", end}, {"stride", stride}}),
      x.boolean);
}

absl::StatusOr<Operand> GraphImport::Concat(const std::vector<Operand>& parts, int64_t axis) {
  Operand all = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    SEQ_ASSIGN_OR_RETURN(all, Emit("Concat", {all, parts[i]}, {{"axis", axis}}));
  }
  return WithBoolean(all, parts[0].boolean);
}

absl::StatusOr<Operand> GraphImport::BroadcastTo(const Operand& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return WithBoolean(Emit("BroadcastTo", {x}, {{"shape", Extents(shape)}}), x.boolean);
}

absl::StatusOr<Operand> GraphImport::BroadcastLike(const Operand& x, const Operand& like) {
  std::vector<Dim> dims(like.rank(), Dim(1));
  std::copy_backward(x.shape().dims().begin(), x.shape().dims().end(), dims.end());
  SEQ_ASSIGN_OR_RETURN(const Operand padded, Reshape(x, Shape(dims)));
  std::vector<int64_t> axes;
  for (int i = 0; i < like.rank(); ++i) {
    if (dims[i] != like.shape()[i]) axes.push_back(i);
  }
  SEQ_ASSIGN_OR_RETURN(const Operand typed, Cast(like, x.type.dtype));
  return WithBoolean(Emit("BroadcastLike", {padded, typed}, {{"axes", axes}}), x.boolean);
}

absl::StatusOr<std::vector<Operand>> GraphImport::Broadcast(std::vector<Operand> operands) {
  Shape shape;
  for (const Operand& operand : operands) {
    SEQ_ASSIGN_OR_RETURN(shape, BroadcastShapes(shape, operand.shape()));
  }
  // Whoever has the batch goes first, so that the others can follow its shape.
  const Operand* like = nullptr;
  for (Operand& operand : operands) {
    if (!operand.value.present() || !BringsBatch(operand.shape(), shape)) continue;
    SEQ_ASSIGN_OR_RETURN(operand, BroadcastTo(operand, shape));
    if (like == nullptr) like = &operand;
  }
  for (Operand& operand : operands) {
    if (operand.shape() == shape && !operand.fill.has_value()) continue;
    if (operand.fill.has_value() && like != nullptr) {
      operand = Scalar(*operand.fill, operand.type.dtype);
    }
    if (BringsBatch(operand.shape(), shape)) {
      SEQ_ASSIGN_OR_RETURN(operand, BroadcastTo(operand, shape));
    } else if (like != nullptr) {
      SEQ_ASSIGN_OR_RETURN(operand, BroadcastLike(operand, *like));
    } else {
      return Unimplemented("no operand has the whole batch of ", shape.ToString());
    }
  }
  return operands;
}

}  // namespace seqgraph::onnx
