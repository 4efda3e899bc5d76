#ifndef SEQGRAPH_TOOLS_ALL_COMMANDS_H_
#define SEQGRAPH_TOOLS_ALL_COMMANDS_H_

#include <vector>

#include "tools/command.h"

namespace seqgraph::tools {

/// The one list of subcommands, in the order of `seqgraph --help`.
const std::vector<CommandDef>& AllCommands();

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_ALL_COMMANDS_H_
