#ifndef SEQGRAPH_TOOLS_CONFORMANCE_COMMAND_H_
#define SEQGRAPH_TOOLS_CONFORMANCE_COMMAND_H_

#include <memory>

#include "tools/command.h"

namespace seqgraph::tools {

std::unique_ptr<Command> MakeConformanceCommand();

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_CONFORMANCE_COMMAND_H_
