#include "tests/end_to_end/screen.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_join.h"
#include "tests/testing.h"

namespace seqgraph {

size_t Screen::Row() const {
  const bool full = column_ > 0 && column_ == lines_[line_].size();
  return (column_ - (full ? 1 : 0)) / columns_ * columns_;
}

void Screen::Put(std::string character) {
  std::vector<std::string>& line = lines_[line_];
  if (column_ >= line.size()) line.resize(column_ + 1, " ");
  line[column_++] = std::move(character);
}

void Screen::Up(size_t rows) {
  size_t row = Row();
  const size_t in_row = std::min(column_ - row, columns_ - 1);
  for (; rows > 0; --rows) {
    if (row > 0) {
      row -= columns_;
    } else if (line_ > 0) {
      --line_;
      const size_t size = std::max<size_t>(lines_[line_].size(), 1);
      row = (size - 1) / columns_ * columns_;
    }
  }
  column_ = row + in_row;
}

void Screen::Obey(absl::string_view sequence) {
  std::vector<std::string>& line = lines_[line_];
  const std::string number(sequence.substr(0, sequence.size() - 1));
  switch (sequence.back()) {
    case 'm':
      return;
    case 'A':
      return Up(static_cast<size_t>(std::atoi(number.c_str())));
    case 'J':
      lines_.resize(line_ + 1);
      [[fallthrough]];
    case 'K':
      // To the end of the row: another row of the line behind it stays.
      if (sequence.back() == 'J' || line.size() <= Row() + columns_) {
        if (line.size() > column_) line.resize(column_);
      } else {
        std::fill(line.begin() + static_cast<ptrdiff_t>(column_),
                  line.begin() + static_cast<ptrdiff_t>(Row() + columns_), std::string(1, ' '));
      }
      return;
    default:
      ADD_FAILURE() << "no such sequence here: " << sequence;
  }
}

void Screen::Write(absl::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    if (bytes[i] == '\033' && i + 1 < bytes.size() && bytes[i + 1] == '[') {
      size_t end = i + 2;
      while (end < bytes.size() && bytes[end] < '@') ++end;
      Obey(bytes.substr(i + 2, end - i - 1));
      i = end + 1;
    } else if (bytes[i] == '\r') {
      column_ = Row();
      ++i;
    } else if (bytes[i] == '\n') {
      if (++line_ == lines_.size()) lines_.emplace_back();
      column_ = 0;
      ++i;
    } else {
      size_t end = i + 1;
      while (end < bytes.size() && (static_cast<unsigned char>(bytes[end]) & 0xC0u) == 0x80u) ++end;
      Put(std::string(bytes.substr(i, end - i)));
      i = end;
    }
  }
}

std::vector<std::string> Screen::Lines() const {
  std::vector<std::string> lines;
  for (const auto& line : lines_) lines.push_back(absl::StrJoin(line, ""));
  return lines;
}

}  // namespace seqgraph
