#ifndef SEQGRAPH_TOOLS_DIFF_COMMAND_H_
#define SEQGRAPH_TOOLS_DIFF_COMMAND_H_

#include <memory>

#include "tools/command.h"

namespace seqgraph::tools {

/// `seqgraph diff`: where two backends part.
std::unique_ptr<Command> MakeDiffCommand();

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_DIFF_COMMAND_H_
