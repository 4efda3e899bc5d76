// Writes the models that the tests of the runtime library load, and the headers of C that hold
// them.
//
// usage: make_models FOLDER

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "seqgraph.h"
#include "serialization/model_io.h"
#include "tools/embedded_header.h"
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

// y_t = x_0 + ... + x_t, and an embedding of tokens that is added up likewise.
absl::StatusOr<Model> MakeSum() {
  Sequential stack({.name = "x", .time = 4, .features = 1}, "sum");
  stack.Add(SimpleRNN(1, {.activation = "linear", .return_sequences = true}));
  SEQ_ASSIGN_OR_RETURN(Model model, stack.Build({.trainable = false}));
  const Tensor one = Tensor::Of<float>({1, 1}, {1});
  SEQ_RETURN_IF_ERROR(model.variables.Assign("simple_rnn/kernel", one));
  SEQ_RETURN_IF_ERROR(model.variables.Assign("simple_rnn/recurrent_kernel", one));
  return model;
}

absl::StatusOr<Model> MakeTokenSum() {
  Sequential stack({.name = "tokens", .time = 4}, "token_sum");
  stack.Add(EmbeddingLayer{.input_dim = 3, .output_dim = 1})
      .Add(SimpleRNN(1, {.activation = "linear", .return_sequences = true}));
  SEQ_ASSIGN_OR_RETURN(Model model, stack.Build({.trainable = false}));
  const Tensor one = Tensor::Of<float>({1, 1}, {1});
  SEQ_RETURN_IF_ERROR(
      model.variables.Assign("embedding/embeddings", Tensor::Of<float>({3, 1}, {1, 10, 100})));
  SEQ_RETURN_IF_ERROR(model.variables.Assign("simple_rnn/kernel", one));
  SEQ_RETURN_IF_ERROR(model.variables.Assign("simple_rnn/recurrent_kernel", one));
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
  SEQ_RETURN_IF_ERROR(SaveModel(*model, path + ".pb"));
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, SerializeModel(*model, ModelFormat::kBinary));
  return AtomicWriteFile(path + ".h", tools::EmbeddedHeader("model_bytes", model->name, bytes));
}

absl::Status Run(const std::string& folder) {
  SEQ_ASSIGN_OR_RETURN(const Model dense, MakeDense());
  SEQ_RETURN_IF_ERROR(SaveModel(dense, folder + "/dense.textproto"));
  SEQ_RETURN_IF_ERROR(Save(MakeDense(), folder + "/dense"));
  SEQ_RETURN_IF_ERROR(Save(MakeSum(), folder + "/sum"));
  SEQ_RETURN_IF_ERROR(Save(MakeTokenSum(), folder + "/token_sum"));
  for (const char* cell : {"SimpleRNN", "LSTM", "GRU"}) {
    SEQ_RETURN_IF_ERROR(Save(MakeText(cell), absl::StrCat(folder, "/", cell)));
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
