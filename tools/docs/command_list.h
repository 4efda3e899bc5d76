#pragma once

#include <string>
#include <vector>

namespace seqgraph::tools {

/// One flag or argument of a command, as --help knows it.
struct FlagPage {
  std::string name;         ///< "data"; empty: an argument
  std::string placeholder;  ///< "FILE [default]"; empty: it takes no value
  std::string help;
  std::string group;  ///< heading of --help; empty for flags that have none of their own
  bool required = false;
};

struct CommandPage {
  std::string name, summary;
  std::string footer;  ///< what --help says below the flags
  std::vector<FlagPage> flags;
};

/// Every command of AllCommands(), in that order, with the flags that it declares.
std::vector<CommandPage> ReadCommands();

}  // namespace seqgraph::tools
