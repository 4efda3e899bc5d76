#include "ops/rewrites/fuse_elementwise.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "graph/elementwise_program.h"
#include "graph/op_def.h"
#include "ops/fused_elementwise.h"

namespace seqgraph::ops {
namespace {

// What the node computes from its inputs; absent if it is not element by element.
std::optional<ElementwiseProgram> ProgramOf(const Node& node) {
  if (node.op->name() == "FusedElementwise") {
    int inputs = 0;
    for (Value input : node.inputs) inputs += input.present();
    absl::StatusOr<ElementwiseProgram> program =
        ElementwiseProgram::Parse(node.attributes.GetString("program"), inputs);
    SEQ_CHECK(program.ok());  // as its shape rule has checked
    return *std::move(program);
  }
  const std::optional<FusableFacts>& fusable = node.op->fusable();
  if (!fusable.has_value()) return std::nullopt;
  const int operands = InfoOf(fusable->op).operands;
  ElementwiseInstruction instruction{.op = fusable->op};
  if (operands > 0) instruction.a = 0;
  if (operands > 1) instruction.b = 1;
  if (!fusable->constant.empty()) {
    instruction.constant = node.attributes.GetFloat(fusable->constant);
  }
  return ElementwiseProgram{.num_inputs = operands, .code = {instruction}};
}

// A program that grows. Operands are numbered apart while it does: inputs from 0 up, results of
// instructions from -1 down.
class Fusion {
 public:
  explicit Fusion(RewriteContext& c) : c_(c) {}

  // Appends the node, and first those of its producers that nobody else reads. Gives its result.
  int Append(const Node& node, bool with_producers) {
    const ElementwiseProgram program = *ProgramOf(node);
    std::vector<int> registers;
    for (int i = 0; i < program.num_inputs; ++i) {
      registers.push_back(OperandOf(node.inputs[i], with_producers));
    }
    for (ElementwiseInstruction instruction : program.code) {
      if (instruction.a >= 0) instruction.a = registers[instruction.a];
      if (instruction.b >= 0) instruction.b = registers[instruction.b];
      code_.push_back({instruction, InfoOf(instruction.op).operands});
      registers.push_back(-static_cast<int>(code_.size()));
    }
    return registers.back();
  }

  bool absorbed() const { return absorbs_numbers_ || !absorbed_.empty(); }
  // Within the limits, and some input has the shape of the node's output.
  bool fits() const {
    const Function& f = c_.source();
    const bool shaped = std::any_of(inputs_.begin(), inputs_.end(), [&](Value input) {
      return f.type(input) == f.type(c_.node().outputs[0]);
    });
    return shaped && inputs_.size() <= ElementwiseProgram::kMaxInputs &&
           code_.size() <= ElementwiseProgram::kMaxInstructions;
  }
  Value Emit(const std::string& name) const {
    const int inputs = static_cast<int>(inputs_.size());
    const auto place = [inputs](int operand) {
      return operand >= 0 ? operand : inputs - operand - 1;
    };
    ElementwiseProgram program{.num_inputs = inputs, .code = {}};
    for (auto [instruction, operands] : code_) {
      instruction.a = operands > 0 ? place(instruction.a) : -1;
      instruction.b = operands > 1 ? place(instruction.b) : -1;
      program.code.push_back(instruction);
    }
    std::vector<Value> mapped;
    for (Value input : inputs_) mapped.push_back(c_.Mapped(input));
    return FusedElementwise(c_.builder(), mapped, program, name);
  }

 private:
  int OperandOf(Value value, bool with_producers) {
    const Node* producer = c_.source().producer(value);
    if (with_producers && producer != nullptr && c_.OnlyReader(value) &&
        ProgramOf(*producer).has_value()) {
      const auto known = absorbed_.find(producer);
      if (known != absorbed_.end()) return known->second;
      // One generation a sweep: the next one finds this fusion as a producer.
      const int result = Append(*producer, /*with_producers=*/false);
      absorbed_[producer] = result;
      return result;
    }
    // One number repeated: the number itself will do.
    if (producer != nullptr && producer->op->name() == "BroadcastLike" &&
        c_.source().type(producer->inputs[0]).shape.rank() == 0) {
      absorbs_numbers_ = absorbs_numbers_ || c_.OnlyReader(value);
      value = producer->inputs[0];
    }
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i] == value) return static_cast<int>(i);
    }
    inputs_.push_back(value);
    return static_cast<int>(inputs_.size()) - 1;
  }

  struct Line {
    ElementwiseInstruction instruction;
    int operands;
  };
  RewriteContext& c_;
  std::vector<Value> inputs_;
  std::vector<Line> code_;
  std::map<const Node*, int> absorbed_;
  bool absorbs_numbers_ = false;
};

absl::StatusOr<bool> FuseGroup(RewriteContext& c) {
  const Node& node = c.node();
  if (!ProgramOf(node).has_value()) return false;
  // Programs compute in floats; the ops take integers too.
  if (!IsReal(c.source().type(node.outputs[0]).dtype)) return false;
  Fusion fusion(c);
  fusion.Append(node, /*with_producers=*/true);
  if (!fusion.absorbed() || !fusion.fits()) return false;
  c.ReplaceOutput(0, fusion.Emit(node.name));
  return true;
}

}  // namespace

FunctionPass FuseElementwise() {
  const Rewrite rewrite{"fuse_elementwise", "", FuseGroup};
  return {.name = rewrite.name,
          .rule = "f(g(x), y) = FusedElementwise(x, y; \"g x0; f t0 x1\")",
          .stage = PassStage::kFuse,
          .only_if_claimed = true,
          .only_if_cheaper = true,
          .rewrites = {rewrite}};
}

}  // namespace seqgraph::ops
