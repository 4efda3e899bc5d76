#include "graph/model.h"

#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

VariableDef Weight(std::string name, Shape shape = {2}) {
  return {std::move(name), {DType::kFloat32, std::move(shape)}, Initializer::Constant(3)};
}

Function Reading(std::string name, const std::vector<VariableDef>& defs) {
  FunctionBuilder g(std::move(name), TestOps());
  for (const VariableDef& def : defs) g.Result(def.name, g.Variable(def));
  return std::move(g).Build().value();
}

TEST(VariableStore, DeclaredVariablesAreZeroAndInOrder) {
  VariableStore store;
  SEQ_ASSERT_OK(store.Declare(Weight("b")));
  SEQ_ASSERT_OK(store.Declare(Weight("a", {3})));
  EXPECT_EQ(store.all()[0].def.name, "b");
  EXPECT_EQ(store.all()[1].def.name, "a");
  EXPECT_THAT(store.Find("a")->value.Elements<float>(), ElementsAre(0, 0, 0));
  EXPECT_EQ(store.Find("c"), nullptr);
  EXPECT_THAT(store.Get("c"), StatusIs(absl::StatusCode::kNotFound, "no variable \"c\""));
}

TEST(VariableStore, ASecondDeclarationMustAgree) {
  VariableStore store;
  SEQ_ASSERT_OK(store.Declare(Weight("w")));
  SEQ_ASSERT_OK(store.Assign("w", Tensor::Of<float>({2}, {1, 2})));
  VariableDef same = Weight("w");
  same.initializer = Initializer::Zeros();  // no longer of interest
  SEQ_EXPECT_OK(store.Declare(same));
  EXPECT_THAT(store.Find("w")->value.Elements<float>(), ElementsAre(1, 2));
  EXPECT_EQ(store.all().size(), 1u);

  VariableDef other = Weight("w");
  other.role = VariableRole::kOptimizer;
  EXPECT_THAT(store.Declare(other), StatusIs(kInvalid, "the optimizer's"));
  other = Weight("w");
  other.trainable = false;
  EXPECT_THAT(store.Declare(other), StatusIs(kInvalid, "not trainable"));
  EXPECT_THAT(store.Declare(Weight("w", {3})),
              StatusIs(kInvalid,
                       "variable w is declared as float32[2], a weight, trainable, and elsewhere "
                       "as float32[3], a weight, trainable"));
}

TEST(VariableStore, RefusesAShapeWithoutASize) {
  VariableStore store;
  const std::vector<Dim> batch = {Dim::Batch()};
  EXPECT_THAT(store.Declare(Weight("w", Shape(batch))), StatusIs(kInvalid, "variable w"));
  EXPECT_EQ(store.Find("w"), nullptr);
}

TEST(VariableStore, AddressesStayWhenItGrowsAndMoves) {
  VariableStore store;
  SEQ_ASSERT_OK(store.Declare(Weight("w")));
  const Variable* variable = store.Find("w");
  const void* memory = variable->value.data();
  for (int i = 0; i < 1000; ++i) SEQ_ASSERT_OK(store.Declare(Weight(absl::StrCat("v", i))));
  VariableStore moved = std::move(store);
  VariableStore assigned;
  assigned = std::move(moved);
  EXPECT_EQ(assigned.Find("w"), variable);
  SEQ_ASSERT_OK(assigned.Assign("w", Tensor::Of<float>({2}, {1, 2})));
  EXPECT_EQ(assigned.Find("w")->value.data(), memory);
  EXPECT_THAT(variable->value.Elements<float>(), ElementsAre(1, 2));
}

TEST(VariableStore, AssignRaisesTheVersion) {
  VariableStore store;
  SEQ_ASSERT_OK(store.Declare(Weight("w")));
  const uint64_t before = store.Find("w")->version;
  EXPECT_GT(before, 0u);  // 0 stands for what is no variable
  SEQ_ASSERT_OK(store.Assign("w", Tensor::Of<float>({2}, {1, 2})));
  EXPECT_GT(store.Find("w")->version, before);
}

TEST(VariableStore, MutateRaisesTheVersionInPlace) {
  VariableStore store;
  SEQ_ASSERT_OK(store.Declare(Weight("w")));
  const Variable& w = *store.Find("w");
  const uint64_t before = w.version;
  const void* memory = w.value.data();
  store.Mutate<float>(w, [](absl::Span<float> content) { content[1] = 5; });
  EXPECT_GT(w.version, before);
  EXPECT_EQ(w.value.data(), memory);
  EXPECT_THAT(w.value.Elements<float>(), ElementsAre(0, 5));
}

TEST(VariableStore, AddsContentOnce) {
  VariableStore store;
  SEQ_ASSERT_OK(store.Add(Weight("w"), Tensor::Of<float>({2}, {1, 2})));
  EXPECT_THAT(store.Find("w")->value.Elements<float>(), ElementsAre(1, 2));
  EXPECT_THAT(store.Add(Weight("w"), Tensor::Of<float>({2}, {3, 4})),
              StatusIs(absl::StatusCode::kAlreadyExists, "variable w"));
  EXPECT_THAT(store.Add(Weight("v"), Tensor::Of<float>({3}, {1, 2, 3})),
              StatusIs(kInvalid, "variable v is float32[2], but its content is float32[3]"));
  EXPECT_EQ(store.all().size(), 1u);
}

// Nothing that a store gives can be written to but through Assign and Mutate.
template <typename T>
constexpr bool kWritable = std::is_assignable_v<T, std::decay_t<T>>;
using Store = VariableStore&;
static_assert(!kWritable<decltype((std::declval<Store>().Find("")->value))>);
static_assert(!kWritable<decltype((std::declval<Store>().Find("")->version))>);
static_assert(!kWritable<decltype((std::declval<Store>().Find("")->value.Elements<float>()[0]))>);
static_assert(!kWritable<decltype(((*std::declval<Store>().Get(""))->value))>);
static_assert(!kWritable<decltype((std::declval<Store>().all()[0].value))>);
static_assert(!kWritable<decltype((std::declval<Store>().all()[0].version))>);
static_assert(std::is_same_v<decltype(std::declval<Store>().Find("")->value.data()), const void*>);

TEST(VariableStore, AssignRefusesAnotherTypeAndChangesNothing) {
  VariableStore store;
  SEQ_ASSERT_OK(store.Declare(Weight("w")));
  const uint64_t before = store.Find("w")->version;
  EXPECT_THAT(store.Assign("w", Tensor::Of<float>({3}, {1, 2, 3})),
              StatusIs(kInvalid, "variable w is float32[2], cannot take float32[3]"));
  EXPECT_THAT(store.Assign("w", Tensor::Of<double>({2}, {1, 2})), StatusIs(kInvalid, "float64[2]"));
  EXPECT_THAT(store.Assign("x", Tensor()), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(store.Find("w")->version, before);
  EXPECT_THAT(store.Find("w")->value.Elements<float>(), ElementsAre(0, 0));
}

TEST(VariableStore, CountsElementsByRole) {
  VariableStore store;
  SEQ_ASSERT_OK(store.Declare(Weight("w", {2, 3})));
  SEQ_ASSERT_OK(store.Declare(Weight("b", {3})));
  SEQ_ASSERT_OK(store.Declare({"t", {DType::kInt64, {}}, {}, VariableRole::kOptimizer}));
  EXPECT_EQ(store.CountElements(VariableRole::kWeight), 9);
  EXPECT_EQ(store.CountElements(VariableRole::kOptimizer), 1);
}

TEST(Model, FunctionsShareVariables) {
  Model model;
  SEQ_ASSERT_OK(model.AddFunction(Reading("f", {Weight("a"), Weight("b")})));
  SEQ_ASSERT_OK(model.AddFunction(Reading("g", {Weight("b"), Weight("c")})));
  EXPECT_EQ(model.variables.all().size(), 3u);
  ASSERT_NE(model.FindFunction("g"), nullptr);
  EXPECT_EQ(model.FindFunction("g")->name(), "g");
  EXPECT_EQ(model.FindFunction("h"), nullptr);
  EXPECT_THAT(model.GetFunction("h"),
              StatusIs(absl::StatusCode::kNotFound, "no function \"h\"; it has f, g"));
  EXPECT_THAT(Model().GetFunction("h"), StatusIs(absl::StatusCode::kNotFound, "it has none"));
}

TEST(Model, RefusesASecondFunctionOfOneName) {
  Model model;
  SEQ_ASSERT_OK(model.AddFunction(Reading("f", {Weight("a")})));
  EXPECT_THAT(model.AddFunction(Reading("f", {Weight("b")})),
              StatusIs(absl::StatusCode::kAlreadyExists, "\"f\""));
  EXPECT_EQ(model.variables.Find("b"), nullptr);
}

TEST(Model, AFunctionThatContradictsTheVariablesAddsNothing) {
  Model model;
  SEQ_ASSERT_OK(model.AddFunction(Reading("f", {Weight("a")})));
  EXPECT_THAT(model.AddFunction(Reading("g", {Weight("new"), Weight("a", {3})})),
              StatusIs(kInvalid, "function g: variable a"));
  EXPECT_EQ(model.functions.size(), 1u);
  EXPECT_EQ(model.variables.Find("new"), nullptr);
}

}  // namespace
}  // namespace seqgraph
