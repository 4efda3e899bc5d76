#include "tools/output.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/printable.h"
#include "base/temporary_file.h"

namespace seqgraph::tools {
namespace {

constexpr size_t kBlock = size_t{1} << 16;

}  // namespace

Output::Output(std::FILE* file, std::string name)
    : file_(file), name_(std::move(name)), by_line_(::isatty(::fileno(file)) == 1) {}

void Output::Hand() {
  const int error = WriteAll(::fileno(file_), pending_);
  pending_.clear();
  if (error != 0 && status_.ok()) {
    status_ = absl::ErrnoToStatus(error, absl::StrCat("cannot write ", name_));
  }
}

void Output::Write(absl::string_view given) {
  if (muted_) return;
  absl::StrAppend(&pending_, Printable(given, /*kept=*/"\n\t"));
  const bool line = by_line_ && absl::StrContains(given, '\n');
  if (at_once_ || line || pending_.size() >= kBlock) Hand();
}

absl::Status Output::Flush() {
  Hand();
  return status_;
}

std::FILE* Output::file() {
  Hand();
  at_once_ = true;
  return file_;
}

}  // namespace seqgraph::tools
