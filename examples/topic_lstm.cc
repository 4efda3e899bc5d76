// Tells the topic of a note: two bidirectional LSTM layers over an embedding whose padding is
// masked, dropout, and a softmax over the topics. Trains on made-up notes, saves the model, loads
// it again and asks it about a note of one's own. With data of one's own: pass a CSV file with the
// columns text and label.
//
//   bazel run //examples:topic_lstm -- [NOTES.csv [EPOCHS [BACKEND [MODEL.pb]]]]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "seqgraph.h"

namespace seqgraph {
namespace {

constexpr int kMaxlen = 40, kWords = 300;

absl::StatusOr<Model> BuildTopicModel(int64_t topics) {
  Sequential stack({.time = kMaxlen});
  stack.Add(EmbeddingLayer{.input_dim = kWords, .output_dim = 16, .mask_zero = true})
      .Add(Bidirectional(LSTM(12, {.return_sequences = true})))
      .Add(Bidirectional(LSTM(8)))
      .Add(DropoutLayer{.rate = 0.2})
      .Add(DenseLayer{.units = topics, .activation = "softmax"});
  return stack.Build({.loss = SparseCategoricalCrossEntropy(),
                      .optimizer = Adam{.clipping = GradientClipping::GlobalNorm(1)}});
}

// Made-up notes, 150 of each topic.
void WriteNotes(const std::string& path) {
  std::ofstream file(path);
  file << "text,label\n";
  for (int i = 0; i < 150 * data::kSyntheticTopics; ++i) {
    const int topic = i % data::kSyntheticTopics;
    file << '"' << data::SyntheticTopicText(/*seed=*/1, topic, i) << "\","
         << data::SyntheticTopicName(topic) << '\n';
  }
}

absl::Status Run(const std::string& path, int epochs, const std::string& backend,
                 const std::string& file) {
  SEQ_ASSIGN_OR_RETURN(
      data::Dataset dataset,
      data::LoadDataset(path, {.num_words = kWords, .maxlen = kMaxlen, .with_test = false}));
  SEQ_ASSIGN_OR_RETURN(Model model, BuildTopicModel(static_cast<int64_t>(dataset.labels.size())));
  SetPreprocessing(dataset, model);
  SEQ_ASSIGN_OR_RETURN(const LearningRateSchedule cosine,
                       CosineDecay({.initial = 1e-2, .decay_steps = epochs * 15, .alpha = 0.1}));
  Trainer trainer(&model, {.backend = backend});
  SEQ_ASSIGN_OR_RETURN(
      FitResult result,
      trainer.Fit(
          ExamplesOf(dataset.train), ExamplesOf(dataset.validation),
          {
              .epochs = epochs,
              .batch = 32,
              .callbacks = {StepLearningRate(cosine), EarlyStopping({.patience = 3}),
                            ModelCheckpoint(file, {.save_best_only = true}), Progress(stderr)},
          }));

  SEQ_ASSIGN_OR_RETURN(Model best, LoadModel(file, AllOps()));
  ModelRunner runner(&best, {.backend = backend});
  const std::string note = "We missed the train. Later the team scored a goal in the match.";
  SEQ_ASSIGN_OR_RETURN(std::vector<float> p, runner.PredictTexts({note}));
  const size_t topic = static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  const std::vector<double>& accuracy = result.history["val_accuracy"];
  std::printf("%zu epochs, best validation accuracy %.3f: the note is about %s (%.3f)\n",
              accuracy.size(), *std::max_element(accuracy.begin(), accuracy.end()),
              best.labels[topic].c_str(), p[topic]);
  return absl::OkStatus();
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) {
  const auto argument = [&](int i, const char* otherwise) {
    return std::string(i < argc ? argv[i] : otherwise);
  };
  if (argc < 2) seqgraph::WriteNotes("notes.csv");
  const absl::Status status =
      seqgraph::Run(argument(1, "notes.csv"), std::atoi(argument(2, "12").c_str()),
                    argument(3, seqgraph::kDefaultBackends), argument(4, "topic_lstm.pb"));
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
