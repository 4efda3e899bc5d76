#include "tools/output.h"

#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace seqgraph::tools {

void Output::Keep(int error) {
  if (status_.ok()) status_ = absl::ErrnoToStatus(error, absl::StrCat("cannot write ", name_));
}

void Output::Write(std::string text) {
  if (text.empty()) return;
  for (char& c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\n' && c != '\t') c = ' ';
  }
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) Keep(errno);
}

absl::Status Output::Flush() {
  errno = 0;
  if (std::fflush(file_) != 0) Keep(errno);
  return status_;
}

}  // namespace seqgraph::tools
