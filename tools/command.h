#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/flags.h"
#include "tools/output.h"

namespace seqgraph::tools {

/// One subcommand of `seqgraph`. To add one: a file NAME_command.cc that defines it, and its name
/// in all_commands.cc.
class Command {
 public:
  virtual ~Command() = default;

  /// Declares flags and arguments, bound to members of this object, and with them every file that
  /// is read or written. What can be checked on the command line alone is checked there, so that
  /// misuse ends in exit status 2.
  virtual void Declare(Flags& flags) = 0;

  /// What the command line, from the command's name on, means, before it is parsed: as it is,
  /// unless a command keeps arguments or stands for another. An error is one of Run().
  virtual absl::StatusOr<std::vector<std::string>> Expand(std::vector<std::string> given) {
    return given;
  }

  /// Does the work, once CommandFiles::Check has found no output among the inputs. Gives the exit
  /// status; an error becomes one line on standard error and exit status 1. The caller flushes
  /// `out` and reports its errors.
  virtual absl::StatusOr<int> Run(Output& out) = 0;
};

/// How a subcommand is listed and made.
struct CommandDef {
  const char* name;
  const char* summary;  ///< one line of `seqgraph --help` and of docs/commands/index.md
  std::unique_ptr<Command> (*make)();
};

template <typename T>
CommandDef DefineCommand(const char* name, const char* summary) {
  return {name, summary, []() -> std::unique_ptr<Command> { return std::make_unique<T>(); }};
}

}  // namespace seqgraph::tools
