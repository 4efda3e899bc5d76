#include "serialization/keras/keras_io.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/zip.h"
#include "optimizers/all_optimizers.h"
#include "serialization/hdf5/reader.h"
#include "serialization/hdf5/writer.h"
#include "serialization/keras/optimizer_state.h"
#include "serialization/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph::keras {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

// A small configuration as Keras 3 writes it, of what matters.
constexpr char kConfig[] = R"({"class_name": "Sequential", "config": {"name": "s", "layers": [
  {"class_name": "InputLayer", "config": {"batch_shape": [null, 3], "dtype": "int32",
    "sparse": false, "ragged": false, "name": "input_layer"}},
  {"class_name": "Embedding", "config": {"name": "e", "input_dim": 4, "output_dim": 2,
    "dtype": {"class_name": "DTypePolicy", "config": {"name": "float32"}}, "mask_zero": false}},
  {"class_name": "GRU", "config": {"name": "g", "units": 2, "unroll": true, "seed": 3,
    "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": null}}}},
  {"class_name": "Dense", "config": {"name": "d", "units": 1, "activation": "sigmoid",
    "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.25}}}}]},
  "compile_config": {"loss": "binary_crossentropy", "metrics": ["accuracy"],
    "optimizer": {"class_name": "RMSprop", "config": {"name": "rm_sprop", "learning_rate": 0.5,
      "rho": 0.75, "clipnorm": null, "ema_momentum": 0.99}}}})";

LayerStack SmallStack() {
  LayerStack stack{.name = "s", .input = {.time = 3}};
  stack.layers = {
      {"e", true, EmbeddingLayer{.input_dim = 4, .output_dim = 2}},
      {"g", true, GRU(2)},
      {"d", true,
       DenseLayer{.units = 1, .activation = "sigmoid", .kernel_regularizer = {.l2 = 0.25}}}};
  return stack;
}

KerasModel ModelOf(const LayerStack& stack) {
  KerasModel model{.stack = stack};
  float next = 1;
  for (const Weight& weight : AllWeights(*WeightsOf(stack))) {
    Tensor tensor = *Tensor::Zeros({DType::kFloat32, weight.shape});
    for (float& element : tensor.Elements<float>()) element = next++;
    model.weights.push_back({weight.variable, std::move(tensor)});
  }
  return model;
}

std::string Zip(const std::string& config, const std::string& weights) {
  return *WriteZip({{"config.json", config}, {"model.weights.h5", weights}});
}

// What reading says after texts of the configuration have been replaced.
absl::StatusOr<KerasModel> Changed(
    const std::vector<std::pair<absl::string_view, absl::string_view>>& replacements,
    const ReadOptions& options = {}) {
  const std::string config = absl::StrReplaceAll(kConfig, replacements);
  EXPECT_NE(config, kConfig) << "nothing was replaced";
  return ParseKerasModel(Zip(config, *KerasWeightsHdf5(ModelOf(SmallStack()))), options);
}

TEST(KerasIoTest, AConfigurationBecomesLayersAndTraining) {
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel model,
                           ParseKerasModel(Zip(kConfig, *KerasWeightsHdf5(ModelOf(SmallStack())))));
  EXPECT_TRUE(model.stack == SmallStack());
  EXPECT_TRUE(model.training ==
              (Training{.loss = "binary_crossentropy",
                        .metrics = {"accuracy"},
                        .optimizer = RMSProp{.learning_rate = 0.5, .rho = 0.75}}));
  EXPECT_TRUE(model.notes.empty());
}

TEST(KerasIoTest, AConfigurationAloneIsReadWithoutWeights) {
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel model, ParseKerasConfig(kConfig));
  EXPECT_TRUE(model.stack == SmallStack());
  EXPECT_TRUE(model.weights.empty());
  ASSERT_TRUE(model.training.has_value());
  EXPECT_EQ(model.training->optimizer->learning_rate, 0.5);
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel untrained,
                           ParseKerasConfig(kConfig, {.training = false}));
  EXPECT_FALSE(untrained.training.has_value());
  EXPECT_THAT(ParseKerasConfig("[").status(), StatusIs(kInvalid, ""));
}

TEST(KerasIoTest, WhatAModelWasCompiledWithIsReadAlone) {
  std::vector<std::string> notes;
  SEQ_ASSERT_OK_AND_ASSIGN(const Training training,
                           ParseKerasTraining(R"({"loss": "mse", "optimizer": {"class_name": "SGD",
                             "config": {"learning_rate": 0.25, "clipnorm": 2.0}}})",
                                              &notes));
  EXPECT_EQ(training.loss, "mse");
  EXPECT_TRUE(training.optimizer ==
              Optimizer(SGD{.learning_rate = 0.25, .clipping = GradientClipping::Norm(2)}));
  EXPECT_THAT(ParseKerasTraining("{", &notes).status(), StatusIs(kInvalid, ""));
}

TEST(KerasIoTest, WhatIsNotKnownIsRefusedByLayerAttributeAndValue) {
  EXPECT_THAT(Changed({{"\"unroll\": true", "\"unroll\": true, \"sparkle\": 7"}}),
              StatusIs(kUnimplemented, "layer \"g\" (GRU): has the attribute \"sparkle\" (7)"));
  EXPECT_THAT(Changed({{"\"unroll\": true", "\"time_major\": true"}}),
              StatusIs(kUnimplemented, "layer \"g\" (GRU): time_major is true"));
  EXPECT_THAT(Changed({{"\"unroll\": true", "\"recurrent_activation\": \"softmax\""}}),
              StatusIs(kUnimplemented, "recurrent_activation is \"softmax\""));
  EXPECT_THAT(
      ParseKerasConfig(absl::StrReplaceAll(
          kConfig, {{"\"unroll\": true", "\"kernel_constraint\": {\"class_name\": \"MaxNorm\"}"}})),
      StatusIs(kUnimplemented, "kernel_constraint is {\"class_name\":\"MaxNorm\"}"));
  EXPECT_THAT(Changed({{"\"activation\": \"sigmoid\"", "\"activation\": \"sparsemax\""}}),
              StatusIs(kUnimplemented, "layer \"d\" (Dense): activation is \"sparsemax\""));
  EXPECT_THAT(Changed({{"{\"l2\": 0.25}", "{\"l2\": 0.25, \"l3\": 1}"}}),
              StatusIs(kUnimplemented, "kernel_regularizer: has the attribute \"l3\""));
  EXPECT_THAT(Changed({{"{\"name\": \"float32\"}", "{\"name\": \"mixed_float16\"}"}}),
              StatusIs(kUnimplemented, "layer \"e\" (Embedding): dtype is"));
  EXPECT_THAT(Changed({{"\"class_name\": \"Dense\"", "\"class_name\": \"Conv3D\""}}),
              StatusIs(kUnimplemented,
                       "layer \"d\" of class Conv3D is not known here; Embedding, SimpleRNN"));
  EXPECT_THAT(Changed({{"\"class_name\": \"Dense\"", "\"class_name\": \"Lambda\""}}),
              StatusIs(kUnimplemented, "layer d (Lambda): it has no function"));
  EXPECT_THAT(Changed({{"\"Sequential\"", "\"Functional\""}}),
              StatusIs(kInvalid, "layer e: it does not say what it takes"));
  EXPECT_THAT(Changed({{"\"Sequential\"", "\"MyModel\""}}),
              StatusIs(kUnimplemented, "of class MyModel"));
  EXPECT_THAT(Changed({{"\"sparse\": false", "\"sparse\": true"}}),
              StatusIs(kUnimplemented, "input layer: sparse is true"));
  EXPECT_THAT(Changed({{"\"units\": 2", "\"units\": -2"}}),
              StatusIs(kInvalid, "layer \"g\" (GRU): units is -2: expected a number from 1"));
  EXPECT_THAT(Changed({{"\"units\": 2", "\"units\": \"2\""}}),
              StatusIs(kInvalid, "units is \"2\""));
  EXPECT_THAT(Changed({{"\"name\": \"d\"", "\"name\": \"g\""}}),
              StatusIs(kInvalid, "two layers are named g"));
  EXPECT_THAT(Changed({{"\"name\": \"d\"", "\"name\": \"a/b\""}}), StatusIs(kInvalid, "no slash"));
  EXPECT_THAT(Changed({{"[null, 3]", "[null]"}}),
              StatusIs(kUnimplemented, "its input has the shape [null]"));
  // Letters of words, of which the layer behind the embedding makes nothing.
  EXPECT_THAT(Changed({{"[null, 3]", "[null, 3, 5]"}}),
              StatusIs(kInvalid, "layer g: it takes float32[batch, time, features]"));
}

TEST(KerasIoTest, HowWeightsAreGivenAndCountedIsPassedOver) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      const KerasModel model,
      Changed({{"\"metrics\": [\"accuracy\"]",
                "\"metrics\": [\"accuracy\"], \"weighted_metrics\": [\"mae\"], "
                "\"sample_weight_mode\": \"temporal\""}}));
  EXPECT_EQ(model.training_left_out, "");
  ASSERT_TRUE(model.training.has_value());
  EXPECT_EQ(model.training->loss, "binary_crossentropy");
  EXPECT_THAT(model.training->metrics, ElementsAre("accuracy"));
}

// The model is read for inference, and says why its training is not.
TEST(KerasIoTest, TrainingThatWouldBeAnotherIsLeftOut) {
  for (const auto& [change, message] : std::vector<std::pair<const char*, const char*>>{
           {"\"clipnorm\": -1", "training: optimizer RMSprop: clipnorm is -1"},
           {"\"clipnorm\": 1.0, \"clipvalue\": 0.5", "clipped in another way already"},
           {"\"clipnorm\": null, \"use_ema\": true", "use_ema is true"},
           {"\"clipnorm\": null, \"cleverness\": 1", "attribute \"cleverness\""}}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel model, Changed({{"\"clipnorm\": null", change}}));
    EXPECT_FALSE(model.training.has_value());
    EXPECT_THAT(model.training_left_out, HasSubstr(message));
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel silent,
                             Changed({{"\"clipnorm\": null", change}}, {.training = false}));
    EXPECT_EQ(silent.training_left_out, "");
  }
  const auto left_out = [](const char* from, const char* to) {
    const absl::StatusOr<KerasModel> model = Changed({{from, to}});
    return model.ok() ? model->training_left_out : model.status().ToString();
  };
  EXPECT_THAT(left_out("\"learning_rate\": 0.5", "\"learning_rate\": {\"class_name\": \"Decay\"}"),
              HasSubstr("this schedule is not known"));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const KerasModel scheduled,
      Changed({{"\"learning_rate\": 0.5",
                "\"decay\": 0.01, \"learning_rate\": {\"class_name\": \"CosineDecay\", \"config\": "
                "{\"initial_learning_rate\": 0.25}}"}}));
  EXPECT_EQ(scheduled.training->optimizer->learning_rate, 0.25);
  EXPECT_THAT(scheduled.notes, ElementsAre(HasSubstr("CosineDecay"), HasSubstr("decay 0.01")));
  // Keras 2.2 and before.
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel older,
                           Changed({{"\"learning_rate\": 0.5", "\"lr\": 2"}}));
  EXPECT_EQ(older.training->optimizer->learning_rate, 2);
  EXPECT_THAT(left_out("\"RMSprop\"", "\"Lion\""), HasSubstr("SGD, RMSprop, "));
  for (const auto& [loss, name] : std::vector<std::pair<std::string, std::string>>{
           {"[\"mae\"]", "mae"},
           {"{\"d\": \"MAE\"}", "mae"},
           {"\"mean_absolute_error\"", "mean_absolute_error"},
           {"\"KLDivergence\"", "kl_divergence"},
           {"{\"class_name\": \"MeanAbsoluteError\", \"config\": {}}", "mean_absolute_error"},
           {"{\"class_name\": \"function\", \"config\": \"mae\"}", "mae"}}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel named, Changed({{"\"binary_crossentropy\"", loss}}));
    EXPECT_EQ(named.training->loss, name) << loss;
  }
  SEQ_ASSERT_OK_AND_ASSIGN(
      const KerasModel by_class,
      Changed({{"\"binary_crossentropy\"",
                "{\"class_name\": \"BinaryCrossentropy\", \"config\": {\"from_logits\": false, "
                "\"label_smoothing\": 0.0, \"name\": \"binary_crossentropy\", \"axis\": -1, "
                "\"reduction\": \"sum_over_batch_size\"}}"}}));
  EXPECT_EQ(by_class.training->loss, "binary_crossentropy");
  EXPECT_THAT(left_out("\"binary_crossentropy\"",
                       "{\"class_name\": \"BinaryCrossentropy\", \"config\": "
                       "{\"from_logits\": true}}"),
              HasSubstr("training: loss: from_logits is true"));
}

// A model with its weights predicts, whatever held them while it was trained.
TEST(KerasIoTest, WhatMattersInTrainingAloneLeavesItOut) {
  const std::vector<std::pair<absl::string_view, absl::string_view>> changes = {
      {"\"unroll\": true",
       "\"kernel_constraint\": {\"class_name\": \"MaxNorm\"}, \"bias_constraint\": null"},
      {"\"kernel_regularizer\"", "\"activity_regularizer\": \"l2\", \"kernel_regularizer\""}};
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel model, Changed(changes));
  EXPECT_TRUE(model.stack == SmallStack());
  EXPECT_FALSE(model.training.has_value());
  EXPECT_EQ(model.training_left_out,
            "layer \"g\" (GRU): kernel_constraint is {\"class_name\":\"MaxNorm\"}; "
            "layer \"d\" (Dense): activity_regularizer is \"l2\"");
  EXPECT_TRUE(model.notes.empty());
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel silent, Changed(changes, {.training = false}));
  EXPECT_EQ(silent.training_left_out, "");
}

// Keras 3 and 2 write what compile() was given: a number, a list, an object by names.
TEST(KerasIoTest, TheWeightOfTheOnlyLossIsKept) {
  const auto read = [](const std::string& weights) {
    return Changed({{"\"metrics\"", absl::StrCat("\"loss_weights\": ", weights, ", \"metrics\"")}});
  };
  for (const char* weights : {"0.5", "[0.5]", R"({"d": 0.5})"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(KerasModel model, read(weights));
    EXPECT_EQ(model.training_left_out, "");
    ASSERT_TRUE(model.training.has_value());
    EXPECT_EQ(model.training->loss_weight, 0.5) << weights;
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string zip, KerasZip(model));
    EXPECT_THAT(ReadZip(zip, 1 << 20)->at("config.json"), HasSubstr(R"("loss_weights":[0.5])"));
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel again, ParseKerasModel(zip));
    EXPECT_TRUE(again.training == model.training);
  }
  for (const char* none : {"null", "[]", "{}", "1", "[1.0]"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel model, read(none));
    ASSERT_TRUE(model.training.has_value());
    EXPECT_EQ(model.training->loss_weight, 1) << none;
  }
  for (const char* wrong : {"[1, 2]", "\"all\"", "[[1]]"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel model, read(wrong));
    EXPECT_FALSE(model.training.has_value());
    EXPECT_THAT(model.training_left_out, HasSubstr("one loss has one number")) << wrong;
  }
}

TEST(KerasIoTest, SettingsOfALossAreKept) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      const KerasModel read,
      Changed(
          {{"\"binary_crossentropy\"",
            "{\"class_name\": \"Huber\", \"config\": {\"delta\": 2, \"name\": \"huber_loss\"}}"}}));
  EXPECT_EQ(read.training->loss, "huber");
  EXPECT_EQ(read.training->loss_settings, Attributes({{"delta", 2.0}}));
  KerasModel model = ModelOf(SmallStack());
  model.training = Training{
      .loss = "huber", .loss_settings = {{"delta", 2.0}}, .optimizer = SGD{.learning_rate = 1}};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string zip, KerasZip(model));
  EXPECT_THAT(ReadZip(zip, 1 << 20)->at("config.json"),
              HasSubstr(R"("loss":{"module":"keras.losses","class_name":"Huber","config":)"));
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel again, ParseKerasModel(zip));
  EXPECT_TRUE(again.training == model.training);
}

// Two heads on one recurrent layer; the second is a model.
std::string TwoHeads(const std::string& training) {
  const auto dense = [](const std::string& name, const std::string& from) {
    return absl::StrCat(R"({"class_name": "Dense", "name": ")", name,
                        R"(", "config": {"units": 1, "name": ")", name,
                        R"("}, "inbound_nodes": [[[")", from, R"(", 0, 0, {}]]]})");
  };
  const auto input = [](const std::string& name, const std::string& shape) {
    return absl::StrCat(R"({"class_name": "InputLayer", "name": ")", name,
                        R"(", "config": {"name": ")", name, R"(", "batch_input_shape": )", shape,
                        R"(}, "inbound_nodes": []})");
  };
  return absl::StrCat(
      R"({"class_name": "Functional", "keras_version": "2.15.0", "config": {"name": "m",
      "layers": [)",
      input("x", "[null, 4, 2]"), R"(, {"class_name": "GRU", "name": "g", "config": {"units": 3,
      "name": "g"}, "inbound_nodes": [[["x", 0, 0, {}]]]}, )",
      dense("a", "g"), R"(, {"class_name": "Functional", "name": "b", "config": {"name": "b",
      "layers": [)",
      input("h", "[null, 3]"), ", ", dense("inner", "h"), R"(],
      "input_layers": [["h", 0, 0]], "output_layers": [["inner", 0, 0]]},
      "inbound_nodes": [[["g", 0, 0, {}]]]}], "input_layers": [["x", 0, 0]],
      "output_layers": [["a", 0, 0], ["b", 1, 0]]}, "compile_config": )",
      training, "}");
}

TEST(KerasIoTest, LossesOfSeveralOutputsGoByOrderOrName) {
  const Training expected = {
      .losses = {{.loss = "huber", .settings = {{"delta", 2.0}}, .metrics = {"mae"}},
                 {.loss = "mse", .weight = 0.5}},
      .optimizer = SGD{.learning_rate = 0.25}};
  const std::string huber = R"({"class_name": "Huber", "config": {"delta": 2}})";
  const auto read = [](const std::string& training) {
    constexpr char kSgd[] =
        R"(, "optimizer": {"class_name": "SGD", "config": {"learning_rate": 0.25}}})";
    return ParseKerasConfig(TwoHeads(absl::StrCat("{", training, kSgd)));
  };
  for (const std::string& training :
       {absl::StrCat(R"("loss": [)", huber,
                     R"(, "mse"], "loss_weights": [1, 0.5], "metrics": [["mae"], null])"),
        absl::StrCat(R"("loss": {"b": "mse", "a": )", huber,
                     R"(}, "loss_weights": {"b": 0.5}, "metrics": {"a": "mae"})")}) {
    SEQ_ASSERT_OK_AND_ASSIGN(KerasModel model, read(training));
    EXPECT_EQ(model.training_left_out, "");
    EXPECT_TRUE(model.training == expected) << training;
    model.weights = ModelOf(model.stack).weights;
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string zip, KerasZip(model));
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel again, ParseKerasModel(zip));
    EXPECT_TRUE(again.training == expected);
  }
  // One for all, one of two, and names or numbers that are not those of the outputs.
  SEQ_ASSERT_OK_AND_ASSIGN(KerasModel model, read(R"("loss": "mae", "loss_weights": [1, 3])"));
  ASSERT_TRUE(model.training.has_value());
  EXPECT_TRUE(model.training->losses ==
              (std::vector<OutputLoss>{{.loss = "mae"}, {.loss = "mae", .weight = 3}}));
  SEQ_ASSERT_OK_AND_ASSIGN(model, read(R"("loss": {"b": "mse"})"));
  ASSERT_TRUE(model.training.has_value());
  EXPECT_TRUE(model.training->losses == (std::vector<OutputLoss>{{}, {.loss = "mse"}}));
  for (const char* wrong : {R"("loss": {"inner": "mse", "a": "mse"})", R"("loss": ["mse"])",
                            R"("loss": "mse", "loss_weights": [1, 2, 3])"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(model, read(wrong));
    EXPECT_FALSE(model.training.has_value());
    EXPECT_THAT(model.training_left_out, HasSubstr("the outputs are a, b")) << wrong;
  }
}

TEST(KerasIoTest, ClippingAndDecayAreKept) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      const KerasModel model,
      Changed({{"\"clipnorm\": null", "\"global_clipnorm\": 1.5, \"weight_decay\": 0.004"}}));
  EXPECT_TRUE(model.training->optimizer->clipping == GradientClipping::GlobalNorm(1.5));
  EXPECT_EQ(model.training->optimizer->weight_decay, 0.004);
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string zip, KerasZip(model));
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel read, ParseKerasModel(zip));
  EXPECT_TRUE(read.training == model.training);
}

TEST(KerasIoTest, WhatOnlyABeginningNeedsIsNoted) {
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel model,
                           Changed({{"\"GlorotUniform\"", "\"HeNormal\""}}));
  EXPECT_TRUE(model.stack == SmallStack());
  ASSERT_EQ(model.notes.size(), 1u);
  EXPECT_THAT(model.notes[0], HasSubstr("layer \"g\" (GRU): kernel_initializer"));
}

TEST(KerasIoTest, AnOpenLengthIsGivenOrTakenAndStaysOpen) {
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel taken, Changed({{"[null, 3]", "[null, null]"}}));
  EXPECT_EQ(taken.stack.input.time, 32);
  EXPECT_TRUE(taken.stack.input.open_time);
  EXPECT_THAT(taken.notes, ElementsAre(HasSubstr("32 is taken: --time gives another")));
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel model,
                           Changed({{"[null, 3]", "[8, null]"}}, {.time = 7}));
  EXPECT_EQ(model.stack.input.time, 7);
  EXPECT_EQ(model.stack.input.batch, 8);
  EXPECT_THAT(model.notes, ElementsAre(HasSubstr("7 was given")));
  LayerStack closed = model.stack;
  closed.input.open_time = false;
  EXPECT_FALSE(model.stack == closed);
}

TEST(KerasIoTest, DialectsOfKeras2AreTheSame) {
  const LayerStack expected = SmallStack();
  // No input layer, the shape at the first layer, initializers by name, an activation as a
  // function.
  SEQ_ASSERT_OK_AND_ASSIGN(
      const KerasModel keras2,
      Changed(
          {{"{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 3], \"dtype\": "
            "\"int32\",\n    \"sparse\": false, \"ragged\": false, \"name\": \"input_layer\"}},",
            ""},
           {"\"mask_zero\": false", "\"batch_input_shape\": [null, 3], \"input_length\": 3"},
           {"{\"class_name\": \"GlorotUniform\", \"config\": {\"seed\": null}}",
            "\"glorot_uniform\""},
           {"\"activation\": \"sigmoid\"",
            "\"activation\": {\"class_name\": \"function\", \"config\": \"sigmoid\"}"},
           {"\"unroll\": true", "\"implementation\": 2, \"time_major\": false"},
           {"\"RMSprop\"", "\"Custom>RMSprop\""}}));
  EXPECT_TRUE(keras2.stack == expected);
  EXPECT_EQ(keras2.training->optimizer->name(), "RMSprop");
}

// Keras 2.1.4's GRU has no "reset_after", and one row of bias; Keras 3 always says it.
TEST(KerasIoTest, TheFirstGruOfKeras2ResetsBefore) {
  LayerStack expected = SmallStack();
  expected.layers[1].kind = GRU(2, {.reset_after = false});
  const std::string config = absl::StrReplaceAll(
      kConfig, {{"\"compile_config\"", "\"keras_version\": \"2.1.4\", \"compile_config\""}});
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel read,
                           ParseKerasModel(Zip(config, *KerasWeightsHdf5(ModelOf(expected)))));
  EXPECT_TRUE(read.stack == expected);
}

TEST(KerasIoTest, ListsAndConfigurationsMayBeSplit) {
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes,
                           KerasHdf5(ModelOf(SmallStack()), Layout::kKeras3));
  SEQ_ASSERT_OK_AND_ASSIGN(hdf5::Node root, hdf5::ReadTree(bytes));
  const auto split = [](hdf5::Node& node, const std::string& name) {
    for (hdf5::Attribute& attribute : node.attributes) {
      if (attribute.name != name) continue;
      const std::vector<std::string> texts = attribute.texts;
      attribute.name = name + "0";
      if (attribute.scalar) {
        attribute.texts = {texts[0].substr(0, 10)};
        node.SetText(name + "1", texts[0].substr(10));
      } else {
        attribute.texts = {texts[0]};
        node.SetTexts(name + "1", {texts.begin() + 1, texts.end()});
      }
      return;
    }
    FAIL() << name;
  };
  split(root, "model_config");
  split(root.Group("model_weights"), "layer_names");
  split(root.Group("model_weights").Group("g"), "weight_names");
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string changed, hdf5::WriteTree(root));
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel read, ParseKerasModel(changed));
  EXPECT_TRUE(read.stack == SmallStack());
  EXPECT_EQ(read.weights.size(), 6u);
}

TEST(KerasIoTest, WeightsMustFitTheLayers) {
  const KerasModel model = ModelOf(SmallStack());
  const auto changed = [&](const std::function<void(hdf5::Node&)>& change) {
    hdf5::Node root = *hdf5::ReadTree(*KerasWeightsHdf5(model));
    change(root);
    std::vector<std::string> notes;
    return ParseKerasWeights(*hdf5::WriteTree(root), model.stack, &notes).status();
  };
  using hdf5::Node;
  EXPECT_THAT(changed([](Node& root) { root.Group("layers").Group("dense").children.clear(); }),
              StatusIs(kInvalid, "layers/dense: holds 0 arrays, and the layer has 2 weights"));
  EXPECT_THAT(changed([](Node& root) { root.Put("layers/lstm/cell/vars/0", Tensor()); }),
              StatusIs(kInvalid, "layers/lstm: holds weights of a layer that the model does not"));
  EXPECT_THAT(changed([](Node& root) {
                root.Put("layers/dense/vars/0", *Tensor::Zeros({DType::kFloat32, {1, 2}}));
              }),
              StatusIs(kInvalid,
                       "layers/dense/vars/0: is float32[1, 2], and the layer needs "
                       "float32[2, 1]"));
  EXPECT_THAT(changed([](Node& root) {
                root.Put("layers/dense/vars/1", *Tensor::Zeros({DType::kInt32, {1}}));
              }),
              StatusIs(kInvalid, "int32[1]"));
  hdf5::Node wide = *hdf5::ReadTree(*KerasWeightsHdf5(model));
  wide.Put("layers/dense/vars/1", Tensor::Of<double>({1}, {0.1}));
  std::vector<std::string> notes;
  SEQ_ASSERT_OK_AND_ASSIGN(const StoredWeights stored,
                           ParseKerasWeights(*hdf5::WriteTree(wide), model.stack, &notes));
  EXPECT_EQ(stored.weights.back().tensor.Elements<float>()[0], 0.1f);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("layers/dense/vars/1 was rounded")));
  EXPECT_THAT(ParseKerasModel(*KerasWeightsHdf5(model)), StatusIs(kInvalid, "weights alone"));
  EXPECT_THAT(ParseKerasModel("seqgraph"), StatusIs(kInvalid, "neither a .keras file"));
}

// Literals as Keras 3.15.1 names them.
TEST(KerasIoTest, WeightsLieWhereKerasPutsThem) {
  LayerStack stack{.name = "s", .input = {.time = 3}};
  BidirectionalLayer both_ways = Bidirectional(GRU(4, {.return_sequences = true}));
  both_ways.forward.name = "forward_gru";
  both_ways.backward.name = "backward_gru";
  stack.layers = {
      {"words", true, EmbeddingLayer{.input_dim = 5, .output_dim = 2}},
      {"both", true, both_ways},
      {"d", true, SpatialDropout1DLayer{}},
      {"a", true, RecurrentLayer{.units = 3, .use_bias = false, .return_sequences = true}},
      {"b", false, RecurrentLayer{.units = 1}}};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<LayerWeights> layers, WeightsOf(stack));
  ASSERT_EQ(layers.size(), 5u);
  EXPECT_EQ(layers[0].group, "embedding");
  EXPECT_EQ(layers[2].group, "spatial_dropout1d");
  EXPECT_EQ(layers[3].group, "simple_rnn");
  EXPECT_EQ(layers[4].group, "simple_rnn_1");
  EXPECT_EQ(layers[3].weights.size(), 2u);
  const std::vector<Weight>& both = layers[1].weights;
  ASSERT_EQ(both.size(), 6u);
  EXPECT_EQ(both[0].variable, "both/forward_gru/kernel");
  EXPECT_EQ(both[0].path, "forward_gru/gru_cell/kernel");
  EXPECT_EQ(both[0].store, "forward_layer/cell/vars/0");
  EXPECT_EQ(both[5].variable, "both/backward_gru/bias");
  EXPECT_EQ(both[5].store, "backward_layer/cell/vars/2");
  EXPECT_EQ(both[5].shape, (Shape{2, 12}));
  EXPECT_EQ(layers[3].weights[0].shape, (Shape{8, 3}));
  EXPECT_FALSE(layers[4].weights[0].trainable);
  // What does not fit is named.
  stack.layers.push_back({"c", true, RecurrentLayer{.units = 1}});
  EXPECT_THAT(WeightsOf(stack),
              StatusIs(kInvalid, "layer c: it takes float32[batch, time, features]"));
}

// The groups of a .keras file that Keras 2.13.1 wrote: layers with weights count twice; on Windows
// the path is one name.
TEST(KerasIoTest, WeightsLieWhereKeras213PutThem) {
  LayerStack stack{.name = "s", .input = {.time = 3, .features = 2}};
  stack.layers = {{"a", true, DenseLayer{.units = 3}},
                  {"x", true, DropoutLayer{.rate = 0.5}},
                  {"g", true, GRU(2)},
                  {"b", true, DenseLayer{.units = 4}},
                  {"y", true, DropoutLayer{.rate = 0.5}},
                  {"c", true, DenseLayer{.units = 1}}};
  const KerasModel model = ModelOf(stack);
  SEQ_ASSERT_OK_AND_ASSIGN(const hdf5::Node now, hdf5::ReadTree(*KerasWeightsHdf5(model)));
  for (const char* separator : {"/", "\\"}) {
    hdf5::Node then;
    const std::string layers = absl::StrCat("_layer_checkpoint_dependencies", separator);
    const auto group = [&](const std::string& name) -> hdf5::Node& {
      if (*separator != '/') return then.Group(layers + name);
      return then.Group("_layer_checkpoint_dependencies").Group(name);
    };
    for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
             {"dense", "dense"}, {"dense_1", "dense_2"}, {"dense_2", "dense_4"}, {"gru", "gru"}}) {
      hdf5::Node& place = group(to);
      place.children = now.Child("layers")->Child(from)->children;
    }
    group("dropout").Group("vars");
    group("dropout_1").Group("vars");
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, hdf5::WriteTree(then));
    std::vector<std::string> notes;
    SEQ_ASSERT_OK_AND_ASSIGN(const StoredWeights stored, ParseKerasWeights(bytes, stack, &notes));
    ASSERT_EQ(stored.weights.size(), model.weights.size());
    for (size_t i = 0; i < stored.weights.size(); ++i) {
      EXPECT_EQ(stored.weights[i].name, model.weights[i].name);
      EXPECT_TRUE(stored.weights[i].tensor.BitwiseEquals(model.weights[i].tensor))
          << stored.weights[i].name;
    }
  }
}

TEST(KerasIoTest, StatesOfOptimizersAreInKerassOrder) {
  LayerStack stack = SmallStack();
  stack.layers[0].trainable = false;
  stack.layers[1] = {"d0", true, DenseLayer{.units = 2, .use_bias = false}};
  const std::vector<Weight> weights = AllWeights(*WeightsOf(stack));
  const auto names = [&](const Optimizer& optimizer) {
    std::vector<std::string> all;
    for (const Slot& slot : SlotsOf(optimizer, weights)) all.push_back(slot.variable);
    return all;
  };
  EXPECT_THAT(names(Adam{}),
              ElementsAre("optimizer/d0/kernel/momentum", "optimizer/d0/kernel/velocity",
                          "optimizer/d/kernel/momentum", "optimizer/d/kernel/velocity",
                          "optimizer/d/bias/momentum", "optimizer/d/bias/velocity"));
  EXPECT_THAT(
      names(RMSProp{.momentum = 0.5, .centered = true}),
      ElementsAre("optimizer/d0/kernel/velocity", "optimizer/d/kernel/velocity",
                  "optimizer/d/bias/velocity", "optimizer/d0/kernel/momentum",
                  "optimizer/d/kernel/momentum", "optimizer/d/bias/momentum",
                  "optimizer/d0/kernel/average_gradient", "optimizer/d/kernel/average_gradient",
                  "optimizer/d/bias/average_gradient"));
  EXPECT_TRUE(names(SGD{}).empty());
  EXPECT_EQ(names(SGD{.momentum = 0.5}).size(), 3u);
  const Tensor step = Tensor::Scalar<int32_t>(3);
  const Tensor rate = Tensor::Scalar(0.5f);
  EXPECT_THAT(NameState(Adam{}, weights, {step, rate, rate}),
              StatusIs(kInvalid, "has 3 arrays, and it takes 8"));
  EXPECT_THAT(NameState(SGD{}, weights, {step, step}), StatusIs(kInvalid, "learning rate"));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto state, NameState(SGD{}, weights, {step, rate}));
  ASSERT_EQ(state.size(), 2u);
  EXPECT_EQ(state[0].tensor.Elements<int64_t>()[0], 3);
  // On PyTorch Keras keeps momenta that plain SGD never reads.
  std::vector<Tensor> arrays = {step, rate};
  for (const Weight& weight : weights) {
    if (weight.trainable) arrays.push_back(*Tensor::Zeros({DType::kFloat32, weight.shape}));
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const auto idle, NameState(SGD{}, weights, arrays));
  EXPECT_EQ(idle.size(), 2u);
}

// Of any bytes, in every layout that holds whole models.
TEST(KerasIoTest, TextAndLabelsGoAlong) {
  KerasModel model = ModelOf(SmallStack());
  model.preprocessing = {
      "imdb", 7, 3, {"good", "caf\xE9", std::string("\0\x80\xFF", 3), ""}, "te\xFFxt", "class"};
  model.series = AwkwardSeries();
  model.series.known_future = {""};  // One that is empty is not none.
  model.labels = {"negative", "\xC3\xA9t\xC3\xA9"};
  for (const std::string& bytes :
       {*KerasZip(model), *KerasHdf5(model, Layout::kKeras3), *KerasHdf5(model, Layout::kKeras2)}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel read, ParseKerasModel(bytes));
    EXPECT_EQ(read.preprocessing.rule, "imdb");
    EXPECT_EQ(read.preprocessing.num_words, 7);
    EXPECT_EQ(read.preprocessing.maxlen, 3);
    EXPECT_EQ(read.preprocessing.words, model.preprocessing.words);
    EXPECT_EQ(read.preprocessing.text_column, "te\xFFxt");
    EXPECT_EQ(read.preprocessing.label_column, "class");
    EXPECT_EQ(read.labels, model.labels);
    EXPECT_EQ(read.series, model.series);
  }
  // More than the 64 KiB that Keras itself would split.
  for (int i = 0; i < 20000; ++i) model.preprocessing.words.push_back(absl::StrCat("word", i));
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel large,
                           ParseKerasModel(*KerasHdf5(model, Layout::kKeras3)));
  EXPECT_EQ(large.preprocessing.words, model.preprocessing.words);
  // A model without text has no such file.
  SEQ_ASSERT_OK_AND_ASSIGN(const auto files, ReadZip(*KerasZip(ModelOf(SmallStack())), 1 << 20));
  EXPECT_EQ(files.size(), 3u);
  const auto damaged = [&](const std::string& json) {
    return ParseKerasModel(
               *WriteZip({{"config.json", kConfig},
                          {"model.weights.h5", *KerasWeightsHdf5(ModelOf(SmallStack()))},
                          {"assets/seqgraph_text.json", json}}))
        .status();
  };
  EXPECT_TRUE(damaged("{}").ok());
  EXPECT_THAT(damaged(R"({"series": {"window": -1}})"), StatusIs(kInvalid, "window"));
  EXPECT_THAT(damaged(R"({"series": {"quantiles": [2]}})"), StatusIs(kInvalid, "quantiles"));
  EXPECT_THAT(damaged(R"({"series": {"quantiles": ["a"]}})"),
              StatusIs(kUnimplemented, "quantiles"));
  EXPECT_THAT(damaged(R"({"series": {"features": {}}})"), StatusIs(kInvalid, "features"));
  EXPECT_THAT(damaged("["), StatusIs(kInvalid, "assets/seqgraph_text.json: not JSON"));
  EXPECT_THAT(damaged(R"({"words": [1]})"), StatusIs(kInvalid, "words has 1"));
  EXPECT_THAT(damaged(R"({"words": ["\u0100"]})"), StatusIs(kInvalid, "up to U+00FF"));
  EXPECT_THAT(damaged(R"({"words": "good"})"), StatusIs(kInvalid, "words must be a list"));
  EXPECT_THAT(damaged(R"({"maxlen": -1})"), StatusIs(kInvalid, "maxlen is -1"));
  EXPECT_THAT(damaged(R"({"tune": 1})"), StatusIs(kUnimplemented, "tune"));
}

// Keras writes what it was given: numbers, one number, or lists around them.
TEST(KerasIoTest, NormalizationByNumbers) {
  const auto read = [](const std::string& mean, const std::string& more) {
    return ParseKerasConfig(absl::StrCat(
        R"({"class_name": "Sequential", "config": {"name": "s", "layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [null, 3, 2],
             "dtype": "float32", "name": "x"}},
            {"class_name": "Normalization", "config": {"name": "n", "axis": [-1], "mean": )",
        mean, R"(, "variance": [4.0, 0.25], "invert": true)", more, "}}]}}"));
  };
  for (const auto& [mean, expected] :
       {std::pair<std::string, std::vector<double>>{"[1.5, 2]", {1.5, 2}},
        {"[[[1.5, 2.0]]]", {1.5, 2}},
        {"3.0", {3}}}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel model, read(mean, ""));
    ASSERT_EQ(model.stack.layers.size(), 1u);
    EXPECT_TRUE(
        model.stack.layers[0].kind ==
        LayerKind(NormalizationLayer{.invert = true, .mean = expected, .variance = {4, 0.25}}));
  }
  EXPECT_THAT(read("null", "").status(), StatusIs(kInvalid, "mean and variance must both"));
  EXPECT_THAT(read("[[1], [2]]", "").status(), StatusIs(kUnimplemented, "mean"));
  EXPECT_THAT(read("[\"a\", 1]", "").status(), StatusIs(kUnimplemented, "mean"));
}

// Every optimizer with all its state goes through each layout. Nadam's product of momenta is not
// among what Keras 2 keeps: it starts anew, as there.
TEST(KerasIoTest, StatesOfAllOptimizersComeBack) {
  std::vector<Optimizer> optimizers = {
      SGD{.momentum = 0.5}, RMSProp{.momentum = 0.5, .centered = true}, Adam{.amsgrad = true}};
  for (const OptimizerDef* def : AllOptimizers()) optimizers.emplace_back(*def);
  for (const Optimizer& optimizer : optimizers) {
    SCOPED_TRACE(optimizer.name());
    KerasModel model = ModelOf(SmallStack());
    model.training = Training{.loss = "binary_crossentropy", .optimizer = optimizer};
    const std::vector<Weight> weights = AllWeights(*WeightsOf(model.stack));
    const auto rate = static_cast<float>(optimizer.learning_rate);
    model.optimizer_state = {{kIteration, Tensor::Scalar<int64_t>(7)},
                             {kLearningRate, Tensor::Scalar(rate)}};
    for (const Slot& slot : SlotsOf(optimizer, weights)) {
      Tensor content = *Tensor::Zeros({DType::kFloat32, slot.shape()});
      for (float& element : content.Elements<float>()) {
        element = static_cast<float>(model.optimizer_state.size());
      }
      model.optimizer_state.push_back({slot.variable, content});
    }
    for (const std::string& bytes : {*KerasZip(model), *KerasHdf5(model, Layout::kKeras3),
                                     *KerasHdf5(model, Layout::kKeras2)}) {
      SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel read, ParseKerasModel(bytes));
      EXPECT_TRUE(read.training->optimizer == optimizer);
      ASSERT_EQ(read.optimizer_state.size(), model.optimizer_state.size());
      const bool keras2 = bytes == *KerasHdf5(model, Layout::kKeras2);
      for (size_t i = 0; i < read.optimizer_state.size(); ++i) {
        const NamedTensor& found = read.optimizer_state[i];
        EXPECT_EQ(found.name, model.optimizer_state[i].name);
        const bool anew = keras2 && found.name == "optimizer/u_product";
        EXPECT_TRUE(found.tensor.BitwiseEquals(anew ? Tensor::Scalar(1.0f)
                                                    : model.optimizer_state[i].tensor))
            << found.name;
      }
    }
  }
}

TEST(KerasIoTest, OneHotWordsAreTheShapeOfTheInput) {
  LayerStack stack{.name = "s", .input = {.name = "inputs", .time = 3, .features = 7}};
  stack.layers = {{"one_hot", true, RecurrentLayer{.units = 2}}};
  LayerStack tokens = stack;
  SEQ_ASSERT_OK(TakeTokensOneHot(tokens));
  EXPECT_FALSE(tokens.input.features.has_value());
  EXPECT_EQ(tokens.input.name, "tokens");
  ASSERT_EQ(tokens.layers.size(), 2u);
  EXPECT_TRUE(tokens.layers[0].kind == LayerKind(OneHotLayer{7}));
  EXPECT_NE(tokens.layers[0].name, "one_hot");
  EXPECT_THAT(TakeTokensOneHot(tokens), StatusIs(kInvalid, "takes tokens already"));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string zip, KerasZip(ModelOf(tokens)));
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel read, ParseKerasModel(zip));
  EXPECT_TRUE(read.stack == stack);
  tokens.layers[1].kind = SimpleRNN(2, {.stateful = true});
  EXPECT_THAT(KerasZip({.stack = tokens}), StatusIs(kInvalid, "layer one_hot: it is stateful"));
  std::swap(tokens.layers[0], tokens.layers[1]);
  EXPECT_FALSE(KerasZip({.stack = tokens}).ok());
}

}  // namespace
}  // namespace seqgraph::keras
