#ifndef SEQGRAPH_TOOLS_ALL_COMMANDS_H_
#define SEQGRAPH_TOOLS_ALL_COMMANDS_H_

#include <memory>

#include "absl/types/span.h"
#include "tools/command.h"

namespace seqgraph::tools {

struct CommandRow {
  const char* name;
  const char* summary;  ///< one line of `seqgraph --help`
  std::unique_ptr<Command> (*make)();
};

/// The one table of subcommands, in the order of `seqgraph --help`.
absl::Span<const CommandRow> AllCommands();

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_ALL_COMMANDS_H_
