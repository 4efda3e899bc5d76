// `explain`, `diff`, self-tests and --max_memory from outside.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/atomic_file.h"
#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "ops/binary.h"
#include "serialization/model_io.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"
#include "training/optimizers.h"
#include "training/sequential.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A trained model in a folder with the reviews.
class CommandTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new std::string(FolderWithTinyArchive());
    const ProcessResult trained =
        Run(WithFlags(TinyTraining("onednn"), {"--output=m.pb", "--self_test=gradients"}));
    ASSERT_EQ(trained.status, 0) << trained.err;
  }

  static ProcessResult Run(const std::vector<std::string>& arguments) {
    return RunSeqgraph(arguments, {.folder = *folder_});
  }

  // m.pb with the first expected probability moved by `change`.
  static void WriteChangedTo(const std::string& name, float change) {
    std::vector<SelfTest> tests;
    SEQ_ASSERT_OK_AND_ASSIGN(const Model model, LoadModel(*folder_ + "/m.pb", AllOps(), &tests));
    ASSERT_FALSE(tests.empty());
    tests[0].results.at("probability").tensor.Elements<float>()[0] += change;
    SEQ_ASSERT_OK(SaveModel(model, *folder_ + "/" + name, tests));
  }

  static std::string* folder_;
};
std::string* CommandTest::folder_ = nullptr;

TEST_F(CommandTest, TrainStoresAnswersAndGradientsThatBothBackendsPass) {
  std::vector<SelfTest> tests;
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, LoadModel(*folder_ + "/m.pb", AllOps(), &tests));
  ASSERT_EQ(tests.size(), 2u);
  EXPECT_EQ(tests[0].function, "predict");
  EXPECT_THAT(tests[0].producer, ::testing::StartsWith("onednn "));
  EXPECT_FALSE(tests[1].gradients.empty());
  for (const char* backend : {"--backend=reference", "--backend=onednn"}) {
    EXPECT_EQ(Run({"predict", "m.pb", "good", backend}).status, 0);
  }
}

TEST_F(CommandTest, ABackendThatDiffersFromTheModelsAnswersIsRefusedUnlessToldNotToCheck) {
  WriteChangedTo("changed.pb", 0.25f);
  const ProcessResult refused = Run({"predict", "changed.pb", "good"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("changed.pb: self-test of function predict"),
                    HasSubstr("result probability[0, 0]"), HasSubstr("made by onednn"),
                    HasSubstr("measured / allowed is 0.25 / "), HasSubstr("--self_test=false")));
  EXPECT_EQ(Run({"evaluate", "changed.pb", "--data=tiny.tar.gz"}).status, 1);
  EXPECT_EQ(Run({"predict", "changed.pb", "good", "--self_test=false"}).status, 0);
  EXPECT_EQ(Run({"evaluate", "changed.pb", "--data=tiny.tar.gz", "--self_test=false"}).status, 0);
  // Within what roundings explain.
  WriteChangedTo("same.pb", 1e-7f);
  EXPECT_EQ(Run({"predict", "same.pb", "good"}).status, 0);
}

TEST_F(CommandTest, TrainingWithoutSelfTestsWritesNone) {
  ASSERT_EQ(Run(WithFlags(TinyTraining("onednn"), {"--output=none.textproto", "--self_test=none"}))
                .status,
            0);
  const ProcessResult text = Run({"inspect", "none.textproto", "--format=textproto"});
  EXPECT_THAT(text.out, AllOf(HasSubstr("format_version: 4\n"), HasSubstr("\nlayers {"),
                              Not(HasSubstr("self_tests"))));
}

TEST_F(CommandTest, ExplainShowsNodesReasonsAndMemory) {
  const ProcessResult one = Run({"explain", "m.pb", "--batch=4"});
  EXPECT_EQ(one.status, 0) << one.err;
  for (const char* part : {"function train_step, batch 4", "simple_rnn/grad", "RNNCellGrad",
                           "memory of", "scratch", "variables", "peak", "plan of values: ",
                           "live at one time; ratio 1.0", "nodes of train_step"}) {
    EXPECT_THAT(one.out, HasSubstr(part));
  }
  EXPECT_THAT(one.out, Not(HasSubstr("refused:")));
  const ProcessResult predict =
      Run({"explain", "m.pb", "--function=predict", "--backend=reference,onednn"});
  EXPECT_THAT(predict.out, HasSubstr("onednn"));
  EXPECT_THAT(predict.out, Not(HasSubstr("RNNCellGrad")));
  EXPECT_EQ(Run({"explain", "m.pb", "--function=none"}).status, 1);
}

TEST_F(CommandTest, ExplainOfAMeasuredChoiceShowsTimesAndNoRefusals) {
  const std::vector<std::string> explain = {"explain", "m.pb", "--function=predict",
                                            "--backend=auto", "--batch=1"};
  const ProcessResult first = Run(explain), second = Run(explain);
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("backends chosen by measuring, in "));
  EXPECT_THAT(second.out, HasSubstr("backends chosen by what was measured before"));
  for (const ProcessResult* run : {&first, &second}) {
    EXPECT_THAT(run->out, HasSubstr("the whole function"));
    EXPECT_THAT(run->out, Not(HasSubstr("refused:")));
    // The projected table of a function for inference.
    EXPECT_THAT(run->out, HasSubstr("(kept between calls)"));
  }
}

TEST_F(CommandTest, ExplainSaysWhichNodesHaveNoKernel) {
  FunctionBuilder g("predict", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), 3}});
  g.Result("y", ops::Binary(g, "Modulo", x, x, "plain"));
  Model model;
  SEQ_ASSERT_OK_AND_ASSIGN(Function function, std::move(g).Build());
  SEQ_ASSERT_OK(model.AddFunction(std::move(function)));
  SEQ_ASSERT_OK(SaveModel(model, *folder_ + "/plain.pb"));
  const ProcessResult both = Run({"explain", "plain.pb", "--backend=onednn,reference"});
  EXPECT_EQ(both.status, 0) << both.err;
  EXPECT_THAT(both.out, HasSubstr("by definition, float32"));
  EXPECT_THAT(both.out,
              HasSubstr("plain (Modulo) by onednn: by definition: no kernel for Modulo version 1"));
  EXPECT_THAT(both.out, Not(HasSubstr("refused")));
  const ProcessResult reference = Run({"explain", "plain.pb", "--backend=reference"});
  EXPECT_THAT(reference.out, Not(HasSubstr("no kernel")));
}

TEST_F(CommandTest, MaxMemoryRefusesBeforeAnythingRuns) {
  const ProcessResult explained = Run({"explain", "m.pb", "--max_memory=20000"});
  EXPECT_EQ(explained.status, 1);
  EXPECT_THAT(explained.err,
              AllOf(HasSubstr("RESOURCE_EXHAUSTED"),
                    HasSubstr("to run function train_step with batch 64 takes "),
                    HasSubstr("more than the limit of 20000 bytes"), HasSubstr("--max_memory")));
  EXPECT_THAT(explained.out, HasSubstr("peak"));  // What it would need is told all the same.
  const ProcessResult trained =
      Run(WithFlags(TinyTraining("onednn"), {"--output=no.pb", "--max_memory=10000"}));
  EXPECT_EQ(trained.status, 1);
  EXPECT_THAT(trained.err, HasSubstr("function train_step with batch"));
  EXPECT_THAT(trained.out, Not(HasSubstr("Epoch 1")));
  EXPECT_EQ(
      Run(WithFlags(TinyTraining("onednn"), {"--output=yes.pb", "--max_memory=100000000"})).status,
      0);
}

// 64 rows of 2^24 numbers, and as many results: 8 GiB, of which neither has even a tenth.
TEST_F(CommandTest, WhatExceedsTheMachineIsExplainedAndNotRun) {
  FunctionBuilder g("predict", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), int64_t{1} << 24}});
  g.Result("y", g.AddNode("Relu", {x})[0]);
  Model model;
  SEQ_ASSERT_OK_AND_ASSIGN(Function function, std::move(g).Build());
  SEQ_ASSERT_OK(model.AddFunction(std::move(function)));
  SEQ_ASSERT_OK(SaveModel(model, *folder_ + "/long.pb"));
  const ProcessOptions small{.folder = *folder_, .max_memory_bytes = long{800} << 20};
  const ProcessResult told = RunSeqgraph({"explain", "long.pb"}, small);
  EXPECT_EQ(told.status, 1);
  EXPECT_THAT(told.out, HasSubstr("8,589,934,592"));
  EXPECT_THAT(told.err, AllOf(HasSubstr("takes 8589934592 bytes"), HasSubstr("--max_memory")));
  EXPECT_EQ(Run({"explain", "long.pb", "--max_memory=9G"}).status, 0);
  const ProcessResult bench = Run({"bench", "long.pb", "--max_memory=500M"});
  EXPECT_EQ(bench.status, 1);
  EXPECT_THAT(bench.err,
              AllOf(HasSubstr("RESOURCE_EXHAUSTED"), HasSubstr("the limit leaves it 524288000"),
                    HasSubstr("--max_memory")));
}

TEST_F(CommandTest, ARunWithSeveralBackendsEndsWithWhereNodesWent) {
  const ProcessResult predict = Run({"predict", "m.pb", "good", "--backend=reference,onednn"});
  EXPECT_THAT(predict.err, HasSubstr("Backend reference 1: all "));
  EXPECT_THAT(predict.out, Not(HasSubstr("Backend")));
  const ProcessResult evaluate =
      Run({"evaluate", "m.pb", "--data=tiny.tar.gz", "--backend=reference,onednn"});
  EXPECT_THAT(evaluate.out, HasSubstr("nodes of evaluate; onednn"));
}

TEST_F(CommandTest, DiffFindsTheBuiltInBackendsWithinTheirBounds) {
  for (const char* mode : {"--mode=isolated", "--mode=chained"}) {
    const ProcessResult diff =
        Run({"diff", "m.pb", "--data=tiny.tar.gz", "--batch=7", "--steps=3", mode});
    EXPECT_EQ(diff.status, 0) << diff.out << diff.err;
    for (const char* part : {"measured / allowed", "spectral norm of u", "after step 3: loss",
                             "All nodes are within their bounds."}) {
      EXPECT_THAT(diff.out, HasSubstr(part));
    }
  }
  EXPECT_EQ(Run({"diff", "m.pb", "--backends=reference"}).status, 1);
  EXPECT_EQ(Run({"diff", "m.pb", "--data=tiny.tar.gz", "--batch=7", "--rest=none"}).status, 0);
  EXPECT_THAT(Run({"diff", "m.pb", "--rest=abacus"}).err, HasSubstr("abacus"));
  EXPECT_EQ(Run({"diff", "m.pb", "--inputs=none.npz"}).status, 1);
}

// A model of layers whose length is open takes that of the arrays, or of --time.
TEST_F(CommandTest, DiffBindsAnOpenLength) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      const Model model,
      Sequential({.name = "inputs", .time = 4, .features = 2, .open_time = true}, "open")
          .Add(GRU(3))
          .Add(DenseLayer{.units = 1})
          .Build({.loss = MeanSquaredError(), .optimizer = SGD{}}));
  SEQ_ASSERT_OK(SaveModel(model, *folder_ + "/open.pb"));
  // An array of NumPy's format: 3 rows of 6 steps.
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 6, 2), }";
  header.append(64 - (10 + header.size() + 1) % 64, ' ').append("\n");
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes.push_back(static_cast<char>(header.size()));
  bytes.push_back(0);
  absl::StrAppend(&bytes, header, std::string(3 * 6 * 2 * sizeof(float), '\0'));
  SEQ_ASSERT_OK(AtomicWriteFile(*folder_ + "/six.npy", bytes));
  const auto diff = [](const char* time) {
    return Run({"diff", "open.pb", "--function=predict", "--inputs=six.npy", time});
  };
  const ProcessResult bound = diff("--time=0");
  EXPECT_EQ(bound.status, 0) << bound.out << bound.err;
  EXPECT_THAT(bound.out, HasSubstr("function predict, batch 3"));
  EXPECT_EQ(diff("--time=6").status, 0);
  EXPECT_THAT(diff("--time=5").err, HasSubstr("expected float32[batch, 5, 2]"));
}

}  // namespace
}  // namespace seqgraph
