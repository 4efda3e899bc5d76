#pragma once

// What converters of ONNX nodes work with: a function that grows, and the computation of what is
// known while it does.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function_builder.h"
#include "graph/op_registry.h"
#include "serialization/onnx/batch_number.h"

namespace seqgraph::onnx {

/// What an ONNX value is while its graph is imported: absent (an optional input), computed by the
/// graph, known to the last element, or known to have one value in all elements.
struct Operand {
  TensorType type;
  Value value;  ///< computed by the graph
  /// The elements, where no call can change them: initializers, constants, shapes, and what follows
  /// from them.
  std::shared_ptr<const Tensor> known;
  std::optional<double> fill;  ///< of all elements, where the batch is in the shape
  /// The variable that `known` becomes where the graph reads it; empty: a constant.
  std::string variable;
  bool boolean = false;  ///< ONNX's bool, kept as int32
  /// How many of the first axes, the batch among them, are one axis to ONNX: [batch, time, units]
  /// that its graph sees as [batch time, units]. 0: all axes are as they are.
  int merged = 0;
  /// ONNX's element type where `type` is a wider one that holds its numbers (float16, uint8, ..);
  /// 0: it is `type`, or bool.
  int32_t narrow = 0;
  /// To each element comes this times the number of its row, which is its place along the batch,
  /// its first axis: what Range gives of the batch, and what is computed of that.
  int64_t per_row = 0;
  /// Ahead of the last axis, the number of the row comes as one more element.
  bool row_first = false;

  bool present() const { return value.present() || known != nullptr || fill.has_value(); }
  const Shape& shape() const { return type.shape; }
  int rank() const { return type.shape.rank(); }
  /// The number of axes in the eyes of ONNX.
  int onnx_rank() const { return merged == 0 ? rank() : rank() - merged + 1; }

  static Operand Of(Tensor tensor, std::string variable = "") {
    Operand operand;
    operand.type = tensor.type();
    operand.known = std::make_shared<const Tensor>(std::move(tensor));
    operand.variable = std::move(variable);
    return operand;
  }
};

/// The operand of an optional input that is not given.
Operand Absent();
/// The same operand, as one of ONNX's booleans or not.
absl::StatusOr<Operand> WithBoolean(absl::StatusOr<Operand> operand, bool boolean);
/// True if all elements are known to be that number.
bool HasOneValue(const Operand& operand, double value);
/// True if all elements are known and zero.
bool IsZero(const Operand& operand);

/// A variable of the function with its content.
struct ImportedVariable {
  VariableDef def;
  Tensor value;
};

class GraphImport {
 public:
  /// What is computed beforehand and the nodes of the graph may take `budget` bytes altogether.
  GraphImport(std::string function, const OpRegistry& registry, int64_t budget)
      : builder_(std::move(function), registry), budget_(budget) {}

  /// The names of the classes that a classifier tells apart, where the file says them.
  std::vector<std::string> labels;

  FunctionBuilder& builder() { return builder_; }
  const std::vector<ImportedVariable>& variables() const { return variables_; }

  /// The outputs of an op of the registry on these operands: computed here by the op's own
  /// definition if all of them are known, else by a new node. What only moves elements keeps the
  /// batch among them, and one value for all.
  absl::StatusOr<std::vector<Operand>> EmitAll(absl::string_view op,
                                               absl::Span<const Operand> inputs,
                                               const Attributes& attributes = {});
  /// Its first output.
  absl::StatusOr<Operand> Emit(absl::string_view op, absl::Span<const Operand> inputs,
                               const Attributes& attributes = {});

  /// ResourceExhausted once all that was charged is beyond the budget.
  absl::Status Charge(int64_t bytes);

  /// The value in the graph: what is known becomes a variable or a constant. Absent for an absent
  /// operand.
  absl::StatusOr<Value> Materialize(const Operand& operand);

  // What most converters need; each leaves out what would change nothing.
  absl::StatusOr<Operand> Reshape(const Operand& x, const Shape& shape);
  absl::StatusOr<Operand> Transpose(const Operand& x, std::vector<int64_t> permutation);
  absl::StatusOr<Operand> Cast(const Operand& x, DType dtype);
  /// Elements begin, begin + stride, .. below end of one axis.
  absl::StatusOr<Operand> Slice(const Operand& x, int64_t axis, int64_t begin, int64_t end,
                                int64_t stride = 1);
  /// At least one part.
  absl::StatusOr<Operand> Concat(absl::Span<const Operand> parts, int64_t axis);
  /// x with so many elements of one value before and after along the axis, which is not the batch;
  /// less than none cuts off.
  absl::StatusOr<Operand> Pad(const Operand& x, int64_t axis, int64_t before, int64_t after,
                              double value);
  /// As numpy broadcasts x with a tensor of that shape.
  absl::StatusOr<Operand> Expand(const Operand& x, const Shape& shape);
  /// All in the shape that numpy's broadcasting gives them.
  absl::StatusOr<std::vector<Operand>> Broadcast(std::vector<Operand> operands);
  /// One of our binary ops on two operands that broadcast.
  absl::StatusOr<Operand> Pair(absl::string_view op, const Operand& a, const Operand& b);
  absl::StatusOr<Operand> BroadcastTo(const Operand& x, const Shape& shape);
  /// A known scalar.
  Operand Scalar(double value, DType dtype) const;

 private:
  // The outputs of an op whose inputs are known; the same ones if it is asked again.
  absl::StatusOr<std::vector<Operand>> Fold(const OpDef& op, absl::Span<const Operand> inputs,
                                            const Attributes& attributes);
  absl::StatusOr<std::vector<Operand>> FoldAnew(const OpDef& op, absl::Span<const Operand> inputs,
                                                const Attributes& attributes);
  // The outputs of an op that computes each element from the same ones, each of which has one
  // value.
  absl::StatusOr<std::vector<Operand>> FoldFills(const OpDef& op, std::vector<Operand> inputs,
                                                 const Attributes& attributes);
  absl::StatusOr<Value> MaterializeFill(const Operand& operand);
  // x, which lacks the batch, in the shape of `like`, which has it.
  absl::StatusOr<Operand> BroadcastLike(const Operand& x, const Operand& like);
  Operand FromValue(Value value) const;
  // The name, or with a number behind it, as no value of the function has it.
  std::string NewVariableName(const std::string& wanted);

  FunctionBuilder builder_;
  std::vector<ImportedVariable> variables_;
  absl::flat_hash_map<std::string, int> variable_names_;  // how often each was wanted
  absl::flat_hash_set<std::string> taken_;                // names of the first num_taken_ values
  size_t num_taken_ = 0;
  // By the address of what is known and the name that it was given.
  std::map<std::pair<const Tensor*, std::string>, std::pair<std::shared_ptr<const Tensor>, Value>>
      materialized_;
  // What weights became, by op, attributes and operands, which it keeps: rounds of a loop that cut
  // the same weights to pieces share the pieces.
  struct Folded {
    std::vector<Operand> inputs, outputs;
  };
  std::map<std::string, Folded> folded_;
  int64_t budget_;
};

/// As attributes of our ops have them: -1 for the batch.
std::vector<int64_t> AttributeExtents(const Shape& shape);

/// The shape of these extents, of which some may be kBatchElement.
absl::StatusOr<Shape> ShapeOf(absl::Span<const int64_t> extents);

/// The shape that numpy's broadcasting gives two of them; InvalidArgument if they do not fit.
absl::StatusOr<Shape> BroadcastShapes(const Shape& a, const Shape& b);

}  // namespace seqgraph::onnx
