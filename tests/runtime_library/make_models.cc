// Writes the models that the tests of the runtime library load.
//
// usage: make_models FOLDER

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "seqgraph.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

// y = x [2; 3] + 1, trained on the mean squared error by SGD with the rate 1/2: all of its numbers
// are exact.
absl::StatusOr<Model> MakeDense() {
  FunctionBuilder g("predict", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), 2}});
  const Value kernel = g.Variable("dense/kernel", {2, 1}, Initializer::Zeros());
  const Value bias = g.Variable("dense/bias", {1}, Initializer::Zeros());
  g.Result("y", ops::Dense(g, x, kernel, {.bias = bias}));
  SEQ_ASSIGN_OR_RETURN(Model model,
                       MakeTrainable(std::move(g), {.loss = MeanSquaredError("y"),
                                                    .optimizer = SGD{.learning_rate = 0.5}}));
  SEQ_RETURN_IF_ERROR(model.variables.Assign("dense/kernel", Tensor::Of<float>({2, 1}, {2, 3})));
  SEQ_RETURN_IF_ERROR(model.variables.Assign("dense/bias", Tensor::Of<float>({1}, {1})));
  model.name = "dense";
  model.description = "by hand";
  model.labels = {"cold", "warm"};
  return model;
}

absl::StatusOr<Model> MakeText(const std::string& cell) {
  return MakeTextModel({.num_words = 20,
                        .maxlen = 7,
                        .embedding_dim = 5,
                        .mask_zero = true,
                        .cell = cell,
                        .units = 6,
                        .layers = 2,
                        .dropout = 0.25},
                       {.optimizer = Adam{.learning_rate = 0.01}, .seed = 3});
}

absl::Status Save(absl::StatusOr<Model> model, const std::string& path) {
  SEQ_RETURN_IF_ERROR(model.status());
  return SaveModel(*model, path);
}

absl::Status Run(const std::string& folder) {
  SEQ_RETURN_IF_ERROR(Save(MakeDense(), folder + "/dense.pb"));
  SEQ_RETURN_IF_ERROR(Save(MakeDense(), folder + "/dense.textproto"));
  for (const char* cell : {"SimpleRNN", "LSTM", "GRU"}) {
    SEQ_RETURN_IF_ERROR(Save(MakeText(cell), absl::StrCat(folder, "/", cell, ".pb")));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) {
  const absl::Status status =
      argc == 2 ? seqgraph::Run(argv[1]) : seqgraph::InvalidArgument("usage: make_models FOLDER");
  if (!status.ok()) std::fprintf(stderr, "make_models: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
