#ifndef SEQGRAPH_TOOLS_EXPLAIN_COMMAND_H_
#define SEQGRAPH_TOOLS_EXPLAIN_COMMAND_H_

#include <memory>

#include "tools/command.h"

namespace seqgraph::tools {

/// `seqgraph explain`: what would run where, and how much memory it takes.
std::unique_ptr<Command> MakeExplainCommand();

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_EXPLAIN_COMMAND_H_
