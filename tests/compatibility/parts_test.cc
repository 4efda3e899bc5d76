// What model files of earlier versions hold, part by part. None of them is ever written again: a
// test that fails here means that a user's model no longer loads.

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "graph/model.h"
#include "layers/all_layers.h"
#include "layers/stack_recognition.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tests/testing.h"
#include "training/self_tests.h"

namespace seqgraph {
namespace {

class CorpusTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CorpusTest, FormatVersion1LoadsWithEveryPart) {
  const std::string path = std::string("tests/compatibility/models/") + GetParam();
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, LoadModel(path, AllOps()));
  EXPECT_EQ(model.name, "corpus");
  EXPECT_EQ(model.description, "format version 1");
  ASSERT_EQ(model.functions.size(), 2u);
  const Function* predict = model.FindFunction("predict");
  ASSERT_NE(predict, nullptr);
  EXPECT_EQ(predict->nodes().size(), 4u);
  EXPECT_EQ(predict->type(predict->FindResult("probability")),
            (TensorType{DType::kFloat32, {Dim::Batch(), 1}}));
  const Function* train = model.FindFunction("train_step");
  ASSERT_NE(train, nullptr);
  EXPECT_EQ(train->updates().size(), 11u);

  // What the writer put there: element i is (i - 3) / 16, but for some awkward ones.
  const auto bits = [&](const char* name, int i) {
    return std::bit_cast<uint32_t>(model.variables.Find(name)->value.Elements<float>()[i]);
  };
  EXPECT_EQ(model.variables.all().size(), 12u);
  EXPECT_EQ(bits("embedding/embeddings", 0), std::bit_cast<uint32_t>(-0.1875f));
  EXPECT_EQ(bits("embedding/embeddings", 3), 0x80000000u);  // -0
  EXPECT_EQ(bits("embedding/embeddings", 4), 1u);           // the smallest denormal
  EXPECT_EQ(bits("embedding/embeddings", 5), std::bit_cast<uint32_t>(0.1f));
  EXPECT_EQ(bits("simple_rnn/recurrent_kernel", 8), std::bit_cast<uint32_t>(0.3125f));
  EXPECT_EQ(bits("optimizer/simple_rnn/bias/velocity", 1), 0x7FC12345u);  // NaN with a payload
  const Variable* iteration = model.variables.Find("optimizer/iteration");
  EXPECT_EQ(iteration->value.Elements<int64_t>()[0], 9007199254740993);
  EXPECT_EQ(iteration->def.role, VariableRole::kOptimizer);
  EXPECT_FALSE(iteration->def.trainable);
  const VariableDef& kernel = model.variables.Find("dense/kernel")->def;
  EXPECT_EQ(kernel.initializer.kind, Initializer::Kind::kGlorotUniform);
  EXPECT_TRUE(kernel.trainable);

  EXPECT_EQ(model.preprocessing.rule, "imdb");
  EXPECT_EQ(model.preprocessing.num_words, 4);
  EXPECT_EQ(model.preprocessing.maxlen, 3);
  EXPECT_EQ(model.preprocessing.words, (std::vector<std::string>{"good", "caf\xE9"}));
  EXPECT_EQ(model.labels, (std::vector<std::string>{"negative", "positive"}));
}

INSTANTIATE_TEST_SUITE_P(Version1, CorpusTest, ::testing::Values("v1.pb", "v1.textproto"),
                         [](const auto& info) {
                           return std::string(info.param).find(".pb") == std::string::npos
                                      ? "Text"
                                      : "Binary";
                         });

class CorpusOfVersion2Test : public ::testing::TestWithParam<const char*> {};

TEST_P(CorpusOfVersion2Test, LoadsWithItsSelfTestsWhichPass) {
  const std::string path = std::string("tests/compatibility/models/") + GetParam();
  std::vector<SelfTest> tests;
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, LoadModel(path, AllOps(), &tests));
  EXPECT_EQ(model.description, "format version 2");
  ASSERT_EQ(tests.size(), 2u);
  EXPECT_EQ(tests[0].function, "predict");
  EXPECT_EQ(tests[0].batch, 2);
  EXPECT_EQ(tests[0].producer, "reference 1");
  EXPECT_EQ(tests[0].inputs.at("tokens").Elements<int32_t>()[4], 3);
  EXPECT_GT(tests[0].results.at("probability").allowed, 0);
  EXPECT_TRUE(tests[0].gradients.empty());
  EXPECT_EQ(tests[1].gradients.size(), 5u);
  for (const char* backend : {"reference", "onednn"}) {
    SEQ_EXPECT_OK(RunSelfTests(model, tests, {.backend = backend})) << backend;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, CorpusOfVersion2Test, ::testing::Values("v2.pb", "v2.textproto"),
                         [](const auto& info) {
                           return std::string(info.param).find(".pb") == std::string::npos
                                      ? "Text"
                                      : "Binary";
                         });

class CorpusOfVersion3Test : public ::testing::TestWithParam<const char*> {};

TEST_P(CorpusOfVersion3Test, LoadsWithItsLayers) {
  const std::string path = std::string("tests/compatibility/models/") + GetParam();
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, LoadModel(path, AllOps()));
  EXPECT_EQ(model.functions.size(), 3u);
  LayerStack expected{.input = {.time = 3}};
  expected.layers = {{"embedding", true, EmbeddingLayer{.input_dim = 6, .output_dim = 2}},
                     {"simple_rnn", true, RecurrentLayer{.units = 2}},
                     {"dense", true, DenseLayer{.units = 1, .activation = "sigmoid"}}};
  EXPECT_TRUE(model.layers == expected);
}

INSTANTIATE_TEST_SUITE_P(Files, CorpusOfVersion3Test, ::testing::Values("v3.pb", "v3.textproto"),
                         [](const auto& info) {
                           return std::string(info.param).find(".pb") == std::string::npos
                                      ? "Text"
                                      : "Binary";
                         });

// What `train --cell=lstm --bidirectional --layers=2 --mask_zero --pooling=average` saved.
TEST(CorpusOfVersion3LayersTest, LayersStillBuildTheFunctionThatTheyCameWith) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model,
                           LoadModel("tests/compatibility/models/v3_layers.pb", AllOps()));
  LayerStack expected{.input = {.time = 4}};
  const auto both = [](const std::string& name) {
    BidirectionalLayer layer = Bidirectional(
        LSTM(2, {.return_sequences = true, .dropout = 0.25, .recurrent_dropout = 0.125}));
    layer.forward.name = "forward_" + name;
    layer.backward.name = "backward_" + name;
    return layer;
  };
  expected.layers = {
      {"embedding", true, EmbeddingLayer{.input_dim = 12, .output_dim = 2, .mask_zero = true}},
      {"bidirectional", true, both("lstm")},
      {"bidirectional_1", true, both("lstm_1")},
      {"global_average_pooling1d", true, GlobalAveragePooling1DLayer{}},
      {"dense", true, DenseLayer{.units = 1, .activation = "sigmoid"}}};
  EXPECT_TRUE(model.layers == expected);
  SEQ_ASSERT_OK_AND_ASSIGN(const RecognizedStack recognized, RecognizeStack(model));
  EXPECT_TRUE(recognized.stack == expected);
}

}  // namespace
}  // namespace seqgraph
