#pragma once

// The kinds of files that `seqgraph fsck` knows: what a file is, whether it is whole, and if not
// what of it can still be read. Nothing here changes a file.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seqgraph::tools {

/// What is found out about a file.
struct FileReport {
  enum class State {
    kWhole,
    kDamaged,
    kUnknown,  ///< it cannot be read, is of a newer version, or has parts that are not known here
  };
  State state = State::kWhole;
  std::string what;                ///< of one that is whole: "format version 4, 12 variables"
  std::string wrong;               ///< of others: the first thing that is wrong
  std::vector<std::string> parts;  ///< of others: what can be read, a line each
};

/// The report of a file that reading gives that status: InvalidArgument, DataLoss and NotFound mean
/// damage, other errors that it cannot be told.
FileReport ReportOf(const absl::Status& status, std::string what);

/// By what a kind is recognised.
struct FileSigns {
  std::string name;   ///< without its folder
  std::string start;  ///< the first bytes, kStartBytes at most
  static constexpr int64_t kStartBytes = 1024;
};

struct FileKind {
  const char* name;  ///< for people: "model"
  /// Also for one that is damaged, if it can be told at all.
  bool (*is)(const FileSigns& signs);
  FileReport (*check)(const std::string& path);
};

/// All kinds; the first that recognises a file checks it. To add one: a row in file_kinds.cc.
absl::Span<const FileKind> FileKinds();

/// The kind of the file at `path`; null: none. Errors: those of reading its first bytes.
absl::StatusOr<const FileKind*> KindOfFile(const std::string& path);

}  // namespace seqgraph::tools
