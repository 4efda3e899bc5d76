#pragma once

#include <string>

#include "graph/function.h"

namespace seqgraph {

/// The function as a serialized GraphDef, for TensorBoard's graph page: inputs as Placeholder,
/// variables as VariableV2, nodes as ops of their own names, results as Result and updates as
/// Assign, each below the scope "result" and "update". Names have their scopes ("lstm/kernel"); a
/// character that TensorFlow's names do not have becomes "_", and a name that is taken already gets
/// a number. Attributes but for tensors are kept, and shapes of outputs, -1 for the batch.
std::string FunctionToGraphDef(const Function& function);

}  // namespace seqgraph
