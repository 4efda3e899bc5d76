// `--weights`: what rounding the weights of a trained model changes, and where it may not be asked
// for.

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;

// The number behind `name` in "loss: 0.25 - accuracy: 1".
double Measured(const std::string& out, const std::string& name) {
  const size_t at = out.find(name + ": ");
  return at == std::string::npos ? -1 : std::strtod(&out[at + name.size() + 2], nullptr);
}

TEST(Weights, ChangeAnswersALittleAndAreShown) {
  const std::string folder = FolderWithTinyArchive();
  const ProcessResult trained = RunSeqgraph(
      WithFlags(TinyTraining("reference"), {"--units=70", "--epochs=1", "--output=m.pb"}),
      {.folder = folder});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const auto run = [&folder](std::vector<std::string> arguments) {
    const ProcessResult result = RunSeqgraph(arguments, {.folder = folder});
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out;
  };
  const double probability = std::strtod(run({"predict", "m.pb", "It was good."}).c_str(), nullptr);
  for (const char* format : {"bf16", "int8"}) {
    SCOPED_TRACE(format);
    const std::string weights = absl::StrCat("--weights=", format);
    const std::string answer = run({"predict", "m.pb", weights, "--format=json", "It was good."});
    EXPECT_NE(answer, run({"predict", "m.pb", "--format=json", "It was good."}));
    const double rounded =
        std::strtod(run({"predict", "m.pb", weights, "It was good."}).c_str(), nullptr);
    EXPECT_NEAR(rounded, probability, 0.01);
    // w and u; the table and the dense layer have few weights.
    EXPECT_THAT(run({"explain", "m.pb", "--function=predict", weights}),
                ::testing::AllOf(HasSubstr("RoundWeights"),
                                 HasSubstr(absl::StrCat("round_weights_", format, " 1"))));
  }
}

TEST(Weights, AreForInferenceAlone) {
  const std::string folder = FolderWithTinyModel();
  const ProcessResult bench =
      RunSeqgraph({"bench", "m.pb", "--weights=int8", "--min_time=0.01"}, {.folder = folder});
  EXPECT_EQ(bench.status, 1);
  EXPECT_THAT(bench.err, HasSubstr("function train_step is for training (it updates variables): "
                                   "weights in int8 are for inference alone"));
  const ProcessResult train = RunSeqgraph({"train", "--weights=bf16"}, {.folder = folder});
  EXPECT_EQ(train.status, 2);
  EXPECT_THAT(train.err, HasSubstr("--weights"));
  const ProcessResult other =
      RunSeqgraph({"predict", "m.pb", "--weights=int4", "x"}, {.folder = folder});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("int4"));
}

// Of 5,000 test reviews at most 10 more or fewer are told right. The GRU's weights are as many as
// are rounded; of the tutorial's RNN it is the table alone.
TEST(Weights, KeepTheAccuracyOnRealReviews) {
  SEQ_SHARED_OR_SKIP(archive, "imdb/aclImdb_v1.tar.gz");
  const std::vector<std::vector<std::string>> models = {
      {"--cell=rnn", "--units=8", "--epochs=5"},
      {"--cell=gru", "--units=40", "--epochs=2", "--optimizer=adam", "--learning_rate=0.005"}};
  for (const std::vector<std::string>& model : models) {
    SCOPED_TRACE(absl::StrCat(model[0], " ", model[1]));
    const std::string folder = MakeTempDir();
    std::vector<std::string> arguments = {"train", "--data=" + archive, "--data_cache=cache",
                                          "--output=m.pb", "--seed=1"};
    arguments.insert(arguments.end(), model.begin(), model.end());
    const ProcessResult trained = RunSeqgraph(arguments, {.folder = folder});
    ASSERT_EQ(trained.status, 0) << trained.err;
    const auto accuracy = [&](const std::string& format) {
      const ProcessResult result = RunSeqgraph(
          {"evaluate", "m.pb", "--data=" + archive, "--data_cache=cache", "--weights=" + format},
          {.folder = folder});
      EXPECT_EQ(result.status, 0) << result.err;
      return Measured(result.out, "accuracy");
    };
    const double exact = accuracy("float32");
    EXPECT_GT(exact, 0.7);
    for (const std::string format : {"bf16", "int8"}) {
      const double rounded = accuracy(format);
      EXPECT_NEAR(rounded, exact, 0.002) << format;
      RecordProperty(absl::StrCat(model[0].substr(7), "_", format), absl::StrCat(rounded - exact));
      std::printf("%s %s: accuracy %.4f, with weights in %s %.4f\n", model[0].c_str(),
                  model[1].c_str(), exact, format.c_str(), rounded);
    }
  }
}

}  // namespace
}  // namespace seqgraph
