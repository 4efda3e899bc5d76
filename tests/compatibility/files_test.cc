// Every file of this folder is read and run as the program that wrote it did; and what is written
// today has the lowest version that holds it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/data_cache.h"
#include "data/dataset_bytes.h"
#include "data/series/series_set.h"
#include "data/testing/test_util.h"
#include "runtime_library/runtime.h"
#include "seqgraph.h"
#include "tests/testing.h"
#include "tools/encoded_texts.h"
#include "tools/file_kinds.h"
#include "training/self_tests.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const char kFolder[] = "tests/compatibility";
// Probabilities in float32, of small models.
constexpr double kAllowed = 1e-6;

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(absl::StrCat(kFolder, "/", folder))) {
    if (!entry.is_directory()) paths.push_back(entry.path().string());
  }
  return paths;
}

std::vector<std::string> ModelFiles() {
  std::vector<std::string> models;
  for (const std::string& path : FilesIn("models")) {
    if (ModelFormatOfPath(path).ok()) models.push_back(path);
  }
  return models;
}

// models/v3_layers.pb: what it must answer.
nlohmann::json ExpectedOf(const std::string& model) {
  // The same model in another dress has the same answers.
  const std::string name(absl::StripSuffix(fs::path(model).stem().string(), "_sealed"));
  const std::string path = absl::StrCat(kFolder, "/models/", name);
  return nlohmann::json::parse(data::ReadFileOrDie(path + ".expected.json"));
}

// The version that a binary file or the text says.
int VersionOf(const std::string& bytes) {
  if (absl::StartsWith(bytes, "\x0A")) return bytes[17];
  const size_t at = bytes.find("\nformat_version: ");
  int version = 0;
  EXPECT_TRUE(absl::SimpleAtoi(bytes.substr(at + 17, 1), &version));
  return version;
}

// The one result of predict.
std::vector<double> Answer(Model& model, const nlohmann::json& inputs, const char* backend) {
  const auto batch = static_cast<int64_t>(inputs.begin()->size());
  ModelRunner runner(&model, {.backend = backend});
  const absl::StatusOr<CompiledFunction*> predict = runner.Compile("predict", batch);
  SEQ_EXPECT_OK(predict);
  if (!predict.ok()) return {};
  const Function& function = *model.FindFunction("predict");
  EXPECT_EQ(function.inputs().size(), inputs.size());
  for (size_t i = 0; i < function.inputs().size(); ++i) {
    std::vector<int32_t> tokens;
    for (const auto& row : inputs.at(function.info(function.inputs()[i]).name)) {
      for (const auto& token : row) tokens.push_back(token);
    }
    const Shape shape = function.type(function.inputs()[i]).shape.Bind(batch);
    SEQ_EXPECT_OK((*predict)->SetInput(static_cast<int>(i), Tensor::Of<int32_t>(shape, tokens)));
  }
  SEQ_EXPECT_OK((*predict)->Run());
  const int64_t elements =
      function.type(function.results()[0].value).shape.Bind(batch).num_elements();
  const auto* const answer = static_cast<const float*>((*predict)->result(0));
  return {answer, answer + elements};
}

TEST(CompatibilityTest, EveryModelAnswersAsItMust) {
  const std::vector<std::string> models = ModelFiles();
  ASSERT_GE(models.size(), 11u);
  for (const std::string& path : models) {
    std::vector<SelfTest> tests;
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, LoadModel(path, AllOps(), &tests));
    const nlohmann::json expected = ExpectedOf(path);
    for (const char* backend : {"reference", "simd", "onednn"}) {
      SEQ_EXPECT_OK(RunSelfTests(model, tests, {.backend = backend})) << path;
      const std::vector<double> answer = Answer(model, expected["inputs"], backend);
      size_t i = 0;
      for (const auto& row : expected["answer"]) {
        for (const auto& number : row) {
          ASSERT_LT(i, answer.size());
          EXPECT_NEAR(answer[i++], number.get<double>(), kAllowed) << path << " on " << backend;
        }
      }
      EXPECT_EQ(i, answer.size());
      ModelRunner runner(&model, {.backend = backend});
      for (const Function& function : model.functions) {
        SEQ_EXPECT_OK(runner.Compile(function.name(), 2)) << path << ", " << function.name();
      }
    }
  }
}

TEST(CompatibilityTest, TheRuntimeLibraryReadsEveryBinaryModel) {
  for (const std::string& path : ModelFiles()) {
    if (!absl::EndsWith(path, ".pb")) continue;
    const std::string bytes = data::ReadFileOrDie(path);
    seqgraph_model* model = nullptr;
    seqgraph_status status;
    EXPECT_EQ(seqgraph_model_parse(bytes.data(), bytes.size(), &model, &status), SEQGRAPH_OK)
        << path << ": " << status.text;
    seqgraph_model_free(model);
  }
}

// The first digit of its name; and there is one of each version, binary and as text.
TEST(CompatibilityTest, EveryVersionIsThereAndIsWrittenAgainInTheLowest) {
  std::map<int, int> files;
  for (const std::string& path : ModelFiles()) {
    const int version = VersionOf(data::ReadFileOrDie(path));
    EXPECT_EQ(fs::path(path).filename().string()[1] - '0', version);
    ++files[version];
    std::vector<SelfTest> tests;
    SEQ_ASSERT_OK_AND_ASSIGN(const Model model, LoadModel(path, AllOps(), &tests));
    for (const ModelFormat format : {ModelFormat::kBinary, ModelFormat::kText}) {
      SEQ_ASSERT_OK_AND_ASSIGN(const std::string again, SerializeModel(model, format, tests));
      // The layers of version 3 are written as version 4 has them, which needs no list of classes.
      EXPECT_EQ(VersionOf(again), version == 3 ? 4 : version) << path;
    }
  }
  for (int version = 1; version <= kModelFormatVersion; ++version) {
    EXPECT_GE(files[version], 2) << "no files of version " << version;
  }
}

// Part by part: each that needs a version raises it to no more than that.
TEST(CompatibilityTest, AFileHasTheLowestVersionThatHoldsIt) {
  const auto version = [](const Model& model, const std::vector<SelfTest>& tests = {}) {
    return VersionOf(SerializeModel(model, ModelFormat::kBinary, tests).value_or("\n"));
  };
  std::vector<SelfTest> tests;
  SEQ_ASSERT_OK_AND_ASSIGN(Model model,
                           LoadModel("tests/compatibility/models/v4.pb", AllOps(), &tests));
  ASSERT_FALSE(tests.empty());
  EXPECT_EQ(version(model, tests), 4);
  EXPECT_EQ(version(model), 4);
  const auto layers = std::exchange(model.layers, std::nullopt);
  EXPECT_EQ(version(model, tests), 2);
  EXPECT_EQ(version(model), 1);
  model.labels.clear();
  model.preprocessing = {};
  model.optimizer = std::nullopt;
  EXPECT_EQ(version(model), 1);
  SEQ_ASSERT_OK_AND_ASSIGN(const Model graph,
                           LoadModel("tests/compatibility/models/v5.pb", AllOps()));
  EXPECT_EQ(version(graph), 5);
  model.layers = layers;
  EXPECT_EQ(version(model), 4);
}

void ExpectTheReviews(const data::Dataset& dataset) {
  EXPECT_THAT(dataset.train.tokens, ElementsAre(1, 4, 4, 7, 1, 2, 6, 4, 1, 2, 6, 5, 1, 5, 5, 7, 1,
                                                2, 4, 6, 1, 5, 6, 5, 1, 4, 6, 4, 1, 2, 5, 6));
  EXPECT_THAT(dataset.train.targets, ElementsAre(0, 0, 1, 1, 0, 1, 0, 1));
  EXPECT_THAT(dataset.validation.tokens, ElementsAre(0, 1, 5, 7, 1, 4, 7, 4));
  EXPECT_THAT(dataset.validation.targets, ElementsAre(1, 0));
  EXPECT_THAT(dataset.test.tokens, IsEmpty());
  EXPECT_THAT(dataset.labels, ElementsAre("neg", "pos"));
  EXPECT_EQ(dataset.vocabulary.size(), 4);
}

ContentHash HashOf(const std::string& hex) {
  ContentHash hash;
  for (size_t i = 0; i < hash.bytes.size(); ++i) {
    uint32_t byte = 0;
    EXPECT_TRUE(absl::SimpleHexAtoi(hex.substr(2 * i, 2), &byte));
    hash.bytes[i] = static_cast<uint8_t>(byte);
  }
  return hash;
}

TEST(CompatibilityTest, EveryEntryOfACacheIsRead) {
  int entries = 0;
  for (const std::string& path : FilesIn("data")) {
    if (!DataCache::IsNameOfFile(fs::path(path).filename().string())) continue;
    SEQ_EXPECT_OK(DataCache::CheckFile(path));
    if (!absl::EndsWith(path, ".data")) continue;
    const DataCache cache(fs::path(path).parent_path().string());
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, cache.Find(HashOf(fs::path(path).stem())));
    SEQ_ASSERT_OK_AND_ASSIGN(const data::Dataset dataset, ParseDataset(bytes, 8, 4));
    ExpectTheReviews(dataset);
    ++entries;
  }
  EXPECT_EQ(entries, 1);
}

TEST(CompatibilityTest, EverySetOfEncodedTextsIsRead) {
  for (const char* set : {"texts_1", "texts_2"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const tools::EncodedTexts texts,
                             tools::ReadEncodedTexts(absl::StrCat(kFolder, "/data/", set)));
    ExpectTheReviews(texts.dataset);
    EXPECT_EQ(texts.preprocessing.text_column, "text");
  }
}

TEST(CompatibilityTest, EveryFileOfSeriesIsRead) {
  for (const char* name : {"series_1", "series_2"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(
        const data::SeriesSet set,
        data::ReadSeries(absl::StrCat(kFolder, "/data/", name, ".safetensors"), {}));
    EXPECT_THAT(set.values, ElementsAre(0.5, 0, 1.5, -1, 2.5, -2, 3.5, -3, 4.5, -4, 5.5, -5));
    EXPECT_THAT(set.begin, ElementsAre(0, 3, 6));
    EXPECT_THAT(set.classes, ElementsAre(0, 1));
    EXPECT_THAT(set.features, ElementsAre("x", "y"));
  }
}

// Three steps on from the state, the last three of six that Keras computed as a sequence.
TEST(CompatibilityTest, AStateOfAStreamGoesOn) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model,
                           LoadModel("tests/compatibility/streams/steps.pb", AllOps()));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto steps, StreamModel::Create(std::move(model)));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Stream> stream, steps->NewStream());
  SEQ_ASSERT_OK(stream->Restore(data::ReadFileOrDie("tests/compatibility/streams/steps_1.state")));
  const float inputs[] = {0.25, 0.5, 0.75};
  const double outputs[] = {-0.07647838, -0.30643606, -0.53537107};
  for (int t = 0; t < 3; ++t) {
    stream->input<float>(0)[0] = inputs[t];
    SEQ_ASSERT_OK(stream->Step());
    EXPECT_NEAR(stream->result<float>(0)[0], outputs[t], kAllowed);
  }
}

TEST(CompatibilityTest, EveryFileIsWholeAndStandsInTheTable) {
  const std::string table = data::ReadFileOrDie(absl::StrCat(kFolder, "/README.md"));
  int known = 0;
  for (const char* folder : {"models", "data", "streams"}) {
    for (const std::string& path : FilesIn(folder)) {
      if (absl::EndsWith(path, ".expected.json")) continue;
      // A set is one row.
      const fs::path file = fs::path(path).lexically_relative(kFolder);
      const fs::path row = std::distance(file.begin(), file.end()) > 2 ? file.parent_path() : file;
      EXPECT_TRUE(absl::StrContains(table, absl::StrCat("`", row.string(), "`")))
          << row << " is no row of the table";
      SEQ_ASSERT_OK_AND_ASSIGN(const tools::FileKind* kind, tools::KindOfFile(path));
      if (kind == nullptr) continue;  // the tables that they were made of
      ++known;
      const tools::FileReport report = kind->check(path);
      EXPECT_EQ(report.state, tools::FileReport::State::kWhole) << path << ": " << report.wrong;
    }
  }
  EXPECT_GE(known, 30);
}

}  // namespace
}  // namespace seqgraph
