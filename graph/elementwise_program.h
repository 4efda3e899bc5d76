#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seqgraph {

/// What one instruction computes, from a and b: as the ops that are OpDef::Fusable as it.
enum class ElementwiseOp {
  kAdd,          ///< a + b
  kSubtract,     ///< a - b
  kMultiply,     ///< a b
  kDivide,       ///< a / b
  kMaximum,      ///< the larger of a and b; NaN where one is
  kScale,        ///< constant a
  kFillLike,     ///< constant; no operand
  kAbs,          ///< |a|
  kSqrt,         ///< the root of a
  kRelu,         ///< max(a, 0)
  kSigmoid,      ///< 1 / (1 + exp(-a))
  kTanh,         ///< tanh(a)
  kReluGrad,     ///< b where a > 0, else 0
  kSigmoidGrad,  ///< b a (1 - a)
  kTanhGrad,     ///< b (1 - a^2)
};

/// A row of the table of what a program may hold.
struct ElementwiseOpInfo {
  ElementwiseOp op;
  const char* text;  ///< "tanh_grad": in the text of a program
  int operands;
  bool has_constant;
  int flops = 1;  ///< for each element
};

absl::Span<const ElementwiseOpInfo> ElementwiseOps();
const ElementwiseOpInfo& InfoOf(ElementwiseOp op);

struct ElementwiseInstruction {
  ElementwiseOp op = ElementwiseOp::kAdd;
  int a = -1;  ///< register; -1: the op has no such operand
  int b = -1;
  double constant = 0;  ///< rounded to the type of the elements where it is used
};

/// A straight-line program for each element: registers 0 to num_inputs - 1 hold that element of the
/// inputs, instruction i writes register num_inputs + i and reads earlier ones only; the last
/// register is the result. Every element is independent, so an implementation runs block by block:
/// one instruction over a block of elements that stays in the first cache, then the next.
///
/// As text: "tanh x0; multiply t0 x1; scale:-2 t1", where x0 is the first input and t0 the result
/// of the first instruction.
struct ElementwiseProgram {
  static constexpr int kMaxInputs = 8;
  static constexpr int kMaxInstructions = 32;

  int num_inputs = 0;
  std::vector<ElementwiseInstruction> code;

  int num_registers() const { return num_inputs + static_cast<int>(code.size()); }

  /// InvalidArgument, saying which instruction is wrong, for a text that is no program on so many
  /// inputs, is beyond the limits, or leaves an input or the result of an instruction unread.
  static absl::StatusOr<ElementwiseProgram> Parse(absl::string_view text, int num_inputs);
  std::string ToText() const;
};

}  // namespace seqgraph
