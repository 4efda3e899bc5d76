#include "serialization/layers_proto.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/text_format.h"
#include "layers/all_layers.h"
#include "serialization/model_io.h"
#include "serialization/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Every kind of layer, and every field with another value than its default.
LayerStack EveryLayer() {
  const RecurrentLayer forward = LSTM(7, {.activation = "relu",
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
                                          .bias_regularizer = {.l1 = 0.3, .l2 = 0.4}});
  BidirectionalLayer both = Bidirectional(forward, "ave");
  both.forward.name = "there";
  both.backward.name = "back";
  LayerStack stack{.name = "every_layer", .input = {.name = "words", .time = 9}};
  stack.input.batch = 4;
  stack.layers = {
      {"table", false,
       EmbeddingLayer{.input_dim = 5,
                      .output_dim = 3,
                      .mask_zero = true,
                      .embeddings_initializer = Initializer::Orthogonal(),
                      .embeddings_regularizer = {.l2 = 1e-4}}},
      {"both", true, both},
      {"gru", true, GRU(2, {.reset_after = false})},
      {"rnn", true, SimpleRNN(2, {.return_sequences = true})},
      {"dense", true,
       DenseLayer{.units = 6,
                  .activation = "softmax",
                  .use_bias = false,
                  .kernel_initializer = Initializer::Zeros(),
                  .bias_initializer = Initializer::Constant(1),
                  .kernel_regularizer = {.l1 = 0.5},
                  .bias_regularizer = {.l2 = 0.5}}},
      {"dropout", true, SpatialDropout1DLayer{.rate = 0.75}},
      {"pooling", true, GlobalMaxPooling1DLayer{}},
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
  const auto setting = [](Stack& s, int layer, const std::string& name) {
    for (proto::LayerSetting& setting : *s.mutable_layers(layer)->mutable_settings()) {
      if (setting.name() == name) return &setting;
    }
    return static_cast<proto::LayerSetting*>(nullptr);
  };
  EXPECT_THAT(refused([&](Stack& s) {
                setting(s, 5, "rate")->set_float_value(std::numeric_limits<double>::quiet_NaN());
              }),
              StatusIs(kInvalid, "layer dropout: rate: is not finite"));
  EXPECT_THAT(refused([&](Stack& s) {
                setting(s, 4, "kernel_regularizer")->mutable_regularizer_value()->set_l1(INFINITY);
              }),
              StatusIs(kInvalid, "layer dense: kernel_regularizer: is not finite"));
  EXPECT_THAT(refused([&](Stack& s) {
                setting(s, 0, "embeddings_initializer")
                    ->mutable_initializer_value()
                    ->set_kind(static_cast<proto::Initializer::Kind>(99));
              }),
              StatusIs(kInvalid, "layer table: embeddings_initializer: its initializer"));
  EXPECT_THAT(refused([&](Stack& s) { setting(s, 5, "rate")->clear_value(); }),
              StatusIs(kInvalid, "layer dropout: rate: has no value"));
  EXPECT_THAT(refused([&](Stack& s) { setting(s, 5, "rate")->set_name(""); }),
              StatusIs(kInvalid, "layer dropout: the name of a setting has 0 bytes"));
  EXPECT_THAT(
      refused([&](Stack& s) { *s.mutable_layers(5)->add_settings() = s.layers(5).settings(0); }),
      StatusIs(kInvalid, "layer dropout: rate is there twice"));
  EXPECT_THAT(refused([](Stack& s) { s.mutable_layers(3)->clear_class_name(); }),
              StatusIs(kInvalid, "layer rnn: is of no kind"));
  EXPECT_THAT(refused([](Stack& s) { s.mutable_layers(3)->mutable_one_hot()->set_depth(2); }),
              StatusIs(kInvalid, "layer rnn: is of two kinds"));
  EXPECT_THAT(refused([](Stack& s) {
                proto::Layer inner = s.layers(8);
                for (int i = 0; i < 10; ++i) {
                  proto::Layer outer = inner;
                  outer.clear_settings();
                  outer.add_settings()->set_name("layer");
                  *outer.mutable_settings(0)->mutable_layers_value()->add_layers() = inner;
                  inner = outer;
                }
                *s.mutable_layers(8) = inner;
              }),
              StatusIs(kInvalid, "more than 8 deep"));
  EXPECT_THAT(refused([](Stack& s) { s.mutable_layers(3)->set_name("gru"); }),
              StatusIs(kInvalid, "two layers are named gru"));
  EXPECT_THAT(refused([](Stack& s) { s.mutable_input()->set_time(0); }),
              StatusIs(kInvalid, "time 0"));
  EXPECT_THAT(refused([](Stack& s) {
                for (int i = 0; i < 1000; ++i) *s.add_layers() = s.layers(0);
              }),
              StatusIs(kInvalid, "at most 1000"));
}

// The stack of EveryLayer() as format version 3 had it, every field spelled out.
constexpr char kVersion3[] = R"(
  name: "every_layer"
  input { name: "words" time: 9 batch: 4 }
  layers {
    name: "table" frozen: true
    embedding {
      input_dim: 5 output_dim: 3 mask_zero: true
      embeddings_initializer { kind: ORTHOGONAL } embeddings_regularizer { l2: 1e-4 }
    }
  }
  layers {
    name: "both"
    bidirectional {
      forward_name: "there" backward_name: "back" merge_mode: AVE
      forward {
        kind: LSTM units: 7 activation: "relu" return_sequences: true stateful: true
        zero_output_for_mask: true reset_after: true dropout: 0.25 recurrent_dropout: 0.1
        kernel_initializer { kind: CONSTANT value: 0.5 } recurrent_initializer { kind: ZEROS }
        bias_initializer { kind: UNIFORM value: 0.125 }
        kernel_regularizer { l1: 0.1 } recurrent_regularizer { l2: 0.2 }
        bias_regularizer { l1: 0.3 l2: 0.4 }
      }
      backward {
        kind: LSTM units: 7 activation: "relu" return_sequences: true stateful: true
        go_backwards: true
        zero_output_for_mask: true reset_after: true dropout: 0.25 recurrent_dropout: 0.1
        kernel_initializer { kind: CONSTANT value: 0.5 } recurrent_initializer { kind: ZEROS }
        bias_initializer { kind: UNIFORM value: 0.125 }
        kernel_regularizer { l1: 0.1 } recurrent_regularizer { l2: 0.2 }
        bias_regularizer { l1: 0.3 l2: 0.4 }
      }
    }
  }
  layers {
    name: "gru"
    recurrent {
      kind: GRU units: 2 activation: "tanh" use_bias: true unit_forget_bias: true
      kernel_initializer { kind: GLOROT_UNIFORM } recurrent_initializer { kind: ORTHOGONAL }
      bias_initializer {}
    }
  }
  layers {
    name: "rnn"
    recurrent {
      units: 2 activation: "tanh" use_bias: true return_sequences: true reset_after: true
      unit_forget_bias: true kernel_initializer { kind: GLOROT_UNIFORM }
      recurrent_initializer { kind: ORTHOGONAL }
    }
  }
  layers {
    name: "dense"
    dense {
      units: 6 activation: "softmax" bias_initializer { kind: CONSTANT value: 1 }
      kernel_regularizer { l1: 0.5 } bias_regularizer { l2: 0.5 }
    }
  }
  layers { name: "dropout" dropout { rate: 0.75 spatial: true } }
  layers { name: "pooling" pooling { kind: MAX } }
  layers { name: "activation" activation { activation: "tanh" } }
  layers { name: "one_hot" one_hot { depth: 11 } }
)";

TEST(LayersProtoTest, Version3IsRead) {
  proto::LayerStack saved;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(kVersion3, &saved));
  SEQ_ASSERT_OK_AND_ASSIGN(const LayerStack read, LayerStackFromProto(saved));
  const LayerStack expected = EveryLayer();
  EXPECT_EQ(read.input, expected.input);
  ASSERT_EQ(read.layers.size(), expected.layers.size());
  for (size_t i = 0; i < read.layers.size(); ++i) {
    EXPECT_TRUE(read.layers[i] == expected.layers[i]) << read.layers[i].name;
  }
  const auto refused = [&](const std::function<void(proto::LayerStack&)>& change) {
    proto::LayerStack changed = saved;
    change(changed);
    return LayerStackFromProto(changed).status();
  };
  using Stack = proto::LayerStack;
  // Enumerators that it did not have, either side.
  for (const int number : {-1, 4}) {
    EXPECT_THAT(
        refused([&](Stack& s) {
          s.mutable_layers(1)->mutable_bidirectional()->set_merge_mode(
              static_cast<proto::BidirectionalLayer::MergeMode>(number));
        }),
        StatusIs(kInvalid,
                 absl::StrCat("layer both: this program does not know merge mode ", number)));
    EXPECT_THAT(refused([&](Stack& s) {
                  s.mutable_layers(2)->mutable_recurrent()->set_kind(
                      static_cast<proto::RecurrentLayer::Kind>(number));
                }),
                StatusIs(kInvalid, "recurrent kind"));
    EXPECT_THAT(refused([&](Stack& s) {
                  s.mutable_layers(6)->mutable_pooling()->set_kind(
                      static_cast<proto::PoolingLayer::Kind>(number));
                }),
                StatusIs(kInvalid, "kind of pooling"));
  }
  EXPECT_THAT(refused([](Stack& s) { s.mutable_layers(4)->mutable_dense()->clear_activation(); }),
              StatusIs(kInvalid, "layer dense: activation has 0 bytes"));
  EXPECT_THAT(refused([](Stack& s) { s.mutable_layers(5)->mutable_dropout()->set_rate(NAN); }),
              StatusIs(kInvalid, "layer dropout: rate is not finite"));
  EXPECT_THAT(
      refused([](Stack& s) { s.mutable_layers(1)->mutable_bidirectional()->clear_forward_name(); }),
      StatusIs(kInvalid, "layer both: the name of a layer in it"));
}

TEST(LayersProtoTest, OnlyAModelWithLayersNeedsVersion4) {
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
  SEQ_ASSERT_OK_AND_ASSIGN(std::string text, SerializeModel(model, ModelFormat::kText));
  EXPECT_THAT(text, ::testing::HasSubstr("format_version: 4\n"));
  text = absl::StrReplaceAll(text, {{"# crc32c", "# no longer"}});
  EXPECT_THAT(ParseModel(absl::StrReplaceAll(text, {{"format_version: 4", "format_version: 2"}}),
                         ModelFormat::kText, registry),
              StatusIs(kInvalid, "format version 2 has no layers"));
  EXPECT_THAT(ParseModel(absl::StrReplaceAll(text, {{"format_version: 4", "format_version: 3"}}),
                         ModelFormat::kText, registry),
              StatusIs(kInvalid, "format version 3 has no classes of layers, but layer table"));
  model.layers->layers[0].name = "";
  EXPECT_THAT(SerializeModel(model, ModelFormat::kText), StatusIs(kInvalid, "0 bytes"));
}

}  // namespace
}  // namespace seqgraph
