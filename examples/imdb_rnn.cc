// Trains the review classifier with an embedding on synthetic reviews, saves it, loads it again and
// asks it about a review of one's own. The same with the real data: pass the path of the published
// archive aclImdb_v1.tar.gz.
//
//   bazel run //examples:imdb_rnn -- [DATA [EPOCHS [BACKEND [MODEL.pb]]]]

#include <cstdio>
#include <cstdlib>
#include <string>

#include "seqgraph.h"

namespace seqgraph {
namespace {

absl::Status Run(const std::string& path, int epochs, const std::string& backend,
                 const std::string& file) {
  SEQ_ASSIGN_OR_RETURN(data::Dataset dataset, data::LoadDataset(path, {}));

  Sequential stack({.time = 100});
  stack.Add(EmbeddingLayer{.input_dim = 500, .output_dim = 16})
      .Add(SimpleRNN(8))
      .Add(DenseLayer{.units = 1, .activation = "sigmoid"});
  SEQ_ASSIGN_OR_RETURN(Model model, stack.Build({.optimizer = RMSProp{.learning_rate = 1e-4}}));
  SetPreprocessing(dataset, model);

  Trainer trainer(&model, {.backend = backend});
  SEQ_ASSIGN_OR_RETURN(
      FitResult result,
      trainer.Fit(
          ExamplesOf(dataset.train), ExamplesOf(dataset.validation),
          {.epochs = epochs,
           .batch = 64,
           .callbacks = {EarlyStopping({.patience = 3, .restore_best_weights = true}),
                         ModelCheckpoint(file, {.save_best_only = true}), Progress(stderr)}}));

  SEQ_ASSIGN_OR_RETURN(Model best, LoadModel(file, AllOps()));
  ModelRunner runner(&best, {.backend = backend});
  SEQ_ASSIGN_OR_RETURN(std::vector<float> p, runner.PredictTexts({"A wonderful film."}));
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
                    argument(3, seqgraph::kDefaultBackends), argument(4, "imdb_rnn.pb"));
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
