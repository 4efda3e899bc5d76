// What CSVLogger writes, byte for byte as Keras's callback of that name would.

#include "training/csv_logger.h"

#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

class CSVLoggerTest : public testing::Test {
 protected:
  std::string path() const {
    return testing::TempDir() + "/" +
           testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv";
  }
  std::string Content() const {
    std::stringstream text;
    text << std::ifstream(path(), std::ios::binary).rdbuf();
    return text.str();
  }
  void Run(CSVLoggerOptions options, const std::vector<Logs>& epochs) {
    Model model;
    FitContext context{model};
    CSVLogger logger(path(), options);
    SEQ_ASSERT_OK(logger.OnTrainBegin(context));
    int epoch = 0;
    for (Logs logs : epochs) {
      SEQ_ASSERT_OK(logger.OnEpochEnd(context, epoch++, logs));
      EXPECT_NE(Content(), "");  // flushed
    }
    SEQ_ASSERT_OK(logger.OnTrainEnd(context));
  }
};

TEST_F(CSVLoggerTest, WritesNamesInOrderAndNumbersAsPythonDoes) {
  Run({}, {{{"loss", 1.0}, {"accuracy", 0.5}, {"val_loss", 1e-5}},
           {{"loss", 0.1}, {"accuracy", 123456.0}, {"val_loss", NAN}},
           {{"loss", 1e16}, {"accuracy", 0.0001}, {"val_loss", INFINITY}}});
  EXPECT_EQ(Content(),
            "epoch,accuracy,loss,val_loss\r\n"
            "0,0.5,1.0,1e-05\r\n"
            "1,123456.0,0.1,nan\r\n"
            "2,0.0001,1e+16,inf\r\n");
}

TEST_F(CSVLoggerTest, AddsColumnsOfAValidationThatComesLater) {
  Run({.separator = ';'}, {{{"loss", 0.5}}, {{"loss", 0.25}, {"val_loss", 0.75}, {"new", 1}}});
  EXPECT_EQ(Content(), "epoch;loss;val_loss\r\n0;0.5;NA\r\n1;0.25;0.75\r\n");
}

TEST_F(CSVLoggerTest, AppendsWithoutASecondHeader) {
  Run({}, {{{"loss", 0.5}, {"val_loss", 2}}});
  Run({.append = true}, {{{"loss", 0.25}, {"val_loss", 1}}});
  EXPECT_EQ(Content(), "epoch,loss,val_loss\r\n0,0.5,2.0\r\n0,0.25,1.0\r\n");
  Run({}, {{{"loss", 0.125}, {"val_loss", 1}}});
  EXPECT_EQ(Content(), "epoch,loss,val_loss\r\n0,0.125,1.0\r\n");
}

TEST_F(CSVLoggerTest, AFullDiskEndsNoRunAndLeavesNoPartOfALine) {
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto allow = [&](rlim_t bytes) {
    const struct rlimit limit = {bytes, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  };
  Model model;
  FitContext context{model};
  CSVLogger logger(path());
  SEQ_ASSERT_OK(logger.OnTrainBegin(context));
  Logs logs = {{"loss", 0.5}, {"val_loss", 2}};
  SEQ_ASSERT_OK(logger.OnEpochEnd(context, 0, logs));
  const std::string first = "epoch,loss,val_loss\r\n0,0.5,2.0\r\n";
  for (const int epoch : {1, 2}) {
    allow(first.size() + 3);
    SEQ_ASSERT_OK(logger.OnEpochEnd(context, epoch, logs));
    allow(before.rlim_cur);
    EXPECT_EQ(Content(), first);
  }
  EXPECT_THAT(context.notes,
              testing::ElementsAre(testing::HasSubstr("File too large; tried again")));
  SEQ_ASSERT_OK(logger.OnTrainEnd(context));
  EXPECT_EQ(Content(), first + "1,0.5,2.0\r\n2,0.5,2.0\r\n");
  EXPECT_EQ(context.notes.size(), 1u);
  // A run that was disturbed says the same of itself as one that was not.
  EXPECT_TRUE(context.messages.empty());
  ::signal(SIGXFSZ, handler);
}

TEST_F(CSVLoggerTest, NamesAPathThatCannotBeWritten) {
  Model model;
  FitContext context{model};
  CSVLogger logger("/nonexistent/log.csv");
  EXPECT_THAT(logger.OnTrainBegin(context),
              StatusIs(absl::StatusCode::kNotFound, "/nonexistent/log.csv"));
}

}  // namespace
}  // namespace seqgraph
