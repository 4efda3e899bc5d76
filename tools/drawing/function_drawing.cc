#include "tools/drawing/function_drawing.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "graph/op_def.h"
#include "tools/drawing/layered_layout.h"
#include "tools/drawing/markup.h"

namespace seqgraph::tools {
namespace {

constexpr double kCharacter = 7.3;  // width of a character of 12 pixels, as a rule
constexpr double kBold = 1.15;      // a bold one is wider
constexpr double kLine = 15;
constexpr double kPadding = 8;
constexpr double kMargin = 12;
constexpr size_t kLongestLabel = 34;      // characters
constexpr size_t kLongestTooltip = 4000;  // bytes

// At most so many characters of UTF-8, and "..." where some are left out.
std::string Shortened(absl::string_view text, size_t characters) {
  size_t seen = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;  // within a character
    if (seen++ == characters) return absl::StrCat(text.substr(0, i), "...");
  }
  return std::string(text.substr(0, 4 * characters + 4));  // of bytes that are none
}

// Characters of East Asian scripts and pictures take two places.
double WidthOf(absl::string_view text) {
  double places = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80) continue;
    places += byte >= 0xE1 ? 1.8 : 1;
  }
  return places * kCharacter;
}

enum class Kind { kInput, kNode, kResult };

// What is drawn as one box.
struct Box {
  Kind kind = Kind::kNode;
  std::vector<std::string> lines;  // the first stands out
  std::string tooltip;
  const Node* node = nullptr;

  LayoutSize size() const {
    double width = 40;
    for (const std::string& line : lines) width = std::max(width, WidthOf(line));
    if (!lines.empty()) width = std::max(width, kBold * WidthOf(lines[0]));
    return {width + 2 * kPadding, static_cast<double>(lines.size()) * kLine + 2 * kPadding - 4};
  }
};

std::string NodeTooltip(const Function& function, const Node& node) {
  std::string text = absl::StrCat(node.name, " = ", node.op->name());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].present()) continue;
    absl::StrAppend(&text, "\n", node.op->inputs()[i].name, ": ",
                    function.info(node.inputs[i]).name, " ",
                    function.type(node.inputs[i]).ToString());
  }
  for (const auto& [name, value] : node.attributes.entries()) {
    absl::StrAppend(&text, "\n", name, " = ", AttributeToString(value));
  }
  for (const Value output : node.outputs) {
    absl::StrAppend(&text, "\n-> ", function.type(output).ToString());
  }
  return text;
}

// The boxes of a function and the edges between them.
class Diagram {
 public:
  Diagram(const Function& function, const DrawingOptions& options)
      : function_(function), notes_(options.notes) {
    const std::vector<bool> used = function.UsedValues();
    for (const Value input : function.inputs()) {
      const ValueInfo& info = function.info(input);
      box_of_[input.index] = Add({Kind::kInput, {info.name, info.type.ToString()}, info.name});
    }
    for (const Node& node : function.nodes()) AddNode(node, used);
    for (const NamedValue& result : function.results()) AddEnd("result ", result);
    for (const NamedValue& update : function.updates()) AddEnd("update ", update);
    Lay();
  }

  LayoutSize size() const {
    return {layout_.size.width + 2 * kMargin, layout_.size.height + 2 * kMargin};
  }

  std::string Svg() const {
    std::string svg;
    for (const std::vector<LayoutPoint>& line : layout_.lines) AppendLine(line, svg);
    for (size_t b = 0; b < boxes_.size(); ++b) AppendBox(boxes_[b], layout_.centers[b], svg);
    return svg;
  }

 private:
  int Add(Box box) {
    boxes_.push_back(std::move(box));
    return static_cast<int>(boxes_.size()) - 1;
  }

  void AddNode(const Node& node, const std::vector<bool>& used) {
    Box box{.kind = Kind::kNode, .tooltip = NodeTooltip(function_, node), .node = &node};
    box.lines = {node.op->name(), node.name};
    for (const Value output : node.outputs) {
      if (used[output.index]) box.lines.push_back(function_.type(output).ToString());
    }
    if (const auto note = notes_.find(node.name); note != notes_.end()) {
      box.lines.push_back(note->second);
    }
    const int to = Add(std::move(box));
    std::vector<int> sources;
    for (const Value input : node.inputs) {
      if (!input.present()) continue;
      if (!AddVariable(input, to)) sources.push_back(box_of_[input.index]);
    }
    // A node that takes a value twice has one edge.
    std::sort(sources.begin(), sources.end());
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    for (const int from : sources) edges_.push_back({from, to});
    for (const Value output : node.outputs) box_of_[output.index] = to;
  }

  void AddEnd(const char* what, const NamedValue& end) {
    const int to =
        Add({Kind::kResult, {absl::StrCat(what, end.name)}, function_.info(end.value).name});
    if (!AddVariable(end.value, to)) edges_.push_back({box_of_[end.value.index], to});
  }

  // Variables would be sources of edges through half of the picture: they stand where they are
  // read.
  bool AddVariable(Value value, int to) {
    const ValueInfo& info = function_.info(value);
    if (info.origin != Origin::kVariable) return false;
    boxes_[to].lines.push_back(absl::StrCat("reads ", info.name));
    return true;
  }

  void Lay() {
    for (Box& box : boxes_) {
      for (std::string& line : box.lines) line = Shortened(line, kLongestLabel);
    }
    layout_ = LayOut();
    // What is cut is told instead; the boxes that tell it are larger.
    bool cut = false;
    for (size_t e = 0; e < edges_.size(); ++e) {
      if (!layout_.lines[e].empty()) continue;
      cut = true;
      const Box& from = boxes_[edges_[e].from];
      boxes_[edges_[e].to].lines.push_back(
          Shortened(absl::StrCat("from ", from.node != nullptr ? from.node->name : from.lines[0]),
                    kLongestLabel));
    }
    if (cut) layout_ = LayOut();
  }

  LayeredLayout LayOut() const {
    std::vector<LayoutSize> sizes;
    for (const Box& box : boxes_) sizes.push_back(box.size());
    return LayOutInLayers(sizes, edges_);
  }

  // Vertical where it begins and ends; an arrow at the end.
  static void AppendLine(const std::vector<LayoutPoint>& line, std::string& svg) {
    if (line.empty()) return;
    absl::StrAppendFormat(&svg, R"(<path d="M%.1f %.1f)", kMargin + line[0].x, kMargin + line[0].y);
    for (size_t i = 1; i < line.size(); ++i) {
      const double x = kMargin + line[i].x, y = kMargin + line[i].y;
      if (i % 2 == 0) {
        absl::StrAppendFormat(&svg, "L%.1f %.1f", x, y);
        continue;
      }
      const double middle = (kMargin + line[i - 1].y + y) / 2;
      absl::StrAppendFormat(&svg, "C%.1f %.1f %.1f %.1f %.1f %.1f", kMargin + line[i - 1].x, middle,
                            x, middle, x, y);
    }
    svg += R"(" fill="none" stroke="currentColor" stroke-opacity="0.5"/>)";
    absl::StrAppendFormat(
        &svg, R"(<path d="M%.1f %.1fl-3 -6h6z" fill="currentColor" fill-opacity="0.7"/>)",
        kMargin + line.back().x, kMargin + line.back().y);
    svg += '\n';
  }

  static void AppendBox(const Box& box, LayoutPoint center, std::string& svg) {
    const LayoutSize size = box.size();
    const double left = kMargin + center.x - size.width / 2;
    const double top = kMargin + center.y - size.height / 2;
    if (box.node != nullptr) {
      absl::StrAppend(&svg, R"(<g class="node" data-node=")",
                      EscapeMarkup(Shortened(box.node->name, kLongestTooltip / 4)),
                      R"(" data-op=")", EscapeMarkup(box.node->op->name()), "\">");
    } else {
      absl::StrAppend(&svg, "<g class=\"", box.kind == Kind::kInput ? "input" : "result", "\">");
    }
    absl::StrAppend(&svg, "<title>", EscapeMarkup(Shortened(box.tooltip, kLongestTooltip / 4)),
                    "</title>");
    const char* fill = box.kind == Kind::kInput    ? "#3b82f6"
                       : box.kind == Kind::kResult ? "#10b981"
                                                   : "currentColor";
    absl::StrAppendFormat(&svg,
                          R"(<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%d" fill="%s" )"
                          R"(fill-opacity="%s" stroke="currentColor" stroke-opacity="0.6"/>)",
                          left, top, size.width, size.height, box.node != nullptr ? 4 : 12, fill,
                          box.node != nullptr ? "0.06" : "0.2");
    for (size_t i = 0; i < box.lines.size(); ++i) {
      absl::StrAppendFormat(&svg, R"(<text x="%.1f" y="%.1f"%s>%s</text>)", kMargin + center.x,
                            top + kPadding + kLine * static_cast<double>(i) + 9,
                            i == 0 ? R"( font-weight="bold")" : R"( fill-opacity="0.8")",
                            EscapeMarkup(box.lines[i]));
    }
    svg += "</g>\n";
  }

  const Function& function_;
  const std::map<std::string, std::string>& notes_;
  std::vector<Box> boxes_;
  std::vector<LayoutEdge> edges_;
  std::map<int, int> box_of_;  // of values
  LayeredLayout layout_;
};

constexpr char kTextStyle[] =
    R"(fill="currentColor" font-family="sans-serif" font-size="12" text-anchor="middle")";

struct Drawn {
  LayoutSize size;
  std::string svg;  // within an element
};

Drawn Draw(const Function& function, const DrawingOptions& options) {
  const auto nodes = static_cast<int64_t>(function.nodes().size());
  if (nodes > options.max_nodes) {
    const std::string text = absl::StrCat(Shortened(function.name(), kLongestLabel), " has ", nodes,
                                          " nodes, and at most ", options.max_nodes, " are drawn");
    const LayoutSize size{WidthOf(text) + 2 * kMargin, kLine + 2 * kMargin};
    return {size, absl::StrFormat(R"(<text x="%.1f" y="%.1f">%s</text>)", size.width / 2,
                                  size.height / 2 + 4, EscapeMarkup(text))};
  }
  const Diagram diagram(function, options);
  return {diagram.size(), diagram.Svg()};
}

std::string Element(LayoutSize size, const std::string& title, const std::string& content) {
  return absl::StrFormat(
      R"(<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%.0f" height="%.0f" )"
      R"(viewBox="0 0 %.0f %.0f" %s><title>%s</title>)"
      "\n%s</svg>\n",
      size.width, size.height, size.width, size.height, kTextStyle, EscapeMarkup(title), content);
}

}  // namespace

std::string DrawFunction(const Function& function, const DrawingOptions& options) {
  const Drawn drawn = Draw(function, options);
  return Element(drawn.size,
                 absl::StrCat("Function ", Shortened(function.name(), kLongestTooltip / 4)),
                 drawn.svg);
}

std::string DrawFunctions(const std::vector<std::vector<Picture>>& rows,
                          const DrawingOptions& options) {
  std::string content;
  LayoutSize all;
  std::vector<std::string> names;
  for (const std::vector<Picture>& row : rows) {
    double x = 0, height = 0;
    for (const Picture& picture : row) {
      const Drawn drawn = Draw(*picture.function, options);
      const std::string heading = Shortened(picture.heading, 2 * kLongestLabel);
      absl::StrAppendFormat(
          &content, R"(<text x="%.1f" y="%.1f" text-anchor="start" font-size="15">%s</text>)",
          x + kMargin, all.height + kMargin + kLine, EscapeMarkup(heading));
      absl::StrAppendFormat(&content, R"(<svg x="%.1f" y="%.1f" width="%.1f" height="%.1f">)", x,
                            all.height + kMargin + 2 * kLine, drawn.size.width, drawn.size.height);
      absl::StrAppend(&content, drawn.svg, "</svg>\n");
      x += std::max(drawn.size.width, WidthOf(heading) * 1.25) + 2 * kMargin;
      height = std::max(height, drawn.size.height);
      names.push_back(heading);
    }
    all.width = std::max(all.width, x);
    all.height += height + kMargin + 2 * kLine;
  }
  all.height += kMargin;
  return Element(all, absl::StrJoin(names, "; "), content);
}

}  // namespace seqgraph::tools
