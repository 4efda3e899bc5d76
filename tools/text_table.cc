#include "tools/text_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/printable.h"

namespace seqgraph::tools {

void TextTable::AddRow(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
}

std::string TextTable::Text(size_t first_number, size_t last_number) const {
  std::vector<size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows_) {
    for (size_t c = 0; c < row.size(); ++c) {
      const bool number = c >= first_number && c <= last_number;
      const bool last = c + 1 == row.size();
      const int width = static_cast<int>(last && !number ? 0 : widths[c]);
      text += number ? absl::StrFormat("%*s  ", width, row[c])
                     : absl::StrFormat("%-*s  ", width, row[c]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace seqgraph::tools
