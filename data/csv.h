#pragma once

// Records of separated fields, read as a stream: RFC 4180.
//
//   file   = [BOM] record *(end record) [end]         end = CRLF or LF
//   record = field *(separator field)
//   field  = *(byte but separator, quote, CR, LF)     as it is, spaces included
//          | quote *(byte but quote | two quotes) quote
//
//   SEQ_ASSIGN_OR_RETURN(std::unique_ptr<CsvReader> reader, CsvReader::Open("a.csv", {}));
//   for (;;) {
//     SEQ_ASSIGN_OR_RETURN(const absl::Span<const absl::string_view> fields, reader->Next());
//     if (fields.empty()) break;   // the end
//   }

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/csv_records.h"

namespace seqgraph::data {

/// A field as CsvReader reads it back: in quotes where it needs them.
std::string CsvField(absl::string_view text, char separator = ',');

/// A forward-only reader of a file, gunzipped on the way where it is gzip. Lines that are empty are
/// passed over, so a record of one empty field cannot be read but in quotes. Memory: that of
/// CsvBlocks.
class CsvReader {
 public:
  /// InvalidArgument for a separator that cannot be one; otherwise as CompressedFile::Open().
  static absl::StatusOr<std::unique_ptr<CsvReader>> Open(const std::string& path,
                                                         const CsvOptions& options);

  /// Of blocks from elsewhere, which are parts of that file.
  static std::unique_ptr<CsvReader> Of(const std::string& path, const CsvOptions& options,
                                       CsvBlockSource blocks);

  /// The fields of the next record, none at the end of the file; they hold until the next call.
  /// Errors name path, line and column (of the byte, from 1): InvalidArgument for a quote inside a
  /// field that does not begin with one, anything but a separator or an end behind a closing quote,
  /// a quote that nothing closes, a carriage return without a line feed, a record with more or
  /// fewer fields than the first one; ResourceExhausted beyond the limits; otherwise as
  /// CompressedFile::Next().
  absl::StatusOr<absl::Span<const absl::string_view>> Next();

  /// Whether the last error was of one record alone: Next() then goes on behind the line of it.
  /// Otherwise the reader is of no use after an error, nor after a quote that nothing closes, for
  /// nobody knows how many records stand behind that.
  bool can_go_on() const { return can_go_on_; }

  /// The line on which the last record began, from 1.
  int64_t line() const { return line_; }

 private:
  CsvReader(const std::string& path, const CsvOptions& options, CsvBlockSource blocks)
      : path_(path), options_(options), blocks_(std::move(blocks)) {}

  const std::string path_;
  const CsvOptions options_;
  const CsvBlockSource blocks_;
  CsvBlock block_;
  char* at_ = nullptr;  // In the block.
  CsvRecord record_;
  int64_t line_ = 1;
  bool can_go_on_ = false;
  size_t num_fields_ = 0;  // Of the first record; 0: it is to come.
};

}  // namespace seqgraph::data
