// CompileOptions::guard_bytes: every write past a buffer is an error that names node and byte, and
// guards change no result.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "runtime/buffer_guards.h"
#include "runtime/compiled_function.h"
#include "runtime/testing/fake_backend.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Buffer = StrayWrite::Buffer;
const TensorType kRows{DType::kFloat32, {3, 2}};  // 24 bytes

// rounded = round(x), sum = rounded + row, scaled = 2 sum (in place); row becomes 2 row, in
// place too.
Function TestFunction() {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  const Value row = g.Variable("row", {2}, {});
  const Value rounded = g.AddNode("Round", {x}, {}, "rounded")[0];
  const Value sum = g.AddNode("AddRow", {rounded, row}, {}, "sum")[0];
  g.Result("y", g.AddNode("Scale", {sum}, {}, "scaled")[0]);
  g.Result("z", g.AddNode("Add", {x, x}, {}, "twice")[0]);
  g.Update("row", g.AddNode("Scale", {row}, {}, "doubled")[0]);
  return std::move(g).Build().value();
}

// A function that runs on a fake backend with guards.
struct Guarded {
  explicit Guarded(FakeBehavior behavior, int64_t guard_bytes = 100)
      : fake(std::move(behavior)), function(TestFunction()) {
    for (const VariableRead& read : function.variables()) {
      SEQ_EXPECT_OK(variables.Declare(read.def));
    }
    SEQ_EXPECT_OK(variables.Assign("row", Tensor::Of<float>({2}, {1, 10})));
    auto made = CompiledFunction::Compile(function, TestOps(), &variables,
                                          {.backends = {&fake}, .guard_bytes = guard_bytes});
    SEQ_EXPECT_OK(made);
    compiled = *std::move(made);
    SEQ_EXPECT_OK(compiled->SetInput(0, Tensor::Of<float>({3, 2}, {1, 2, 3, 4, 5, 6})));
  }
  std::vector<float> Result(int i) const {
    const Tensor result = compiled->Result(i);
    return {result.Elements<float>().begin(), result.Elements<float>().end()};
  }
  std::vector<float> Row() const {
    const auto elements = variables.Find("row")->value.Elements<float>();
    return {elements.begin(), elements.end()};
  }

  FakeBackend fake;
  Function function;
  VariableStore variables;
  std::unique_ptr<CompiledFunction> compiled;
};

FakeBehavior Stray(const std::string& node, StrayWrite write) {
  return {.stray = {{node, write}}, .scratch_bytes = 30, .persistent_bytes = 16};
}

TEST(GuardedFunction, ComputesAndUpdatesAsWithoutGuards) {
  for (const bool opaque_layouts : {false, true}) {
    Guarded guarded(
        {.scratch_bytes = 30, .persistent_bytes = 16, .opaque_layouts = opaque_layouts});
    for (int call = 0; call < 3; ++call) SEQ_ASSERT_OK(guarded.compiled->Run());
    EXPECT_FALSE(guarded.compiled->damage().has_value());
    // In the third call row is (4, 40).
    EXPECT_THAT(guarded.Result(0), ElementsAre(10, 84, 14, 88, 18, 92));
    EXPECT_THAT(guarded.Result(1), ElementsAre(2, 4, 6, 8, 10, 12));
    EXPECT_THAT(guarded.Row(), ElementsAre(8, 80));
  }
}

TEST(GuardedFunction, SeesVariablesThatWereSetBetweenCalls) {
  Guarded guarded({});
  SEQ_ASSERT_OK(guarded.compiled->Run());
  SEQ_ASSERT_OK(guarded.variables.Assign("row", Tensor::Of<float>({2}, {-1, -2})));
  SEQ_ASSERT_OK(guarded.compiled->Run());
  EXPECT_THAT(guarded.Result(0), ElementsAre(0, 0, 4, 4, 8, 8));
  EXPECT_THAT(guarded.Row(), ElementsAre(-2, -4));
}

struct Stroke {
  const char* node;
  StrayWrite write;
  const char* text;  // of the error
};

class StrayWrites : public ::testing::TestWithParam<Stroke> {};

// x, the outputs and y have 24 bytes, row 8, scratch 30, persistent memory 16.
TEST_P(StrayWrites, AreErrorsThatNameNodeBufferAndByte) {
  Guarded guarded(Stray(GetParam().node, GetParam().write));
  const absl::Status status = guarded.compiled->Run();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss,
                               absl::StrCat("function f, node ", GetParam().node, " (")));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().text));
  ASSERT_TRUE(guarded.compiled->damage().has_value());
  const GuardDamage& damage = *guarded.compiled->damage();
  EXPECT_EQ(guarded.function.nodes()[damage.node].name, GetParam().node);
  EXPECT_EQ(damage.offset, GetParam().write.offset);
  EXPECT_EQ(damage.output, GetParam().write.buffer == Buffer::kOutput ? 0 : -1);
  EXPECT_THAT(guarded.Row(), ElementsAre(1, 10));
}

INSTANTIATE_TEST_SUITE_P(
    Everywhere, StrayWrites,
    ::testing::Values(
        Stroke{"rounded", {Buffer::kOutput, 0, 24}, "output y (rounded), 24 bytes: byte 24 is"},
        Stroke{"rounded", {Buffer::kOutput, 0, 24 + 39}, "damaged, 40 past its end"},
        Stroke{"rounded", {Buffer::kOutput, 0, -1}, "byte -1 is damaged, 1 before its begin"},
        Stroke{"rounded", {Buffer::kOutput, 0, -128}, "128 before its begin"},
        Stroke{"sum", {Buffer::kOutput, 0, 64 + 127}, "byte 191 is damaged, 168 past its end"},
        Stroke{"scaled", {Buffer::kOutput, 0, 24}, "output y (scaled), 24 bytes"},
        Stroke{"twice", {Buffer::kInput, 0, 24}, "input a (x), 24 bytes: byte 24"},
        Stroke{"sum", {Buffer::kInput, 1, 8}, "input row (row), 8 bytes: byte 8"},
        Stroke{"doubled", {Buffer::kOutput, 0, 8}, "output y (doubled), 8 bytes: byte 8"},
        Stroke{"doubled", {Buffer::kOutput, 0, -4}, "output y (doubled), 8 bytes: byte -4"},
        Stroke{"twice", {Buffer::kScratch, 0, 30}, "scratch, 30 bytes: byte 30"},
        Stroke{"sum", {Buffer::kScratch, 0, -1}, "scratch, 30 bytes: byte -1"},
        Stroke{"scaled", {Buffer::kPersistent, 0, 16}, "persistent memory, 16 bytes: byte 16"},
        Stroke{"scaled", {Buffer::kPersistent, 0, -1}, "persistent memory, 16 bytes: byte -1"}));

TEST(GuardedFunction, NamesEachTimeTheNodeAndGoesOnAfterwards) {
  Guarded guarded(Stray("sum", {Buffer::kOutput, 0, 24}));
  for (int call = 0; call < 3; ++call) {
    EXPECT_THAT(guarded.compiled->Run(), StatusIs(absl::StatusCode::kDataLoss, "node sum (AddRow"));
  }
}

TEST(GuardedFunction, DoesNotBlameANodeForWhatTheCallerWrote) {
  Guarded guarded({});
  static_cast<char*>(guarded.compiled->input(0))[24] = 1;
  EXPECT_THAT(guarded.compiled->Run(),
              StatusIs(absl::StatusCode::kDataLoss, "between calls of f: wrote outside of x"));
  EXPECT_EQ(guarded.compiled->damage()->node, -1);
  SEQ_EXPECT_OK(guarded.compiled->Run());
  EXPECT_FALSE(guarded.compiled->damage().has_value());
}

TEST(GuardedFunction, WithoutGuardsLooksAtNothing) {
  Guarded guarded(Stray("rounded", {Buffer::kOutput, 0, 24}), /*guard_bytes=*/0);
  SEQ_EXPECT_OK(guarded.compiled->Run());
}

TEST(GuardedFunction, TakesAReasonableNumberOfBytes) {
  const Function f = TestFunction();
  const FakeBackend fake({});
  VariableStore store;
  for (const VariableRead& read : f.variables()) SEQ_ASSERT_OK(store.Declare(read.def));
  for (const int64_t bytes : {int64_t{-1}, kMaxGuardBytes + 1}) {
    EXPECT_THAT(CompiledFunction::Compile(f, TestOps(), &store,
                                          {.backends = {&fake}, .guard_bytes = bytes}),
                StatusIs(absl::StatusCode::kInvalidArgument, "guard_bytes must be in"));
  }
}

// A read past the end is seen in the result: the guards are NaN.
TEST(BufferGuards, AreNaNAsFloats) {
  alignas(64) std::byte memory[64 * 3] = {};
  BufferGuards guards;
  guards.Add({.data = memory + 64, .bytes = 4, .before = 64, .behind = 124, .first = 2, .last = 3});
  guards.Fill(1);
  EXPECT_EQ(memory[0], std::byte{0});
  guards.Fill(2);
  for (const int i : {0, 15, 17, 47}) {
    float x;
    std::memcpy(&x, memory + 4 * i, sizeof(x));
    EXPECT_TRUE(x != x) << i;
  }
  EXPECT_EQ(memory[64], std::byte{0});
  const Function f = TestFunction();
  EXPECT_FALSE(guards.Find(f, 2, {}).has_value());
  memory[68] = std::byte{0};
  EXPECT_FALSE(guards.Find(f, 1, {}).has_value());
  EXPECT_FALSE(guards.Find(f, 4, {}).has_value());
  EXPECT_EQ(guards.Find(f, 3, {})->offset, 4);
}

}  // namespace
}  // namespace seqgraph
