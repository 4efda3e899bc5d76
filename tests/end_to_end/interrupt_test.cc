// Ctrl-C: the batch is finished, the model saved, the exit status 130.

#include <signal.h>

#include <string>
#include <vector>

#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

// Runs for minutes if nobody stops it.
std::vector<std::string> LongTraining() {
  return WithFlags(TinyTraining("reference"),
                   {"--output=m.pb", "--history=h.csv", "--epochs=1000000", "--patience=1000000"});
}

class InterruptTest : public ::testing::Test {
 protected:
  void ExpectUsableModel() {
    const ProcessResult answer =
        RunSeqgraph({"predict", "m.pb", "--backend=reference", "so good"}, {.folder = folder_});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, MatchesRegex("0\\.[0-9]*\t(positive|negative)\tso good\n"));
  }

  const std::string folder_ = FolderWithTinyArchive();
};

TEST_F(InterruptTest, AfterSomeEpochsTheBestModelIsKept) {
  Process train(LongTraining(), {.folder = folder_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 3/")) << train.out() << train.err();
  train.Signal(SIGINT);
  EXPECT_EQ(train.Wait(), 130);
  EXPECT_THAT(train.out(), HasSubstr("Interrupted in epoch "));
  EXPECT_THAT(train.out(), HasSubstr("Best epoch "));
  EXPECT_EQ(train.err(), "");
  EXPECT_THAT(NamesIn(folder_), ElementsAre("h.csv", "m.pb", "tiny.tar.gz"));
  EXPECT_THAT(data::ReadFileOrDie(folder_ + "/h.csv"), StartsWith("epoch,accuracy,loss,"));
  ExpectUsableModel();
}

TEST_F(InterruptTest, TerminationSavesTooAndHasItsOwnStatus) {
  Process train(LongTraining(), {.folder = folder_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 1/")) << train.out() << train.err();
  train.Signal(SIGTERM);
  EXPECT_EQ(train.Wait(), 128 + SIGTERM);
  ExpectUsableModel();
}

TEST_F(InterruptTest, InTheFirstEpochWhatThereIsIsSaved) {
  // One epoch of synthetic reviews, one a batch, takes seconds: it is interrupted within.
  Process train({"train", "--backend=reference", "--batch=1", "--output=m.pb"},
                {.folder = folder_});
  ASSERT_TRUE(train.WaitForOutput("of train_step")) << train.out() << train.err();
  train.Signal(SIGINT);
  EXPECT_EQ(train.Wait(), 130);
  EXPECT_THAT(train.out(), HasSubstr("Interrupted in the first epoch"));
  EXPECT_THAT(train.out(), Not(HasSubstr("Best epoch")));
  ExpectUsableModel();
}

}  // namespace
}  // namespace seqgraph
