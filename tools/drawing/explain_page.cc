#include "tools/drawing/explain_page.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/op_def.h"
#include "tools/drawing/function_drawing.h"
#include "tools/drawing/markup.h"
#include "tools/drawing/memory_picture.h"

namespace seqgraph::tools {
namespace {

// Contrast of text to background is above 12 : 1 in both.
constexpr char kStyle[] = R"(
:root { color-scheme: light dark; --text: #1f2937; --page: #ffffff; --line: #9ca3af; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e5e7eb; --page: #111827; --line: #4b5563; }
}
body { margin: 1rem auto; padding: 0 1rem; max-width: 72rem; font-family: sans-serif;
       color: var(--text); background: var(--page); }
.wide { overflow: auto; max-height: 90vh; border: 1px solid var(--line); }
table { border-collapse: collapse; }
th, td { padding: 0.15rem 0.6rem; text-align: left; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { margin: 0; padding: 0.5rem; }
@media print { .wide { max-height: none; border: none; } }
)";

std::string Buffers(const CompiledFunction& compiled) {
  const Function& function = compiled.function();
  std::vector<BufferInTime> buffers;
  int64_t arena = 0;
  for (const ArenaBuffer& buffer : compiled.buffers()) {
    buffers.push_back(
        {buffer.value < 0 ? "a variable as it was" : function.info(Value{buffer.value}).name,
         buffer.offset, buffer.bytes, buffer.first, buffer.last});
    arena = std::max(arena, buffer.offset + buffer.bytes);
  }
  return DrawMemory(buffers, static_cast<int>(function.nodes().size()), arena);
}

std::string Row(const char* cell, const std::vector<std::pair<std::string, bool>>& cells) {
  std::string row = "<tr>";
  for (const auto& [text, is_number] : cells) {
    absl::StrAppend(&row, "<", cell, is_number ? " class=\"number\">" : ">", EscapeMarkup(text),
                    "</", cell, ">");
  }
  return row + "</tr>\n";
}

std::string Nodes(const CompiledFunction& compiled) {
  const Function& function = compiled.function();
  const std::vector<bool> used = function.UsedValues();
  std::string rows = Row("th", {{"node", false},
                                {"op", false},
                                {"backend", false},
                                {"bytes", true},
                                {"scratch", true},
                                {"implementation", false}});
  for (size_t n = 0; n < function.nodes().size(); ++n) {
    const NodeAssignment& assignment = compiled.assignments()[n];
    int64_t bytes = 0;
    for (const Value output : function.nodes()[n].outputs) {
      if (used[output.index]) bytes += function.type(output).num_bytes();
    }
    const std::string scratch =
        assignment.scratch_bytes < 0 ? "unknown" : absl::StrCat(assignment.scratch_bytes);
    rows += Row("td", {{assignment.node, false},
                       {assignment.op, false},
                       {assignment.backend, false},
                       {absl::StrCat(bytes), true},
                       {scratch, true},
                       {absl::StrCat(assignment.implementation,
                                     compiled.constant_nodes()[n] ? " (kept between calls)" : ""),
                        false}});
  }
  return absl::StrCat("<table>\n", rows, "</table>\n");
}

void AppendPart(const char* heading, const std::string& content, std::string& page) {
  absl::StrAppend(&page, "<h2>", heading,
                  "</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"",
                  heading, "\">\n", content, "</div>\n");
}

}  // namespace

std::string ExplainPage(const CompiledFunction& compiled, const std::string& title,
                        const std::string& text) {
  DrawingOptions drawing;
  for (const NodeAssignment& assignment : compiled.assignments()) {
    drawing.notes[assignment.node] =
        absl::StrCat(assignment.backend, ": ", assignment.implementation);
  }
  const std::string escaped = EscapeMarkup(title);
  std::string page = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      escaped, "</title>\n<style>", kStyle, "</style>\n</head>\n<body>\n<h1>", escaped, "</h1>\n");
  AppendPart("Memory of values", Buffers(compiled), page);
  AppendPart("Where each node runs", Nodes(compiled), page);
  AppendPart("The function", DrawFunction(compiled.function(), drawing), page);
  AppendPart("As text", absl::StrCat("<pre>", EscapeMarkup(text), "</pre>\n"), page);
  page += "</body>\n</html>\n";
  return page;
}

}  // namespace seqgraph::tools
