#include "graph/elementwise_program.h"

#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "graph/attributes.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

constexpr ElementwiseOpInfo kOps[] = {
    {ElementwiseOp::kAdd, "add", 2, false},
    {ElementwiseOp::kSubtract, "subtract", 2, false},
    {ElementwiseOp::kMultiply, "multiply", 2, false},
    {ElementwiseOp::kDivide, "divide", 2, false},
    {ElementwiseOp::kMaximum, "maximum", 2, false},
    {ElementwiseOp::kScale, "scale", 1, true},
    {ElementwiseOp::kFillLike, "fill_like", 0, true, 0},
    {ElementwiseOp::kAbs, "abs", 1, false},
    {ElementwiseOp::kSqrt, "sqrt", 1, false},
    {ElementwiseOp::kRelu, "relu", 1, false},
    {ElementwiseOp::kSigmoid, "sigmoid", 1, false},
    {ElementwiseOp::kTanh, "tanh", 1, false},
    {ElementwiseOp::kReluGrad, "relu_grad", 2, false},
    {ElementwiseOp::kSigmoidGrad, "sigmoid_grad", 2, false, 3},
    {ElementwiseOp::kTanhGrad, "tanh_grad", 2, false, 3},
};

const ElementwiseOpInfo* FindByText(absl::string_view text) {
  for (const ElementwiseOpInfo& info : kOps) {
    if (text == info.text) return &info;
  }
  return nullptr;
}

// "x3" or "t0" as a register; -1 if there is none such among `num_inputs` and `computed`.
int ParseRegister(absl::string_view text, int num_inputs, int computed) {
  const bool input = absl::ConsumePrefix(&text, "x");
  if (!input && !absl::ConsumePrefix(&text, "t")) return -1;
  int index = -1;
  // One text for each register: no sign, no leading zero.
  if (!absl::SimpleAtoi(text, &index) || absl::StrCat(index) != text) return -1;
  if (index < 0 || index >= (input ? num_inputs : computed)) return -1;
  return input ? index : num_inputs + index;
}

absl::StatusOr<ElementwiseInstruction> ParseInstruction(absl::string_view text, int num_inputs,
                                                        int computed) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  if (words.empty()) return InvalidArgument("is empty");
  const std::pair<absl::string_view, absl::string_view> name =
      absl::StrSplit(words[0], absl::MaxSplits(':', 1));
  const ElementwiseOpInfo* info = FindByText(name.first);
  if (info == nullptr) {
    return InvalidArgument(
        "begins with \"", name.first, "\", expected one of ",
        absl::StrJoin(kOps, ", ", [](std::string* out, const ElementwiseOpInfo& each) {
          absl::StrAppend(out, each.text);
        }));
  }
  ElementwiseInstruction instruction{.op = info->op};
  const bool has_constant = name.first.size() < words[0].size();
  if (has_constant != info->has_constant ||
      (has_constant && (!absl::SimpleAtod(name.second, &instruction.constant) ||
                        std::isnan(instruction.constant)))) {
    return InvalidArgument(
        info->has_constant
            ? absl::StrCat("needs a number after ", info->text, ":, as in ", info->text, ":0.5")
            : absl::StrCat("has a constant, which ", info->text, " does not take"));
  }
  const int operands = static_cast<int>(words.size()) - 1;
  if (operands != info->operands) {
    return InvalidArgument(info->text, " takes ", info->operands, " operands, got ", operands);
  }
  for (int i = 0; i < operands; ++i) {
    const int found = ParseRegister(words[1 + i], num_inputs, computed);
    if (found < 0) {
      return InvalidArgument("reads \"", words[1 + i], "\"; there are x0 to x", num_inputs - 1,
                             computed > 0 ? absl::StrCat(" and t0 to t", computed - 1) : "");
    }
    (i == 0 ? instruction.a : instruction.b) = found;
  }
  return instruction;
}

// Nothing is computed or moved in vain.
absl::Status CheckAllRead(const ElementwiseProgram& program) {
  std::vector<bool> read(program.num_registers(), false);
  read.back() = true;
  for (const ElementwiseInstruction& instruction : program.code) {
    if (instruction.a >= 0) read[instruction.a] = true;
    if (instruction.b >= 0) read[instruction.b] = true;
  }
  for (size_t r = 0; r < read.size(); ++r) {
    if (read[r]) continue;
    const int i = static_cast<int>(r);
    return InvalidArgument(i < program.num_inputs
                               ? absl::StrCat("x", i, " is never read")
                               : absl::StrCat("t", i - program.num_inputs, " is never read"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Span<const ElementwiseOpInfo> ElementwiseOps() { return kOps; }

const ElementwiseOpInfo& InfoOf(ElementwiseOp op) {
  for (const ElementwiseOpInfo& info : kOps) {
    if (info.op == op) return info;
  }
  SEQ_CHECK(false);
  return kOps[0];
}

absl::StatusOr<ElementwiseProgram> ElementwiseProgram::Parse(absl::string_view text,
                                                             int num_inputs) {
  // Before it is split: a model file may hold any text.
  constexpr size_t kMaxText = 64 * kMaxInstructions;
  if (text.size() > kMaxText) {
    return InvalidArgument("the program has ", text.size(), " characters, more than ", kMaxText);
  }
  const std::vector<absl::string_view> lines = absl::StrSplit(text, ';');
  if (lines.size() > static_cast<size_t>(kMaxInstructions) || num_inputs < 1 ||
      num_inputs > kMaxInputs) {
    return InvalidArgument("the program has ", lines.size(), " instructions on ", num_inputs,
                           " inputs, at most ", kMaxInstructions, " and ", kMaxInputs,
                           " are allowed");
  }
  ElementwiseProgram program{.num_inputs = num_inputs, .code = {}};
  for (absl::string_view line : lines) {
    const int computed = static_cast<int>(program.code.size());
    absl::StatusOr<ElementwiseInstruction> instruction =
        ParseInstruction(line, num_inputs, computed);
    if (!instruction.ok()) {
      return InvalidArgument("instruction ", computed, " ", instruction.status().message());
    }
    program.code.push_back(*instruction);
  }
  SEQ_RETURN_IF_ERROR(CheckAllRead(program));
  return program;
}

std::string ElementwiseProgram::ToText() const {
  const auto name = [this](int r) {
    return r < num_inputs ? absl::StrCat(" x", r) : absl::StrCat(" t", r - num_inputs);
  };
  return absl::StrJoin(code, "; ", [&](std::string* out, const ElementwiseInstruction& each) {
    const ElementwiseOpInfo& info = InfoOf(each.op);
    absl::StrAppend(out, info.text);
    if (info.has_constant) absl::StrAppend(out, ":", AttributeToString(each.constant));
    if (each.a >= 0) absl::StrAppend(out, name(each.a));
    if (each.b >= 0) absl::StrAppend(out, name(each.b));
  });
}

}  // namespace seqgraph
