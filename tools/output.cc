#include "tools/output.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/printable.h"

namespace seqgraph::tools {

void Output::Keep(int error) {
  if (status_.ok()) status_ = absl::ErrnoToStatus(error, absl::StrCat("cannot write ", name_));
}

void Output::Write(absl::string_view given) {
  if (given.empty()) return;
  const std::string text = Printable(given, /*kept=*/"\n\t");
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) Keep(errno);
}

absl::Status Output::Flush() {
  errno = 0;
  if (std::fflush(file_) != 0) Keep(errno);
  return status_;
}

}  // namespace seqgraph::tools
