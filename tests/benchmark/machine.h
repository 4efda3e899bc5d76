#pragma once

#include <map>
#include <string>

namespace seqgraph {

/// What a figure is of: "processor", and each built-in backend by name with its version and
/// description, which names the instruction set in use.
std::map<std::string, std::string> DescribeMachine();

/// The same, a line each.
std::string MachineText();

}  // namespace seqgraph
