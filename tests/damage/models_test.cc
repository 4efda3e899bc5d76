// Damage of model files is noticed when they are loaded, each single bit of it; in text also what
// leaves the model as it was may pass.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime_library/runtime.h"
#include "seqgraph.h"
#include "tests/damage/damage.h"
#include "tests/testing.h"
#include "tools/embedded_header.h"
#include "training/self_tests.h"

namespace seqgraph {
namespace {

// With a vocabulary, labels, layers, three functions and what Adam remembers.
absl::StatusOr<Model> SmallModel() {
  Sequential stack({.time = 4}, "damaged");
  stack.Add(EmbeddingLayer{.input_dim = 9, .output_dim = 2});
  stack.Add(LSTM(2));
  stack.Add(DenseLayer{.units = 1});
  TrainableOptions options;
  options.optimizer = Adam();
  absl::StatusOr<Model> model = stack.Build(options);
  if (!model.ok()) return model;
  model->description = "a model to be damaged";
  model->preprocessing = {"imdb", 9, 4, {"good", "bad", "caf\xE9"}};
  model->labels = {"negative", "positive"};
  return model;
}

class ModelDamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SEQ_ASSERT_OK_AND_ASSIGN(model_, SmallModel());
    SEQ_ASSERT_OK_AND_ASSIGN(binary_, SerializeModel(model_, ModelFormat::kBinary));
  }

  // OK for the very model; a failure of the test for another that is taken for whole.
  absl::Status Load(const std::string& path, const std::string& bytes) const {
    Overwrite(path, bytes);
    const absl::StatusOr<Model> model = LoadModel(path, AllOps());
    if (!model.ok()) return model.status();
    const absl::StatusOr<std::string> again = SerializeModel(*model, ModelFormat::kBinary);
    EXPECT_TRUE(again.ok() && *again == binary_) << "another model was loaded";
    return absl::OkStatus();
  }

  Model model_;
  std::string binary_;
  const std::string folder_ = MakeTempDir();
};

TEST_F(ModelDamageTest, OfABinaryFile) {
  const std::string path = folder_ + "/m.pb";
  ExpectDamageIsNoticed(binary_, path, /*may_pass=*/false,
                        [&](const std::string& bytes) { return Load(path, bytes); });
}

TEST_F(ModelDamageTest, OfTheOptimizersState) {
  const std::string path = folder_ + "/m.pb";
  // Variables stand behind all functions, the optimizer's behind the weights.
  const size_t begin = binary_.rfind("dense/bias");
  const size_t variables = binary_.find("optimizer/", binary_.rfind("train_step"));
  ASSERT_NE(variables, std::string::npos);
  ASSERT_LT(variables, begin);
  ExpectDamageIsNoticed(
      binary_, path, /*may_pass=*/false,
      [&](const std::string& bytes) { return Load(path, bytes); }, NumFlips(), variables, begin);
}

TEST_F(ModelDamageTest, OfAFileInText) {
  const std::string path = folder_ + "/m.textproto";
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string text, SerializeModel(model_, ModelFormat::kText));
  const int refused = ExpectDamageIsNoticed(
      text, path, /*may_pass=*/true, [&](const std::string& bytes) { return Load(path, bytes); });
  EXPECT_GT(refused, NumFlips());  // nearly all
}

// The runtime library has a reader of its own.
TEST_F(ModelDamageTest, OfABinaryFileInTheRuntimeLibrary) {
  ExpectDamageIsNoticed(binary_, "", /*may_pass=*/false, [](const std::string& bytes) {
    seqgraph_model* model = nullptr;
    seqgraph_status status;
    const int32_t code = seqgraph_model_parse(bytes.data(), bytes.size(), &model, &status);
    seqgraph_model_free(model);
    return code == SEQGRAPH_OK ? absl::OkStatus() : absl::DataLossError(status.text);
  });
}

// What a compiler makes of the array: none of what is no number, and no number beyond a byte.
absl::StatusOr<std::string> Compiled(const std::string& array) {
  std::string bytes;
  for (const absl::string_view number : absl::StrSplit(array, ',', absl::SkipWhitespace())) {
    int byte = 0;
    if (!absl::SimpleAtoi(number, &byte) || byte < 0 || byte > 255) {
      return absl::DataLossError(absl::StrCat("error: ", number));
    }
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

TEST_F(ModelDamageTest, OfTheArrayThatIsCompiledIntoAProgram) {
  const std::string header = tools::EmbeddedHeader("m", "a model", binary_);
  const size_t begin = header.find("] = {") + 5, end = header.find("};", begin);
  ASSERT_LT(begin, end);
  const std::string array = header.substr(begin, end - begin);
  ExpectDamageIsNoticed(array, "", /*may_pass=*/true, [&](const std::string& damaged) {
    const absl::StatusOr<std::string> bytes = Compiled(damaged);
    if (!bytes.ok()) return bytes.status();
    if (*bytes == binary_) return absl::OkStatus();  // white space
    const absl::Status status = ParseModel(*bytes, ModelFormat::kBinary, AllOps()).status();
    EXPECT_FALSE(status.ok()) << "another model was loaded";
    return status;
  });
}

}  // namespace
}  // namespace seqgraph
