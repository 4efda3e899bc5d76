#ifndef SEQGRAPH_BACKENDS_ALL_BACKENDS_H_
#define SEQGRAPH_BACKENDS_ALL_BACKENDS_H_

#include "runtime/backend_registry.h"

namespace seqgraph {

/// The backends that are built in. The one list of them.
const BackendRegistry& AllBackends();

}  // namespace seqgraph

#endif  // SEQGRAPH_BACKENDS_ALL_BACKENDS_H_
