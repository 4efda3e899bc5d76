#pragma once

// Files of JSON objects, one a line (JSONL), read as a stream.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/csv_records.h"

namespace seqgraph::data {

/// A forward-only reader of lines, gunzipped on the way where the file is gzip. Memory: that of
/// CsvBlocks, whose limits hold: to it all lines are records of one field.
class JsonLines {
 public:
  /// How a file of lines is cut into blocks.
  static CsvOptions BlockOptions() { return {.separator = '\x1F', .quotes = false}; }

  /// As CsvBlocks::Open().
  static absl::StatusOr<JsonLines> Open(const std::string& path);
  /// Of blocks from elsewhere.
  static JsonLines Of(CsvBlockSource blocks);

  /// Whether there is one more that is not empty; white space around it is left out. It holds until
  /// the next call. Errors as CsvBlocks::Next().
  absl::StatusOr<bool> Next(absl::string_view* line);

  /// Of the last line, from 1.
  int64_t number() const { return number_; }
  /// "'path', line 7".
  std::string Place(absl::string_view path) const;

 private:
  CsvBlockSource blocks_;
  CsvBlock block_;
  size_t at_ = 0;
  int64_t next_line_ = 1, number_ = 0;
};

/// A line as an object, with its members in their order. InvalidArgument for what is none, or is
/// nested deeper than `max_depth` (1 is an object of plain values); that is not built.
absl::StatusOr<nlohmann::ordered_json> ParseJsonObject(absl::string_view line, int max_depth);

}  // namespace seqgraph::data
