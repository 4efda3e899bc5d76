// --profile: a trace that parses and holds the phases of the run, also when the run is interrupted.

#include <signal.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using Json = nlohmann::json;

class ProfileTest : public ::testing::Test {
 protected:
  ProcessResult Run(const std::vector<std::string>& arguments, const std::string& input = "") {
    return RunSeqgraph(arguments, {.folder = folder_}, input);
  }

  // Names of the events by category.
  std::map<std::string, std::multiset<std::string>> Events() {
    std::map<std::string, std::multiset<std::string>> events;
    const Json trace = Json::parse(data::ReadFileOrDie(folder_ + "/p.json"));
    for (const Json& event : trace["traceEvents"]) {
      if (event["ph"] == "X") events[event["cat"]].insert(event["name"]);
    }
    return events;
  }

  const std::string folder_ = FolderWithTinyArchive();
};

TEST_F(ProfileTest, TrainingRecordsPhasesEpochsAndTheFirstSteps) {
  const ProcessResult train =
      Run(WithFlags(TinyTraining("reference"),
                    {"--output=m.pb", "--epochs=3", "--profile=p.json", "--profile_steps=4"}));
  ASSERT_EQ(train.status, 0) << train.err;
  EXPECT_THAT(train.err, HasSubstr("RNNCellGrad"));
  const auto events = Events();
  EXPECT_EQ(events.at("command"), (std::multiset<std::string>{"train"}));
  EXPECT_THAT(events.at("epoch"), IsSupersetOf({"epoch 1", "epoch 2", "epoch 3"}));
  EXPECT_EQ(events.at("pass").count("train"), 3u);
  EXPECT_EQ(events.at("pass").count("validate"), 3u);
  EXPECT_EQ(events.at("data").count("load data"), 1u);
  EXPECT_GE(events.at("file").count("write checkpoint"), 1u);
  EXPECT_GE(events.at("compile").count("compile train_step, batch 8"), 1u);
  EXPECT_EQ(events.at("call").count("train_step, batch 8"), 4u);
  // One node of that name a training step, whatever its batch.
  size_t steps = 0;
  for (const std::string& call : events.at("call")) steps += absl::StartsWith(call, "train_step");
  EXPECT_EQ(events.at("node").count("simple_rnn/grad"), steps);

  const ProcessResult evaluate = Run({"evaluate", "m.pb", "--data=tiny.tar.gz", "--batch=4",
                                      "--backend=reference", "--profile=p.json"});
  ASSERT_EQ(evaluate.status, 0) << evaluate.err;
  EXPECT_EQ(Events().at("call").count("evaluate, batch 4"), 3u);  // 5 batches, 2 to warm up
  EXPECT_EQ(Events().at("data").size(), 1u);

  std::string reviews;
  for (int i = 0; i < 100; ++i) reviews += "so good\n";
  data::WriteFileOrDie(folder_ + "/reviews.txt", reviews);
  const ProcessResult predict =
      Run({"predict", "m.pb", "--backend=reference", "--file=reviews.txt", "--profile=p.json"});
  ASSERT_EQ(predict.status, 0) << predict.err;
  EXPECT_EQ(Events().at("call").count("predict, batch 16"), 5u);  // 7 batches, 2 to warm up
  EXPECT_EQ(Events().at("file").count("load model"), 1u);
}

TEST_F(ProfileTest, AProfiledRunGivesTheSameModel) {
  for (const std::string name : {"a.pb", "b.pb"}) {
    std::vector<std::string> flags = {"--output=" + name};
    if (name == "b.pb") flags.push_back("--profile=p.json");
    const ProcessResult train = Run(WithFlags(TinyTraining("reference"), flags));
    ASSERT_EQ(train.status, 0) << train.err;
  }
  EXPECT_EQ(data::ReadFileOrDie(folder_ + "/a.pb"), data::ReadFileOrDie(folder_ + "/b.pb"));
}

TEST_F(ProfileTest, AnInterruptedTrainingWritesItsProfile) {
  Process train(WithFlags(TinyTraining("reference"), {"--output=m.pb", "--epochs=1000000",
                                                      "--patience=1000000", "--profile=p.json"}),
                {.folder = folder_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 3/")) << train.out() << train.err();
  train.Signal(SIGINT);
  EXPECT_EQ(train.Wait(), 130);
  EXPECT_GE(Events().at("epoch").count("epoch 2"), 1u);
  EXPECT_GE(Events().at("call").count("train_step, batch 8"), 1u);
}

TEST_F(ProfileTest, AnInterruptedPredictWritesItsProfile) {
  ASSERT_EQ(Run(WithFlags(TinyTraining("reference"), {"--output=m.pb"})).status, 0);
  Process predict({"predict", "m.pb", "--backend=reference", "--profile=p.json"},
                  {.folder = folder_});
  predict.Send("so good\n");
  ASSERT_TRUE(predict.WaitForOutput("so good")) << predict.err();
  predict.Signal(SIGINT);
  EXPECT_EQ(predict.Wait(), 130);
  EXPECT_EQ(Events().at("command").count("predict"), 1u);
}

TEST_F(ProfileTest, MisuseIsRefusedBeforeTheWork) {
  EXPECT_EQ(Run({"predict", "m.pb", "--profile_steps=3", "x"}).status, 2);
  const ProcessResult same =
      Run(WithFlags(TinyTraining("reference"), {"--output=m.pb", "--profile=m.pb"}));
  EXPECT_EQ(same.status, 1);
  EXPECT_THAT(same.err, HasSubstr("--profile=m.pb and --output=m.pb are the same file"));
  const ProcessResult nowhere =
      Run(WithFlags(TinyTraining("reference"), {"--output=m.pb", "--profile=missing/p.json"}));
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("--profile"));
}

}  // namespace
}  // namespace seqgraph
