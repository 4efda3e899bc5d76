#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "serialization/onnx/graph_import.h"
#include "serialization/onnx/onnx.pb.h"

namespace seqgraph::onnx {

/// What a converter sees of one ONNX node, and where it puts the outputs. Attributes that it never
/// asks for are refused afterwards, so none is ignored by not knowing it.
class NodeImport {
 public:
  /// `ours`: ConverterRow::ours.
  NodeImport(GraphImport& graph, const onnx_proto::NodeProto& node, const char* ours, int64_t opset,
             std::vector<Operand> inputs, std::string name)
      : graph_(graph),
        node_(node),
        ours_(ours),
        opset_(opset),
        inputs_(std::move(inputs)),
        outputs_(node.output_size()),
        name_(std::move(name)) {}

  GraphImport& graph() { return graph_; }
  const onnx_proto::NodeProto& node() const { return node_; }
  /// The op that its converter is to make of it.
  const char* ours() const { return ours_; }
  /// Of the default domain.
  int64_t opset() const { return opset_; }
  /// "r/RNN": the prefix of variables that the node makes.
  const std::string& name() const { return name_; }

  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  bool has_input(int i) const { return i < num_inputs() && inputs_[i].present(); }
  /// Absent if it is not given.
  Operand optional_input(int i) const { return i < num_inputs() ? inputs_[i] : Absent(); }
  /// InvalidArgument if it is not given.
  absl::StatusOr<Operand> input(int i) const;
  const std::vector<Operand>& inputs() const { return inputs_; }
  /// The elements of an integer input that must be known; `what` is its name. An element may be
  /// kBatchElement.
  absl::StatusOr<std::vector<int64_t>> KnownInts(int i, absl::string_view what) const;
  /// The one element of an input that must be known.
  absl::StatusOr<double> KnownScalar(int i, absl::string_view what) const;

  bool wants_output(int i) const { return i < node_.output_size() && !node_.output(i).empty(); }
  int num_outputs() const { return node_.output_size(); }
  void SetOutput(int i, Operand operand) {
    if (i < static_cast<int>(outputs_.size())) outputs_[i] = std::move(operand);
  }
  const std::vector<Operand>& outputs() const { return outputs_; }

  // Attributes. The default if it is not there; InvalidArgument if it is of another type.
  absl::StatusOr<int64_t> Int(absl::string_view name, int64_t otherwise);
  absl::StatusOr<double> Float(absl::string_view name, double otherwise);
  absl::StatusOr<std::string> String(absl::string_view name, std::string otherwise);
  absl::StatusOr<std::optional<std::vector<int64_t>>> Ints(absl::string_view name);
  absl::StatusOr<std::vector<std::string>> Strings(absl::string_view name);
  absl::StatusOr<std::optional<std::vector<double>>> Floats(absl::string_view name);
  /// Null if it is not there.
  const onnx_proto::AttributeProto* Attribute(absl::string_view name);
  /// Unimplemented for the first attribute that nobody asked for.
  absl::Status CheckAllRead() const;

  /// `axis`, which may count from the end of `rank` axes, in [0, rank); up to and with `rank` if
  /// `behind`.
  static absl::StatusOr<int64_t> Axis(int64_t axis, int rank, bool behind = false);
  /// The attribute "axis".
  absl::StatusOr<int64_t> AxisAttribute(int64_t otherwise, int rank);
  /// The axes that an attribute (before `input_since`) or input i holds, ascending and once each,
  /// of a result of that rank; absent if it is not there.
  absl::StatusOr<std::optional<std::vector<int64_t>>> Axes(int i, int64_t input_since, int rank);

 private:
  absl::StatusOr<const onnx_proto::AttributeProto*> Typed(
      absl::string_view name, onnx_proto::AttributeProto::AttributeType type);

  GraphImport& graph_;
  const onnx_proto::NodeProto& node_;
  const char* ours_;
  int64_t opset_;
  std::vector<Operand> inputs_;
  std::vector<Operand> outputs_;
  std::string name_;
  std::set<std::string, std::less<>> read_;
};

/// An ONNX operator.
struct ConverterRow {
  const char* op;
  /// Gives the first output (absent if nobody wants it) and sets the others.
  absl::StatusOr<Operand> (*convert)(NodeImport&);
  const char* ours = "";  ///< the op that it becomes, where the converter is for several
};

/// A tensor of a file, whose elements are of that type of ONNX's.
Operand OperandOfType(Tensor tensor, int32_t type, std::string variable = "");

/// What computes along the last axis, along the attribute `axis`. Before opset 13 that is all axes
/// from `axis` on, taken together.
absl::StatusOr<Operand> NormalizeAlongAxis(NodeImport& node,
                                           absl::StatusOr<Operand> (*compute)(GraphImport& g,
                                                                              const Operand& x));

/// What MatMul gives of a and b.
absl::StatusOr<Operand> MatrixProduct(NodeImport& node, Operand a, Operand b);

// One table a family; those of the first two compute each element from the same element of their
// operands, which broadcast.
absl::Span<const ConverterRow> ElementwiseConverters();
absl::Span<const ConverterRow> ActivationConverters();
absl::Span<const ConverterRow> ConvolutionConverters();
absl::Span<const ConverterRow> EinsumConverters();
absl::Span<const ConverterRow> FusedConverters();
absl::Span<const ConverterRow> LayoutConverters();
absl::Span<const ConverterRow> LookupConverters();
absl::Span<const ConverterRow> LossConverters();
absl::Span<const ConverterRow> ShapeConverters();
absl::Span<const ConverterRow> ReductionConverters();
absl::Span<const ConverterRow> MachineLearningConverters();
absl::Span<const ConverterRow> MatrixConverters();
absl::Span<const ConverterRow> NormalizationConverters();
absl::Span<const ConverterRow> OrderConverters();
absl::Span<const ConverterRow> PaddingConverters();
absl::Span<const ConverterRow> QuantizationConverters();
absl::Span<const ConverterRow> QuantizedLstmConverters();
absl::Span<const ConverterRow> RandomConverters();
absl::Span<const ConverterRow> RecurrentConverters();
absl::Span<const ConverterRow> ResizeConverters();
absl::Span<const ConverterRow> ScatterConverters();
absl::Span<const ConverterRow> SignalConverters();
absl::Span<const ConverterRow> TreeConverters();
absl::Span<const ConverterRow> WindowConverters();

/// Null if nothing converts the operator.
const ConverterRow* FindConverter(absl::string_view op);

}  // namespace seqgraph::onnx
