#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "backends/plugin/plugin_backend.h"
#include "graph/function.h"

namespace seqgraph {

/// The serializer that the program uses.
FunctionSerializer SerializeForPlugins();

/// Loads a plugin of this repository: "tests/plugins/libtiny.so".
absl::StatusOr<std::unique_ptr<PluginBackend>> LoadTestPlugin(const std::string& path);

/// z = sigmoid(sigmoid(x)), x float32[rows, 3], with a Tanh between if `with_tanh`.
Function SigmoidFunction(int64_t rows, bool with_tanh = false);

}  // namespace seqgraph
