// --passes, `seqgraph passes` and `inspect --passes` from outside.

#include <string>
#include <vector>

#include "ops/rewrites/all_rewrites.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A trained model, of more tokens in a batch of 64 than rows in its table.
class PassesCommandTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new std::string(FolderWithTinyArchive());
    const ProcessResult trained =
        Run(WithFlags(TinyTraining("reference"), {"--epochs=1", "--output=m.pb"}));
    ASSERT_EQ(trained.status, 0) << trained.err;
    EXPECT_THAT(trained.out, Not(HasSubstr("Passes:")));
  }

  static ProcessResult Run(const std::vector<std::string>& arguments) {
    return RunSeqgraph(arguments, {.folder = *folder_});
  }

  static std::string* folder_;
};
std::string* PassesCommandTest::folder_ = nullptr;

TEST_F(PassesCommandTest, EveryPassIsListedWithItsRule) {
  const ProcessResult listed = Run({"passes"});
  EXPECT_EQ(listed.status, 0) << listed.err;
  for (const FunctionPass* pass : StandardPasses()) {
    EXPECT_THAT(listed.out, HasSubstr(pass->name + "\n  "));
    EXPECT_FALSE(pass->rule.empty()) << pass->name;
  }
}

TEST_F(PassesCommandTest, ExplainShowsWhatFiredAndWhatWasSwitchedOff) {
  const std::vector<std::string> explain = {"explain", "m.pb", "--backend=reference"};
  EXPECT_THAT(Run(explain).out,
              AllOf(HasSubstr("Passes: "), HasSubstr("dead_code 2"),
                    HasSubstr("commute_lookup_projection 2"), HasSubstr("LookupRNNCellGrad")));
  EXPECT_THAT(Run(WithFlags(explain, {"--passes=none"})).out,
              AllOf(HasSubstr("Passes: none fired"), Not(HasSubstr("LookupRNNCell"))));
  EXPECT_THAT(Run(WithFlags(explain, {"--passes=-fuse_lookup_rnn_cell"})).out,
              AllOf(HasSubstr("commute_lookup_projection 2"), Not(HasSubstr("LookupRNNCell"))));
}

TEST_F(PassesCommandTest, InspectShowsTheFunctionBeforeAndAfter) {
  const ProcessResult all = Run(
      {"inspect", "m.pb", "--function=predict", "--passes", "--backend=reference", "--batch=32"});
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_THAT(all.out, AllOf(HasSubstr("before, 3 nodes:"), HasSubstr("int32[32, "),
                             HasSubstr("after, 3 nodes:"), HasSubstr("LookupRNNCell("),
                             HasSubstr("Passes: ")));
  const ProcessResult none =
      Run({"inspect", "m.pb", "--passes=none", "--backend=reference", "--function=predict"});
  EXPECT_THAT(none.out, HasSubstr("Passes: none fired"));
  EXPECT_EQ(Run({"inspect", "m.pb", "--passes", "--format=dot"}).status, 2);
}

TEST_F(PassesCommandTest, AnUnknownPassIsAnErrorThatListsThemAll) {
  for (const char* command : {"explain", "predict", "inspect"}) {
    const ProcessResult result = Run({command, "m.pb", "--passes=no_such_pass"});
    EXPECT_EQ(result.status, 1) << command;
    EXPECT_THAT(result.err, AllOf(HasSubstr("--passes: unknown pass \"no_such_pass\""),
                                  HasSubstr("commute_lookup_projection")))
        << command;
  }
}

TEST_F(PassesCommandTest, TheSavedModelIsTheSameWithAnyPasses) {
  const auto train = [](const char* passes, const char* output) {
    return Run(WithFlags(TinyTraining("reference"),
                         {"--epochs=1", "--self_test=none", std::string("--passes=") + passes,
                          std::string("--output=") + output}));
  };
  const ProcessResult with = train("all,-dead_code", "with.textproto");
  ASSERT_EQ(with.status, 0) << with.err;
  EXPECT_THAT(with.out, HasSubstr("\nPasses: "));  // for it is not the default
  ASSERT_EQ(train("none", "without.textproto").status, 0);
  const auto functions = [](const char* path) {
    return Run({"inspect", path, "--format=dot"}).out;
  };
  EXPECT_EQ(functions("with.textproto"), functions("without.textproto"));
  EXPECT_THAT(functions("with.textproto"), Not(HasSubstr("projected_table")));
}

}  // namespace
}  // namespace seqgraph
