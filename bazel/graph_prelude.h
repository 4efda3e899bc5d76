// The prelude of what works on graphs: everything above graph/.

#ifndef SEQGRAPH_BAZEL_GRAPH_PRELUDE_H_
#define SEQGRAPH_BAZEL_GRAPH_PRELUDE_H_

#include "base/status_macros.h"
#include "bazel/prelude.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/model.h"
#include "graph/op_def.h"

#endif  // SEQGRAPH_BAZEL_GRAPH_PRELUDE_H_
