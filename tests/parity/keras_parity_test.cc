// Training runs recorded by Keras, repeated on every backend within the bars of parity_run.cc, and
// what such a folder can hold that must be refused.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "backends/all_backends.h"
#include "tests/parity/parity_case.h"
#include "tests/parity/parity_run.h"
#include "tests/testing.h"

namespace seqgraph::parity {
namespace {

class KerasParity : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(KerasParity, LossesWeightsAndPredictionsAreWithinTheBars) {
  const auto& [name, backend] = GetParam();
  SEQ_SHARED_OR_SKIP(keras, "keras");
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backends, AllBackends().ParseList(backend));
  SEQ_ASSERT_OK_AND_ASSIGN(const ParityCase parity_case,
                           ReadParityCase(absl::StrCat(keras, "/", name)));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto differences, RunParity(parity_case, backends));
  ASSERT_EQ(differences.size(), 5);
  for (const Difference& difference : differences) {
    EXPECT_TRUE(difference.within()) << difference.what << ": " << difference.largest << " beyond "
                                     << difference.bar << " at " << difference.where;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, KerasParity,
                         testing::Combine(testing::Values("seed_onehot", "seed_embedding",
                                                          "embedding_partial_batch",
                                                          "simplernn_relu_sequences"),
                                          testing::Values("reference", "onednn", "simd")),
                         [](const auto& info) {
                           return absl::StrCat(std::get<0>(info.param), "_",
                                               std::get<1>(info.param));
                         });

// A recorded run whose case.json is changed.
class ChangedCase : public testing::Test {
 protected:
  void SetUp() override {
    SEQ_SHARED_OR_SKIP(keras, "keras");
    const std::filesystem::path source = keras + "/embedding_partial_batch";
    folder_ = std::filesystem::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
    std::filesystem::copy_file(source / "expected.npz", folder_ / "expected.npz",
                               std::filesystem::copy_options::overwrite_existing);
    std::stringstream text;
    text << std::ifstream(source / "case.json").rdbuf();
    config_ = text.str();
  }

  absl::StatusOr<ParityCase> ReadWith(const std::string& from, const std::string& to) {
    const std::string changed = absl::StrReplaceAll(config_, {{from, to}});
    EXPECT_NE(changed, config_) << from;
    std::filesystem::remove(folder_ / "case.json");
    std::ofstream(folder_ / "case.json") << changed;
    return ReadParityCase(folder_.string());
  }

  std::filesystem::path folder_;
  std::string config_;
};

TEST_F(ChangedCase, RefusesWhatWouldChangeTheMathematics) {
  EXPECT_THAT(ReadWith("\"mask_zero\": false", "\"mask_zero\": true").status(),
              StatusIs(absl::StatusCode::kUnimplemented, "mask_zero = true"));
  EXPECT_THAT(ReadWith("\"go_backwards\": false", "\"go_backwards\": true").status(),
              StatusIs(absl::StatusCode::kUnimplemented, "go_backwards = true"));
  EXPECT_THAT(ReadWith("\"clipnorm\": null", "\"clipnorm\": 1.0").status(),
              StatusIs(absl::StatusCode::kUnimplemented, "clipnorm = 1.0"));
  EXPECT_THAT(ReadWith("\"class\": \"SimpleRNN\"", "\"class\": \"LSTM\"").status(),
              StatusIs(absl::StatusCode::kUnimplemented, "(LSTM)"));
  EXPECT_THAT(ReadWith("binary_crossentropy", "mse").status(),
              StatusIs(absl::StatusCode::kUnimplemented, "loss"));
}

TEST_F(ChangedCase, RefusesWhatIsNotJsonOrIncomplete) {
  EXPECT_THAT(ReadWith("{", "[").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "case.json"));
  EXPECT_THAT(ReadWith("\"batch\"", "\"butch\"").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "batch"));
}

// The comparison itself: another step size must be seen.
TEST_F(ChangedCase, AnotherLearningRateIsBeyondTheBars) {
  SEQ_ASSERT_OK_AND_ASSIGN(const ParityCase changed, ReadWith("0.0010000000474974513", "0.00101"));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backends, AllBackends().ParseList("reference"));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto differences, RunParity(changed, backends));
  for (const Difference& difference : differences) {
    const bool before = difference.what == "predictions before training";
    EXPECT_EQ(difference.within(), before) << difference.what << " " << difference.largest;
  }
}

TEST(ReadParityCase, NamesTheMissingFile) {
  EXPECT_THAT(ReadParityCase("/nonexistent").status(),
              StatusIs(absl::StatusCode::kNotFound, "/nonexistent/case.json"));
}

}  // namespace
}  // namespace seqgraph::parity
