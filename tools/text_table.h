#pragma once

#include <string>
#include <utility>
#include <vector>

namespace seqgraph::tools {

/// Rows of cells, printed in columns as wide as their longest cell.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) { AddRow(std::move(header)); }

  /// As many cells as the header has. What would break a line or be obeyed becomes spaces.
  void AddRow(std::vector<std::string> cells);
  /// One line a row. Columns first_number to last_number are flushed right, the others left.
  std::string Text(size_t first_number, size_t last_number) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace seqgraph::tools
