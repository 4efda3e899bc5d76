#include "training/summary.h"

#include <string>

#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "tests/testing.h"
#include "training/imdb_models.h"

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
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeImdbModel({.input = ImdbInput::kOneHot}));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string summary, Summary(model));
  EXPECT_EQ(summary, kOneHotSummary);
}

TEST(Summary, ShowsTheLayersOfTheEmbeddingModel) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeImdbModel({}));
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

// Velocities 4,081 floats, a learning rate (float) and a step count (int64): 4,083 numbers in
// 16,336 bytes.
TEST(Summary, CountsTheOptimizerWhenAskedTo) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeImdbModel({.input = ImdbInput::kOneHot}));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string summary, Summary(model, {.with_optimizer = true}));
  EXPECT_THAT(summary, ::testing::HasSubstr(" Total params: 8,164 (31.89 KB)\n"
                                            " Trainable params: 4,081 (15.94 KB)\n"
                                            " Non-trainable params: 0 (0.00 B)\n"
                                            " Optimizer params: 4,083 (15.95 KB)\n"));
}

TEST(Summary, FoldsLongNamesInANarrowTerminal) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeImdbModel({.input = ImdbInput::kOneHot}));
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
