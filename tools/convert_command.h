#ifndef SEQGRAPH_TOOLS_CONVERT_COMMAND_H_
#define SEQGRAPH_TOOLS_CONVERT_COMMAND_H_

#include <memory>

#include "tools/command.h"

namespace seqgraph::tools {

/// `seqgraph convert`: a model from one format of files to another.
std::unique_ptr<Command> MakeConvertCommand();

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_CONVERT_COMMAND_H_
