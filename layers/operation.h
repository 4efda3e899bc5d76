#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/layer_def.h"

namespace seqgraph {

/// An operation on tensors that Keras has beside its layers, by its class there: x[:, -1],
/// mean(x, axis=1), x / y. (Those that some layer is, x + y say, are that layer.)
struct OperationLayer {
  static constexpr char kClass[] = "Operation";
  std::string function = "Absolute";
  std::vector<int64_t> axes = {};
  bool keepdims = false;
  std::vector<double> numbers = {};
  std::string index;
  std::vector<int64_t> shape = {};
  bool first = false;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("function", function, OneOf(OperationNames()), "Keras's class");
    field("axes", axes, FieldRule{.low = -Shape::kMaxRank, .high = Shape::kMaxRank},
          "along which it goes; from the end if below 0");
    field("keepdims", keepdims, AnyValue(), "whether reduced axes stay, with extent 1");
    field("numbers", numbers, AnyValue(), "operands that are numbers");
    field("index", index, AnyValue(), "of GetItem, as Python has it: \":, -1, 0:3\"");
    field("shape", shape, AtLeast(1), "of an array of numbers, which goes with x as in NumPy");
    field("first", first, AnyValue(), "whether that array is the first operand");
  }

  static std::vector<std::string> OperationNames();
};

/// What an operation takes beside a tensor.
enum class OperationTakes {
  kNothing,
  kReducedAxes,  ///< axis, one or several, and keepdims
  kAxis,         ///< axis
  kTwoAxes,      ///< axis1, axis2
  kNumber,       ///< a number behind it
  kNumberFirst,  ///< a number in front of it
  kArray,        ///< an array, `numbers` in `shape`
  kLimits,       ///< x_min, x_max
  kTensor,       ///< a tensor behind it
  kTensors,      ///< a list of tensors, and axis
  kIndex,
};
struct OperationFacts {
  const char* module;  ///< of Keras's package: "numpy"
  OperationTakes takes;
};
/// Whether the operation may have an array of numbers as one operand.
bool TakesArray(const std::string& function);
/// Null if there is no such operation.
const OperationFacts* FindOperation(const std::string& function);

LayerDef OperationDef();

}  // namespace seqgraph
