// What oneDNN's own log says of a training run: the recurrence ran on its vanilla RNN primitive, in
// every step, forward and backward, and nothing of the model ran on another backend.

#include <map>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ContainsRegex;
using ::testing::IsEmpty;

// How often the primitive was executed, by its kind of propagation.
std::map<std::string, int> Executions(const std::string& log) {
  // The form of 2.6 and that of 3.x.
  static const std::regex executed(
      "^onednn_verbose,(v1,primitive,)?exec,cpu,rnn,[^,]*,"
      "(forward_training|forward_inference|backward),.*alg:vanilla_rnn.*");
  std::map<std::string, int> runs;
  for (const auto line : absl::StrSplit(log, '\n')) {
    const std::string text(line);
    std::smatch match;
    if (std::regex_match(text, match, executed)) ++runs[match[2]];
  }
  return runs;
}

class PrimitiveTest : public ::testing::TestWithParam<std::string> {
 protected:
  // 4 steps of 8 reviews and one validation batch in each of 3 epochs, and nothing else.
  ProcessResult Train(const std::string& backend) const {
    std::vector<std::string> arguments = WithFlags(
        TinyTraining(backend), {"--batch=8", "--epochs=3", "--patience=3", "--output=m.pb",
                                "--self_test=none", absl::StrCat("--model=", GetParam())});
    return RunSeqgraph(arguments, {.folder = folder_, .environment = {"ONEDNN_VERBOSE=1"}});
  }

  const std::string folder_ = FolderWithTinyArchive();
};

TEST_P(PrimitiveTest, EveryStepRunsItForwardAndBackward) {
  const ProcessResult train = Train("onednn");
  ASSERT_EQ(train.status, 0) << train.err;
  std::map<std::string, int> runs = Executions(train.out);
  EXPECT_EQ(runs["forward_training"], 12) << train.out;
  EXPECT_EQ(runs["backward"], 12);
  EXPECT_EQ(runs["forward_inference"], 3);
  EXPECT_THAT(train.out, ContainsRegex("Backend onednn [^\n]*: all [0-9]+ nodes of train_step"));
}

TEST_P(PrimitiveTest, TheReferenceBackendDoesNotTouchIt) {
  const ProcessResult train = Train("reference");
  ASSERT_EQ(train.status, 0) << train.err;
  EXPECT_THAT(Executions(train.out), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(BothModels, PrimitiveTest, ::testing::Values("embedding", "onehot"));

}  // namespace
}  // namespace seqgraph
