#pragma once

#include <string>
#include <utility>
#include <vector>

namespace seqgraph::tools {

/// The reference pages of all commands in Markdown, by their names in docs/commands: a page a
/// command, "train.md", from the flags that it declares, and "index.md", which lists them.
std::vector<std::pair<std::string, std::string>> CommandDocs();

}  // namespace seqgraph::tools
