#include "tests/plugins/plugin_testing.h"

#include "backends/plugin/plugin_loader.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "serialization/function_proto.h"

namespace seqgraph {

FunctionSerializer SerializeForPlugins() {
  return [](const Function& function) -> absl::StatusOr<std::string> {
    return FunctionToProto(function).SerializeAsString();
  };
}

absl::StatusOr<std::unique_ptr<PluginBackend>> LoadTestPlugin(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(PluginTable plugin, LoadPlugin(path));
  return std::make_unique<PluginBackend>(std::move(plugin), SerializeForPlugins());
}

Function SigmoidFunction(int64_t rows, bool with_tanh) {
  FunctionBuilder g("squash", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {rows, 3}});
  Value y = g.AddNode("Sigmoid", {x})[0];
  if (with_tanh) y = g.AddNode("Tanh", {y})[0];
  g.Result("z", g.AddNode("Sigmoid", {y})[0]);
  absl::StatusOr<Function> function = std::move(g).Build();
  SEQ_CHECK(function.ok());
  return *std::move(function);
}

}  // namespace seqgraph
