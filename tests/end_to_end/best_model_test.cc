// Nothing but a better model replaces a model: resumed runs, runs over an earlier one, runs that
// diverge, and runs that are interrupted.

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::seqgraph::data::ReadFileOrDie;
using ::seqgraph::data::WriteFileOrDie;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class BestModelTest : public ::testing::Test {
 protected:
  ProcessResult Run(const std::vector<std::string>& arguments) const {
    return RunSeqgraph(arguments, {.folder = folder_});
  }
  ProcessResult Train(const std::vector<std::string>& more) const {
    return Run(WithFlags(TinyTraining("reference"), more));
  }
  // What is resumed brings its words and layers along.
  ProcessResult Resume(const std::vector<std::string>& more) const {
    return Run(WithFlags(
        {"train", "--data=tiny.tar.gz", "--backend=reference", "--batch=8", "--epochs=4"}, more));
  }
  // By `evaluate`, on the texts that `train` validates on.
  double Loss(const std::string& model) const {
    const ProcessResult result = Run({"evaluate", model, "--data=tiny.tar.gz", "--part=validation",
                                      "--backend=reference", "--batch=8"});
    EXPECT_EQ(result.status, 0) << result.err;
    const size_t at = result.out.find("loss: ");
    return at == std::string::npos ? -1 : std::strtod(&result.out[at + 6], nullptr);
  }
  std::string Bytes(const std::string& name) const { return ReadFileOrDie(folder_ + "/" + name); }
  bool Exists(const std::string& name) const {
    return std::filesystem::exists(folder_ + "/" + name);
  }

  const std::string folder_ = FolderWithTinyArchive();
};

TEST_F(BestModelTest, AResumedRunNeverMakesItsFileWorse) {
  // The name that train chooses by itself, and one that is given.
  for (const std::string output : {"", "m.pb"}) {
    const std::string file = output.empty() ? "imdb-embedding.pb" : output;
    std::vector<std::string> flags;
    if (!output.empty()) flags.push_back("--output=" + output);
    ASSERT_EQ(Train(flags).status, 0);
    const double before = Loss(file);
    const std::string bytes = Bytes(file);
    flags.push_back("--resume=" + file);
    for (const char* rate : {"0.05", "3", "1000"}) {
      std::vector<std::string> with_rate = flags;
      with_rate.push_back(absl::StrCat("--learning_rate=", rate));
      const ProcessResult resumed = Resume(with_rate);
      EXPECT_LE(Loss(file), before) << rate << resumed.out << resumed.err;
    }
    WriteFileOrDie(folder_ + "/" + file, bytes);
    flags.push_back("--learning_rate=1e20");
    const ProcessResult diverged = Resume(flags);
    EXPECT_EQ(diverged.status, 1) << diverged.out;
    EXPECT_THAT(diverged.err, HasSubstr("diverged"));
    EXPECT_EQ(Bytes(file), bytes);
  }
}

TEST_F(BestModelTest, AResumedRunThatImprovesReplacesItsFile) {
  ASSERT_EQ(Train({"--output=m.pb", "--epochs=2"}).status, 0);
  const double before = Loss("m.pb");
  const ProcessResult resumed =
      Resume({"--resume=m.pb", "--output=m.pb", "--first_epoch=2", "--epochs=12"});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_LT(Loss("m.pb"), before);
}

TEST_F(BestModelTest, WithoutABetterEpochTheOtherFileHoldsWhatTheRunBeganWith) {
  ASSERT_EQ(Train({"--output=m.pb"}).status, 0);
  const ProcessResult resumed =
      Resume({"--resume=m.pb", "--output=new.pb", "--learning_rate=3", "--first_epoch=1"});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("No epoch was better than the model it began with"));
  EXPECT_EQ(Loss("new.pb"), Loss("m.pb"));
}

TEST_F(BestModelTest, ANewRunReplacesAnEarlierModelOnlyByABetterOne) {
  ASSERT_EQ(Train({"--output=m.pb"}).status, 0);
  const std::string bytes = Bytes("m.pb");
  const double before = Loss("m.pb");
  // Worse, also with other words: each model reads the texts in its own.
  for (const char* other : {"--epochs=1", "--num_words=12"}) {
    const ProcessResult worse = Train({"--output=m.pb", "--epochs=1", other});
    EXPECT_EQ(worse.status, 0) << worse.err;
    EXPECT_THAT(worse.out, AllOf(HasSubstr("m.pb stays as it was"), HasSubstr("m.new")));
    EXPECT_EQ(Bytes("m.pb"), bytes) << other;
  }
  EXPECT_GT(Loss("m.new.pb"), before);
  EXPECT_GT(Loss("m.new-2.pb"), before);
  // The same again is no better, and nothing new.
  const std::vector<std::string> names = NamesIn(folder_);
  EXPECT_EQ(Train({"--output=m.pb"}).status, 0);
  EXPECT_EQ(Bytes("m.pb"), bytes);
  EXPECT_EQ(NamesIn(folder_), names);
  // Better.
  EXPECT_EQ(Train({"--output=m.new.pb"}).status, 0);
  EXPECT_EQ(Loss("m.new.pb"), before);
  // Asked for.
  EXPECT_EQ(Train({"--output=m.pb", "--epochs=1", "--overwrite"}).status, 0);
  EXPECT_GT(Loss("m.pb"), before);
}

TEST_F(BestModelTest, AFileThatCannotBeComparedIsKeptUnlessAskedFor) {
  WriteFileOrDie(folder_ + "/m.pb", "the previous file");
  WriteFileOrDie(folder_ + "/topics.csv", "text,label\na b,x\nc d,y\na c,x\nb d,y\nb c,z\na d,z\n");
  ASSERT_EQ(
      Run({"train", "--data=topics.csv", "--epochs=1", "--output=topics.pb", "--validation=0.5"})
          .status,
      0);
  for (const std::string file : {"m.pb", "topics.pb"}) {
    const std::string bytes = Bytes(file);
    const std::vector<std::string> names = NamesIn(folder_);
    const ProcessResult refused = Train({"--output=" + file, "--history=h.csv"});
    EXPECT_EQ(refused.status, 1) << refused.out;
    EXPECT_THAT(refused.err, AllOf(HasSubstr("--output=" + file), HasSubstr("--overwrite")));
    EXPECT_EQ(Bytes(file), bytes);
    EXPECT_EQ(NamesIn(folder_), names);
    EXPECT_EQ(Train({"--output=" + file, "--overwrite"}).status, 0);
    EXPECT_GT(Loss(file), 0);
  }
}

TEST_F(BestModelTest, ARunThatDivergesIsAnErrorAndSavesNothing) {
  const std::vector<std::string> names = NamesIn(folder_);
  // To numbers that are none, and to large ones.
  EXPECT_EQ(Train({"--output=m.pb", "--learning_rate=1e20"}).status, 1);
  for (const char* rate : {"1e20", "1e6"}) {
    const ProcessResult diverged =
        Run({"train", "--output=m.pb", absl::StrCat("--learning_rate=", rate)});
    EXPECT_EQ(diverged.status, 1) << rate << diverged.out;
    EXPECT_THAT(diverged.err, AllOf(HasSubstr("diverged"), HasSubstr("--learning_rate"))) << rate;
  }
  EXPECT_EQ(NamesIn(folder_), names);
}

// One epoch of synthetic reviews, one a batch, takes seconds: it is interrupted within.
std::vector<std::string> LongEpoch() {
  return {"train", "--backend=reference", "--batch=1", "--output=m.pb"};
}

class InterruptedTest : public BestModelTest {
 protected:
  void Interrupt(const std::vector<std::string>& line, const std::string& after) {
    Process train(line, {.folder = folder_});
    ASSERT_TRUE(train.WaitForOutput(after)) << train.out() << train.err();
    train.Signal(SIGINT);
    EXPECT_EQ(train.Wait(), 130) << train.err();
    out_ = train.out();
  }
  void ExpectUsable(const std::string& model) {
    EXPECT_EQ(Run({"predict", model, "--backend=reference", "so good"}).status, 0);
  }
  std::string out_;
};

TEST_F(InterruptedTest, InTheFirstEpochItIsSavedBesideWhatIsThere) {
  ASSERT_EQ(Run({"train", "--output=m.pb", "--epochs=3"}).status, 0);
  const std::string bytes = Bytes("m.pb");
  for (const std::string more : {"--seed=1", "--resume=m.pb", "--overwrite"}) {
    std::vector<std::string> line = LongEpoch();
    line.push_back(more);
    Interrupt(line, "of train_step");
    EXPECT_EQ(Bytes("m.pb"), bytes) << more;
  }
  for (const char* saved : {"m.interrupted.pb", "m.interrupted-2.pb", "m.interrupted-3.pb"}) {
    EXPECT_THAT(NamesIn(folder_), Contains(saved));
    ExpectUsable(saved);
  }
}

TEST_F(InterruptedTest, LaterWhatIsNoBetterIsSavedBesideToo) {
  ASSERT_EQ(Train({"--output=m.pb", "--epochs=40"}).status, 0);
  const std::string bytes = Bytes("m.pb");
  // It learns nothing, for ever.
  Interrupt(WithFlags(TinyTraining("reference"), {"--output=m.pb", "--epochs=1000000",
                                                  "--patience=1000000", "--learning_rate=1e-30"}),
            "Epoch 3/");
  EXPECT_EQ(Bytes("m.pb"), bytes);
  EXPECT_THAT(out_, AllOf(HasSubstr("m.pb stays as it was"), HasSubstr("m.interrupted.pb")));
  ExpectUsable("m.interrupted.pb");
}

}  // namespace
}  // namespace seqgraph
