// Damaged Keras files: every prefix, and thousands of random changes. Each must
// give an error or a model that is written and read again; never a crash, never much memory.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/zip.h"
#include "layers/all_layers.h"
#include "layers/layer_emission.h"
#include "optimizers/all_optimizers.h"
#include "serialization/hdf5/reader.h"
#include "serialization/hdf5/writer.h"
#include "serialization/keras/keras_io.h"
#include "serialization/keras/optimizer_state.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/seed_models.h"
#include "tests/testing.h"

namespace seqgraph::keras {
namespace {

// What reading may hold at one time: the tree with its names and the model made from it, the JSON
// as objects, what libarchive needs whatever it reads.
int64_t MemoryLimit(size_t bytes) { return 64 * static_cast<int64_t>(bytes) + (int64_t{1} << 20); }

// Layers of most kinds, with a state of the optimizer.
KerasModel SmallModel() {
  KerasModel model;
  model.stack = {.name = "fuzz", .input = {.time = 3}};
  model.stack.layers = {
      {"embedding", true, EmbeddingLayer{.input_dim = 4, .output_dim = 2, .mask_zero = true}},
      {"dropout", true, DropoutLayer{.rate = 0.25}},
      {"both", true, Bidirectional(GRU(2))},
      {"dense", true,
       DenseLayer{.units = 1, .activation = "sigmoid", .kernel_regularizer = {.l2 = 0.5}}}};
  model.training = Training{.loss = "binary_crossentropy",
                            .metrics = {"accuracy"},
                            .optimizer = Adam{.learning_rate = 0.5}};
  model.preprocessing = {"imdb", 7, 3, {"good", "caf\xE9"}};
  model.labels = {"negative", "positive"};
  const std::vector<Weight> weights = AllWeights(*WeightsOf(model.stack));
  const auto fill = [](const Shape& shape) {
    Tensor tensor = *Tensor::Zeros({DType::kFloat32, shape});
    for (int64_t i = 0; i < tensor.num_elements(); ++i) {
      tensor.Elements<float>()[i] = 0.125f * static_cast<float>(i - 2);
    }
    return tensor;
  };
  for (const Weight& weight : weights) {
    model.weights.push_back({weight.variable, fill(weight.shape)});
  }
  model.optimizer_state = {{kIteration, Tensor::Scalar<int64_t>(7)},
                           {kLearningRate, Tensor::Scalar(0.5f)}};
  for (const Slot& slot : SlotsOf(*model.training->optimizer, weights)) {
    model.optimizer_state.push_back({slot.variable, fill(slot.shape())});
  }
  return model;
}

class KerasFuzzTest : public ::testing::Test {
 protected:
  void TearDown() override {
    std::printf("%d errors, %d valid models, at most %.1f bytes of memory a byte of file\n",
                errors_, valid_, largest_ratio_);
  }

  // Runs one reader under the meter.
  template <typename Read>
  auto Measured(size_t bytes, Read read) {
    AllocationMeter meter;
    auto result = read();
    const int64_t peak = meter.peak();
    EXPECT_LE(peak, MemoryLimit(bytes)) << bytes << " bytes";
    if (bytes >= 1024) {
      largest_ratio_ = std::max(largest_ratio_, static_cast<double>(peak) / bytes);
    }
    ++(result.ok() ? valid_ : errors_);
    if (!result.ok()) {
      EXPECT_FALSE(result.status().message().empty());
    }
    return result;
  }

  void Check(const std::string& bytes) {
    const auto model = Measured(bytes.size(), [&] { return ParseKerasModel(bytes); });
    if (!model.ok()) return;
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string again, KerasZip(*model));
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel reread, ParseKerasModel(again));
    // Not all files say whether a layer without weights may be trained.
    const auto settled = [&](LayerStack stack) {
      for (Layer& layer : stack.layers) {
        const std::string prefix = layer.name + "/";
        layer.trainable |= std::none_of(
            model->weights.begin(), model->weights.end(),
            [&](const NamedTensor& weight) { return absl::StartsWith(weight.name, prefix); });
      }
      return stack;
    };
    ASSERT_TRUE(settled(reread.stack) == settled(model->stack));
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string twice, KerasZip(reread));
    ASSERT_TRUE(twice == again);
  }

  // A ".keras" file of these parts.
  static std::string Zip(const std::string& config, const std::string& weights) {
    return *WriteZip({{"config.json", config}, {"model.weights.h5", weights}});
  }

  const KerasModel model_ = SmallModel();
  const std::string hdf5_ = *KerasHdf5(model_, Layout::kKeras3);
  const std::string old_hdf5_ = *KerasHdf5(model_, Layout::kKeras2);
  const std::string zip_ = *KerasZip(model_);
  const std::string weights_ = *KerasWeightsHdf5(model_);
  const std::string config_ = ReadZip(zip_, 1 << 30)->at("config.json");
  int errors_ = 0;
  int valid_ = 0;
  double largest_ratio_ = 0;
};

TEST_F(KerasFuzzTest, TheUndamagedFilesAreValid) {
  for (const std::string& bytes : {hdf5_, old_hdf5_, zip_, Zip(config_, weights_)}) Check(bytes);
  EXPECT_EQ(valid_, 4);
}

TEST_F(KerasFuzzTest, EveryPrefixIsAnErrorOrAModel) {
  for (const std::string& bytes : {hdf5_, zip_}) {
    for (size_t n = 0; n < bytes.size(); n += n < 200 ? 1 : 7) {
      Check(bytes.substr(0, n));
      if (HasFailure()) FAIL() << "the first " << n << " bytes";
    }
  }
  EXPECT_GT(errors_, 5 * valid_);
}

TEST_F(KerasFuzzTest, EveryPrefixOfAConfigurationIsAnError) {
  for (size_t n = 0; n < config_.size(); ++n) Check(Zip(config_.substr(0, n), weights_));
  EXPECT_EQ(valid_, 0);
}

TEST_F(KerasFuzzTest, MutationsGiveErrorsOrModels) {
  Mutator mutator(FuzzSeed(20251125));
  const int count = FuzzCount(6000);
  for (int i = 0; i < count; ++i) {
    switch (i % 6) {
      case 0:
        Check(mutator.Bytes(hdf5_));
        break;
      case 1:
        Check(mutator.Bytes(old_hdf5_));
        break;
      case 2:
        Check(mutator.Bytes(zip_));
        break;
      // Behind the zip's check sum.
      case 3:
        Check(Zip(config_, mutator.Bytes(weights_)));
        break;
      default:
        Check(Zip(mutator.Bytes(config_), weights_));
    }
    if (HasFailure()) FAIL() << "mutation " << i;
  }
  // A mutator that breaks everything at the first check, or changes nothing, would test nothing.
  EXPECT_GT(errors_, count / 4);
  EXPECT_GT(valid_, count / 80);
}

// A configuration and weights of each class of layers, optimizer and loss.
std::vector<std::pair<std::string, std::string>> FilesOfEachKind() {
  std::vector<std::pair<std::string, std::string>> files;
  const auto add = [&](const KerasModel& model) {
    const absl::StatusOr<std::string> zip = KerasZip(model), weights = KerasWeightsHdf5(model);
    if (!zip.ok() || !weights.ok()) return;  // what Keras does not have
    files.emplace_back(ReadZip(*zip, 1 << 30)->at("config.json"), *weights);
  };
  for (LayerStack& stack : LayerStacks()) {
    KerasModel model;
    const auto weights = WeightsOf(stack);
    if (!weights.ok()) continue;
    for (const Weight& weight : AllWeights(*weights)) {
      model.weights.push_back({weight.variable, *Tensor::Zeros({DType::kFloat32, weight.shape})});
    }
    model.stack = std::move(stack);
    add(model);
  }
  for (const OptimizerDef* optimizer : AllOptimizers()) {
    KerasModel model = SmallModel();
    model.optimizer_state.clear();
    model.training->optimizer = Optimizer(*optimizer);
    add(model);
  }
  return files;
}

TEST_F(KerasFuzzTest, MutationsOfEachKindGiveErrorsOrModels) {
  Mutator mutator(FuzzSeed(20261129));
  const std::vector<std::pair<std::string, std::string>> files = FilesOfEachKind();
  ASSERT_GT(files.size(), 60u);
  const int count = FuzzCount(6000);
  for (int i = 0; i < count; ++i) {
    const auto& [config, weights] = files[mutator.Below(files.size())];
    switch (i % 4) {
      case 0:
        Check(Zip(mutator.Bytes(config), weights));
        break;
      case 1:
        Check(Zip(config, mutator.Bytes(weights)));
        break;
      default:
        Check(Zip(mutator.Json(config), weights));
    }
    if (HasFailure()) FAIL() << "mutation " << i;
  }
  EXPECT_GT(errors_, count / 4);
  EXPECT_GT(valid_, count / 40);
}

// Most bytes of a file are numbers and padding: here only what says where things are is changed.
TEST_F(KerasFuzzTest, MutatedStructureOfHdf5GivesErrorsOrTrees) {
  Mutator mutator(FuzzSeed(20251125));
  std::vector<size_t> places;  // of addresses, sizes and counts: small numbers, not zero
  for (size_t i = 0; i + 8 <= hdf5_.size(); i += 2) {
    const absl::string_view word = absl::string_view(hdf5_).substr(i, 8);
    if (word[0] != 0 && word.substr(3) == absl::string_view("\0\0\0\0\0", 5)) places.push_back(i);
  }
  ASSERT_GT(places.size(), 500u);
  const int count = FuzzCount(6000);
  for (int i = 0; i < count; ++i) {
    std::string bytes = hdf5_;
    for (int changes = 0; changes < 1 + i % 3; ++changes) {
      const size_t at = places[mutator.Below(places.size())];
      const std::string piece = i % 2 == 0 ? bytes.substr(places[mutator.Below(places.size())], 8)
                                           : mutator.Bytes(bytes.substr(at, 8)).substr(0, 8);
      bytes.replace(at, piece.size(), piece);
    }
    const auto tree = Measured(bytes.size(), [&] { return hdf5::ReadTree(bytes); });
    if (tree.ok()) {
      // Not writable: what could not be read of it.
      const absl::StatusOr<std::string> again = hdf5::WriteTree(*tree);
      if (again.ok()) {
        SEQ_EXPECT_OK(hdf5::ReadTree(*again));
      }
    }
    if (HasFailure()) FAIL() << "mutation " << i;
  }
  EXPECT_GT(errors_, count / 6);
  EXPECT_GT(valid_, count / 12);
}

// A zip that unfolds to far more than it is, and one that says so: neither is unfolded.
TEST_F(KerasFuzzTest, AZipThatUnfoldsToMuchIsRefused) {
  EXPECT_THAT(ReadZip(*WriteZip({{"a", std::string(100000, 'x')}}), 50000),
              StatusIs(absl::StatusCode::kResourceExhausted, "too many bytes"));
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 0; i < 1001; ++i) many.push_back({absl::StrCat(i), ""});
  EXPECT_THAT(ReadZip(*WriteZip(many), 1 << 20),
              StatusIs(absl::StatusCode::kResourceExhausted, "more than 1000 files"));
}

// Each extent is one that a layer may have; some products of them have more than 64 bits.
TEST(KerasExtentsTest, ProductsOfThemAreChecked) {
  const auto described = [](std::vector<LayerKind> kinds) {
    LayerStack stack{.input = {.time = 1 << 24, .features = 1}};
    for (LayerKind& kind : kinds) {
      stack.layers.push_back({absl::StrCat("layer", stack.layers.size()), true, std::move(kind)});
    }
    return DescribeStack(stack, AllLayers()).status();
  };
  const UpSampling1DLayer wide{.size = 1 << 16}, wider{.size = 1 << 24};
  EXPECT_THAT(described({wide, wider}), StatusIs(absl::StatusCode::kInvalidArgument, "layer1"));
  EXPECT_THAT(described({wide, FlattenLayer{}, ReshapeLayer{.target_shape = {1, -1}},
                         DepthwiseConv1DLayer{.kernel_size = 1, .depth_multiplier = 1 << 24}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "layer3"));
}

// Sizes in a configuration are believed only as far as the weights in the file bear them out.
TEST_F(KerasFuzzTest, HugeLayersTakeNoMemory) {
  std::string config = config_;
  const size_t at = config.find("\"units\":1,");
  ASSERT_NE(at, std::string::npos);
  config.replace(at, 10, "\"units\":16777216,");
  const std::string bytes = Zip(config, weights_);
  const auto model = Measured(bytes.size(), [&] { return ParseKerasModel(bytes); });
  EXPECT_THAT(model, StatusIs(absl::StatusCode::kInvalidArgument, "layers/dense/vars/0"));
  const std::string deep = Zip(std::string(100000, '['), weights_);
  EXPECT_THAT(Measured(deep.size(), [&] { return ParseKerasModel(deep); }),
              StatusIs(absl::StatusCode::kInvalidArgument, "more than 64 deep"));
}

}  // namespace
}  // namespace seqgraph::keras
