#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/compiled_function.h"
#include "tools/flags.h"

namespace seqgraph::tools {

/// "Backend onednn (version): all 20 nodes of train_step", or how many nodes went to each, and
/// which to others than the first.
std::string BackendLine(const std::string& function, const std::vector<NodeAssignment>& assignments,
                        const std::vector<const Backend*>& backends);

/// --max_memory, which every command has: what it says is MemoryLimit() (base/memory_limit.h) from
/// then on, and goes to `value` too, which stays as it is without the flag. 0 is no limit.
void DeclareMaxMemory(Flags& flags, int64_t* value);

}  // namespace seqgraph::tools
