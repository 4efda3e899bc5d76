// The runs in cases/ (made by make_cases.py with Keras), repeated on every backend within the bars
// of parity_run.cc, and what such a folder can hold that must be refused.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "layers/all_layers.h"
#include "optimizers/all_optimizers.h"
#include "tests/parity/parity_case.h"
#include "tests/parity/parity_expectations.h"
#include "tests/parity/parity_run.h"
#include "tests/testing.h"
#include "training/metrics.h"

namespace seqgraph::parity {
namespace {

// Tests start in the root of the runfiles.
constexpr char kCases[] = "tests/parity/cases";

// Every folder, so that a new run needs no word here.
std::vector<std::string> CaseNames() {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(kCases, missing)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(RecordedCases, AreThere) { EXPECT_GE(CaseNames().size(), 120); }

// What is in our lists, and has no run for a reason.
const std::map<std::string, std::string>& Exceptions() {
  static const auto* const exceptions =
      new std::map<std::string, std::string>{{"metric pinball", "Keras has none"}};
  return *exceptions;
}

void AddClasses(const std::vector<Layer>& layers, std::set<std::string>& names) {
  for (const Layer& layer : layers) {
    names.insert(absl::StrCat("layer ", layer.kind.class_name));
    for (const auto& [key, setting] : layer.kind.settings) {
      if (const auto* inner = std::get_if<std::vector<Layer>>(&setting)) AddClasses(*inner, names);
    }
  }
}

// The layers, losses, optimizers and metrics of a run.
std::set<std::string> NamesIn(const ParityCase& recorded) {
  std::set<std::string> names;
  AddClasses(recorded.stack.layers, names);
  for (const auto& [name, value] : recorded.evaluation) {
    names.insert(absl::StrCat("metric ", name));
  }
  if (recorded.epochs == 0) return names;
  const TrainableOptions& training = recorded.training;
  names.insert(absl::StrCat("optimizer ", training.optimizer.name()));
  if (training.losses.empty()) names.insert(absl::StrCat("loss ", training.loss.name));
  for (const OutputLoss& each : training.losses) {
    names.insert(absl::StrCat("loss ", each.loss.name));
  }
  return names;
}

TEST(RecordedCases, EveryLayerLossOptimizerAndMetricHasOne) {
  std::vector<std::string> expected;
  const auto expect = [&expected](const char* kind, absl::string_view name) {
    expected.push_back(absl::StrCat(kind, " ", name));
  };
  for (const LayerDef& def : AllLayers().all()) {
    if (def.keras.exists) expect("layer", def.class_name);
  }
  for (const OptimizerDef* def : AllOptimizers()) expect("optimizer", def->name);
  const std::string losses = LossNames();
  for (absl::string_view name : absl::StrSplit(losses, ", ")) expect("loss", name);
  const std::string metrics = MetricNames();
  for (absl::string_view name : absl::StrSplit(metrics, ", ")) expect("metric", name);
  std::set<std::string> found;
  for (const std::string& name : CaseNames()) {
    SEQ_ASSERT_OK_AND_ASSIGN(const ParityCase recorded,
                             ReadParityCase(absl::StrCat(kCases, "/", name)));
    found.merge(NamesIn(recorded));
  }
  for (const std::string& name : expected) {
    EXPECT_NE(found.count(name), Exceptions().count(name))
        << name << ": record a run of it in make_cases.py, or say in Exceptions() why there is "
        << "none; not both";
  }
  for (const auto& [name, reason] : Exceptions()) {
    EXPECT_THAT(expected, testing::Contains(name)) << reason;
  }
}

class RecordedCase : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(RecordedCase, LossesWeightsAndPredictionsAreWithinTheBars) {
  const auto& [name, backends] = GetParam();
  ExpectParity(absl::StrCat(kCases, "/", name), backends);
}

INSTANTIATE_TEST_SUITE_P(Cases, RecordedCase,
                         testing::Combine(testing::ValuesIn(CaseNames()),
                                          testing::ValuesIn(BackendLists())),
                         [](const auto& info) {
                           return ParityTestName(std::get<0>(info.param), std::get<1>(info.param));
                         });

// A recorded run whose case.json is changed.
class ChangedCase : public testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path source = absl::StrCat(kCases, "/mask_zero_lstm");
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
  const auto unimplemented = [](const char* message) {
    return StatusIs(absl::StatusCode::kUnimplemented, message);
  };
  EXPECT_THAT(ReadWith("\"kernel_constraint\": null", "\"kernel_constraint\": \"nonneg\"").status(),
              unimplemented("kernel_constraint"));
  EXPECT_THAT(ReadWith("\"use_ema\": false", "\"use_ema\": true").status(),
              unimplemented("use_ema"));
  EXPECT_THAT(ReadWith("\"class_name\": \"LSTM\"", "\"class_name\": \"ConvLSTM1D\"").status(),
              unimplemented("ConvLSTM1D"));
  EXPECT_THAT(ReadWith("\"class_name\": \"RMSprop\"", "\"class_name\": \"Lion\"").status(),
              unimplemented("Lion"));
  EXPECT_THAT(ReadWith("\"dropout\": 0.0", "\"dropout\": 0.5").status(), unimplemented("dropout"));
  EXPECT_THAT(ReadWith("\"shuffle\": false", "\"shuffle\": true").status(),
              unimplemented("shuffle"));
  EXPECT_THAT(ReadWith("binary_crossentropy", "made_up").status(), unimplemented("made_up"));
}

TEST_F(ChangedCase, RefusesWhatIsNotJsonOrIncomplete) {
  const auto invalid = [](const char* message) {
    return StatusIs(absl::StatusCode::kInvalidArgument, message);
  };
  EXPECT_THAT(ReadWith("{", "[").status(), invalid("case.json"));
  EXPECT_THAT(ReadWith("\"batch\"", "\"butch\"").status(), invalid("batch"));
  EXPECT_THAT(ReadWith("\"batch\": 8", "\"batch\": 0").status(),
              invalid("at least 1, and epochs 0"));
  EXPECT_THAT(
      ReadWith("\"config\": {\"module\": \"keras\"", "\"conf\": {\"module\": \"keras\"").status(),
      StatusIs(absl::StatusCode::kNotFound, "initial.keras"));
}

TEST_F(ChangedCase, RefusesWeightsThatDoNotFit) {
  EXPECT_THAT(ReadWith("\"units\": 3", "\"units\": 4").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "initial_1"));
  EXPECT_THAT(ReadWith("\"use_bias\": true", "\"use_bias\": false").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "expected.npz has 6"));
}

// The comparison itself: another step size must be seen.
TEST_F(ChangedCase, AnotherLearningRateIsBeyondTheBars) {
  SEQ_ASSERT_OK_AND_ASSIGN(const ParityCase changed, ReadWith("0.004999999888241291", "0.00505"));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto differences, RunParity(changed, "reference"));
  for (const Difference& difference : differences) {
    const bool same = difference.what == "predictions before training" ||
                      difference.what == "accuracy on all rows after training";
    EXPECT_EQ(difference.within(), same) << difference.what << " " << difference.largest;
  }
}

TEST(ReadParityCase, NamesTheMissingFile) {
  EXPECT_THAT(ReadParityCase("/nonexistent").status(),
              StatusIs(absl::StatusCode::kNotFound, "/nonexistent/case.json"));
}

}  // namespace
}  // namespace seqgraph::parity
