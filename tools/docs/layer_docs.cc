#include "tools/docs/layer_docs.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/docs/op_docs.h"

namespace seqgraph {
namespace {

std::string TypeText(const LayerSetting& value) {
  struct Name {
    const char* operator()(int64_t) const { return "int"; }
    const char* operator()(double) const { return "float"; }
    const char* operator()(bool) const { return "bool"; }
    const char* operator()(const std::string&) const { return "string"; }
    const char* operator()(const Initializer&) const { return "initializer"; }
    const char* operator()(const Regularizer&) const { return "regularizer"; }
    const char* operator()(const std::vector<Layer>&) const { return "layer"; }
    const char* operator()(const std::vector<int64_t>&) const { return "ints"; }
    const char* operator()(const std::vector<double>&) const { return "floats"; }
  };
  return std::visit(Name(), value);
}

std::string RuleText(const LayerField& field) {
  const FieldRule& rule = field.rule;
  std::string text;
  if (!rule.choices.empty()) text = absl::StrCat("; one of ", absl::StrJoin(rule.choices, ", "));
  if (rule.open) {
    text = absl::StrCat("; in [", rule.low, ", ", rule.high, ")");
  } else if (rule.low > FieldRule().low) {
    text = absl::StrCat("; from ", static_cast<int64_t>(rule.low));
  }
  if (!rule.keras2.empty()) absl::StrAppend(&text, "; Keras 2: `", rule.keras2, "`");
  const bool holds = std::holds_alternative<std::vector<Layer>>(field.default_value);
  if (holds) return text;
  return absl::StrCat(text, rule.must
                                ? "; must be given"
                                : absl::StrCat("; default ", SettingText(field.default_value)));
}

const char* TakesText(LayerTakes takes) {
  switch (takes) {
    case LayerTakes::kTokens:
      return "tokens, int32 [batch, time, ...]: the first layer of a stack";
    case LayerTakes::kNumbers:
      return "float32 [batch, ...]";
    case LayerTakes::kSequence:
      return "float32 [batch, time, features]";
    case LayerTakes::kSteps:
      return "float32 [batch, time, ...]";
    case LayerTakes::kImage:
      return "float32 [batch, height, width, channels]";
    case LayerTakes::kVector:
      break;
  }
  return "float32 [batch, features]";
}

void AppendExample(const LayerExample& example, std::string* out) {
  absl::StrAppend(out, "Example `", example.name, "`");
  const LayerKind& layer = example.layer;
  for (const auto& [name, value] : layer.settings) {
    if (std::holds_alternative<Initializer>(value) || std::holds_alternative<Regularizer>(value)) {
      continue;
    }
    absl::StrAppend(out, ", ", name, " = ", SettingText(value));
  }
  absl::StrAppend(out, ":\n\n```\nx = ", TensorText(example.input), "\n");
  for (size_t i = 0; i < example.more_inputs.size(); ++i) {
    absl::StrAppend(out, "x", i + 1, " = ", TensorText(example.more_inputs[i]), "\n");
  }
  if (example.mask.has_value()) absl::StrAppend(out, "mask = ", TensorText(example.mask), "\n");
  for (const Tensor& weight : example.weights) {
    absl::StrAppend(out, "weight ", TensorText(weight), "\n");
  }
  absl::StrAppend(out, "-> ", TensorText(example.output), "\n```\n\n");
}

void AppendLayer(const LayerDef& def, std::string* out) {
  absl::StrAppend(out, "## ", def.class_name, "\n\n", def.doc, "\n\nIt takes ",
                  TakesText(def.takes), def.least_inputs > 1 ? ", several." : ".",
                  def.keras.exists ? "" : " Not a layer of Keras.",
                  def.recognize ? "" : " It is not found in functions without layers.", "\n\n");
  if (!def.fields.empty()) absl::StrAppend(out, "| field | type | |\n| --- | --- | --- |\n");
  for (const LayerField& field : def.fields) {
    absl::StrAppend(out, "| `", field.name, "` | ", TypeText(field.default_value), " | ", field.doc,
                    RuleText(field), " |\n");
  }
  if (!def.fields.empty()) absl::StrAppend(out, "\n");
  for (const LayerExample& example : def.examples) AppendExample(example, out);
}

}  // namespace

std::string LayerDocs(const LayerRegistry& registry) {
  std::string docs =
      "# Layers\n\n"
      "Generated from the definitions in `layers/`; do not edit. To write it anew:\n"
      "`bazel run //tools/docs:gen_docs`.\n\n"
      "Names, defaults and meanings are Keras's; what Keras's classes take besides, and these do "
      "not, is\nrefused when a file asks for it. Extents are at most 16,777,216. Tensors in "
      "examples: shape, then\nelements in row-major order; weights in Keras's order.\n\n";
  for (const LayerDef& def : registry.all()) {
    absl::StrAppend(&docs, "- [", def.class_name, "](#", absl::AsciiStrToLower(def.class_name),
                    ")\n");
  }
  absl::StrAppend(&docs, "\n");
  for (const LayerDef& def : registry.all()) AppendLayer(def, &docs);
  while (docs.size() > 1 && docs[docs.size() - 2] == '\n') docs.pop_back();
  return docs;
}

}  // namespace seqgraph
