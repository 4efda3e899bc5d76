// Every class of layers in the list: examples by hand, files of ours and of Keras, recognition, and
// gradients against central differences in float64, all of random settings.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/compare.h"
#include "graph/evaluate.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/model.h"
#include "layers/all_layers.h"
#include "layers/layer_emission.h"
#include "layers/stack_recognition.h"
#include "ops/all_ops.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "serialization/keras/keras_io.h"
#include "serialization/model_io.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr uint64_t kSeed = 20261128;
constexpr int kSamples = 40;

// A layer alone, in float64: the function of its input "x" and perhaps "mask" to "y".
struct LayerAlone {
  explicit LayerAlone(const LayerKind& kind, const TensorType& x, bool masked,
                      const std::vector<TensorType>& more_inputs = {})
      : g("layer", AllOps()), state{.g = g, .registry = AllLayers(), .real = DType::kFloat64} {
    input = {g.Input("x", x), {}};
    if (masked) input.mask = g.Input("mask", {DType::kInt32, {x.shape[0], x.shape[1]}});
    LayerContext context(state, input, /*trainable=*/true, "layer", "", "", emitted);
    std::vector<LayerFlow> more;
    for (const TensorType& type : more_inputs) {
      more.push_back({g.Input(absl::StrCat("x", more.size() + 1), type), {}});
    }
    context.set_more(more);
    output = EmitLayer(context, *AllLayers().Find(kind.class_name), kind);
  }

  FunctionBuilder g;
  EmissionState state;
  EmittedLayer emitted;
  LayerFlow input;
  LayerFlow output;
};

// What a layer of random settings takes.
struct Sample {
  LayerKind layer;
  Tensor x;
  std::optional<Tensor> mask;
};

double LargestMagnitude(const Tensor& tensor) {
  double largest = 0;
  for (const double x : tensor.Elements<double>()) largest = std::max(largest, std::fabs(x));
  return largest;
}

int64_t LeastExtent(const LayerKind& layer) {
  int64_t least = 100;
  for (const auto& [name, value] : layer.settings) {
    if (const auto* extent = std::get_if<int64_t>(&value)) least = std::min(least, *extent);
  }
  return least;
}

Sample DrawSample(const LayerDef& def, SampleSource& random) {
  Sample sample{.layer = SampleLayer(def, AllLayers(), random)};
  std::vector<int64_t> shape = {random.Dimension(), random.Dimension()};
  if (def.takes == LayerTakes::kTokens) {
    sample.x = random.Indices({shape[0], shape[1]}, LeastExtent(sample.layer));
    return sample;
  }
  bool sequence = def.takes == LayerTakes::kSequence || def.takes == LayerTakes::kSteps ||
                  (def.takes == LayerTakes::kNumbers && random.Coin());
  if (def.takes == LayerTakes::kImage) {
    sample.x = random.Reals({shape[0], shape[1], random.Dimension(), random.Dimension()});
    return sample;
  }
  if (def.class_name == "Permute") sequence = true;  // of the two axes of a sequence
  sample.x = random.Reals(sequence ? Shape{shape[0], shape[1], random.Dimension()}
                                   : Shape{shape[0], shape[1]});
  if (sequence && random.Coin()) sample.mask = random.Indices({shape[0], shape[1]}, 2);
  return sample;
}

std::vector<const LayerDef*> AllDefs() {
  std::vector<const LayerDef*> defs;
  for (const LayerDef& def : AllLayers().all()) defs.push_back(&def);
  return defs;
}

class LayerTest : public ::testing::TestWithParam<const LayerDef*> {
 protected:
  // Calls test(random) for each of some samples, and says which one failed.
  static void ForEachSample(const std::function<void(SampleSource&)>& test) {
    for (int i = 0; i < kSamples; ++i) {
      SCOPED_TRACE(::testing::Message() << "seed " << kSeed << ", sample " << i);
      SampleSource random(kSeed + i, /*max_dim=*/3);
      test(random);
      if (::testing::Test::HasFailure()) return;
    }
  }
};

TEST_P(LayerTest, GivesWhatItsExamplesSay) {
  for (const LayerExample& example : GetParam()->examples) {
    SCOPED_TRACE(example.name);
    SEQ_ASSERT_OK(CheckLayer(example.layer, AllLayers()));
    std::vector<TensorType> more;
    for (const Tensor& input : example.more_inputs) more.push_back(input.type());
    LayerAlone layer(example.layer, example.input.type(), example.mask.has_value(), more);
    layer.g.Result("y", layer.output.value);
    ASSERT_EQ(layer.emitted.weights.size(), example.weights.size());
    TensorMap feeds = {{"x", example.input}};
    if (example.mask.has_value()) feeds["mask"] = *example.mask;
    for (size_t i = 0; i < more.size(); ++i) {
      feeds[absl::StrCat("x", i + 1)] = example.more_inputs[i];
    }
    for (size_t i = 0; i < example.weights.size(); ++i) {
      EXPECT_EQ(layer.emitted.weights[i].shape, example.weights[i].shape());
      feeds[layer.emitted.weights[i].variable] = example.weights[i];
    }
    SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(layer.g).Build());
    SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap results, Evaluate(function, feeds));
    EXPECT_LE(RelativeError(results.at("y"), example.output), 1e-12);
  }
}

TEST_P(LayerTest, HasTheGradientsOfCentralDifferences) {
  constexpr double kStep = 1e-5, kBound = 1e-6, kSmallestMagnitude = 1e-4;
  double worst = 0;
  ForEachSample([&](SampleSource& random) {
    const Sample sample = DrawSample(*GetParam(), random);
    const std::vector<TensorType> more(GetParam()->least_inputs - 1, sample.x.type());
    LayerAlone layer(sample.layer, sample.x.type(), sample.mask.has_value(), more);
    SEQ_ASSERT_OK(layer.g.status());
    TensorMap feeds = {{"x", sample.x}};
    for (size_t i = 0; i < more.size(); ++i) {
      feeds[absl::StrCat("x", i + 1)] = random.Reals(sample.x.shape());
    }
    if (sample.mask.has_value()) feeds["mask"] = *sample.mask;
    std::vector<Value> wrt;
    std::vector<std::string> names;
    if (IsReal(sample.x.dtype())) {
      wrt.push_back(layer.input.value);
      names.push_back("x");
    }
    for (const LayerWeight& weight : layer.emitted.weights) {
      // What is not trained is a state or a statistic, as variances are, above 0.
      feeds[weight.variable] =
          weight.trainable ? random.Reals(weight.shape) : random.Reals(weight.shape, 0.25, 1);
      if (weight.state) continue;
      wrt.push_back(layer.g.function().FindVariable(weight.variable)->value);
      names.push_back(weight.variable);
    }
    if (wrt.empty()) return;
    // A weighting that is not symmetric: errors in single elements must not cancel.
    const Tensor weighting = random.Reals(layer.g.type(layer.output.value).shape);
    feeds["weighting"] = weighting;
    std::vector<int64_t> axes;
    for (int i = 0; i < weighting.shape().rank(); ++i) axes.push_back(i);
    const Value loss = ops::ReduceSum(
        layer.g,
        ops::Multiply(layer.g, layer.output.value, layer.g.Input("weighting", weighting.type())),
        {.axes = axes});
    layer.g.Result("loss", loss);
    SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> gradients, AddGradients(layer.g, loss, wrt));
    for (size_t i = 0; i < wrt.size(); ++i) layer.g.Result("d_" + names[i], gradients[i]);
    SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(layer.g).Build());
    SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap results, Evaluate(function, feeds));
    for (const std::string& name : names) {
      const Tensor& gradient = results.at("d_" + name);
      const double magnitude = std::max(LargestMagnitude(gradient), kSmallestMagnitude);
      for (int64_t i = 0; i < gradient.num_elements(); ++i) {
        double& x = feeds.at(name).Elements<double>()[i];
        const double old = x;
        double loss_at[2];
        for (const int side : {0, 1}) {
          x = old + (side == 0 ? -kStep : kStep);
          SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap moved, Evaluate(function, feeds));
          loss_at[side] = moved.at("loss").Elements<double>()[0];
        }
        x = old;
        const double difference = (loss_at[1] - loss_at[0]) / (2 * kStep);
        const double error = std::fabs(gradient.Elements<double>()[i] - difference) / magnitude;
        ASSERT_LT(error, kBound) << name << "[" << i << "]";
        worst = std::max(worst, error);
      }
    }
  });
  std::printf("largest relative error %.1e of %.0e allowed\n", worst, kBound);
}

// Where TimeDistributed gives the inputs of all steps as one value, it gives what the layer gives
// for each of them, by as many nodes for many steps as for few.
TEST_P(LayerTest, GivesTheSameForAllStepsAtOnce) {
  if (GetParam()->all_steps == StepsAtOnce::kNever) return;
  // Of a wrapper it depends on what it holds; tokens are in its examples.
  if (GetParam()->class_name == TimeDistributedLayer::kClass) return;
  if (GetParam()->takes == LayerTakes::kTokens) return;
  constexpr int64_t kSteps = 3;
  ForEachSample([&](SampleSource& random) {
    const Sample sample = DrawSample(*GetParam(), random);
    const Shape& shape = sample.x.shape();
    const auto whole = [&](int64_t steps) {
      Shape to = {shape[0], steps};
      for (const Dim dim : shape.dims().subspan(1)) to.Append(dim);
      return TensorType{DType::kFloat64, to};
    };
    LayerAlone over(TimeDistributed(sample.layer), whole(kSteps), /*masked=*/false);
    LayerAlone one(sample.layer, sample.x.type(), /*masked=*/false);
    SEQ_ASSERT_OK(over.g.status());
    SEQ_ASSERT_OK(one.g.status());
    LayerAlone longer(TimeDistributed(sample.layer), whole(2000), /*masked=*/false);
    SEQ_ASSERT_OK(longer.g.status());
    EXPECT_EQ(longer.g.function().nodes().size(), over.g.function().nodes().size());
    TensorMap feeds = {{"x", random.Reals(whole(kSteps).shape)}}, step_feeds;
    ASSERT_EQ(over.emitted.weights.size(), one.emitted.weights.size());
    for (size_t i = 0; i < one.emitted.weights.size(); ++i) {
      const Tensor weight = random.Reals(one.emitted.weights[i].shape, 0.25, 1);
      feeds[over.emitted.weights[i].variable] = weight;
      step_feeds[one.emitted.weights[i].variable] = weight;
    }
    over.g.Result("y", over.output.value);
    one.g.Result("y", one.output.value);
    SEQ_ASSERT_OK_AND_ASSIGN(const Function at_once, std::move(over.g).Build());
    SEQ_ASSERT_OK_AND_ASSIGN(const Function alone, std::move(one.g).Build());
    SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap results, Evaluate(at_once, feeds));
    const int64_t rows = shape[0].size(), in = sample.x.num_elements() / rows;
    for (int64_t t = 0; t < kSteps; ++t) {
      Tensor x = sample.x;
      for (int64_t i = 0; i < rows * in; ++i) {
        x.Elements<double>()[i] =
            feeds.at("x").Elements<double>()[(i / in * kSteps + t) * in + i % in];
      }
      step_feeds["x"] = x;
      SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap expected, Evaluate(alone, step_feeds));
      const Tensor& y = expected.at("y");
      ASSERT_EQ(results.at("y").num_elements(), kSteps * y.num_elements());
      const int64_t out = y.num_elements() / rows;
      for (int64_t i = 0; i < rows * out; ++i) {
        const double got =
            results.at("y").Elements<double>()[(i / out * kSteps + t) * out + i % out];
        ASSERT_NEAR(got, y.Elements<double>()[i], 1e-12 * (1 + std::fabs(got))) << "step " << t;
      }
    }
  });
}

// A stack that ends in the layer: tokens, one-hot or numbers as it takes them, with a fixed batch
// for what is stateful.
LayerStack SampleStack(const LayerDef& def, SampleSource& random) {
  LayerStack stack{.name = "sample", .input = {.time = random.Dimension(), .batch = 2}};
  const LayerKind layer = SampleLayer(def, AllLayers(), random);
  if (def.takes == LayerTakes::kImage) {
    stack.input.name = "inputs";
    stack.input.between = {random.Dimension()};
    stack.input.features = random.Dimension();
  } else if (def.takes != LayerTakes::kTokens) {
    if (random.Coin()) {
      stack.layers.push_back(
          {"words", true,
           EmbeddingLayer{.input_dim = 5, .output_dim = 2, .mask_zero = random.Coin()}});
    } else {
      stack.input.name = "inputs";
      stack.input.features = random.Dimension();
    }
  }
  if (def.takes == LayerTakes::kVector) {
    stack.layers.push_back({"pooling", true, GlobalMaxPooling1DLayer{}});
  }
  stack.layers.push_back({"layer", random.Coin(), layer});
  if (def.least_inputs > 1) {
    // A graph in which all of its inputs are what the layer in front gives.
    std::vector<LayerCall> calls = CallsOf(stack);
    stack.outputs = OutputsOf(stack);
    calls.back().inputs.resize(def.least_inputs, calls.back().inputs[0]);
    stack.calls = std::move(calls);
  }
  return stack;
}

absl::StatusOr<Model> ModelOf(const LayerStack& stack) {
  Model model;
  model.name = stack.name;
  SEQ_ASSIGN_OR_RETURN(Function predict, StackFunction("predict", stack, AllLayers()).Build());
  SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(predict)));
  model.layers = stack;
  return model;
}

TEST_P(LayerTest, ComesBackFromOurFiles) {
  ForEachSample([&](SampleSource& random) {
    SEQ_ASSERT_OK_AND_ASSIGN(const Model model, ModelOf(SampleStack(*GetParam(), random)));
    for (const ModelFormat format : {ModelFormat::kBinary, ModelFormat::kText}) {
      SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeModel(model, format));
      SEQ_ASSERT_OK_AND_ASSIGN(const Model read, ParseModel(bytes, format, AllOps()));
      ASSERT_TRUE(read.layers == model.layers);
      SEQ_ASSERT_OK(RecognizeStack(read));
    }
  });
}

TEST_P(LayerTest, ComesBackFromKerasFiles) {
  // In a stack its layers come back as the stack's own; TimeDistributed holds it.
  if (GetParam()->class_name == InnerStackLayer::kClass) return;
  ForEachSample([&](SampleSource& random) {
    keras::KerasModel model{.stack = SampleStack(*GetParam(), random)};
    SEQ_ASSERT_OK_AND_ASSIGN(const auto layers, keras::WeightsOf(model.stack));
    for (const keras::Weight& weight : keras::AllWeights(layers)) {
      model.weights.push_back({weight.variable, random.Reals(weight.shape).Cast(DType::kFloat32)});
    }
    // What Keras does not have is its input: see OneHotWordsAreTheShapeOfTheInput.
    if (!GetParam()->keras.exists) return;
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string zip, keras::KerasZip(model));
    absl::StatusOr<std::string> keras3 = KerasHdf5(model, keras::Layout::kKeras3);
    if (GetParam()->keras.operation) {  // which no .h5 file holds
      EXPECT_THAT(keras3.status(), StatusIs(absl::StatusCode::kUnimplemented, "only .keras"));
      keras3 = zip;
    }
    SEQ_ASSERT_OK(keras3);
    const absl::StatusOr<std::string> keras2 = KerasHdf5(model, keras::Layout::kKeras2);
    if (!keras2.ok()) {  // a name, or a mask, that means something else there
      EXPECT_THAT(keras2.status(), StatusIs(absl::StatusCode::kUnimplemented, "--h5_layout"));
    }
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string weights, keras::KerasWeightsHdf5(model));
    const auto expect_weights = [&](const std::vector<keras::NamedTensor>& read) {
      ASSERT_EQ(read.size(), model.weights.size());
      for (size_t i = 0; i < read.size(); ++i) {
        EXPECT_EQ(read[i].name, model.weights[i].name);
        EXPECT_TRUE(read[i].tensor.BitwiseEquals(model.weights[i].tensor)) << read[i].name;
      }
    };
    for (const std::string& bytes : {zip, *keras3, keras2.ok() ? *keras2 : *keras3}) {
      SEQ_ASSERT_OK_AND_ASSIGN(const keras::KerasModel read, keras::ParseKerasModel(bytes));
      EXPECT_TRUE(read.notes.empty()) << read.notes[0];
      LayerStack expected = model.stack;
      // Keras's class may have no word for it.
      if (!GetParam()->keras.takes_trainable) expected.layers.back().trainable = true;
      for (size_t i = 0; keras2.ok() && bytes == *keras2 && i < expected.calls.size(); ++i) {
        expected.calls[i].masks = read.stack.calls[i].masks;  // which it does not say
      }
      ASSERT_TRUE(read.stack == expected);
      expect_weights(read.weights);
    }
    std::vector<std::string> notes;
    SEQ_ASSERT_OK_AND_ASSIGN(const keras::StoredWeights stored,
                             keras::ParseKerasWeights(weights, model.stack, &notes));
    expect_weights(stored.weights);
  });
}

// Where a definition looks for its layer, it finds most of them, and what is found builds the same.
TEST_P(LayerTest, IsRecognizedInAFunction) {
  if (!GetParam()->recognize) return;
  int found = 0;
  ForEachSample([&](SampleSource& random) {
    const LayerStack stack = SampleStack(*GetParam(), random);
    absl::StatusOr<Model> model = ModelOf(stack);
    SEQ_ASSERT_OK(model);
    model->layers.reset();
    const absl::StatusOr<RecognizedStack> recognized = RecognizeStack(*model);
    if (!recognized.ok()) {
      EXPECT_EQ(recognized.status().code(), absl::StatusCode::kUnimplemented);
      return;
    }
    const std::string& last = recognized->stack.layers.empty()
                                  ? std::string()
                                  : recognized->stack.layers.back().kind.class_name;
    found += last == GetParam()->class_name;
  });
  EXPECT_GE(found, kSamples / 4);
}

// Each rule of a field is kept: what is beyond it is refused by name.
TEST_P(LayerTest, RefusesSettingsBeyondTheirRules) {
  SampleSource random(kSeed, 3);
  const LayerKind good = SampleLayer(*GetParam(), AllLayers(), random);
  SEQ_ASSERT_OK(CheckLayer(good, AllLayers()));
  const auto refused = [&](const std::string& name, LayerSetting value) {
    LayerKind bad = good;
    bad.settings[name] = std::move(value);
    EXPECT_THAT(CheckLayer(bad, AllLayers()),
                StatusIs(absl::StatusCode::kInvalidArgument, name == "sparkle" ? "sparkle" : ""))
        << name;
    LayerStack stack{.input = {.time = 1}};
    stack.layers = {{"bad", true, bad}};
    EXPECT_THAT(DescribeStack(stack, AllLayers()),
                StatusIs(absl::StatusCode::kInvalidArgument, "layer bad: "));
  };
  refused("sparkle", LayerSetting(int64_t{1}));
  for (const LayerField& field : GetParam()->fields) {
    refused(field.name, std::holds_alternative<int64_t>(field.default_value)
                            ? LayerSetting(std::string("1"))
                            : LayerSetting(int64_t{1}));
    if (std::holds_alternative<int64_t>(field.default_value)) {
      refused(field.name, LayerSetting(static_cast<int64_t>(field.rule.low) - 1));
      refused(field.name, LayerSetting(static_cast<int64_t>(field.rule.high) + 1));
    } else if (std::holds_alternative<double>(field.default_value)) {
      refused(field.name, LayerSetting(NAN));
      refused(field.name, LayerSetting(INFINITY));
      if (field.rule.open) refused(field.name, LayerSetting(field.rule.high));
      if (field.rule.low > -1e300) refused(field.name, LayerSetting(field.rule.low - 0.5));
    } else if (std::holds_alternative<std::string>(field.default_value)) {
      refused(field.name, LayerSetting(std::string("sparkle")));
    } else if (std::holds_alternative<std::vector<int64_t>>(field.default_value)) {
      const auto below = static_cast<int64_t>(field.rule.low) - 1;
      refused(field.name, LayerSetting(std::vector<int64_t>{below}));
      refused(field.name, LayerSetting(std::vector<int64_t>(Shape::kMaxRank + 1, 1)));
    } else if (std::holds_alternative<std::vector<double>>(field.default_value)) {
      refused(field.name, LayerSetting(std::vector<double>{NAN}));
    } else if (std::holds_alternative<Regularizer>(field.default_value)) {
      refused(field.name, LayerSetting(Regularizer{.l1 = -1}));
    } else if (std::holds_alternative<std::vector<Layer>>(field.default_value)) {
      refused(field.name, LayerSetting(std::vector<Layer>()));
      refused(field.name, LayerSetting(std::vector<Layer>{{"a", true, {}}}));
    }
    if (field.rule.must) {
      LayerKind without = good;
      without.settings.erase(field.name);
      EXPECT_FALSE(CheckLayer(without, AllLayers()).ok()) << field.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllLayers, LayerTest, ::testing::ValuesIn(AllDefs()),
                         [](const ::testing::TestParamInfo<const LayerDef*>& info) {
                           return info.param->class_name;
                         });

// What a layer gives in training for 10,000 equal elements: their mean and standard deviation.
std::pair<double, double> MomentsInTraining(const LayerKind& kind, double x, int64_t step) {
  FunctionBuilder g("layer", AllOps());
  const TensorType counter = {DType::kInt64, {}};
  EmissionState state{
      .g = g,
      .registry = AllLayers(),
      .dropout = DropoutCounters{g.Input("seed", counter), g.Input("step", counter)},
      .real = DType::kFloat64};
  const Tensor input = Tensor::Of<double>({100, 100}, std::vector<double>(10000, x));
  EmittedLayer emitted;
  LayerContext context(state, {g.Input("x", input.type()), {}}, true, "layer", "", "", emitted);
  g.Result("y", EmitLayer(context, *AllLayers().Find(kind.class_name), kind).value);
  EXPECT_TRUE(state.drops);
  const absl::StatusOr<Function> function = std::move(g).Build();
  EXPECT_TRUE(function.ok()) << function.status();
  const auto results = Evaluate(*function, {{"x", input},
                                            {"seed", Tensor::Scalar<int64_t>(7)},
                                            {"step", Tensor::Scalar<int64_t>(step)}});
  EXPECT_TRUE(results.ok()) << results.status();
  double sum = 0, squares = 0;
  for (const double y : results->at("y").Elements<double>()) sum += y;
  for (const double y : results->at("y").Elements<double>()) squares += std::pow(y - sum / 1e4, 2);
  return {sum / 1e4, std::sqrt(squares / 1e4)};
}

// Of 10,000 numbers the mean is off by stddev / 100, and their deviation by stddev / 141.
TEST(NoiseLayersTest, HaveTheMomentsOfNormalNoise) {
  const auto [mean, stddev] = MomentsInTraining(GaussianNoiseLayer{.stddev = 0.5}, 3, 1);
  EXPECT_NEAR(mean, 3, 4 * 0.5 / 100);
  EXPECT_NEAR(stddev, 0.5, 4 * 0.5 / 141);
  EXPECT_NE(MomentsInTraining(GaussianNoiseLayer{.stddev = 0.5}, 3, 2).first, mean);
  const auto [kept, spread] = MomentsInTraining(GaussianDropoutLayer{.rate = 0.2}, 2, 1);
  EXPECT_NEAR(kept, 2, 4.0 / 100);
  EXPECT_NEAR(spread, 1, 4.0 / 141);  // 2 sqrt(0.2 / 0.8)
}

// A layer of a program's own: y = x * factor, as a user would write it.
struct ScaleLayer {
  static constexpr char kClass[] = "MyScale";
  double factor = 1;
  template <typename Visitor>
  void Fields(Visitor& field) {
    field("factor", factor, AnyValue(), "what x is multiplied with");
  }
};

LayerDef ScaleDef() {
  return DefineLayer<ScaleLayer>()
      .Doc("y = factor x.")
      .Emit([](LayerContext& c, const ScaleLayer& layer) {
        return c.Pass(ops::Scale(c.g(), c.x(), layer.factor, c.name()));
      })
      .Example({"twice",
                ScaleLayer{.factor = 2},
                Tensor::Of<double>({1, 1}, {3}),
                {},
                Tensor::Of<double>({1, 1}, {6})});
}

TEST(LayerRegistryTest, AProgramMayHaveLayersOfItsOwn) {
  LayerRegistry registry;
  SEQ_ASSERT_OK(RegisterAllLayers(registry));
  SEQ_ASSERT_OK(registry.Register(ScaleDef()));
  EXPECT_EQ(registry.Register(ScaleDef()).code(), absl::StatusCode::kAlreadyExists);
  LayerStack stack{.input = {.name = "inputs", .time = 2, .features = 3}};
  stack.layers = {{"scale", true, ScaleLayer{.factor = 0.5}},
                  {"out", true, DenseLayer{.units = 1}}};
  SEQ_ASSERT_OK_AND_ASSIGN(const EmittedStack emitted, DescribeStack(stack, registry));
  EXPECT_EQ(emitted.layers[0].output.ToString(), "float32[batch, 2, 3]");
  EXPECT_THAT(DescribeStack(stack, AllLayers()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "layer scale: layer class MyScale is not known here; Embedding, OneHot"));
  // Our files hold it whether it is known or not; Keras's with the registry.
  Model model;
  SEQ_ASSERT_OK_AND_ASSIGN(Function predict, StackFunction("predict", stack, registry).Build());
  SEQ_ASSERT_OK(model.AddFunction(std::move(predict)));
  model.layers = stack;
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeModel(model, ModelFormat::kBinary));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model read, ParseModel(bytes, ModelFormat::kBinary, AllOps()));
  EXPECT_TRUE(read.layers == model.layers);
  SEQ_EXPECT_OK(RecognizeStack(read, registry));
  keras::KerasModel keras{.stack = stack};
  for (const auto& [name, shape] : {std::pair{"out/kernel", Shape{3, 1}}, {"out/bias", Shape{1}}}) {
    keras.weights.push_back({name, *Tensor::Zeros({DType::kFloat32, shape})});
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string zip, keras::KerasZip(keras, registry));
  SEQ_ASSERT_OK_AND_ASSIGN(const keras::KerasModel again,
                           keras::ParseKerasModel(zip, {.layers = &registry}));
  EXPECT_TRUE(again.stack == stack);
  EXPECT_THAT(keras::ParseKerasModel(zip),
              StatusIs(absl::StatusCode::kUnimplemented, "class MyScale is not known"));
}

TEST(LayerRegistryTest, RefusesDefinitionsWithAPartMissing) {
  const auto refused = [](const std::function<void(LayerDef&)>& change) {
    LayerDef def = ScaleDef();
    change(def);
    LayerRegistry registry;
    return registry.Register(std::move(def)).code() == absl::StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](LayerDef& def) { def.doc.clear(); }));
  EXPECT_TRUE(refused([](LayerDef& def) { def.emit = nullptr; }));
  EXPECT_TRUE(refused([](LayerDef& def) { def.examples.clear(); }));
  EXPECT_TRUE(refused([](LayerDef& def) { def.class_name.clear(); }));
  EXPECT_TRUE(refused([](LayerDef& def) { def.fields.push_back(def.fields[0]); }));
  EXPECT_TRUE(refused([](LayerDef& def) { def.fields[0].rule = Rate(); }));
  EXPECT_FALSE(refused([](LayerDef&) {}));
}

}  // namespace
}  // namespace seqgraph
