#pragma once

#include <cstdio>

namespace seqgraph::tools {

/// Columns of the terminal that the file is; 92, Keras's widest table and its margin, if it is
/// none.
int TerminalColumns(std::FILE* file);

}  // namespace seqgraph::tools
