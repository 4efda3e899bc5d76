// Damaged model files: every prefix, and thousands of random changes. Each must give an error or a
// model that verifies, saves and loads again; never a crash, never much memory.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/crc32c.h"
#include "google/protobuf/stubs/logging.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/verifier.h"
#include "layers/all_layers.h"
#include "ops/all_ops.h"
#include "serialization/model.pb.h"
#include "serialization/model_io.h"
#include "serialization/proto_guard.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/mutator.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

// What loading N bytes may hold at one time: the parsed message within the guard's limit, and as
// much again for the model that is built from it.
int64_t MemoryLimit(size_t bytes) {
  return 2 * (static_cast<int64_t>(bytes) * kParseMemoryFactor + kParseMemoryBase);
}

constexpr size_t kChecksumBytes = 6;

std::string Seal(std::string content) {
  const uint32_t sum = Crc32c(content);
  content += "\xC5\x3E";
  for (int i = 0; i < 4; ++i) content += static_cast<char>(sum >> (8 * i));
  return content;
}

// A small classifier with a training step: most kinds of parts, every kind of attribute but one.
absl::StatusOr<Function> TrainStep() {
  FunctionBuilder g("train_step", AllOps());
  const Value tokens = g.Input("tokens", {DType::kInt32, {Dim::Batch(), 3}});
  const Value labels = g.Input("labels", {DType::kFloat32, {Dim::Batch(), 1}});
  const Value table = g.Variable("embedding", {4, 2}, Initializer::Uniform(0.05));
  const Value w = g.Variable("kernel", {2, 3}, Initializer::GlorotUniform());
  const Value u = g.Variable("recurrent_kernel", {3, 3}, Initializer::Orthogonal());
  const Value dense = g.Variable("dense", {3, 1}, Initializer::GlorotUniform());
  const Value velocity =
      g.Variable({"velocity", {DType::kFloat32, {3, 1}}, {}, VariableRole::kOptimizer, false});
  const Value step = g.Variable({"step", {DType::kInt64, {}}, {}, VariableRole::kOptimizer, false});
  const Value lr = g.Variable({"lr", {DType::kFloat32, {}}, Initializer::Constant(1e-4)});
  const Value x = g.AddNode("Embedding", {tokens, table})[0];
  const Value last = g.AddNode("RNNCell", {x, w, u})[1];
  const Value z = g.AddNode("Dense", {last, dense})[0];
  const Value loss = g.AddNode("BCEWithLogits", {z, labels})[0];
  const absl::StatusOr<std::vector<Value>> gradients = AddGradients(g, loss, {dense, table});
  if (!gradients.ok()) return gradients.status();
  const std::vector<Value> updated =
      g.AddNode("RMSPropUpdate", {dense, (*gradients)[0], lr, velocity}, {{"rho", 0.875}});
  g.Result("loss", loss);
  g.Result("mean", g.AddNode("ReduceMean", {x}, {{"axes", std::vector<int64_t>{0, 2}}})[0]);
  g.Result("d_embedding", (*gradients)[1]);
  g.Result("constant",
           g.AddNode("Constant", {}, {{"value", Tensor::Of<float>({2}, {0.5f, 3})}})[0]);
  g.Update("dense", updated[0]);
  g.Update("velocity", updated[1]);
  g.Update("step", g.AddNode("Increment", {step})[0]);
  return std::move(g).Build();
}

Model SmallModel() {
  Model model;
  model.name = "fuzz";
  absl::StatusOr<Function> function = TrainStep();
  SEQ_EXPECT_OK(function);
  SEQ_EXPECT_OK(model.AddFunction(*std::move(function)));
  model.preprocessing = {"imdb", 7, 3, {"good", "bad", "caf\xE9"}};
  model.labels = {"negative", "positive"};
  const RecurrentLayer rnn{.units = 2, .kernel_regularizer = {.l2 = 0.5}};
  model.layers = LayerStack{.name = "stack", .input = {.time = 3}};
  model.layers->layers = {{"e", true, EmbeddingLayer{.input_dim = 4, .output_dim = 2}},
                          {"b", false, Bidirectional(rnn)},
                          {"p", true, GlobalAveragePooling1DLayer{}},
                          {"d", true, DenseLayer{.units = 1}},
                          {"a", true, ActivationLayer{}}};
  return model;
}

class ModelFuzzTest : public ::testing::Test {
 protected:
  // Ops are defined when they are first asked for, which is no memory of a file's.
  static void SetUpTestSuite() { (void)AllOps().All(); }

  void TearDown() override {
    std::printf("%d errors, %d valid models, at most %.1f bytes of memory a byte of file\n",
                errors_, valid_, largest_ratio_);
  }

  std::string Saved(ModelFormat format) { return *SerializeModel(model_, format); }
  // As people write it: without the checksum, which would refuse every change.
  std::string Text() {
    return absl::StrReplaceAll(Saved(ModelFormat::kText), {{"# crc32c", "# it was"}});
  }

  // Loads damaged bytes and checks what comes out.
  void Check(const std::string& bytes, ModelFormat format) {
    AllocationMeter meter;
    absl::StatusOr<Model> model = ParseModel(bytes, format, AllOps());
    const int64_t peak = meter.peak();
    ASSERT_LE(peak, MemoryLimit(bytes.size())) << bytes.size() << " bytes";
    // In tiny inputs the text of the error is most of it.
    if (bytes.size() >= 1024) {
      largest_ratio_ = std::max(largest_ratio_, static_cast<double>(peak) / bytes.size());
    }
    if (!model.ok()) {
      ++errors_;
      ASSERT_FALSE(model.status().message().empty());
      return;
    }
    ++valid_;
    SEQ_ASSERT_OK(VerifyModel(*model));
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string again, SerializeModel(*model, format));
    SEQ_ASSERT_OK_AND_ASSIGN(const Model reread, ParseModel(again, format, AllOps()));
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string twice, SerializeModel(reread, format));
    ASSERT_TRUE(twice == again);
  }

  Model model_ = SmallModel();
  int errors_ = 0;
  int valid_ = 0;
  double largest_ratio_ = 0;
};

TEST_F(ModelFuzzTest, TheUndamagedModelIsValid) {
  for (const ModelFormat format : {ModelFormat::kBinary, ModelFormat::kText}) {
    Check(Saved(format), format);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(valid_, 2);
}

TEST_F(ModelFuzzTest, EveryPrefixOfABinaryFileIsAnError) {
  const std::string bytes = Saved(ModelFormat::kBinary);
  for (size_t n = 0; n < bytes.size(); ++n) {
    Check(bytes.substr(0, n), ModelFormat::kBinary);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(valid_, 0);
}

// With the right checksum, so that the parser and all behind it see the prefix.
TEST_F(ModelFuzzTest, EveryPrefixWithAChecksumOfItsOwnIsAnErrorOrAModel) {
  const std::string bytes = Saved(ModelFormat::kBinary);
  for (size_t n = 0; n + kChecksumBytes < bytes.size(); ++n) {
    Check(Seal(bytes.substr(0, n)), ModelFormat::kBinary);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(errors_, valid_);
}

TEST_F(ModelFuzzTest, EveryPrefixOfATextFileIsAnErrorOrAModel) {
  const std::string text = Text();
  for (size_t n = 0; n < text.size(); ++n) {
    Check(text.substr(0, n), ModelFormat::kText);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(errors_, valid_);
}

TEST_F(ModelFuzzTest, TenThousandMutationsGiveErrorsOrModels) {
  Mutator mutator(FuzzSeed(20240607));
  const std::string binary = Saved(ModelFormat::kBinary);
  const std::string content = binary.substr(0, binary.size() - kChecksumBytes);
  const std::string text = Text();
  proto::Model message;
  ASSERT_TRUE(message.ParseFromString(content));
  const int count = FuzzCount(10000);
  for (int i = 0; i < count; ++i) {
    switch (i % 5) {
      case 0:
        Check(mutator.Bytes(binary), ModelFormat::kBinary);
        break;
      case 1:
        Check(Seal(mutator.Bytes(content)), ModelFormat::kBinary);
        break;
      case 2:
        Check(mutator.Bytes(text), ModelFormat::kText);
        break;
      default: {
        proto::Model changed = message;
        mutator.Message(changed);
        google::protobuf::LogSilencer silencer;  // it says so when a text is not UTF-8
        Check(Seal(changed.SerializeAsString()), ModelFormat::kBinary);
      }
    }
    if (HasFatalFailure()) FAIL() << "mutation " << i;
  }
  // A mutator that breaks everything at the first check, or changes nothing, would test nothing.
  EXPECT_GT(errors_, count / 2);
  EXPECT_GT(valid_, count / 50);
}

// The graph that takes the most memory a byte: short names, attributes left to their defaults.
TEST_F(ModelFuzzTest, TheDensestGraphStaysWithinTheLimit) {
  if (!AllocationMeter::available()) GTEST_SKIP() << "a sanitizer has its own allocator";
  proto::Model message;
  message.set_magic("seqgraph model");
  message.set_format_version(1);
  proto::Function& f = *message.add_functions();
  f.set_name("f");
  proto::Input& input = *f.add_inputs();
  input.set_name("x");
  input.mutable_type()->set_dtype(proto::FLOAT32);
  for (int i = 0; i < 50000; ++i) {
    proto::Node& node = *f.add_nodes();
    node.set_name(absl::StrCat(i));
    node.set_op("RMSPropUpdate");
    for (int k = 0; k < 4; ++k) node.add_inputs("x");
  }
  proto::Result& result = *f.add_results();
  result.set_name("x");
  result.set_value("x");
  Check(Seal(message.SerializeAsString()), ModelFormat::kBinary);
  EXPECT_EQ(valid_, 1);
}

}  // namespace
}  // namespace seqgraph
