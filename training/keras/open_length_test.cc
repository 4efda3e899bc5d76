#include <map>
#include <string>

#include "tests/testing.h"
#include "training/keras/keras_import.h"
#include "training/optimizers.h"
#include "training/sequential.h"

namespace seqgraph {
namespace {

Model Forecaster(LayerInput input) {
  return Sequential(input, "forecaster")
      .Add(RecurrentLayer{.cell = "GRU", .units = 3})
      .Add(DenseLayer{.units = 1})
      .Build({.loss = MeanSquaredError(), .optimizer = Adam{.learning_rate = 0.25}})
      .value();
}

Shape InputShape(const Model& model, const std::string& function) {
  const Function* found = model.FindFunction(function);
  return found->type(found->inputs()[0]).shape;
}

TEST(SetOpenLength, BuildsTheModelAnewWithAllThatItHas) {
  Model model = Forecaster({.time = 4, .features = 2, .open_time = true});
  model.description = "of somebody";
  // Every number another: weights, the optimizer's state, the rate.
  std::map<std::string, Tensor> before;
  float next = 1;
  for (const Variable& variable : model.variables.all()) {
    if (variable.value.dtype() == DType::kFloat32) {
      model.variables.Mutate<float>(variable, [&](auto elements) {
        for (float& x : elements) x = next++ / 64;
      });
    }
    before[variable.def.name] = Tensor::CopyOf(variable.value.type(), variable.value.data());
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const bool changed, SetOpenLength(9, model));
  EXPECT_TRUE(changed);
  for (const char* function : {"predict", "train_step"}) {
    EXPECT_EQ(InputShape(model, function), (Shape{Dim::Batch(), 9, 2})) << function;
  }
  EXPECT_EQ(model.description, "of somebody");
  EXPECT_TRUE(model.layers->input.open_time);
  EXPECT_EQ(model.variables.all().size(), before.size());
  EXPECT_GT(before.size(), 10u);
  for (const auto& [name, value] : before) {
    SEQ_ASSERT_OK_AND_ASSIGN(const Variable* variable, model.variables.Get(name));
    EXPECT_TRUE(variable->value.BitwiseEquals(value)) << name;
  }
}

TEST(SetOpenLength, LeavesOthersAsTheyAre) {
  Model open = Forecaster({.time = 4, .features = 2, .open_time = true});
  SEQ_ASSERT_OK_AND_ASSIGN(const bool same, SetOpenLength(4, open));
  EXPECT_FALSE(same);
  Model closed = Forecaster({.time = 4, .features = 2});
  SEQ_ASSERT_OK_AND_ASSIGN(const bool changed, SetOpenLength(9, closed));
  EXPECT_FALSE(changed);
  EXPECT_EQ(InputShape(closed, "predict"), (Shape{Dim::Batch(), 4, 2}));
}

}  // namespace
}  // namespace seqgraph
