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
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/compressed_file.h"

namespace seqgraph::data {

struct CsvOptions {
  char separator = ',';  ///< Any ASCII character but quote, CR and LF.
  bool quotes = true;    ///< False: a quote is a byte like any other; a line end ends each record.
  int64_t max_record_bytes = int64_t{16} << 20;  ///< A longer record is an error.
  int max_fields = 1000;                         ///< More in a record are an error.
  int64_t max_bytes = int64_t{64} << 30;         ///< A longer file (gunzipped) is an error.
};

/// A forward-only reader of a file, gunzipped on the way where it is gzip. Lines that are empty are
/// passed over, so a record of one empty field cannot be read but in quotes. Memory: one record
/// and the buffers of CompressedFile.
class CsvReader {
 public:
  /// InvalidArgument for a separator that cannot be one; otherwise as CompressedFile::Open().
  static absl::StatusOr<std::unique_ptr<CsvReader>> Open(const std::string& path,
                                                         const CsvOptions& options);

  /// The fields of the next record, none at the end of the file; they hold until the next call.
  /// Errors name path, line and column (of the byte, from 1): InvalidArgument for a quote inside a
  /// field that does not begin with one, anything but a separator or an end behind a closing quote,
  /// a quote that nothing closes, a carriage return without a line feed, a record with more or
  /// fewer fields than the first one; ResourceExhausted beyond the limits; otherwise as
  /// CompressedFile::Next(). After an error the reader is of no use.
  absl::StatusOr<absl::Span<const absl::string_view>> Next();

  /// The line on which the last record began, from 1.
  int64_t line() const { return record_line_; }

 private:
  CsvReader(const std::string& path, const CsvOptions& options,
            std::unique_ptr<CompressedFile> file)
      : path_(path), options_(options), file_(std::move(file)) {}

  absl::Status SkipByteOrderMark();
  absl::StatusOr<bool> ReadRecord();  // Whether it is more than an empty line.
  absl::StatusOr<bool> ReadPlain();   // A field; whether the record goes on behind it.
  absl::StatusOr<bool> ReadQuoted();  // Likewise, behind the opening quote.
  absl::StatusOr<bool> EndField(int byte);
  absl::Status Append(size_t bytes);  // Takes so many bytes of the block into the field.

  // The next byte without taking it, kEnd at the end of the file; an error is in status_.
  int Peek();
  void Take();
  absl::Status Error(absl::string_view what) const;
  absl::Status ErrorAt(int64_t line, int64_t column, absl::string_view what) const;

  static constexpr int kEnd = -1;

  const std::string path_;
  const CsvOptions options_;
  const std::unique_ptr<CompressedFile> file_;
  absl::string_view block_;  // What is left of it.
  bool at_end_ = false;
  absl::Status status_;
  int64_t bytes_ = 0;       // Taken so far.
  int64_t line_ = 1;        // Of the next byte,
  int64_t line_begin_ = 0;  // and what was taken before that line.
  int64_t record_line_ = 0;
  size_t num_fields_ = 0;  // Of the first record; 0: it is to come.
  std::string text_;       // Of all fields of a record, one behind the other.
  std::vector<size_t> ends_;
  std::vector<absl::string_view> fields_;
};

}  // namespace seqgraph::data
