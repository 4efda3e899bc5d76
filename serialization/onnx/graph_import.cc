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
constexpr int64_t kNodeBytes = 768;  // what a node takes with its outputs, about

std::vector<std::optional<TensorType>> TypesOf(absl::Span<const Operand> inputs) {
  std::vector<std::optional<TensorType>> types;
  for (const Operand& input : inputs) {
    types.push_back(input.present() ? std::optional<TensorType>(input.type) : std::nullopt);
  }
  return types;
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

}  // namespace

Operand Absent() { return {}; }

std::vector<int64_t> AttributeExtents(const Shape& shape) {
  std::vector<int64_t> extents;
  for (Dim dim : shape.dims()) extents.push_back(dim.is_batch() ? -1 : dim.size());
  return extents;
}

absl::StatusOr<Operand> WithBoolean(absl::StatusOr<Operand> operand, bool boolean) {
  if (operand.ok()) operand->boolean = boolean;
  return operand;
}

bool HasOneValue(const Operand& operand, double value) {
  if (operand.fill.has_value()) return *operand.fill == value;
  if (operand.known == nullptr || HoldsBatch(*operand.known)) return false;
  const Tensor exact = operand.known->Cast(DType::kFloat64);
  const absl::Span<const double> elements = exact.Elements<double>();
  return std::all_of(elements.begin(), elements.end(), [=](double x) { return x == value; });
}

bool IsZero(const Operand& operand) { return HasOneValue(operand, 0); }

absl::StatusOr<Shape> ShapeOf(absl::Span<const int64_t> extents) {
  if (extents.size() > static_cast<size_t>(Shape::kMaxRank)) {
    return Unimplemented("more than ", Shape::kMaxRank, " axes");
  }
  Shape shape;
  for (int64_t extent : extents) {
    if (BatchFactor(extent) > 1) return Unimplemented("a multiple of the batch in a shape");
    shape.Append(extent == kBatchElement ? Dim::Batch() : Dim(extent));
  }
  SEQ_RETURN_IF_ERROR(shape.Validate());
  return shape;
}

Operand GraphImport::FromValue(Value value) const {
  Operand operand;
  operand.type = builder_.type(value);
  operand.value = value;
  return operand;
}

absl::Status GraphImport::Charge(int64_t bytes) {
  if (bytes > budget_) {
    return ResourceExhausted("what it becomes takes far more memory than the file");
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
  if (std::none_of(inputs.begin(), inputs.end(),
                   [](const Operand& input) { return !input.variable.empty(); })) {
    return FoldAnew(op, inputs, attributes);
  }
  std::string key = op.name();
  for (const auto& [name, value] : attributes.entries()) {
    absl::StrAppend(&key, ";", name, "=", AttributeKey(value));
  }
  for (const Operand& input : inputs) {
    absl::StrAppend(&key, ";", reinterpret_cast<uintptr_t>(input.known.get()), input.variable);
  }
  const auto found = folded_.find(key);
  if (found != folded_.end()) return found->second.outputs;
  SEQ_ASSIGN_OR_RETURN(std::vector<Operand> outputs, FoldAnew(op, inputs, attributes));
  folded_[key] = {{inputs.begin(), inputs.end()}, outputs};
  return outputs;
}

absl::StatusOr<std::vector<Operand>> GraphImport::FoldAnew(const OpDef& op,
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

absl::StatusOr<std::vector<Operand>> GraphImport::FoldFills(const OpDef& op,
                                                            std::vector<Operand> inputs,
                                                            const Attributes& attributes) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<TensorType> types,
                       op.InferTypes(TypesOf(inputs), attributes));
  for (Operand& input : inputs) {
    if (input.present()) input = Scalar(*input.fill, input.type.dtype);
  }
  SEQ_ASSIGN_OR_RETURN(std::vector<Operand> results, FoldAnew(op, inputs, attributes));
  for (size_t i = 0; i < results.size(); ++i) {
    Operand fill;
    fill.type = types[i];
    fill.fill = results[i].known->Cast(DType::kFloat64).Elements<double>()[0];
    results[i] = std::move(fill);
  }
  return results;
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
  if (op->fusable().has_value() && any &&
      std::all_of(all.begin(), all.end(), [](const Operand& input) {
        return !input.present() || input.fill.has_value();
      })) {
    return FoldFills(*op, all, complete);
  }
  SEQ_RETURN_IF_ERROR(Charge(kNodeBytes));
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
    VariableDef def{.name = NewVariableName(trainable ? operand.variable : "constant"),
                    .type = operand.type};
    def.trainable = trainable;
    value = builder_.Variable(def);
    variables_.push_back({def, *operand.known});
  }
  SEQ_RETURN_IF_ERROR(builder_.status());
  materialized_[key] = {operand.known, value};
  return value;
}

std::string GraphImport::NewVariableName(const std::string& wanted) {
  // In ONNX a node may be called as a weight is, and long names are cut.
  const std::vector<ValueInfo>& values = builder_.function().values();
  while (num_taken_ < values.size()) taken_.insert(values[num_taken_++].name);
  int& count = variable_names_[wanted];
  std::string name;
  do {
    name = count == 0 ? wanted : absl::StrCat(wanted, "_", count);
    ++count;
  } while (taken_.contains(name));
  return name;
}

absl::StatusOr<Value> GraphImport::MaterializeFill(const Operand& operand) {
  const Shape& shape = operand.shape();
  if (shape.is_static()) {
    return builder_.AddNode("Constant", {},
                            {{"value", Tensor::Scalar(*operand.fill).Cast(operand.type.dtype)},
                             {"shape", AttributeExtents(shape)}})[0];
  }
  // The batch comes from an input: of its other axes one element, or with none their sum.
  for (Value input : builder_.function().inputs()) {
    const Shape from = builder_.type(input).shape;
    if (from.is_static()) continue;
    Operand like = FromValue(input);
    for (int i = 0; i < from.rank(); ++i) {
      if (from[i].is_batch()) continue;
      const Attributes kept{{"axes", std::vector<int64_t>{i}}, {"keep_dims", true}};
      SEQ_ASSIGN_OR_RETURN(like,
                           from[i] == 0 ? Emit("ReduceSum", {like}, kept) : Slice(like, i, 0, 1));
    }
    std::vector<Dim> ones;
    for (Dim dim : shape.dims()) ones.push_back(dim.is_batch() ? dim : Dim(1));
    SEQ_ASSIGN_OR_RETURN(like, Reshape(like, Shape(ones)));
    SEQ_ASSIGN_OR_RETURN(like, BroadcastLike(Scalar(*operand.fill, operand.type.dtype), like));
    SEQ_ASSIGN_OR_RETURN(like, BroadcastTo(like, shape));
    return like.value;
  }
  return Internal("a shape has the batch, but no input has");
}

absl::StatusOr<Operand> GraphImport::Reshape(const Operand& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  // The first of a chain of reshapes has the same elements.
  const Node* node = builder_.function().producer(x.value);
  if (node != nullptr && node->op->name() == "Reshape") {
    return Reshape(FromValue(node->inputs[0]), shape);
  }
  if (x.known != nullptr && !shape.is_static()) {
    return Unimplemented("the batch in the shape of a constant");
  }
  return WithBoolean(Emit("Reshape", {x}, {{"shape", AttributeExtents(shape)}}), x.boolean);
}

absl::StatusOr<Operand> GraphImport::Transpose(const Operand& x, std::vector<int64_t> permutation) {
  Operand from = x;
  const Node* node = builder_.function().producer(x.value);
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
  if (x.known != nullptr && HoldsBatch(*x.known)) {
    return Operand::Of(CastWithBatch(*x.known, dtype));
  }
  if (x.fill.has_value()) {
    Operand y = x;
    y.type.dtype = dtype;
    y.fill = Tensor::Scalar(*x.fill).Cast(dtype).Cast(DType::kFloat64).Elements<double>()[0];
    return y;
  }
  // To a wider type and back changes nothing.
  const Node* node = builder_.function().producer(x.value);
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

absl::StatusOr<Operand> GraphImport::Concat(absl::Span<const Operand> parts, int64_t axis) {
  if (parts.size() == 1) return parts[0];
  // By halves: each element is copied as often as there are halvings.
  const size_t half = parts.size() / 2;
  SEQ_ASSIGN_OR_RETURN(const Operand a, Concat(parts.first(half), axis));
  SEQ_ASSIGN_OR_RETURN(const Operand b, Concat(parts.subspan(half), axis));
  return WithBoolean(Emit("Concat", {a, b}, {{"axis", axis}}), a.boolean);
}

absl::StatusOr<Operand> GraphImport::Pad(const Operand& x, int64_t axis, int64_t before,
                                         int64_t after, double value) {
  const int64_t extent = x.shape()[static_cast<int>(axis)].size();
  SEQ_ASSIGN_OR_RETURN(const Operand kept, Slice(x, axis, std::max<int64_t>(-before, 0),
                                                 extent - std::max<int64_t>(-after, 0)));
  before = std::max<int64_t>(before, 0);
  after = std::max<int64_t>(after, 0);
  if (before == 0 && after == 0) return kept;
  const Attributes attributes{
      {"axis", axis}, {"before", before}, {"after", after}, {"value", value}};
  return WithBoolean(Emit("Pad", {kept}, attributes), x.boolean);
}

}  // namespace seqgraph::onnx
