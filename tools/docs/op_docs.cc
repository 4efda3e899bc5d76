#include "tools/docs/op_docs.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "graph/attributes.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

// Text in a cell of a table.
std::string Cell(absl::string_view text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

absl::string_view TypeName(TypeRule rule) {
  switch (rule) {
    case TypeRule::kReal:
      return "real";
    case TypeRule::kIndex:
      return "int32";
    case TypeRule::kCounter:
      return "int64";
    case TypeRule::kNumber:
      return "number";
  }
  return "";
}

std::string Signature(const OpDef& op) {
  const auto input = [](std::string* out, const InputDef& def) {
    absl::StrAppend(out, def.name, def.optional ? "?" : "");
  };
  const auto attribute = [](std::string* out, const AttributeDef& def) {
    absl::StrAppend(out, def.name);
    if (def.default_value.has_value()) {
      absl::StrAppend(out, " = ", AttributeToString(*def.default_value));
    }
  };
  const auto output = [](std::string* out, const OutputDef& def) { *out += def.name; };
  return absl::StrCat(op.name(), "(", absl::StrJoin(op.inputs(), ", ", input),
                      op.attributes().empty() ? "" : "; ",
                      absl::StrJoin(op.attributes(), ", ", attribute), ") -> ",
                      absl::StrJoin(op.outputs(), ", ", output));
}

std::string Since(const OpDef& op, int since) {
  return since > op.oldest_version() ? absl::StrCat("; since version ", since) : "";
}

void AppendOperands(const OpDef& op, std::string* out) {
  absl::StrAppend(out, "| operand | type | |\n| --- | --- | --- |\n");
  for (const InputDef& input : op.inputs()) {
    absl::StrAppend(out, "| `", input.name, "`", input.optional ? " (optional)" : "", " | ",
                    TypeName(input.type), " | ", Cell(input.doc), Since(op, input.since), " |\n");
  }
  for (const OutputDef& output : op.outputs()) {
    absl::StrAppend(out, "| -> `", output.name, "` | ", TypeName(output.type), " | ",
                    Cell(output.doc), " |\n");
  }
  for (const AttributeDef& attribute : op.attributes()) {
    absl::StrAppend(out, "| ; `", attribute.name, "` | ", KindName(attribute.kind), " | ",
                    Cell(attribute.doc));
    if (!attribute.one_of.empty()) {
      absl::StrAppend(out, "; one of ", absl::StrJoin(attribute.one_of, ", "));
    }
    absl::StrAppend(out,
                    attribute.default_value.has_value()
                        ? absl::StrCat("; default ", AttributeToString(*attribute.default_value))
                        : "; must be given",
                    Since(op, attribute.since), " |\n");
  }
  absl::StrAppend(out, "\n");
}

// "The gradient reaches x, w, b." or why there is none.
std::string GradientText(const OpDef& op) {
  std::vector<std::string> reached;
  for (const InputDef& input : op.inputs()) {
    if (MayBeReal(input.type) && input.differentiable) reached.push_back(input.name);
  }
  if (!op.gradient_rule() || reached.empty()) return "It has no gradient.";
  return absl::StrCat("Its gradient reaches ", absl::StrJoin(reached, ", "), ".");
}

std::string InPlaceText(const OpDef& op) {
  if (op.in_place().empty()) return "";
  const auto pair = [&](std::string* out, const InPlacePair& in_place) {
    absl::StrAppend(out, op.outputs()[in_place.output].name, " over ",
                    op.inputs()[in_place.input].name);
  };
  return absl::StrCat(" May be written in place: ", absl::StrJoin(op.in_place(), ", ", pair), ".");
}

void AppendExamples(const OpDef& op, std::string* out) {
  for (const OpExample& example : op.examples()) {
    absl::StrAppend(out, "Example `", example.name, "`");
    for (const auto& [name, value] : example.attributes.entries()) {
      absl::StrAppend(out, ", ", name, " = ", AttributeToString(value));
    }
    absl::StrAppend(out, ":\n\n```\n");
    for (size_t i = 0; i < example.inputs.size(); ++i) {
      absl::StrAppend(out, op.inputs()[i].name, " = ", TensorText(example.inputs[i]), "\n");
    }
    for (size_t i = 0; i < example.outputs.size(); ++i) {
      absl::StrAppend(out, "-> ", op.outputs()[i].name, " = ", TensorText(example.outputs[i]),
                      "\n");
    }
    absl::StrAppend(out, "```\n\n");
  }
}

void AppendOp(const OpDef& op, std::string* out) {
  absl::StrAppend(out, "## ", op.name(), "\n\n`", Signature(op), "`, version ", op.version(),
                  "\n\n", op.doc(), "\n\n");
  AppendOperands(op, out);
  for (const Constraint& constraint : op.constraints()) {
    absl::StrAppend(out, "- ", constraint.label, ": ", constraint.text, "\n");
  }
  if (!op.constraints().empty()) absl::StrAppend(out, "\n");
  absl::StrAppend(out, GradientText(op), InPlaceText(op), "\n\n", op.cost_formula(), "\n\n");
  AppendExamples(op, out);
}

}  // namespace

std::string TensorText(const std::optional<Tensor>& tensor) {
  if (!tensor.has_value()) return "-";
  // Reals as attributes are printed: exact, in the shortest form.
  const auto append = [](std::string* out, double real) { out->append(AttributeToString(real)); };
  const bool is_real = IsReal(tensor->dtype());
  const Tensor wide = tensor->Cast(is_real ? DType::kFloat64 : DType::kInt64);
  const std::string elements = is_real ? absl::StrJoin(wide.Elements<double>(), ", ", append)
                                       : absl::StrJoin(wide.Elements<int64_t>(), ", ");
  if (tensor->shape().rank() == 0) return elements;
  return absl::StrCat(tensor->shape().ToString(), ": ", elements.empty() ? "none" : elements);
}

std::string OpDocs(const OpRegistry& registry) {
  std::string docs =
      "# Ops\n\n"
      "Generated from the definitions in `ops/`; do not edit. To write it anew:\n"
      "`bazel run //tools/docs:gen_docs`.\n\n"
      "`Op(inputs; attributes) -> outputs`; `?` marks an input that may be left out. Real operands "
      "of one\nnode all have one type: float32, or float64 where a function is evaluated in "
      "double. A scalar has\nrank 0. Labels (C1) are those of error messages. Tensors in examples: "
      "shape, then elements in\nrow-major order; `-` is absent or not compared. FLOPs count each "
      "addition, multiplication, "
      "division,\ncomparison and call of an elementary function (exp, log, sqrt, tanh, sigmoid) as "
      "one; what "
      "nobody reads\ncosts nothing, and inputs are read once unless it says otherwise.\n\n";
  for (const OpDef* op : registry.All()) {
    absl::StrAppend(&docs, "- [", op->name(), "](#", absl::AsciiStrToLower(op->name()), ")\n");
  }
  absl::StrAppend(&docs, "\n");
  for (const OpDef* op : registry.All()) AppendOp(*op, &docs);
  while (docs.size() > 1 && docs[docs.size() - 2] == '\n') docs.pop_back();
  return docs;
}

}  // namespace seqgraph
