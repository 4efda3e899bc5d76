#pragma once

// Parts of a page. Every text that is not ours goes through Text().

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/report/chart.h"

namespace seqgraph::tools {

/// At most so many bytes of the text, whole characters of UTF-8, with "…" where it is cut.
std::string Cut(absl::string_view text, size_t most);
/// The same, as it may stand in a page (EscapeMarkup).
std::string Text(absl::string_view text, size_t most = 200);
/// "0.8421"; "-" for NaN.
std::string Digits(double number, int digits = 4);
/// "1 h 02 min", "34 s", "0.8 s".
std::string Duration(double seconds);

/// A page in the making: its sections, and the charts in them, which the script draws again.
class Page {
 public:
  /// Nothing is added to a page that would have more bytes then; what is left out is said. Room is
  /// kept for the frame.
  static constexpr size_t kMostBytes = 930'000;

  explicit Page(std::string title) : title_(std::move(title)) {}

  /// A section of that name, which links lead to. `html` is as it is to be.
  void Section(const std::string& name, const std::string& html);
  /// A heading above the sections that follow, to which the links then lead instead of to each.
  void Group(const std::string& name, const std::string& text);
  /// Between sections.
  void Plain(const std::string& html);
  /// A <figure> with the chart, to be put into a section. Its caption is the chart's title.
  std::string Figure(const Chart& chart);

  /// The whole document: `subtitle` (text) is below the title. It loads nothing, and only its own
  /// script can run (Content-Security-Policy with the script's hash).
  std::string Finish(const std::string& subtitle) const;

 private:
  void AddLink(const std::string& id, const std::string& name);

  std::string title_, body_, links_;
  std::vector<Chart> charts_;
  std::vector<std::string> left_out_;
  size_t chart_bytes_ = 0;
  int sections_ = 0;
  bool in_group_ = false;
};

/// A document in the same face without links, charts and scripts, of any size: `html` is its main
/// part.
std::string PlainPage(const std::string& title, const std::string& subtitle,
                      const std::string& html);

/// A number and what it is of, for a grid of class "tiles". Texts; `bad`: it stands out.
std::string Tile(const std::string& value, const std::string& what, bool bad = false);

/// A table in a part of the page that scrolls by itself. Cells are HTML; those of columns in
/// `numbers` are flushed right.
std::string HtmlTable(const std::string& label, const std::vector<std::string>& header,
                      const std::vector<std::vector<std::string>>& rows,
                      const std::vector<size_t>& numbers);

/// A paragraph to be noticed.
std::string NoteHtml(const std::string& text);

}  // namespace seqgraph::tools
