// The tutorial of docs/tutorial, step by step: reviews as integers, a simple RNN on one-hot words,
// its curves, the same on an embedding, evaluation and answers to text.
//
//   bazel run //examples:tutorial -- aclImdb_v1.tar.gz [EPOCHS]
//
// It leaves best-simplernn-model.pb and best-embedding-model.pb.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "seqgraph.h"

namespace seqgraph {
namespace {

void Print(const char* name, absl::Span<const int32_t> codes) {
  std::printf("%s [", name);
  for (size_t i = 0; i < codes.size(); ++i) std::printf(i == 0 ? "%d" : " %d", codes[i]);
  std::printf("]\n");
}

// Steps 1, 2 and 4.
absl::StatusOr<data::Dataset> Load(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(data::Dataset dataset,
                       data::LoadDataset(path, {.num_words = 500, .maxlen = 100}));
  std::printf("train %lld, validation %lld\n", static_cast<long long>(dataset.train.rows),
              static_cast<long long>(dataset.validation.rows));

  const data::TokenSet& train = dataset.train;
  std::printf("(%lld, %d)\n", static_cast<long long>(train.rows), train.maxlen);
  Print("the first review", train.Row(0));
  Print("its end", train.Row(0).last(10));
  Print("the sixth begins", train.Row(5).first(10));
  Print("targets", absl::MakeConstSpan(train.targets).first(20));
  return dataset;
}

// Step 3: of the reviews that are to train, how many words there are in each.
absl::Status PrintLengths(const std::string& path, const data::Dataset& dataset) {
  std::map<data::TextId, int> lengths;
  std::string scratch;
  SEQ_RETURN_IF_ERROR(
      data::ForEachText(path, {.only = data::Split::kTrain}, [&](const data::LabelledText& review) {
        int& length = lengths[{review.split, review.label, std::string(review.name)}];
        length = 1;  // where it begins
        data::ForEachToken(data::TokenRule::kImdb, review.text, &scratch,
                           [&length](absl::string_view, uint64_t) { ++length; });
        return absl::OkStatus();
      }));
  std::vector<int> of_train;
  for (const data::TextId& id : dataset.train.ids) of_train.push_back(lengths[id]);
  std::sort(of_train.begin(), of_train.end());
  const size_t half = of_train.size() / 2;
  std::printf("mean %.3f, median %.1f\n",
              std::accumulate(of_train.begin(), of_train.end(), 0.0) / of_train.size(),
              (of_train[half] + of_train[(of_train.size() - 1) / 2]) / 2.0);
  return absl::OkStatus();
}

// Steps 5 and 6: words as one-hot vectors, which nobody has to hold.
absl::StatusOr<Model> OneHotModel() {
  Sequential stack({.time = 100});
  stack.Add(OneHotLayer{.depth = 500})
      .Add(SimpleRNN(8))
      .Add(DenseLayer{.units = 1, .activation = "sigmoid"});
  return stack.Build({.optimizer = RMSProp{.learning_rate = 1e-4}});
}

// Step 9.
absl::StatusOr<Model> EmbeddingModel() {
  Sequential stack({.time = 100});
  stack.Add(EmbeddingLayer{.input_dim = 500, .output_dim = 16})
      .Add(SimpleRNN(8))
      .Add(DenseLayer{.units = 1, .activation = "sigmoid"});
  return stack.Build({.optimizer = RMSProp{.learning_rate = 1e-4}});
}

// Step 8: a bar each few epochs.
void PrintCurve(const History& history) {
  const std::vector<double>& loss = history["val_loss"];
  for (size_t epoch = 0; epoch < loss.size(); epoch += 5) {
    std::printf("epoch %2zu  val_loss %.4f %s\n", epoch + 1, loss[epoch],
                std::string(static_cast<size_t>(50 * std::min(loss[epoch], 1.0)), '#').c_str());
  }
}

// Step 7, for both models.
absl::Status Train(const data::Dataset& dataset, int epochs, const std::string& file,
                   Model& model) {
  SEQ_ASSIGN_OR_RETURN(const std::string summary, Summary(model));
  std::printf("%s", summary.c_str());
  SetPreprocessing(dataset, model);  // it takes text from now on, saved or not

  Trainer trainer(&model);
  SEQ_ASSIGN_OR_RETURN(
      FitResult result,
      trainer.Fit(
          ExamplesOf(dataset.train), ExamplesOf(dataset.validation),
          {.epochs = epochs,
           .batch = 64,
           .callbacks = {EarlyStopping({.patience = 3, .restore_best_weights = true}),
                         ModelCheckpoint(file, {.save_best_only = true}), Progress(stderr)}}));
  PrintCurve(result.history);
  const std::vector<double>& loss = result.history["val_loss"];
  const size_t best = std::min_element(loss.begin(), loss.end()) - loss.begin();
  std::printf("%zu epochs, best %zu: val_loss %.4f, val_accuracy %.4f\n", loss.size(), best + 1,
              loss[best], result.history["val_accuracy"][best]);
  return absl::OkStatus();
}

// Step 10.
absl::Status Answer(const data::Dataset& dataset, const std::string& file) {
  SEQ_ASSIGN_OR_RETURN(Model best, LoadModel(file, AllOps()));
  ModelRunner runner(&best);
  SEQ_ASSIGN_OR_RETURN(const Logs logs, runner.Evaluate(ExamplesOf(dataset.test)));
  std::printf("test: loss %.4f, accuracy %.4f\n", logs.at("loss"), logs.at("accuracy"));
  SEQ_ASSIGN_OR_RETURN(const std::vector<float> p,
                       runner.PredictTexts({"What a wonderful film", "A waste of time"}));
  std::printf("positive with probability %.3f and %.3f\n", p[0], p[1]);
  return absl::OkStatus();
}

absl::Status Run(const std::string& path, int epochs) {
  SEQ_ASSIGN_OR_RETURN(const data::Dataset dataset, Load(path));
  SEQ_RETURN_IF_ERROR(PrintLengths(path, dataset));
  SEQ_ASSIGN_OR_RETURN(Model one_hot, OneHotModel());
  SEQ_RETURN_IF_ERROR(Train(dataset, epochs, "best-simplernn-model.pb", one_hot));
  SEQ_ASSIGN_OR_RETURN(Model embedding, EmbeddingModel());
  SEQ_RETURN_IF_ERROR(Train(dataset, epochs, "best-embedding-model.pb", embedding));
  return Answer(dataset, "best-embedding-model.pb");
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: tutorial aclImdb_v1.tar.gz [EPOCHS]\n");
    return 2;
  }
  const absl::Status status = seqgraph::Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 100);
  if (status.ok()) return 0;
  std::fprintf(stderr, "tutorial: %s\n", status.ToString().c_str());
  return 1;
}
