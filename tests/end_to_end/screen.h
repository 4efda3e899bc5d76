#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace seqgraph {

/// What a terminal shows of what is written to it, as those do that wrap long lines anew when they
/// are resized (VTE, kitty, Windows Terminal): text in UTF-8, line ends, carriage returns, and the
/// sequences for colours, the cursor upwards, and erasing to the end of the row or the screen.
class Screen {
 public:
  explicit Screen(size_t columns) : columns_(columns) {}

  void Write(absl::string_view bytes);
  void Resize(size_t columns) { columns_ = columns; }

  /// Whole lines, however many rows each takes.
  std::vector<std::string> Lines() const;

 private:
  // Where the row with the cursor begins; behind a full last row it stays in that.
  size_t Row() const;
  void Put(std::string character);
  void Up(size_t rows);
  void Obey(absl::string_view sequence);

  size_t columns_;
  std::vector<std::vector<std::string>> lines_ = {{}};  // of characters
  size_t line_ = 0;
  size_t column_ = 0;  // from the line's beginning, over all its rows
};

}  // namespace seqgraph
