#include "graph/printer.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

std::string ValueName(const Function& function, Value value) {
  return value.present() ? function.info(value).name : "none";
}

std::string Typed(const Function& function, const std::string& name, Value value) {
  return absl::StrCat(name, ": ", function.type(value).ToString());
}

// `tanh(x, none), activation="tanh"` as it stands in a call.
std::string Arguments(const Function& function, const Node& node) {
  std::vector<std::string> arguments;
  size_t given = node.inputs.size();  // trailing absent inputs are not printed
  while (given > 0 && !node.inputs[given - 1].present()) --given;
  for (size_t i = 0; i < given; ++i) arguments.push_back(ValueName(function, node.inputs[i]));
  for (const auto& [name, value] : node.attributes.entries()) {
    arguments.push_back(absl::StrCat(name, "=", AttributeToString(value)));
  }
  return absl::StrJoin(arguments, ", ");
}

std::string NodeLine(const Function& function, const Node& node, const std::vector<bool>& used) {
  std::vector<std::string> outputs;
  for (Value output : node.outputs) {
    outputs.push_back(used[output.index] ? Typed(function, function.info(output).name, output)
                                         : "_");
  }
  return absl::StrCat("  ", absl::StrJoin(outputs, ", "), " = ", node.op->name(), "(",
                      Arguments(function, node), ")\n");
}

std::string DotQuote(absl::string_view text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

// The id of the DOT node that a value comes from.
std::string DotSource(const Function& function, Value value) {
  const ValueInfo& info = function.info(value);
  return DotQuote(info.origin == Origin::kNode
                      ? absl::StrCat("node ", function.nodes()[info.source].name)
                      : absl::StrCat("value ", info.name));
}

void AppendDotNode(const Function& function, const Node& node, std::string* out) {
  std::string label = absl::StrCat(node.op->name(), "\n", node.name);
  for (const auto& [name, value] : node.attributes.entries()) {
    absl::StrAppend(&label, "\n", name, " = ", AttributeToString(value));
  }
  const std::string id = DotQuote(absl::StrCat("node ", node.name));
  absl::StrAppend(out, "  ", id, " [shape=box, style=rounded, label=",
                  absl::StrReplaceAll(DotQuote(label), {{"\n", "\\n"}}), "];\n");
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].present()) continue;
    absl::StrAppend(out, "  ", DotSource(function, node.inputs[i]), " -> ", id, " [label=",
                    DotQuote(absl::StrCat(node.op->inputs()[i].name, " ",
                                          function.type(node.inputs[i]).shape.ToString())),
                    "];\n");
  }
}

}  // namespace

std::string FunctionToText(const Function& function) {
  const std::vector<bool> used = function.UsedValues();
  std::vector<std::string> inputs, results;
  for (Value input : function.inputs()) {
    inputs.push_back(Typed(function, function.info(input).name, input));
  }
  for (const NamedValue& result : function.results()) {
    results.push_back(Typed(function, result.name, result.value));
  }
  std::string text = absl::StrCat("function ", function.name(), "(", absl::StrJoin(inputs, ", "),
                                  ") -> (", absl::StrJoin(results, ", "), ")\n");
  for (const VariableRead& read : function.variables()) {
    absl::StrAppend(&text, "  variable ", Typed(function, read.def.name, read.value), "\n");
  }
  for (const Node& node : function.nodes()) text += NodeLine(function, node, used);
  for (const NamedValue& result : function.results()) {
    absl::StrAppend(&text, "  result ", result.name, " = ", ValueName(function, result.value),
                    "\n");
  }
  for (const NamedValue& update : function.updates()) {
    absl::StrAppend(&text, "  update ", update.name, " = ", ValueName(function, update.value),
                    "\n");
  }
  return text;
}

std::string FunctionToDot(const Function& function) {
  std::string out = absl::StrCat("digraph ", DotQuote(function.name()), " {\n");
  for (Value input : function.inputs()) {
    absl::StrAppend(&out, "  ", DotSource(function, input), " [shape=ellipse, label=",
                    DotQuote(Typed(function, function.info(input).name, input)), "];\n");
  }
  for (const VariableRead& read : function.variables()) {
    absl::StrAppend(&out, "  ", DotSource(function, read.value), " [shape=cylinder, label=",
                    DotQuote(Typed(function, read.def.name, read.value)), "];\n");
  }
  for (const Node& node : function.nodes()) AppendDotNode(function, node, &out);
  for (const NamedValue& result : function.results()) {
    const std::string id = DotQuote(absl::StrCat("result ", result.name));
    absl::StrAppend(&out, "  ", id, " [shape=ellipse, style=bold, label=", DotQuote(result.name),
                    "];\n  ", DotSource(function, result.value), " -> ", id, ";\n");
  }
  for (const NamedValue& update : function.updates()) {
    absl::StrAppend(&out, "  ", DotSource(function, update.value), " -> ",
                    DotQuote(absl::StrCat("value ", update.name)),
                    " [style=dashed, constraint=false, label=\"update\"];\n");
  }
  return out + "}\n";
}

}  // namespace seqgraph
