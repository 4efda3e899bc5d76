#include "tests/benchmark/peer_work.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "tests/benchmark/peer_data.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

struct Kind {
  std::string model, cell;
  size_t weights;  // how many tensors
};

const Kind kTutorial = {"embedding", "SimpleRNN", 6};

// Small, with data in a folder of its own.
PeerSpec Spec(const std::string& task, const Kind& kind = kTutorial) {
  PeerSpec spec{.task = task,
                .model = kind.model,
                .cell = kind.cell,
                .batch = 8,
                .time = 12,
                .vocabulary = 40,
                .features = 5,
                .units = 3,
                .steps = 40,
                .chunk = 10,
                .learning_rate = 1e-3};
  spec.data = testing::TempDir() + "/peer_data";
  std::filesystem::create_directories(spec.data);
  return spec;
}

double LargestDifference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  return largest;
}

class PeerWorkTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { SEQ_ASSERT_OK(WritePeerData(Spec("train", GetParam()))); }
};

TEST_P(PeerWorkTest, EveryCheckBeginsWithTheGivenWeights) {
  for (const char* task : {"train", "fit", "predict"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto work, MakeModelWork(Spec(task, GetParam()), "reference"));
    SEQ_ASSERT_OK_AND_ASSIGN(const PeerResults first, work->Check());
    SEQ_ASSERT_OK_AND_ASSIGN(const PeerTime time, work->Run(0.01));
    EXPECT_GE(time.seconds, 0.01);
    EXPECT_GT(time.samples, 0);
    EXPECT_EQ(time.samples % 8, 0);
    SEQ_ASSERT_OK_AND_ASSIGN(const PeerResults second, work->Check());
    EXPECT_EQ(first.losses, second.losses) << task;
    EXPECT_EQ(first.weights, second.weights) << task;
    EXPECT_EQ(first.predictions, second.predictions) << task;
  }
}

TEST_P(PeerWorkTest, TrainingReportsMeansOfAllStepsSoFarAndEveryWeight) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto work, MakeModelWork(Spec("train", GetParam()), "reference"));
  SEQ_ASSERT_OK_AND_ASSIGN(const PeerResults chunks, work->Check());
  ASSERT_EQ(chunks.losses.size(), 4u);
  EXPECT_EQ(chunks.weights.size(), GetParam().weights);

  PeerSpec every_step = Spec("train", GetParam());
  every_step.chunk = 1;
  SEQ_ASSERT_OK_AND_ASSIGN(const auto steps, MakeModelWork(every_step, "reference"));
  SEQ_ASSERT_OK_AND_ASSIGN(const PeerResults all, steps->Check());
  ASSERT_EQ(all.losses.size(), 40u);
  EXPECT_EQ(chunks.losses,
            (std::vector<double>{all.losses[9], all.losses[19], all.losses[29], all.losses[39]}));
}

TEST_P(PeerWorkTest, AnEpochOfTheTrainerIsTheSameTraining) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto train, MakeModelWork(Spec("train", GetParam()), "reference"));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto fit, MakeModelWork(Spec("fit", GetParam()), "reference"));
  SEQ_ASSERT_OK_AND_ASSIGN(const PeerResults steps, train->Check());
  SEQ_ASSERT_OK_AND_ASSIGN(const PeerResults epoch, fit->Check());
  ASSERT_EQ(epoch.losses.size(), 2u);
  EXPECT_NEAR(epoch.losses[0], steps.losses.back(), 1e-12);
  EXPECT_NE(epoch.losses[1], epoch.losses[0]);
  EXPECT_EQ(epoch.weights, steps.weights);
}

TEST_P(PeerWorkTest, BackendsAgreeOnTheResults) {
  for (const char* task : {"train", "predict"}) {
    const PeerSpec spec = Spec(task, GetParam());
    SEQ_ASSERT_OK_AND_ASSIGN(const auto reference, MakeModelWork(spec, "reference"));
    SEQ_ASSERT_OK_AND_ASSIGN(const auto onednn, MakeModelWork(spec, "onednn"));
    SEQ_ASSERT_OK_AND_ASSIGN(const PeerResults expected, reference->Check());
    SEQ_ASSERT_OK_AND_ASSIGN(const PeerResults found, onednn->Check());
    EXPECT_LE(LargestDifference(found.losses, expected.losses), 1e-6);
    EXPECT_LE(LargestDifference(found.predictions, expected.predictions), 1e-6);
    ASSERT_EQ(found.weights.size(), expected.weights.size());
    for (const auto& [name, weights] : expected.weights) {
      // A thousandth of learning_rate * steps: the bound that peers are held to.
      EXPECT_LE(LargestDifference(found.weights.at(name), weights), 4e-5) << name;
    }
    EXPECT_EQ(found.versions.count("seqgraph onednn"), 1u);
    EXPECT_NE(found.form.find("onednn: "), std::string::npos) << found.form;
    EXPECT_NE(found.form.find("Cell by "), std::string::npos) << found.form;
  }
}

TEST_P(PeerWorkTest, PredictionsAreProbabilitiesOfTheFirstRowsWhateverTheBatch) {
  PeerSpec one = Spec("predict", GetParam());
  one.batch = 1;
  SEQ_ASSERT_OK_AND_ASSIGN(const auto batches,
                           MakeModelWork(Spec("predict", GetParam()), "reference"));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto singly, MakeModelWork(one, "reference"));
  SEQ_ASSERT_OK_AND_ASSIGN(const PeerResults a, batches->Check());
  SEQ_ASSERT_OK_AND_ASSIGN(const PeerResults b, singly->Check());
  ASSERT_EQ(a.predictions.size(), 256u);
  EXPECT_LE(LargestDifference(a.predictions, b.predictions), 1e-6);
  EXPECT_GT(*std::min_element(a.predictions.begin(), a.predictions.end()), 0.0);
  EXPECT_LT(*std::max_element(a.predictions.begin(), a.predictions.end()), 1.0);
  EXPECT_GT(std::set<double>(a.predictions.begin(), a.predictions.end()).size(), 100u);
}

INSTANTIATE_TEST_SUITE_P(Models, PeerWorkTest,
                         testing::Values(kTutorial, Kind{"onehot", "SimpleRNN", 5},
                                         Kind{"embedding", "LSTM", 6}, Kind{"embedding", "GRU", 6},
                                         Kind{"series", "LSTM", 5}),
                         [](const auto& info) { return info.param.model + info.param.cell; });

TEST(PeerDataTest, RowsAreReviewsAndBiasesDiffer) {
  const PeerSpec spec = Spec("train");
  SEQ_ASSERT_OK(WritePeerData(spec));
  SEQ_ASSERT_OK_AND_ASSIGN(const PeerData data, ReadPeerData(spec));
  EXPECT_EQ(data.train.rows, 320);
  EXPECT_EQ(data.validation.rows, 80);
  SEQ_EXPECT_OK(data.train.examples().Validate());
  EXPECT_GE(*std::min_element(data.train.tokens.begin(), data.train.tokens.end()), 0);
  EXPECT_EQ(*std::max_element(data.train.tokens.begin(), data.train.tokens.end()), 39);
  EXPECT_EQ(std::set<int32_t>(data.train.targets.begin(), data.train.targets.end()),
            (std::set<int32_t>{0, 1}));

  SEQ_ASSERT_OK_AND_ASSIGN(Model model, MakePeerModel(spec));
  SEQ_ASSERT_OK(ReadPeerWeights(spec, model));
  const Variable* bias = model.variables.Find("simple_rnn/bias");
  ASSERT_NE(bias, nullptr);
  const auto elements = bias->value.Elements<float>();
  EXPECT_EQ(std::set<float>(elements.begin(), elements.end()).size(), 3u);
}

TEST(PeerDataTest, AGruHasTwoRowsOfBiasesForItsResetComesAfterTheProduct) {
  const PeerSpec spec = Spec("train", {"embedding", "GRU", 6});
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakePeerModel(spec));
  const Variable* bias = model.variables.Find("gru/bias");
  ASSERT_NE(bias, nullptr);
  EXPECT_EQ(bias->value.shape(), Shape({2, 9}));
}

TEST(PeerDataTest, WhatIsMissingOrOfAnotherSizeIsAnErrorThatNamesTheFile) {
  PeerSpec spec = Spec("train");
  SEQ_ASSERT_OK(WritePeerData(spec));
  PeerSpec longer = spec;
  longer.time = 13;
  EXPECT_THAT(ReadPeerData(longer).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "inputs.npy"));
  PeerSpec more = spec;
  more.steps = 41;
  EXPECT_THAT(ReadPeerData(more).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "expected at least 328"));
  PeerSpec wider = spec;
  wider.units = 4;
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, MakePeerModel(wider));
  EXPECT_THAT(ReadPeerWeights(wider, model),
              StatusIs(absl::StatusCode::kInvalidArgument, "simple_rnn.kernel.npy"));
  spec.data += "/none";
  EXPECT_FALSE(MakeModelWork(spec, "reference").ok());
}

TEST(PeerDataTest, UnknownTasksModelsAndCellsAreRefused) {
  const PeerSpec spec = Spec("train");
  SEQ_ASSERT_OK(WritePeerData(spec));
  PeerSpec task = spec, model = spec, cell = spec;
  task.task = "sing";
  model.model = "lstm";
  cell.cell = "lstm";
  EXPECT_THAT(MakeModelWork(task, "reference").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "sing"));
  EXPECT_THAT(MakeModelWork(model, "reference").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "unknown model \"lstm\""));
  EXPECT_THAT(MakeModelWork(cell, "reference").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "unknown cell \"lstm\""));
}

}  // namespace
}  // namespace seqgraph
