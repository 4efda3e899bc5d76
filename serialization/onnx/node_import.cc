#include "serialization/onnx/node_import.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {

using onnx_proto::AttributeProto;

absl::StatusOr<Operand> NodeImport::input(int i) const {
  if (has_input(i)) return inputs_[i];
  return InvalidArgument("input ", i, " is missing");
}

absl::StatusOr<std::vector<int64_t>> NodeImport::KnownInts(int i, absl::string_view what) const {
  SEQ_ASSIGN_OR_RETURN(const Operand operand, input(i));
  Tensor tensor;
  if (operand.known != nullptr) {
    tensor = CastWithBatch(*operand.known, DType::kInt64);
  } else if (operand.fill.has_value() && operand.shape().is_static() &&
             operand.shape().num_elements() <= Shape::kMaxRank) {
    const std::vector<double> values(operand.shape().num_elements(), *operand.fill);
    tensor = Tensor::Of<double>(operand.shape(), values).Cast(DType::kInt64);
  } else {
    return Unimplemented(what, " must be known when the model is imported, but it is computed");
  }
  const absl::Span<const int64_t> elements = tensor.Elements<int64_t>();
  return std::vector<int64_t>(elements.begin(), elements.end());
}

absl::StatusOr<double> NodeImport::KnownScalar(int i, absl::string_view what) const {
  SEQ_ASSIGN_OR_RETURN(const Operand operand, input(i));
  if (operand.known != nullptr && HoldsBatch(*operand.known)) return BatchIsNoNumber();
  if (operand.known == nullptr || operand.known->num_elements() != 1) {
    return Unimplemented(what, " must be one number that is known when the model is imported");
  }
  return operand.known->Cast(DType::kFloat64).Elements<double>()[0];
}

const AttributeProto* NodeImport::Attribute(absl::string_view name) {
  read_.emplace(name);
  for (const AttributeProto& attribute : node_.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

absl::StatusOr<const AttributeProto*> NodeImport::Typed(absl::string_view name,
                                                        AttributeProto::AttributeType type) {
  const AttributeProto* attribute = Attribute(name);
  if (attribute == nullptr) return nullptr;
  if (!attribute->ref_attr_name().empty() || attribute->type() != type) {
    return InvalidArgument("attribute ", name, " is not of type ",
                           AttributeProto::AttributeType_Name(type));
  }
  return attribute;
}

absl::StatusOr<int64_t> NodeImport::Int(absl::string_view name, int64_t otherwise) {
  SEQ_ASSIGN_OR_RETURN(const AttributeProto* found, Typed(name, AttributeProto::INT));
  return found == nullptr ? otherwise : found->i();
}

absl::StatusOr<double> NodeImport::Float(absl::string_view name, double otherwise) {
  SEQ_ASSIGN_OR_RETURN(const AttributeProto* found, Typed(name, AttributeProto::FLOAT));
  return found == nullptr ? otherwise : double{found->f()};
}

absl::StatusOr<std::string> NodeImport::String(absl::string_view name, std::string otherwise) {
  SEQ_ASSIGN_OR_RETURN(const AttributeProto* found, Typed(name, AttributeProto::STRING));
  return found == nullptr ? std::move(otherwise) : found->s();
}

absl::StatusOr<std::optional<std::vector<int64_t>>> NodeImport::Ints(absl::string_view name) {
  SEQ_ASSIGN_OR_RETURN(const AttributeProto* found, Typed(name, AttributeProto::INTS));
  if (found == nullptr) return std::nullopt;
  return std::vector<int64_t>(found->ints().begin(), found->ints().end());
}

absl::StatusOr<std::optional<std::vector<double>>> NodeImport::Floats(absl::string_view name) {
  SEQ_ASSIGN_OR_RETURN(const AttributeProto* found, Typed(name, AttributeProto::FLOATS));
  if (found == nullptr) return std::nullopt;
  return std::vector<double>(found->floats().begin(), found->floats().end());
}

absl::StatusOr<std::vector<std::string>> NodeImport::Strings(absl::string_view name) {
  SEQ_ASSIGN_OR_RETURN(const AttributeProto* found, Typed(name, AttributeProto::STRINGS));
  if (found == nullptr) return std::vector<std::string>{};
  return std::vector<std::string>(found->strings().begin(), found->strings().end());
}

absl::Status NodeImport::CheckAllRead() const {
  for (const AttributeProto& attribute : node_.attribute()) {
    if (read_.contains(attribute.name())) continue;
    return Unimplemented("attribute ", attribute.name(), " is not supported");
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> NodeImport::Axis(int64_t axis, int rank, bool behind) {
  const int64_t limit = rank + (behind ? 1 : 0);
  if (axis >= -rank && axis < limit) return axis < 0 ? axis + rank : axis;
  return InvalidArgument("axis ", axis, " must be in [", -rank, ", ", limit, ")");
}

absl::StatusOr<int64_t> NodeImport::AxisAttribute(int64_t otherwise, int rank) {
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, Int("axis", otherwise));
  return Axis(axis, rank);
}

absl::StatusOr<std::optional<std::vector<int64_t>>> NodeImport::Axes(int i, int64_t input_since,
                                                                     int rank) {
  std::optional<std::vector<int64_t>> axes;
  if (opset_ < input_since) {
    SEQ_ASSIGN_OR_RETURN(axes, Ints("axes"));
  } else if (has_input(i)) {
    SEQ_ASSIGN_OR_RETURN(axes, KnownInts(i, "axes"));
  }
  if (!axes.has_value()) return axes;
  for (int64_t& axis : *axes) {
    SEQ_ASSIGN_OR_RETURN(axis, Axis(axis, rank));
  }
  std::sort(axes->begin(), axes->end());
  if (std::adjacent_find(axes->begin(), axes->end()) != axes->end()) {
    return InvalidArgument("an axis is there twice");
  }
  return axes;
}

Operand OperandOfType(Tensor tensor, int32_t type, std::string variable) {
  Operand operand = Operand::Of(std::move(tensor), std::move(variable));
  operand.boolean = type == onnx_proto::TensorProto::BOOL;
  operand.narrow = NarrowType(type);
  return operand;
}

const ConverterRow* FindConverter(absl::string_view op) {
  for (const auto& table :
       {ElementwiseConverters(),     ActivationConverters(),    ConvolutionConverters(),
        EinsumConverters(),          FusedConverters(),         LayoutConverters(),
        LookupConverters(),          LossConverters(),          ShapeConverters(),
        QuantizationConverters(),    ReductionConverters(),     ResizeConverters(),
        MachineLearningConverters(), MatrixConverters(),        NormalizationConverters(),
        OrderConverters(),           PaddingConverters(),       RecurrentConverters(),
        ScatterConverters(),         SignalConverters(),        TreeConverters(),
        WindowConverters(),          QuantizedLstmConverters(), RandomConverters()}) {
    for (const ConverterRow& row : table) {
      if (op == row.op) return &row;
    }
  }
  return nullptr;
}

}  // namespace seqgraph::onnx
