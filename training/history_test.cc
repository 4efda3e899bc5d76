#include "training/history.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

TEST(History, CollectsOneValueAnEpoch) {
  History history;
  history.Append(0, {{"loss", .7}, {"val_loss", .6}});
  history.Append(1, {{"loss", .5}, {"val_loss", .4}});
  EXPECT_EQ(history.epochs(), (std::vector<int>{0, 1}));
  EXPECT_EQ(history["loss"], (std::vector<double>{.7, .5}));
  EXPECT_EQ(history["val_loss"], (std::vector<double>{.6, .4}));
  EXPECT_TRUE(history["accuracy"].empty());
}

TEST(History, WhatWasNotLoggedIsNaN) {
  History history;
  history.Append(0, {{"loss", 1}});
  history.Append(1, {{"learning_rate", 2}});
  history.Append(2, {{"loss", 3}});
  EXPECT_EQ(history.ToCsv(), "epoch,learning_rate,loss\n0,nan,1\n1,2,nan\n2,nan,3\n");
}

TEST(History, CsvIsSortedAndShort) {
  History history;
  history.Append(4, {{"loss", .25}, {"accuracy", 0.1}});
  EXPECT_EQ(history.ToCsv(), "epoch,accuracy,loss\n4,0.1,0.25\n");
}

TEST(History, CsvReadsBackAsTheSameDoubles) {
  const std::vector<double> values = {1.0 / 3,
                                      0.1 + 0.2,
                                      -0.0,
                                      5e-324,
                                      1.7976931348623157e308,
                                      0.69314718055994530942,
                                      std::numeric_limits<double>::infinity()};
  History history;
  for (size_t i = 0; i < values.size(); ++i) history.Append(i, {{"loss", values[i]}});
  const std::vector<std::string> lines = absl::StrSplit(history.ToCsv(), '\n');
  ASSERT_EQ(lines.size(), values.size() + 2);
  for (size_t i = 0; i < values.size(); ++i) {
    const std::vector<std::string> cells = absl::StrSplit(lines[i + 1], ',');
    const double read = std::strtod(cells.at(1).c_str(), nullptr);
    EXPECT_EQ(read, values[i]);
    EXPECT_EQ(std::signbit(read), std::signbit(values[i]));
  }
}

TEST(HistoryFile, HoldsAllEpochsSoFarAfterEachOne) {
  const std::string path = MakeTempDir() + "/history.csv";
  Model model;
  FitContext context{model};
  HistoryFile file(path);
  SEQ_ASSERT_OK(file.OnTrainBegin(context));
  EXPECT_EQ(ReadAll(path), "epoch\n");
  Logs logs = {{"loss", .5}};
  SEQ_ASSERT_OK(file.OnEpochEnd(context, 0, logs));
  EXPECT_EQ(ReadAll(path), "epoch,loss\n0,0.5\n");
  logs["loss"] = .25;
  SEQ_ASSERT_OK(file.OnEpochEnd(context, 1, logs));
  EXPECT_EQ(ReadAll(path), "epoch,loss\n0,0.5\n1,0.25\n");
}

TEST(HistoryFile, EveryLineNamesWhatTheRunIsMadeWith) {
  const std::string path = MakeTempDir() + "/history.csv";
  Model model;
  FitContext context{model};
  context.run_facts = {{"threads", "2"}, {"backends", "a \"1\", AVX2 | b"}};
  HistoryFile file(path);
  SEQ_ASSERT_OK(file.OnTrainBegin(context));
  EXPECT_EQ(ReadAll(path), "epoch,backends,threads\n");
  Logs logs = {{"loss", .5}};
  SEQ_ASSERT_OK(file.OnEpochEnd(context, 0, logs));
  SEQ_ASSERT_OK(file.OnEpochEnd(context, 1, logs));
  EXPECT_EQ(ReadAll(path),
            "epoch,loss,backends,threads\n"
            "0,0.5,\"a \"\"1\"\", AVX2 | b\",\"2\"\n"
            "1,0.5,\"a \"\"1\"\", AVX2 | b\",\"2\"\n");
}

// A second of the clock passes whenever it is looked at: a write takes one.
TEST(HistoryFile, OfManyEpochsIsWrittenForAHundredthOfTheTime) {
  const std::string path = MakeTempDir() + "/history.csv";
  Model model;
  FitContext context{model};
  double now = 0;
  HistoryFile file(path, [&] { return ++now; });
  SEQ_ASSERT_OK(file.OnTrainBegin(context));
  Logs logs = {{"loss", .5}};
  int epoch = 0, writes = 0;
  std::string before = ReadAll(path);
  const auto run = [&](int epochs) {
    writes = 0;
    for (const int end = epoch + epochs; epoch < end; ++epoch) {
      SEQ_ASSERT_OK(file.OnEpochEnd(context, epoch, logs));
      const std::string after = ReadAll(path);
      writes += after != before ? 1 : 0;
      before = after;
    }
  };
  run(HistoryFile::kEachEpoch);
  EXPECT_EQ(writes, HistoryFile::kEachEpoch);
  run(309);
  // Two looks and 100 s of pause a write, one look in each epoch between them.
  EXPECT_EQ(writes, 3);
  SEQ_ASSERT_OK(file.OnTrainEnd(context));
  EXPECT_THAT(ReadAll(path), ::testing::HasSubstr("\n1308,0.5\n"));
}

TEST(HistoryFile, APathThatCannotBeWrittenIsAnErrorBeforeTraining) {
  Model model;
  FitContext context{model};
  HistoryFile file(MakeTempDir() + "/no/such/folder/history.csv");
  const absl::Status status = file.OnTrainBegin(context);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("history.csv"));
}

}  // namespace
}  // namespace seqgraph
