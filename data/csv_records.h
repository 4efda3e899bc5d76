#pragma once

// The parts of a reader of separated fields (csv.h has the rules): a file cut into blocks of whole
// records, which threads may then take apart each by itself, and one record into fields.

#include <cstdint>
#include <functional>
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
  int64_t block_bytes = int64_t{512} << 10;      ///< Of CsvBlocks: about so many.
};

/// Some records as they lie in the file.
struct CsvBlock {
  std::string bytes;  ///< Ends with a line feed (put there if need be), but for a lone CR.
  int64_t line = 1;   ///< On which the first of them begins.
};

/// Where blocks come from: whether there was one more.
using CsvBlockSource = std::function<absl::StatusOr<bool>(CsvBlock* block)>;

/// A forward-only reader of blocks of about options.block_bytes, gunzipped on the way where the
/// file is gzip; a byte-order mark of UTF-8 is left out. How they are cut follows from the file's
/// bytes and the options alone. Memory: a block and the buffers of CompressedFile.
class CsvBlocks {
 public:
  /// InvalidArgument for a separator that cannot be one; otherwise as CompressedFile::Open().
  static absl::StatusOr<std::unique_ptr<CsvBlocks>> Open(const std::string& path,
                                                         const CsvOptions& options);

  /// Whether there was one more. ResourceExhausted beyond the limits; otherwise as
  /// CompressedFile::Next(). After an error the reader is of no use.
  absl::StatusOr<bool> Next(CsvBlock* block);

 private:
  CsvBlocks(const std::string& path, const CsvOptions& options,
            std::unique_ptr<CompressedFile> file)
      : path_(path), options_(options), file_(std::move(file)) {}

  absl::Status Fill(size_t bytes);
  size_t EndOfRecords(absl::string_view bytes) const;

  const std::string path_;
  const CsvOptions options_;
  const std::unique_ptr<CompressedFile> file_;
  std::string rest_;  // Read, but not handed out.
  bool at_end_ = false;
  int64_t bytes_ = -1;  // Read so far; -1: not begun.
  int64_t line_ = 1;    // Of the first byte of rest_.
};

/// What is wrong with a record, and where.
struct CsvProblem {
  int64_t line = 0;    ///< Lines behind the one on which the record begins.
  int64_t column = 0;  ///< Of the byte in that line, from 1.
  std::string what;
  bool beyond_limit = false;
  bool to_the_end = false;  ///< Nothing closes its quote.
};

/// One record of a block.
class CsvRecord {
 public:
  /// Takes the record that begins at *at, and moves *at behind it. Fields lie in the block, whose
  /// bytes change where quotes are doubled. False for a problem; *at is then behind the line of it.
  bool Split(char** at, char* end, const CsvOptions& options);

  /// Of the last record, until the block or this goes.
  absl::Span<const absl::string_view> fields() const { return fields_; }
  /// Whether it is an empty line, which is no record.
  bool empty() const { return !quoted_ && fields_.size() == 1 && fields_[0].empty(); }
  /// Line ends taken, those in quotes too.
  int64_t lines() const { return lines_; }
  const CsvProblem& problem() const { return problem_; }

 private:
  bool TakeQuoted(char** at, char* end);
  bool Fail(const char* at, std::string what);

  std::vector<absl::string_view> fields_;
  bool quoted_ = false;
  int64_t lines_ = 0;
  const char* line_begin_ = nullptr;
  CsvProblem problem_;
};

}  // namespace seqgraph::data
