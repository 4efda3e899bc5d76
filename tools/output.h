#pragma once

#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace seqgraph::tools {

/// A stream for results that keeps its first error, so that a full disk behind `>` is reported
/// instead of ending in success.
class Output {
 public:
  /// `file` stays the caller's; `name` is for messages: "standard output".
  Output(std::FILE* file, std::string name);

  /// As Printable has it, but for line ends and tabs: names and labels come from model files, and a
  /// terminal would obey what is in them. A field of a line needs Printable of its own.
  void Write(absl::string_view text);
  template <typename... Args>
  void Print(const absl::FormatSpec<Args...>& format, const Args&... args) {
    Write(absl::StrFormat(format, args...));
  }

  /// Hands everything to the system; the first error of all writes so far.
  absl::Status Flush();

  /// What is written from now on goes nowhere; what is written to file() still does.
  void Mute() { muted_ = true; }

  /// What could not be written does not count any more.
  void Forget() { status_ = absl::OkStatus(); }

  /// For those who write by themselves: what was written before is on its way, and what is written
  /// from now on goes at once.
  std::FILE* file();

 private:
  void Hand();

  // stdio would lose what it holds where a write is interrupted.
  std::FILE* file_;
  std::string name_;
  bool by_line_ = false, at_once_ = false, muted_ = false;
  std::string pending_;
  absl::Status status_;
};

}  // namespace seqgraph::tools
