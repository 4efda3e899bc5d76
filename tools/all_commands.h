#pragma once

#include <vector>

#include "tools/command.h"

namespace seqgraph::tools {

/// The one list of subcommands, in the order of `seqgraph --help`.
const std::vector<CommandDef>& AllCommands();

}  // namespace seqgraph::tools
