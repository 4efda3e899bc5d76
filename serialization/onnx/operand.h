#ifndef SEQGRAPH_SERIALIZATION_ONNX_OPERAND_H_
#define SEQGRAPH_SERIALIZATION_ONNX_OPERAND_H_

#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "graph/function.h"
#include "graph/tensor.h"

namespace seqgraph::onnx {

/// Stands for the batch among the elements of a known tensor: what Shape gives of an operand that
/// has the batch in its shape. No element of a file may be this number.
inline constexpr int64_t kBatchElement = std::numeric_limits<int64_t>::min();

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

  bool present() const { return value.present() || known != nullptr || fill.has_value(); }
  const Shape& shape() const { return type.shape; }
  int rank() const { return type.shape.rank(); }

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
/// True if some element stands for the batch.
bool HoldsBatch(const Tensor& tensor);
/// True if all elements are known and zero.
bool IsZero(const Operand& operand);

}  // namespace seqgraph::onnx

#endif  // SEQGRAPH_SERIALIZATION_ONNX_OPERAND_H_
