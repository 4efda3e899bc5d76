#ifndef SEQGRAPH_TOOLS_PASSES_COMMAND_H_
#define SEQGRAPH_TOOLS_PASSES_COMMAND_H_

#include <memory>

#include "tools/command.h"

namespace seqgraph::tools {

std::unique_ptr<Command> MakePassesCommand();

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_PASSES_COMMAND_H_
