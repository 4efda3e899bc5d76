#include "training/self_tests.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/all_backends.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tests/faulty_backend.h"
#include "tests/testing.h"
#include "training/model_checkpoint.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr auto kRefused = absl::StatusCode::kFailedPrecondition;

Model SmallModel() {
  return MakeTextModel(
             {.one_hot = false, .num_words = 20, .maxlen = 9, .embedding_dim = 4, .units = 3},
             {.seed = 3})
      .value();
}

struct Rows {
  std::vector<int32_t> tokens, targets;
  Examples examples() const { return {tokens, 5, 9, targets}; }
};

Rows SomeRows() {
  Rows rows;
  for (int i = 0; i < 45; ++i) rows.tokens.push_back(i * 7 % 20);
  rows.targets = {1, 0, 1, 1, 0};
  return rows;
}

SelfTest Make(Model& model, const char* function, bool gradients,
              const RunnerOptions& options = {.backend = "reference"}) {
  const Rows rows = SomeRows();
  auto inputs = SelfTestInputs(*model.FindFunction(function), rows.examples(), 4);
  SEQ_EXPECT_OK(inputs);
  absl::StatusOr<SelfTest> test = MakeSelfTest(model, function, 4, *inputs, gradients, options);
  SEQ_EXPECT_OK(test);
  return *std::move(test);
}

// The built-in backends, and a faulty reference.
class SelfTestTest : public ::testing::Test {
 protected:
  // Without passes: the fault is of a node of the model as it was built.
  RunnerOptions Faulty(InjectedFault fault) {
    registry_ = std::make_unique<BackendRegistry>();
    SEQ_EXPECT_OK(registry_->Register(
        MakeFaultyBackend(AllBackends().Get("reference").value(), std::move(fault))));
    return {.backend = "faulty", .backends = registry_.get(), .passes = PassList()};
  }

  std::unique_ptr<BackendRegistry> registry_;
  Model model_ = SmallModel();
};

TEST_F(SelfTestTest, KeepsInputsResultsAndWhoMadeThem) {
  const SelfTest test = Make(model_, kPredict, false);
  EXPECT_EQ(test.function, "predict");
  EXPECT_EQ(test.batch, 4);
  EXPECT_THAT(test.producer, HasSubstr("reference 1"));
  ASSERT_THAT(test.results, UnorderedElementsAre(Pair("probability", ::testing::_)));
  const SelfTest::Expected& probability = test.results.at("probability");
  EXPECT_EQ(probability.tensor.type().ToString(), "float32[4, 1]");
  // Some roundings, not a per mille.
  EXPECT_GT(probability.allowed, 1e-7);
  EXPECT_LT(probability.allowed, 1e-4);
  EXPECT_THAT(test.inputs, SizeIs(1));
}

TEST_F(SelfTestTest, EveryBuiltInBackendPassesWhatAnyOtherMade) {
  for (const char* maker : {"reference", "onednn"}) {
    const std::vector<SelfTest> tests = {Make(model_, kPredict, false, {.backend = maker}),
                                         Make(model_, kEvaluate, true, {.backend = maker})};
    for (const char* user : {"reference", "onednn"}) {
      SEQ_EXPECT_OK(RunSelfTests(model_, tests, {.backend = user})) << maker << " " << user;
    }
  }
}

TEST_F(SelfTestTest, ABackendThatDiffersIsRefusedWithTheNumbers) {
  const SelfTest test = Make(model_, kPredict, false);
  const float expected = test.results.at("probability").tensor.Elements<float>()[2];
  const absl::Status status =
      RunSelfTests(model_, {test}, Faulty({.op = "Dense", .element = 2, .amount = 0.125f}));
  EXPECT_THAT(status, StatusIs(kRefused, "self-test of function predict"));
  EXPECT_THAT(status, StatusIs(kRefused, "result probability[2, 0] is "));
  EXPECT_THAT(status, StatusIs(kRefused, absl::StrCat("expected ", absl::SixDigits(expected))));
  EXPECT_THAT(status, StatusIs(kRefused, "made by reference 1"));
  EXPECT_THAT(status, StatusIs(kRefused, "measured / allowed is 0.125 / "));
}

TEST_F(SelfTestTest, AWrongGradientIsFoundOnlyByATestWithGradients) {
  const InjectedFault fault{.op = "RNNCellGrad", .output = 2, .amount = 0.01f};
  SEQ_EXPECT_OK(RunSelfTests(model_, {Make(model_, kEvaluate, false)}, Faulty(fault)));
  const SelfTest test = Make(model_, kEvaluate, true);
  EXPECT_THAT(test.gradients, SizeIs(6));
  EXPECT_THAT(RunSelfTests(model_, {test}, Faulty(fault)),
              StatusIs(kRefused, "gradient of simple_rnn/recurrent_kernel[0, 0]"));
}

TEST_F(SelfTestTest, ChangedWeightsAreADifference) {
  const SelfTest test = Make(model_, kPredict, false);
  Tensor kernel = model_.variables.Find("dense/kernel")->value;
  kernel.Elements<float>()[0] += 0.5f;
  SEQ_ASSERT_OK(model_.variables.Assign("dense/kernel", kernel));
  EXPECT_THAT(RunSelfTests(model_, {test}, {.backend = "reference"}),
              StatusIs(kRefused, "result probability"));
}

TEST_F(SelfTestTest, ABackendThatIsWrongCannotMakeOne) {
  const Rows rows = SomeRows();
  SEQ_ASSERT_OK_AND_ASSIGN(const auto inputs,
                           SelfTestInputs(*model_.FindFunction(kPredict), rows.examples(), 4));
  EXPECT_THAT(MakeSelfTest(model_, kPredict, 4, inputs, false,
                           Faulty({.op = "Dense", .element = 1, .amount = 0.01f})),
              StatusIs(absl::StatusCode::kInternal, "result probability[1, 0]"));
}

TEST_F(SelfTestTest, TravelsInTheFileOfBothFormats) {
  const std::vector<SelfTest> tests = {Make(model_, kPredict, false),
                                       Make(model_, kEvaluate, true)};
  for (const char* name : {"/m.pb", "/m.textproto"}) {
    const std::string path = MakeTempDir() + name;
    SEQ_ASSERT_OK(SaveModel(model_, path, tests));
    std::vector<SelfTest> read;
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, LoadModel(path, AllOps(), &read));
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[0].producer, tests[0].producer);
    EXPECT_EQ(read[0].results.at("probability").allowed,
              tests[0].results.at("probability").allowed);
    EXPECT_TRUE(read[1]
                    .gradients.at("dense/kernel")
                    .tensor.BitwiseEquals(tests[1].gradients.at("dense/kernel").tensor));
    SEQ_EXPECT_OK(RunSelfTests(model, read, {.backend = "onednn"}));
  }
}

TEST_F(SelfTestTest, ACheckpointCarriesThoseOfItsOwnWeights) {
  const std::string path = MakeTempDir() + "/best.pb";
  ModelCheckpoint checkpoint(
      path, {.verbose = false, .self_tests = [&]() -> absl::StatusOr<std::vector<SelfTest>> {
               return std::vector<SelfTest>{Make(model_, kPredict, false)};
             }});
  FitContext context{.model = model_};
  SEQ_ASSERT_OK(checkpoint.OnTrainBegin(context));
  for (float change : {0.5f, -0.25f}) {
    Tensor kernel = model_.variables.Find("dense/kernel")->value;
    kernel.Elements<float>()[1] += change;
    SEQ_ASSERT_OK(model_.variables.Assign("dense/kernel", kernel));
    Logs logs;
    SEQ_ASSERT_OK(checkpoint.OnEpochEnd(context, 0, logs));
    std::vector<SelfTest> read;
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, LoadModel(path, AllOps(), &read));
    ASSERT_THAT(read, SizeIs(1));
    SEQ_EXPECT_OK(RunSelfTests(model, read, {.backend = "reference"}));
  }
}

TEST_F(SelfTestTest, GradientsNeedALoss) {
  const Rows rows = SomeRows();
  SEQ_ASSERT_OK_AND_ASSIGN(const auto inputs,
                           SelfTestInputs(*model_.FindFunction(kPredict), rows.examples(), 4));
  EXPECT_THAT(MakeSelfTest(model_, kPredict, 4, inputs, true, {.backend = "reference"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "has no result \"loss\""));
  EXPECT_THAT(SelfTestInputs(*model_.FindFunction(kPredict), rows.examples(), 6),
              StatusIs(absl::StatusCode::kInvalidArgument, "6 rows of 5"));
}

}  // namespace
}  // namespace seqgraph
