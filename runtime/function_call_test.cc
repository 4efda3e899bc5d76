// Calls of a compiled function that others share, and what they carry from one to the next.

#include "runtime/function_call.h"

#include <memory>
#include <utility>
#include <vector>

#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "runtime/compiled_function.h"
#include "runtime/testing/fake_backend.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

enum { kH, kX, kIds };
enum { kNext, kTwice, kPicked, kSame, kAsItIs, kAgain };

// next = h + x; then what fails for bad ids; results that cannot be carried.
Function Counter() {
  FunctionBuilder g("counter", TestOps());
  const Value h = g.Input("h", {DType::kFloat32, {2}});
  const Value x = g.Input("x", {DType::kFloat32, {2}});
  const Value ids = g.Input("ids", {DType::kInt32, {1}});
  const Value next = g.AddNode("Add", {h, x}, {}, "next")[0];
  const Value twice = g.AddNode("Scale", {next}, {}, "twice")[0];
  const Value same = g.AddNode("Multiply", {h, x}, {}, "same")[0];
  g.Result("next", next);
  g.Result("twice", twice);
  g.Result("picked", g.AddNode("Pick", {ids, x}, {}, "picked")[0]);
  g.Result("same", same);
  g.Result("as_it_is", x);
  g.Result("again", same);
  return std::move(g).Build().value();
}

class FunctionCallTest : public ::testing::Test {
 protected:
  void Make(std::vector<CarriedValue> carried, bool shareable = true) {
    fake_ = std::make_unique<FakeBackend>(FakeBehavior{.shareable = shareable});
    SEQ_ASSERT_OK_AND_ASSIGN(compiled_, CompiledFunction::Compile(Counter(), TestOps(), &store_,
                                                                  {.backends = {fake_.get()}}));
    SEQ_ASSERT_OK(compiled_->Run());
    absl::StatusOr<std::unique_ptr<FunctionCall>> call = compiled_->MakeCall(carried);
    made_ = call.status();
    if (call.ok()) call_ = *std::move(call);
  }
  void Set(int input, float a, float b) {
    auto* to = static_cast<float*>(call_->input(input));
    to[0] = a;
    to[1] = b;
  }
  static std::vector<float> Two(const void* from) {
    const auto* floats = static_cast<const float*>(from);
    return {floats[0], floats[1]};
  }

  VariableStore store_;
  std::unique_ptr<FakeBackend> fake_;
  std::unique_ptr<CompiledFunction> compiled_;
  absl::Status made_;
  std::unique_ptr<FunctionCall> call_;
};

TEST_F(FunctionCallTest, CarriesAResultToTheNextCall) {
  ASSERT_NO_FATAL_FAILURE(Make({{kH, kNext}}));
  SEQ_ASSERT_OK(made_);
  EXPECT_TRUE(call_->carries(kH));
  EXPECT_FALSE(call_->carries(kX));
  const void* const before = call_->input(kH);
  const void* const twice = call_->result(kTwice);
  const void* const x = call_->input(kX);
  Set(kH, 1, 10);
  Set(kX, 2, 3);
  for (int run = 1; run <= 5; ++run) {
    SEQ_ASSERT_OK(call_->Run());
    const float a = 1 + 2.0f * static_cast<float>(run), b = 10 + 3.0f * static_cast<float>(run);
    EXPECT_THAT(Two(call_->input(kH)), ElementsAre(a, b)) << run;
    EXPECT_THAT(Two(call_->result(kTwice)), ElementsAre(2 * a, 2 * b)) << run;
    EXPECT_EQ(call_->input(kH) == before, run % 2 == 0) << run;
    EXPECT_EQ(call_->result(kTwice), twice);
    EXPECT_EQ(call_->input(kX), x);
  }
  Set(kH, 0, 0);  // as a stream that begins anew, in either turn
  SEQ_ASSERT_OK(call_->Run());
  EXPECT_THAT(Two(call_->input(kH)), ElementsAre(2, 3));
}

TEST_F(FunctionCallTest, WhatIsNotCarriedStaysInItsPlace) {
  ASSERT_NO_FATAL_FAILURE(Make({}));
  SEQ_ASSERT_OK(made_);
  EXPECT_FALSE(call_->carries(kH));
  const void* const next = call_->result(kNext);
  Set(kH, 1, 10);
  Set(kX, 2, 3);
  for (int run = 0; run < 3; ++run) {
    SEQ_ASSERT_OK(call_->Run());
    EXPECT_THAT(Two(call_->input(kH)), ElementsAre(1, 10));
    EXPECT_THAT(Two(call_->result(kNext)), ElementsAre(3, 13));
    EXPECT_EQ(call_->result(kNext), next);
  }
}

TEST_F(FunctionCallTest, AFailedRunCarriesNothing) {
  ASSERT_NO_FATAL_FAILURE(Make({{kH, kNext}}));
  SEQ_ASSERT_OK(made_);
  Set(kX, 2, 3);
  for (int run = 0; run < 2; ++run) {  // in either turn
    Set(kH, 1, 10);
    const void* const before = call_->input(kH);
    *static_cast<int32_t*>(call_->input(kIds)) = 7;
    EXPECT_THAT(call_->Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                                       "function counter, node picked (Pick)"));
    EXPECT_EQ(call_->input(kH), before);
    EXPECT_THAT(Two(call_->input(kH)), ElementsAre(1, 10));
    *static_cast<int32_t*>(call_->input(kIds)) = 1;
    SEQ_ASSERT_OK(call_->Run());
    EXPECT_THAT(Two(call_->input(kH)), ElementsAre(3, 13));
  }
}

TEST_F(FunctionCallTest, DoesNotCarryWhatOthersHold) {
  ASSERT_NO_FATAL_FAILURE(Make({{kH, kSame}}));
  EXPECT_FALSE(call_->carries(kH)) << "result same is result again too";
  ASSERT_NO_FATAL_FAILURE(Make({{kH, kAsItIs}}));
  EXPECT_FALSE(call_->carries(kH)) << "the result is an input";
  ASSERT_NO_FATAL_FAILURE(Make({{kH, kNext}, {kX, kNext}}));
  EXPECT_TRUE(call_->carries(kH));
  EXPECT_FALSE(call_->carries(kX)) << "carried for h already";
}

TEST_F(FunctionCallTest, CallsDoNotMeet) {
  ASSERT_NO_FATAL_FAILURE(Make({{kH, kNext}}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto other, compiled_->MakeCall());
  Set(kH, 1, 10);
  Set(kX, 2, 3);
  SEQ_ASSERT_OK(call_->Run());
  SEQ_ASSERT_OK(other->Run());
  EXPECT_THAT(Two(other->result(kNext)), ElementsAre(0, 0));
  EXPECT_THAT(Two(call_->input(kH)), ElementsAre(3, 13));
}

TEST_F(FunctionCallTest, ProgramsForOneAtATimeAreRefusedByNode) {
  ASSERT_NO_FATAL_FAILURE(Make({}, /*shareable=*/false));
  EXPECT_THAT(made_, StatusIs(absl::StatusCode::kFailedPrecondition,
                              "backend fake runs node next for one at a time"));
}

}  // namespace
}  // namespace seqgraph
