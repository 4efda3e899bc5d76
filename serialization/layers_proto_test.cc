#include "serialization/layers_proto.h"

#include <functional>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "serialization/model_io.h"
#include "serialization/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Every kind of layer, and every field with another value than its default.
LayerStack EveryLayer() {
  const RecurrentLayer forward{.kind = RecurrentKind::kLSTM,
                               .units = 7,
                               .activation = "relu",
                               .use_bias = false,
                               .return_sequences = true,
                               .stateful = true,
                               .zero_output_for_mask = true,
                               .unit_forget_bias = false,
                               .dropout = 0.25,
                               .recurrent_dropout = 0.1,
                               .kernel_initializer = Initializer::Constant(0.5),
                               .recurrent_initializer = Initializer::Zeros(),
                               .bias_initializer = Initializer::Uniform(0.125),
                               .kernel_regularizer = {.l1 = 0.1},
                               .recurrent_regularizer = {.l2 = 0.2},
                               .bias_regularizer = {.l1 = 0.3, .l2 = 0.4}};
  RecurrentLayer backward = forward;
  backward.go_backwards = true;
  LayerStack stack{.name = "every_layer", .input = {.name = "words", .time = 9}};
  stack.input.batch = 4;
  stack.layers = {
      {"table", false,
       EmbeddingLayer{.input_dim = 5,
                      .output_dim = 3,
                      .mask_zero = true,
                      .embeddings_initializer = Initializer::Orthogonal(),
                      .embeddings_regularizer = {.l2 = 1e-4}}},
      {"both", true,
       BidirectionalLayer{.forward = forward,
                          .backward = backward,
                          .forward_name = "there",
                          .backward_name = "back",
                          .merge_mode = MergeMode::kAve}},
      {"gru", true, RecurrentLayer{.kind = RecurrentKind::kGRU, .units = 2, .reset_after = false}},
      {"rnn", true, RecurrentLayer{.units = 2, .return_sequences = true}},
      {"dense", true,
       DenseLayer{.units = 6,
                  .activation = "softmax",
                  .use_bias = false,
                  .kernel_initializer = Initializer::Zeros(),
                  .bias_initializer = Initializer::Constant(1),
                  .kernel_regularizer = {.l1 = 0.5},
                  .bias_regularizer = {.l2 = 0.5}}},
      {"dropout", true, DropoutLayer{.rate = 0.75, .spatial = true}},
      {"pooling", true, PoolingLayer{.kind = PoolingLayer::Kind::kMax}},
      {"activation", true, ActivationLayer{.activation = "tanh"}},
      {"one_hot", true, OneHotLayer{.depth = 11}},
  };
  return stack;
}

TEST(LayersProtoTest, EveryFieldComesBack) {
  const LayerStack stack = EveryLayer();
  SEQ_ASSERT_OK_AND_ASSIGN(const LayerStack read, LayerStackFromProto(LayerStackToProto(stack)));
  EXPECT_TRUE(read == stack);
  LayerStack numbers = stack;
  numbers.input = {.name = "numbers", .time = 2, .features = 3};
  SEQ_ASSERT_OK_AND_ASSIGN(const LayerStack other, LayerStackFromProto(LayerStackToProto(numbers)));
  EXPECT_TRUE(other == numbers);
  EXPECT_FALSE(other == stack);
}

TEST(LayersProtoTest, WhatHasNoMeaningIsRefusedByLayer) {
  const auto refused = [](const std::function<void(proto::LayerStack&)>& change) {
    proto::LayerStack saved = LayerStackToProto(EveryLayer());
    change(saved);
    return LayerStackFromProto(saved).status();
  };
  using Stack = proto::LayerStack;
  EXPECT_THAT(refused([](Stack& s) { s.mutable_layers(0)->mutable_embedding()->set_input_dim(0); }),
              StatusIs(kInvalid, "layer table: input_dim is 0"));
  EXPECT_THAT(refused([](Stack& s) {
                s.mutable_layers(1)->mutable_bidirectional()->mutable_forward()->set_units(
                    (int64_t{1} << 40) + 1);
              }),
              StatusIs(kInvalid, "layer both: units"));
  EXPECT_THAT(
      refused([](Stack& s) {
        s.mutable_layers(5)->mutable_dropout()->set_rate(std::numeric_limits<double>::quiet_NaN());
      }),
      StatusIs(kInvalid, "layer dropout: rate is not finite"));
  EXPECT_THAT(
      refused([](Stack& s) {
        s.mutable_layers(6)->mutable_pooling()->set_kind(static_cast<proto::PoolingLayer::Kind>(2));
      }),
      StatusIs(kInvalid, "kind of pooling 2"));
  EXPECT_THAT(refused([](Stack& s) { s.mutable_layers(4)->mutable_dense()->clear_activation(); }),
              StatusIs(kInvalid, "layer dense: a name or activation has 0 bytes"));
  EXPECT_THAT(refused([](Stack& s) { s.mutable_layers(3)->clear_kind(); }),
              StatusIs(kInvalid, "layer rnn: is of no kind"));
  EXPECT_THAT(refused([](Stack& s) { s.mutable_layers(3)->set_name("gru"); }),
              StatusIs(kInvalid, "two layers are named gru"));
  EXPECT_THAT(refused([](Stack& s) { s.mutable_input()->set_time(0); }),
              StatusIs(kInvalid, "time 0"));
  EXPECT_THAT(refused([](Stack& s) {
                for (int i = 0; i < 1000; ++i) *s.add_layers() = s.layers(0);
              }),
              StatusIs(kInvalid, "at most 1000"));
}

TEST(LayersProtoTest, OnlyAModelWithLayersNeedsVersion3) {
  const OpRegistry registry = FileTestOps();
  Model model = FileTestModel(registry);
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string without, SerializeModel(model, ModelFormat::kText));
  EXPECT_THAT(without, ::testing::HasSubstr("format_version: 1\n"));
  model.layers = EveryLayer();
  for (const ModelFormat format : {ModelFormat::kBinary, ModelFormat::kText}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeModel(model, format));
    SEQ_ASSERT_OK_AND_ASSIGN(const Model read, ParseModel(bytes, format, registry));
    EXPECT_TRUE(read.layers == model.layers);
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string again, SerializeModel(read, format));
    EXPECT_EQ(again, bytes);
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string text, SerializeModel(model, ModelFormat::kText));
  EXPECT_THAT(text, ::testing::HasSubstr("format_version: 3\n"));
  EXPECT_THAT(ParseModel(absl::StrReplaceAll(text, {{"format_version: 3", "format_version: 2"}}),
                         ModelFormat::kText, registry),
              StatusIs(kInvalid, "format version 2 has no layers"));
  EXPECT_THAT(ParseModel(absl::StrReplaceAll(text, {{"depth: 11", "depth: -11"}}),
                         ModelFormat::kText, registry),
              StatusIs(kInvalid, "layer one_hot: depth is -11"));
  model.layers->layers[0].name = "";
  EXPECT_THAT(SerializeModel(model, ModelFormat::kText), StatusIs(kInvalid, "0 bytes"));
}

}  // namespace
}  // namespace seqgraph
