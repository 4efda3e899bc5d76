#include "graph/testing/functions.h"

#include "graph/op_def.h"

namespace seqgraph {

std::map<std::string, int> CountOps(const Function& function) {
  std::map<std::string, int> counts;
  for (const Node& node : function.nodes()) ++counts[node.op->name()];
  return counts;
}

TensorMap RandomFeeds(const Function& function, const RandomFeedOptions& options) {
  SampleSource source(options.seed);
  TensorMap feeds;
  const auto add = [&](const std::string& name, const TensorType& type) {
    const Shape shape = type.shape.Bind(options.batch);
    feeds[name] = type.dtype == DType::kInt32 ? source.Indices(shape, options.index_limit)
                  : name == "labels"          ? source.Indices(shape, 2).Cast(DType::kFloat64)
                                              : source.Reals(shape, -options.limit, options.limit);
  };
  for (Value input : function.inputs()) add(function.info(input).name, function.type(input));
  for (const VariableRead& read : function.variables()) add(read.def.name, read.def.type);
  return feeds;
}

}  // namespace seqgraph
