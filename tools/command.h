#ifndef SEQGRAPH_TOOLS_COMMAND_H_
#define SEQGRAPH_TOOLS_COMMAND_H_

#include <memory>

#include "absl/status/statusor.h"
#include "tools/flags.h"
#include "tools/output.h"

namespace seqgraph::tools {

/// One subcommand of `seqgraph`. To add one: a file that defines it, and a row in all_commands.cc.
class Command {
 public:
  virtual ~Command() = default;

  /// Declares flags and arguments, bound to members of this object. What can be checked on the
  /// command line alone is checked there, so that misuse ends in exit status 2.
  virtual void Declare(Flags& flags) = 0;

  /// Does the work. Gives the exit status; an error becomes one line on standard error and exit
  /// status 1. The caller flushes `out` and reports its errors.
  virtual absl::StatusOr<int> Run(Output& out) = 0;
};

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_COMMAND_H_
