#include "training/testing/shared_dense.h"

#include <utility>

#include "base/status_macros.h"
#include "training/sequential.h"

namespace seqgraph {

absl::StatusOr<Model> SharedDense(TrainableOptions options) {
  Functional graph("shared");
  const LayerValue a = graph.Input({.name = "a", .features = 2});
  const LayerValue b = graph.Input({.name = "b", .features = 2});
  const int dense = graph.Layer(DenseLayer{.units = 1, .use_bias = false}, {.name = "w"});
  const LayerValue u = graph.Call(dense, {a}), v = graph.Call(dense, {b});
  graph.Outputs({graph.Add(MergeLayer{"Add"}, {u, v}, {.name = "y"}),
                 graph.Add(MergeLayer{"Multiply"}, {u, v}, {.name = "z"})});
  SEQ_ASSIGN_OR_RETURN(Model model, graph.Build(std::move(options)));
  SEQ_RETURN_IF_ERROR(model.variables.Assign("w/kernel", Tensor::Of<float>({2, 1}, {2, 3})));
  return model;
}

}  // namespace seqgraph
