// Trains the review classifier with an embedding on synthetic reviews, saves it, loads it again and
// asks it about a review of one's own. The same with the real data: pass the path of the published
// archive aclImdb_v1.tar.gz.
//
//   bazel run //examples:imdb_rnn -- [DATA [EPOCHS [BACKEND [MODEL.pb]]]]

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/status_macros.h"
#include "data/imdb_dataset.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/rnn_cell.h"
#include "serialization/model_io.h"
#include "training/early_stopping.h"
#include "training/model_builder.h"
#include "training/model_checkpoint.h"
#include "training/progress.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

// tokens -> embedding -> simple RNN -> its last state -> dense -> probability
FunctionBuilder Predict() {
  FunctionBuilder g("predict", AllOps());
  Value tokens = g.Input("tokens", {DType::kInt32, {Dim::Batch(), 100}});
  Value table = g.Variable("embedding/embeddings", {500, 16}, Initializer::Uniform(0.05));
  Value w = g.Variable("simple_rnn/kernel", {16, 8}, Initializer::GlorotUniform());
  Value u = g.Variable("simple_rnn/recurrent_kernel", {8, 8}, Initializer::Orthogonal());
  Value b = g.Variable("simple_rnn/bias", {8}, Initializer::Zeros());
  Value kernel = g.Variable("dense/kernel", {8, 1}, Initializer::GlorotUniform());
  Value bias = g.Variable("dense/bias", {1}, Initializer::Zeros());
  Value state = ops::RNNCell(g, ops::Embedding(g, tokens, table), w, u, {.bias = b}).last;
  g.Result("probability", ops::Dense(g, state, kernel, {.bias = bias, .activation = "sigmoid"}));
  return g;
}

absl::Status Run(const std::string& path, int epochs, const std::string& backend,
                 const std::string& file) {
  SEQ_ASSIGN_OR_RETURN(data::Dataset dataset, data::LoadDataset(path, {}));
  const auto examples = [](const data::TokenSet& set) {
    return Examples{set.tokens, set.rows, set.maxlen, set.targets};
  };

  SEQ_ASSIGN_OR_RETURN(Model model,
                       MakeTrainable(Predict(), {.optimizer = RMSProp{.learning_rate = 1e-4}}));
  Trainer trainer(&model, {.backend = backend});
  SEQ_ASSIGN_OR_RETURN(
      FitResult result,
      trainer.Fit(
          examples(dataset.train), examples(dataset.validation),
          {.epochs = epochs,
           .batch = 64,
           .callbacks = {EarlyStopping({.patience = 3, .restore_best_weights = true}),
                         ModelCheckpoint(file, {.save_best_only = true}), Progress(stderr)}}));

  SEQ_ASSIGN_OR_RETURN(Model best, LoadModel(file, AllOps()));
  ModelRunner runner(&best, {.backend = backend});
  const std::vector<int32_t> tokens = dataset.vocabulary.Encode("A wonderful film.", 100);
  SEQ_ASSIGN_OR_RETURN(std::vector<float> p, runner.Predict({tokens, 1, 100, {}}));
  std::printf("%s data, %zu epochs: a wonderful film is positive with probability %.4f\n",
              dataset.description.c_str(), result.history.epochs().size(), p[0]);
  return absl::OkStatus();
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) {
  const auto argument = [&](int i, const char* otherwise) {
    return std::string(i < argc ? argv[i] : otherwise);
  };
  const absl::Status status =
      seqgraph::Run(argument(1, "synthetic"), std::atoi(argument(2, "100").c_str()),
                    argument(3, "onednn"), argument(4, "imdb_rnn.pb"));
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
