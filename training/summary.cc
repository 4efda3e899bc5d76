#include "training/summary.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "layers/layer_emission.h"
#include "layers/stack_recognition.h"
#include "training/checkpoint_path.h"
#include "training/model_builder.h"

namespace seqgraph {
namespace {

constexpr int kTableColumns = 3;
using Row = std::array<std::string, kTableColumns>;
using Widths = std::array<int, kTableColumns>;

std::string KerasShape(const Shape& shape) {
  std::vector<std::string> dims;
  for (Dim dim : shape.dims()) dims.push_back(dim.is_batch() ? "None" : absl::StrCat(dim.size()));
  return absl::StrCat("(", absl::StrJoin(dims, ", "), dims.size() == 1 ? ",)" : ")");
}

// The folder that all the weights share, or the node's own name.
std::string NameOfLayer(const Node& node, const std::vector<const VariableDef*>& weights) {
  const absl::string_view folder = FolderOf(weights[0]->name);
  for (const VariableDef* weight : weights) {
    if (FolderOf(weight->name) != folder) return node.name;
  }
  return folder.empty() ? node.name : std::string(folder);
}

Value UsedOutput(const Node& node, const std::vector<bool>& used) {
  for (Value output : node.outputs) {
    if (used[output.index]) return output;
  }
  return node.outputs[0];
}

// Display columns of UTF-8 text whose characters all take one.
int WidthOf(absl::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Repeat(absl::string_view text, int count) {
  std::string repeated;
  for (int i = 0; i < count; ++i) absl::StrAppend(&repeated, text);
  return repeated;
}

std::string Rule(absl::string_view left, absl::string_view line, absl::string_view middle,
                 absl::string_view right, const Widths& widths) {
  std::vector<std::string> parts;
  for (int width : widths) parts.push_back(Repeat(line, width));
  return absl::StrCat(left, absl::StrJoin(parts, middle), right, "\n");
}

// Breaks text at spaces, and words that are too long anywhere, into lines of at most `width`.
std::vector<std::string> Wrap(absl::string_view text, int width) {
  std::vector<std::string> lines(1);
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    std::string& line = lines.back();
    const int needed = WidthOf(line) + (line.empty() ? 0 : 1) + WidthOf(word);
    if (needed <= width) {
      absl::StrAppend(&line, line.empty() ? "" : " ", word);
      continue;
    }
    if (!line.empty()) lines.emplace_back();
    while (static_cast<int>(word.size()) > width) {
      lines.back() = std::string(word.substr(0, width));
      word.remove_prefix(width);
      lines.emplace_back();
    }
    lines.back() = std::string(word);
  }
  return lines;
}

// The cells between `bar`s with one space on both sides; the last column is set right.
std::string TableRow(const Row& row, absl::string_view bar, const Widths& widths) {
  std::array<std::vector<std::string>, kTableColumns> cells;
  size_t height = 1;
  for (int c = 0; c < kTableColumns; ++c) {
    cells[c] = Wrap(row[c], std::max(1, widths[c] - 2));
    height = std::max(height, cells[c].size());
  }
  std::string text;
  for (size_t h = 0; h < height; ++h) {
    for (int c = 0; c < kTableColumns; ++c) {
      const std::string cell = h < cells[c].size() ? cells[c][h] : "";
      const std::string space(std::max(0, widths[c] - 2 - WidthOf(cell)), ' ');
      const bool right = c == kTableColumns - 1;
      absl::StrAppend(&text, bar, " ", right ? space : cell, right ? cell : space, " ");
    }
    absl::StrAppend(&text, bar, "\n");
  }
  return text;
}

std::string Table(const std::vector<LayerRow>& layers, int total_width) {
  const int first = static_cast<int>(0.45 * total_width);
  const int second = static_cast<int>(0.80 * total_width);
  const Widths widths = {first - 1, second - first - 2, total_width - second - 1};
  std::string table = Rule("┏", "━", "┳", "┓", widths);
  table += TableRow({"Layer (type)", "Output Shape", "Param #"}, "┃", widths);
  table += Rule("┡", "━", "╇", "┩", widths);
  for (size_t i = 0; i < layers.size(); ++i) {
    if (i > 0) table += Rule("├", "─", "┼", "┤", widths);
    const LayerRow& layer = layers[i];
    table += TableRow({absl::StrCat(layer.name, " (", layer.type, ")"), layer.output_shape,
                       WithThousands(layer.parameters)},
                      "│", widths);
  }
  return table + Rule("└", "─", "┴", "┘", widths);
}

struct VariableSizes {
  int64_t elements = 0;
  int64_t bytes = 0;
  void Add(const VariableDef& def) {
    elements += def.type.shape.num_elements();
    bytes += def.type.num_bytes();
  }
};

std::string TotalLine(absl::string_view what, const VariableSizes& size) {
  return absl::StrCat(" ", what, " params: ", WithThousands(size.elements), " (",
                      ReadableBytes(size.bytes), ")\n");
}

std::string Totals(const Model& model, bool with_optimizer) {
  VariableSizes total, trainable, fixed, optimizer;
  for (const Variable& variable : model.variables.all()) {
    const VariableDef& def = variable.def;
    const bool is_state = def.role == VariableRole::kOptimizer;
    if (is_state && !with_optimizer) continue;
    (is_state ? optimizer : def.trainable ? trainable : fixed).Add(def);
    total.Add(def);
  }
  std::string lines = TotalLine("Total", total) + TotalLine("Trainable", trainable) +
                      TotalLine("Non-trainable", fixed);
  if (optimizer.elements > 0) lines += TotalLine("Optimizer", optimizer);
  return lines;
}

std::vector<LayerRow> RowsOfNodes(const Function& predict) {
  const std::vector<bool> used = predict.UsedValues();
  std::set<std::string> counted;
  std::vector<LayerRow> rows;
  for (const Node& node : predict.nodes()) {
    std::vector<const VariableDef*> weights;
    for (Value input : node.inputs) {
      if (!input.present() || predict.info(input).origin != Origin::kVariable) continue;
      weights.push_back(&predict.variables()[predict.info(input).source].def);
    }
    if (weights.empty()) continue;
    LayerRow row;
    row.name = NameOfLayer(node, weights);
    row.type = node.op->name();
    row.output_shape = KerasShape(predict.type(UsedOutput(node, used)).shape);
    for (const VariableDef* weight : weights) {
      if (counted.insert(weight->name).second) {
        row.parameters += weight->type.shape.num_elements();
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

absl::StatusOr<std::vector<LayerRow>> Layers(const Model& model) {
  SEQ_ASSIGN_OR_RETURN(const Function* predict, model.GetFunction(kPredict));
  const absl::StatusOr<RecognizedStack> recognized = RecognizeStack(model);
  if (!recognized.ok()) return RowsOfNodes(*predict);
  SEQ_ASSIGN_OR_RETURN(const EmittedStack emitted, DescribeStack(recognized->stack, AllLayers()));
  std::vector<LayerRow> rows;
  for (const EmittedLayer& layer : emitted.layers) {
    if (!layer.def->keras.exists) continue;
    LayerRow& row = rows.emplace_back();
    row.name = layer.name;
    row.type = layer.def->class_name;
    row.output_shape = KerasShape(layer.output.shape);
    for (const LayerWeight& weight : layer.weights) row.parameters += weight.shape.num_elements();
  }
  return rows;
}

absl::StatusOr<std::string> Summary(const Model& model, const SummaryOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<LayerRow> layers, Layers(model));
  constexpr int kNarrowest = 24, kWidest = 88;
  const int width = std::clamp(options.columns - 4, kNarrowest, kWidest);
  return absl::StrCat("Model: \"", model.name, "\"\n", Table(layers, width),
                      Totals(model, options.with_optimizer));
}

std::string WithThousands(int64_t number) {
  std::string text = absl::StrCat(number);
  const int first = number < 0 ? 1 : 0;
  for (int i = static_cast<int>(text.size()) - 3; i > first; i -= 3)
    text.insert(static_cast<size_t>(i), 1, ',');
  return text;
}

std::string ReadableBytes(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB", "PB"};
  double size = static_cast<double>(bytes);
  int unit = 0;
  for (; size >= 1024 && unit < 5; ++unit) size /= 1024;
  return absl::StrFormat("%.2f %s", size, kUnits[unit]);
}

}  // namespace seqgraph
