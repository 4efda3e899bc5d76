#include "tools/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace seqgraph::tools {

int TerminalColumns(std::FILE* file) {
  constexpr int kOtherwise = 92;
  struct winsize size = {};
  if (::ioctl(::fileno(file), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kOtherwise;
  return size.ws_col;
}

}  // namespace seqgraph::tools
