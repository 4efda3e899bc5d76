#include "training/summary.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "layers/all_layers.h"
#include "ops/all_ops.h"
#include "tests/testing.h"
#include "training/sequential.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

// The tutorial's table for its first model, as Keras 3 prints it.
constexpr char kOneHotSummary[] = R"(Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┓
┃ Layer (type)                         ┃ Output Shape                ┃         Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━┩
│ simple_rnn (SimpleRNN)               │ (None, 8)                   │           4,072 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ dense (Dense)                        │ (None, 1)                   │               9 │
└──────────────────────────────────────┴─────────────────────────────┴─────────────────┘
 Total params: 4,081 (15.94 KB)
 Trainable params: 4,081 (15.94 KB)
 Non-trainable params: 0 (0.00 B)
)";

TEST(Summary, IsKerasTableForTheOneHotModel) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeTextModel({.one_hot = true}));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string summary, Summary(model));
  EXPECT_EQ(summary, kOneHotSummary);
}

TEST(Summary, ShowsTheLayersOfTheEmbeddingModel) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeTextModel({}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto rows, Layers(model));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].name, "embedding");
  EXPECT_EQ(rows[0].type, "Embedding");
  EXPECT_EQ(rows[0].output_shape, "(None, 100, 16)");
  EXPECT_EQ(rows[0].parameters, 8000);
  EXPECT_EQ(rows[1].parameters, 200);
  EXPECT_EQ(rows[2].parameters, 9);
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string summary, Summary(model));
  EXPECT_THAT(summary, ::testing::HasSubstr(" Total params: 8,209 (32.07 KB)\n"));
}

// Each layer of Keras's has a row, in Keras's words, whatever nodes it became.
TEST(Summary, ShowsEveryLayerAsKerasDoes) {
  Sequential stack({.time = 100});
  stack.Add(EmbeddingLayer{.input_dim = 500, .output_dim = 16, .mask_zero = true})
      .Add(SpatialDropout1DLayer{.rate = 0.25})
      .Add(Bidirectional(LSTM(8, {.return_sequences = true})))
      .Add(GRU(4, {.return_sequences = true}))
      .Add(GlobalAveragePooling1DLayer{})
      .Add(DropoutLayer{})
      .Add(DenseLayer{.units = 3})
      .Add(ActivationLayer{"softmax"});
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, stack.Build());
  const auto rows_of = [](const Model& of) {
    absl::StatusOr<std::vector<LayerRow>> rows = Layers(of);
    SEQ_EXPECT_OK(rows);
    std::vector<std::string> texts;
    for (const LayerRow& row : *rows) {
      texts.push_back(
          absl::StrCat(row.name, " (", row.type, ") ", row.output_shape, " ", row.parameters));
    }
    return texts;
  };
  // Two of 4 8 (16 + 8 + 1); 3 4 (16 + 4 + 2); 4 3 + 3.
  EXPECT_THAT(rows_of(model), ::testing::ElementsAre(
                                  "embedding (Embedding) (None, 100, 16) 8000",
                                  "spatial_dropout1d (SpatialDropout1D) (None, 100, 16) 0",
                                  "bidirectional (Bidirectional) (None, 100, 16) 1600",
                                  "gru (GRU) (None, 100, 4) 264",
                                  "global_average_pooling1d (GlobalAveragePooling1D) (None, 4) 0",
                                  "dropout (Dropout) (None, 4) 0", "dense (Dense) (None, 3) 15",
                                  "activation (Activation) (None, 3) 0"));
  // Without its stack, what the nodes tell: dropout is not among them, the softmax is Dense's.
  model.layers.reset();
  EXPECT_THAT(rows_of(model), ::testing::ElementsAre(
                                  "embedding (Embedding) (None, 100, 16) 8000",
                                  "bidirectional (Bidirectional) (None, 100, 16) 1600",
                                  "gru (GRU) (None, 100, 4) 264",
                                  "global_average_pooling1d (GlobalAveragePooling1D) (None, 4) 0",
                                  "dense (Dense) (None, 3) 15"));
}

// Velocities 4,081 floats, a learning rate (float) and a step count (int64): 4,083 numbers in
// 16,336 bytes.
TEST(Summary, CountsTheOptimizerWhenAskedTo) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeTextModel({.one_hot = true}));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string summary, Summary(model, {.with_optimizer = true}));
  EXPECT_THAT(summary, ::testing::HasSubstr(" Total params: 8,164 (31.89 KB)\n"
                                            " Trainable params: 4,081 (15.94 KB)\n"
                                            " Non-trainable params: 0 (0.00 B)\n"
                                            " Optimizer params: 4,083 (15.95 KB)\n"));
}

TEST(Summary, FoldsLongNamesInANarrowTerminal) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeTextModel({.one_hot = true}));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string summary, Summary(model, {.columns = 44}));
  EXPECT_THAT(summary, ::testing::HasSubstr("│ simple_rnn      │ (None, 8)  │ 4,072 │\n"
                                            "│ (SimpleRNN)     │            │       │\n"));
}

TEST(WithThousands, GroupsDigitsByThree) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(4081), "4,081");
  EXPECT_EQ(WithThousands(1234567), "1,234,567");
  EXPECT_EQ(WithThousands(-1000), "-1,000");
  EXPECT_EQ(WithThousands(-100), "-100");
}

TEST(ReadableBytes, ChangesUnitsBy1024) {
  EXPECT_EQ(ReadableBytes(0), "0.00 B");
  EXPECT_EQ(ReadableBytes(1023), "1023.00 B");
  EXPECT_EQ(ReadableBytes(1024), "1.00 KB");
  EXPECT_EQ(ReadableBytes(32836), "32.07 KB");
  EXPECT_EQ(ReadableBytes(int64_t{3} << 30), "3.00 GB");
}

}  // namespace
}  // namespace seqgraph
