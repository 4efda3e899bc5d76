#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace seqgraph::tools {

/// One flag or argument of a command that names files.
struct DeclaredFiles {
  enum class Kind {
    kInput,         ///< files, and folders with all that is in them
    kOutputFile,    ///< one file, made or replaced
    kOutputFolder,  ///< `written` in a folder, which is made if it is missing
    kCacheFolder,   ///< the same, but nothing is lost where it cannot be made
  };

  std::string flag;  ///< "--output"
  Kind kind = Kind::kInput;
  /// The paths, once the command line is parsed; none where the flag is not given.
  std::function<std::vector<std::string>()> paths;
  /// Of an input folder: whether the command reads the file at that path in it; null: every one.
  std::function<bool(const std::string& below)> reads = nullptr;
  /// Of an output folder: the names of the files in it.
  std::vector<std::string> written = {};
  /// Of an output: the flag of an input that it may replace, because the command reads that whole
  /// before and knows when to.
  std::string may_replace = "";

  bool is_output() const { return kind != Kind::kInput; }
};

/// Every file that a command reads and writes, declared where its flags are (tools/flags.h), so
/// that in one place, before a command does anything, no output is an input or another output.
class CommandFiles {
 public:
  void Declare(DeclaredFiles files) { declared_.push_back(std::move(files)); }
  const std::vector<DeclaredFiles>& declared() const { return declared_; }

  /// InvalidArgument, naming both, for an output that is an input or a second output, by whatever
  /// path (base/file_identity.h), also one behind `<` and `>`; otherwise as CheckOutputFile and
  /// CheckOutputFolder for outputs that cannot be made. Nothing is changed.
  absl::Status Check() const;

  /// The same for an input that is known only when another is read: what `name` says is for
  /// messages.
  absl::Status CheckInput(absl::string_view name, const std::string& path) const;
  /// Whether CheckInput() has refused one: then no output may be written any more.
  bool refused() const { return refused_; }

 private:
  std::vector<DeclaredFiles> declared_;
  mutable bool refused_ = false;  // those who only check see no more than a constant
};

}  // namespace seqgraph::tools
