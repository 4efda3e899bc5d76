// Models of ours as ONNX and back: the same function to the bit, the same texts and labels.

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "serialization/onnx/onnx_reader.h"
#include "serialization/onnx/onnx_writer.h"
#include "serialization/testing/test_ops.h"
#include "tests/onnx/round_trip_models.h"
#include "tests/testing.h"
#include "training/model_runner.h"

namespace seqgraph::onnx {
namespace {

constexpr uint64_t kSeed = 20261125;

// What `predict` gives for random inputs, which are the same for every model of that signature.
absl::StatusOr<std::vector<Tensor>> Predict(Model& model, const std::string& backend) {
  ModelRunner runner(&model, {.backend = backend});
  SEQ_ASSIGN_OR_RETURN(CompiledFunction* const predict, runner.Compile("predict", kBatch));
  SampleSource source(kSeed);
  for (size_t i = 0; i < predict->function().inputs().size(); ++i) {
    const TensorType type = predict->function().type(predict->function().inputs()[i]);
    SEQ_RETURN_IF_ERROR(predict->SetInput(static_cast<int>(i), RandomInput(source, type)));
  }
  SEQ_RETURN_IF_ERROR(predict->Run());
  std::vector<Tensor> results;
  for (size_t i = 0; i < predict->function().results().size(); ++i) {
    results.push_back(predict->Result(static_cast<int>(i)));
  }
  return results;
}

class RoundTrip : public testing::TestWithParam<std::tuple<NamedModel, std::string>> {};

TEST_P(RoundTrip, GivesTheSameBits) {
  const auto& [named, backend] = GetParam();
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, named.make());
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeOnnx(model));
  SEQ_ASSERT_OK_AND_ASSIGN(Model back, ParseOnnx(bytes, AllOps()));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> before, Predict(model, backend));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> after, Predict(back, backend));
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    if (named.other_ops && backend != "reference") {
      EXPECT_THAT(before[i].Elements<float>(),
                  testing::Pointwise(testing::FloatNear(1e-6f), after[i].Elements<float>()));
    } else {
      EXPECT_TRUE(before[i].BitwiseEquals(after[i])) << "result " << i;
    }
  }
  // The weights, under their names.
  for (const Variable& variable : model.variables.all()) {
    const Variable* found = back.variables.Find(variable.def.name);
    ASSERT_NE(found, nullptr) << variable.def.name;
    EXPECT_TRUE(found->value.BitwiseEquals(variable.value)) << variable.def.name;
    EXPECT_TRUE(found->def.trainable) << variable.def.name;
  }
  EXPECT_EQ(back.variables.all().size(), model.variables.all().size());
  EXPECT_EQ(*SerializeOnnx(model), bytes);
}

INSTANTIATE_TEST_SUITE_P(Models, RoundTrip,
                         testing::Combine(testing::ValuesIn(RoundTripModels()),
                                          testing::Values("reference", "onednn", "simd")),
                         [](const auto& info) {
                           return absl::StrCat(std::get<0>(info.param).name, "_",
                                               std::get<1>(info.param));
                         });

TEST(OnnxMetadata, TextsAndLabelsTravel) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, RoundTripModels()[0].make());
  model.name = "reviews";
  model.preprocessing = {"imdb", 500, 100, {"good", "caf\xE9", "a\nb"}, "te\nxt", "class"};
  model.series = AwkwardSeries();
  model.series.known_future = {""};  // One that is empty is not none.
  model.labels = {"negative", "positive"};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeOnnx(model));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model back, ParseOnnx(bytes, AllOps()));
  EXPECT_EQ(back.name, "reviews");
  EXPECT_EQ(back.preprocessing.rule, "imdb");
  EXPECT_EQ(back.preprocessing.num_words, 500);
  EXPECT_EQ(back.preprocessing.maxlen, 100);
  EXPECT_EQ(back.preprocessing.words, model.preprocessing.words);
  EXPECT_EQ(back.preprocessing.text_column, "te\nxt");
  EXPECT_EQ(back.preprocessing.label_column, "class");
  EXPECT_EQ(back.labels, model.labels);
  EXPECT_EQ(back.series, model.series);
}

TEST(OnnxExport, RefusesWhatItsOperatorsCannotSay) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, RoundTripModels()[0].make());
  FunctionBuilder g("count", AllOps());
  const Value steps = g.Variable(VariableDef{.name = "steps",
                                             .type = {DType::kInt64, {}},
                                             .role = VariableRole::kOptimizer,
                                             .trainable = false});
  g.Update("steps", g.AddNode("Increment", {steps})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(Function count, std::move(g).Build());
  SEQ_ASSERT_OK(model.AddFunction(std::move(count)));
  EXPECT_THAT(SerializeOnnx(model, {.function = "count"}).status(),
              StatusIs(absl::StatusCode::kUnimplemented, "function count updates variables"));
  EXPECT_THAT(SerializeOnnx(model, {.function = "evaluate"}).status(),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace seqgraph::onnx
