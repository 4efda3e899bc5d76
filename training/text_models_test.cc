#include "training/text_models.h"

#include "tests/testing.h"

namespace seqgraph {
namespace {

std::vector<std::string> Names(const LayerStack& stack) {
  std::vector<std::string> names;
  for (const Layer& layer : stack.layers) names.push_back(layer.name);
  return names;
}

int64_t Parameters(const TextModelOptions& options) {
  const absl::StatusOr<Model> model = MakeTextModel(options);
  SEQ_EXPECT_OK(model);
  return model.ok() ? model->variables.CountElements(VariableRole::kWeight) : -1;
}

TEST(TextModels, TheDefaultsAreTheTutorials) {
  EXPECT_THAT(Names(TextStack({})), ::testing::ElementsAre("embedding", "simple_rnn", "dense"));
  EXPECT_EQ(Parameters({}), 8209);
  EXPECT_THAT(Names(TextStack({.one_hot = true})),
              ::testing::ElementsAre("one_hot", "simple_rnn", "dense"));
  EXPECT_EQ(Parameters({.one_hot = true}), 4081);
  EXPECT_EQ(TextLoss(2).name, "binary_crossentropy");
  EXPECT_EQ(TextLoss(3).name, "sparse_categorical_crossentropy");
}

TEST(TextModels, LayersAreNamedAsByKerasAndHaveItsParameters) {
  const TextModelOptions options{.num_words = 50,
                                 .maxlen = 7,
                                 .embedding_dim = 6,
                                 .mask_zero = true,
                                 .cell = "LSTM",
                                 .units = 5,
                                 .layers = 2,
                                 .bidirectional = true,
                                 .dropout = 0.25,
                                 .pooling = StatePooling::kAverage,
                                 .classes = 3};
  EXPECT_THAT(Names(TextStack(options)),
              ::testing::ElementsAre("embedding", "bidirectional", "bidirectional_1",
                                     "global_average_pooling1d", "dense"));
  // 50 6; twice 4 (6 + 5 + 1) 5; twice 4 (10 + 5 + 1) 5; (10 + 1) 3.
  EXPECT_EQ(Parameters(options), 300 + 480 + 640 + 33);
  // 50 6; 3 5 (6 + 5 + 2), as reset_after has two biases; 5 + 1.
  EXPECT_EQ(Parameters({.num_words = 50,
                        .maxlen = 7,
                        .embedding_dim = 6,
                        .cell = "GRU",
                        .units = 5,
                        .pooling = StatePooling::kMax}),
            300 + 195 + 6);
}

}  // namespace
}  // namespace seqgraph
