#ifndef SEQGRAPH_TOOLS_BENCH_COMMAND_H_
#define SEQGRAPH_TOOLS_BENCH_COMMAND_H_

#include <memory>

#include "tools/command.h"

namespace seqgraph::tools {

/// `seqgraph bench`: how fast a function runs, node by node, against what the machine can do.
std::unique_ptr<Command> MakeBenchCommand();

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_BENCH_COMMAND_H_
