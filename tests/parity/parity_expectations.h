#pragma once

#include <string>
#include <vector>

namespace seqgraph::parity {

/// The preferences of backends that every recorded run is repeated on.
std::vector<std::string> BackendLists();

/// Repeats the run in the folder on the backends; every number must be within its bar.
void ExpectParity(const std::string& folder, const std::string& backends);

/// The name of a test: letters, digits and underscores of both.
std::string ParityTestName(const std::string& name, const std::string& backends);

}  // namespace seqgraph::parity
