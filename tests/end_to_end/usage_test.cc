// The command line: help, misuse (exit status 2), and the commands that need no model.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "backends/all_backends.h"
#include "data/testing/test_util.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "optimizers/all_optimizers.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// Names and summaries, as `seqgraph --help` lists them.
std::vector<std::pair<std::string, std::string>> Commands() {
  const ProcessResult all = RunSeqgraph({"--help"});
  EXPECT_EQ(all.status, 0);
  std::vector<std::pair<std::string, std::string>> commands;
  bool listed = false;
  for (absl::string_view line : absl::StrSplit(all.out, '\n')) {
    if (listed && !absl::StartsWith(line, "  ")) break;
    if (listed) {
      const std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(absl::StripAsciiWhitespace(line), absl::MaxSplits(' ', 1));
      commands.emplace_back(parts.first, absl::StripAsciiWhitespace(parts.second));
    }
    listed |= absl::StartsWith(line, "Subcommands:");
  }
  return commands;
}

TEST(Usage, HelpListsCommandsAndTheirFlags) {
  EXPECT_GT(Commands().size(), 10u);
  for (const auto& [command, summary] : Commands()) {
    EXPECT_THAT(summary, Not(IsEmpty())) << command;
    const ProcessResult one = RunSeqgraph({command, "--help"});
    EXPECT_EQ(one.status, 0) << command;
    EXPECT_THAT(one.out, AllOf(HasSubstr("--help"), HasSubstr(summary),
                               HasSubstr("--max_memory BYTES [three quarters of the machine's")))
        << command;
    EXPECT_THAT(one.err, IsEmpty()) << command;
  }
}

TEST(Usage, TrainingHasTheDefaultsOfTheTutorial) {
  const std::string help = RunSeqgraph({"train", "--help"}).out;
  for (const char* flag :
       {"--data PATH [synthetic]", "--model embedding|onehot [embedding]",
        "--backend NAMES [simd,onednn]", "--num_words N [500]", "--maxlen N [100]",
        "--embedding_dim N [16]", "--units N [8]", "--batch N [64]", "--epochs N [100]",
        "--learning_rate X [0.0001]", "--patience N [3]", "--validation X [0.2]", "--seed N [",
        "--threads N [1]", "--output FILE", "--history FILE"}) {
    EXPECT_THAT(help, HasSubstr(flag));
  }
}

TEST(Usage, FlagsOfTrainingStandTogetherAndTasksSayTheirDefaults) {
  const std::string help = RunSeqgraph({"train", "--help"}).out;
  size_t at = 0;
  for (const char* part :
       {"\nData:", "--data PATH", "\nTask and series of numbers:", "--task text|next|classify",
        "forecast: the steps behind each window", "mean_squared_error", "--window N", "\nLayers:",
        "--cell", "\nTraining:", "--optimizer", "\nRunning:", "--backend", "\nExamples:",
        "seqgraph train --data=", "seqgraph train --data=", "seqgraph train --data="}) {
    const size_t found = help.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << " behind byte " << at << " of\n" << help;
    at = found + 1;
  }
}

TEST(Usage, EveryOptimizerAndItsSettingsAreFlags) {
  const std::string help = RunSeqgraph({"train", "--help"}).out;
  std::vector<std::string> names;
  for (const OptimizerDef* def : AllOptimizers()) {
    names.push_back(absl::AsciiStrToLower(def->name));
    for (const Hyperparameter& each : def->Settings()) {
      EXPECT_THAT(help, HasSubstr(absl::StrCat("--", each.key)));
    }
  }
  EXPECT_THAT(help, HasSubstr(absl::StrCat("--optimizer ", absl::StrJoin(names, "|"))));
}

// Exit status 2 and one line that has all of `parts` and how to get help.
void ExpectMisuse(const std::vector<std::string>& arguments,
                  const std::vector<std::string>& parts) {
  const ProcessResult result = RunSeqgraph(arguments);
  EXPECT_EQ(result.status, 2) << result.out << result.err;
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, AllOf(StartsWith("seqgraph: "), HasSubstr("--help")));
  EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << result.err;
  for (const std::string& part : parts) EXPECT_THAT(result.err, HasSubstr(part));
}

TEST(Usage, AnUnknownCommandOrFlagIsNamed) {
  ExpectMisuse({}, {"train, evaluate"});
  ExpectMisuse({"trian"}, {"trian", "train, evaluate"});
  ExpectMisuse({"train", "--epoch_s=3"}, {"--epoch_s", "seqgraph train --help"});
  ExpectMisuse({"train", "stray"}, {"stray"});
  ExpectMisuse({"--verbose"}, {"--verbose"});
}

TEST(Usage, AValueThatDoesNotFitIsNamedWithWhatWasExpected) {
  ExpectMisuse({"train", "--epochs=0"}, {"--epochs", "whole number from 1", "'0'"});
  ExpectMisuse({"train", "--epochs=ten"}, {"--epochs", "'ten'"});
  ExpectMisuse({"train", "--epochs=1.5"}, {"--epochs", "'1.5'"});
  ExpectMisuse({"train", "--epochs=99999999999999999999"}, {"--epochs"});
  ExpectMisuse({"train", "--epochs="}, {"--epochs"});
  ExpectMisuse({"train", "--epochs"}, {"--epochs"});
  ExpectMisuse({"train", "--num_words=3"}, {"--num_words", "from 4"});
  ExpectMisuse({"train", "--beta_1=1", "--optimizer=adam"}, {"--beta_1", "in [0, 1)", "'1'"});
  ExpectMisuse({"train", "--optimizer=adam", "--rho=0.5"}, {"adam has no --rho", "--beta_1"});
  ExpectMisuse({"train", "--clipnorm=1", "--clipvalue=1"}, {"in another way already"});
  ExpectMisuse({"train", "--optimizer=lion"}, {"--optimizer", "nadam", "'lion'"});
  ExpectMisuse({"train", "--dropout=1"}, {"--dropout", "at least 0 and below 1", "'1'"});
  ExpectMisuse({"train", "--separator=ab"}, {"--separator", "one character or 'tab'", "'ab'"});
  ExpectMisuse({"train", "--class_weight=a"}, {"--class_weight", "expected balanced", "'a'"});
  ExpectMisuse({"train", "--class_weight=a=-1"}, {"--class_weight", "from 0", "'a=-1'"});
  ExpectMisuse({"train", "--metrics=auc,f1"},
               {"--metrics", "precision, recall, binary_accuracy", "\"f1\""});
  ExpectMisuse({"train", "--first_epoch=5", "--epochs=5"}, {"--first_epoch", "less than the 5"});
  ExpectMisuse({"train", "--model=onehot", "--mask_zero"}, {"--mask_zero", "onehot"});
  ExpectMisuse({"train", "--learning_rate=nan"}, {"--learning_rate", "'nan'"});
  ExpectMisuse({"train", "--learning_rate=-1"}, {"--learning_rate"});
  ExpectMisuse({"train", "--validation=1"}, {"--validation", "at least 0 and below 1"});
  ExpectMisuse({"train", "--model=lstm"}, {"--model", "embedding or onehot", "'lstm'"});
  ExpectMisuse({"train", "--output="}, {"--output"});
  ExpectMisuse({"train", "--seed=1", "--seed=2"}, {"--seed", "more than once"});
  ExpectMisuse({"inspect", "m.pb", "--format=xml"}, {"--format", "dot"});
}

TEST(Usage, FlagsThatDoNotGoTogetherAreNamed) {
  ExpectMisuse({"train", "--model=onehot", "--embedding_dim=4"}, {"--embedding_dim", "onehot"});
  ExpectMisuse({"inspect", "m.pb", "--weights"}, {"--weights", "textproto"});
  ExpectMisuse({"predict", "m.pb", "text", "--file=f"}, {"--file", "TEXT"});
  ExpectMisuse({"summary", "m.pb", "--units=3"}, {"--units", "MODEL"});
}

TEST(Usage, WhatIsNeededIsAskedFor) {
  ExpectMisuse({"evaluate", "m.pb"}, {"--data"});
  ExpectMisuse({"evaluate", "--data=x"}, {"MODEL"});
  ExpectMisuse({"predict"}, {"MODEL"});
  ExpectMisuse({"encode"}, {"--output"});
  ExpectMisuse({"test"}, {"FILES"});
}

TEST(Usage, NumbersAreDecimal) {
  // 010 is ten, so the hidden layer has 10 (16 + 10 + 1) parameters.
  const ProcessResult summary = RunSeqgraph({"summary", "--units=010"});
  EXPECT_EQ(summary.status, 0) << summary.err;
  EXPECT_THAT(summary.out, HasSubstr(" 270 "));
}

TEST(Summary, WithoutAModelShowsWhatTrainingWouldMake) {
  EXPECT_THAT(RunSeqgraph({"summary"}).out, HasSubstr("Total params: 8,209 (32.07 KB)"));
  EXPECT_THAT(RunSeqgraph({"summary", "--model=onehot"}).out,
              HasSubstr("Total params: 4,081 (15.94 KB)"));
}

TEST(Backends, EachIsListedWithVersionAndEveryOp) {
  const ProcessResult result = RunSeqgraph({"backends"});
  ASSERT_EQ(result.status, 0) << result.err;
  for (const auto& backend : AllBackends().all()) {
    EXPECT_THAT(result.out,
                HasSubstr(absl::StrCat(backend->info().name, " ", backend->info().version)));
  }
  for (const OpDef* op : AllOps().All()) EXPECT_THAT(result.out, HasSubstr("  " + op->name()));
}

TEST(Ops, EachIsListedAndDefined) {
  const ProcessResult list = RunSeqgraph({"ops"});
  ASSERT_EQ(list.status, 0) << list.err;
  for (const OpDef* op : AllOps().All()) EXPECT_THAT(list.out, HasSubstr(op->name() + " "));
  const ProcessResult some = RunSeqgraph({"ops", "Tanh", "BCE"});
  EXPECT_THAT(some.out, AllOf(StartsWith("## Tanh\n"), HasSubstr("`Tanh(x) -> y`, version 1"),
                              HasSubstr("\n## BCE\n"), Not(HasSubstr("## BCEGrad"))));
  const ProcessResult none = RunSeqgraph({"ops", "Warp"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("Warp"));
}

// sigmoid(0) = 1/2.
constexpr char kSigmoidOfZero[] = R"(
cases {
  name: "at_zero"
  node { op: "Sigmoid" inputs: ["x"] }
  inputs { name: "x" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [0] } }
  results { name: "y" tensor { type { dtype: FLOAT64 dims: [1] } float64_values: [0.5] } }
}
)";

TEST(GraphTests, PassAndFailByTheirExpectations) {
  const std::string folder = MakeTempDir();
  data::WriteFileOrDie(folder + "/right.textproto", kSigmoidOfZero);
  const std::string wrong = absl::StrReplaceAll(kSigmoidOfZero, {{"[0.5]", "[0.6]"}});
  data::WriteFileOrDie(folder + "/wrong.textproto", wrong);
  for (const auto& backend : AllBackends().all()) {
    const auto run = [&](const std::string& file) {
      return RunSeqgraph({"test", "--backend=" + backend->info().name, file}, {.folder = folder});
    };
    const ProcessResult passed = run("right.textproto");
    EXPECT_EQ(passed.status, 0) << passed.out << passed.err;
    EXPECT_THAT(passed.out, HasSubstr("1 passed, 0 failed"));
    const ProcessResult failed = run("wrong.textproto");
    EXPECT_EQ(failed.status, 1) << failed.out << failed.err;
    EXPECT_THAT(failed.out, HasSubstr("0 passed, 1 failed"));
    const ProcessResult missing = run("none.textproto");
    EXPECT_EQ(missing.status, 1);
    EXPECT_THAT(missing.err, HasSubstr("none.textproto"));
  }
}

}  // namespace
}  // namespace seqgraph
