#include "runtime/compiled_function.h"

#include <xmmintrin.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/denormals.h"
#include "base/memory_limit.h"
#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "runtime/testing/fake_backend.h"
#include "runtime/testing/row_function.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(CompiledFunction, RunsAndStoresUpdates) {
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  SEQ_ASSERT_OK(store.Assign("row", Tensor::Of<float>({2}, {10, 20})));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store, 2));
  EXPECT_EQ(compiled->batch(), 2);
  EXPECT_EQ(compiled->FindInput("x"), 0);
  EXPECT_EQ(compiled->FindInput("y"), -1);
  EXPECT_EQ(compiled->FindResult("y"), 0);
  EXPECT_EQ(compiled->FindResult("x"), -1);
  SEQ_ASSERT_OK(compiled->SetInput(0, Tensor::Of<float>({2, 2}, {1.2f, 2.2f, 2.9f, 4})));
  SEQ_ASSERT_OK(compiled->Run());
  EXPECT_EQ(compiled->Result(0).shape(), (Shape{2, 2}));
  EXPECT_THAT(Floats(compiled->Result(0)), ElementsAre(11, 22, 13, 24));
  EXPECT_THAT(Floats(store.Find("row")->value), ElementsAre(20, 40));
  // The input is still there; the next call reads the updated variable.
  SEQ_ASSERT_OK(compiled->Run());
  EXPECT_THAT(Floats(compiled->Result(0)), ElementsAre(21, 42, 23, 44));
  EXPECT_THAT(Floats(store.Find("row")->value), ElementsAre(40, 80));
}

TEST(CompiledFunction, EveryAddressIsAligned) {
  FakeLog log;
  const FakeBackend fake({.scratch_bytes = 100, .persistent_bytes = 8}, &log);
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store, 3, {&fake}));
  SEQ_ASSERT_OK(compiled->Run());
  SEQ_ASSERT_OK(compiled->Run());
  const auto aligned = [](const void* p) { return reinterpret_cast<uintptr_t>(p) % 64 == 0; };
  for (const auto& node : log.inputs) EXPECT_THAT(node, Each(::testing::Truly(aligned)));
  for (const auto& node : log.outputs) EXPECT_THAT(node, Each(::testing::Truly(aligned)));
  EXPECT_THAT(log.scratch, Each(::testing::Truly(aligned)));
  EXPECT_NE(log.scratch[0], nullptr);
  // Zero before the first node that runs, then the backend's own.
  EXPECT_THAT(log.persistent, ElementsAre(0, 1, 2, 3, 4, 5));
  // And the same in every call.
  EXPECT_EQ(log.inputs[0], log.inputs[3]);
  EXPECT_EQ(log.outputs[1], log.outputs[4]);
  EXPECT_EQ(compiled->memory().scratch, 100);
  EXPECT_EQ(compiled->memory().persistent, 8);
  // x and `rounded`, whose memory y takes over: 3 x 2 floats each, 24 bytes in lines of 64.
  EXPECT_EQ(compiled->memory().values, 128);
  EXPECT_EQ(compiled->memory().live_bound, 48);
}

TEST(CompiledFunction, VersionsRiseWithEveryUpdateAndReachTheNodes) {
  FakeLog log;
  const FakeBackend fake({}, &log);
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store, 1, {&fake}));
  const uint64_t start = store.Find("row")->version;
  SEQ_ASSERT_OK(compiled->Run());
  const uint64_t updated = store.Find("row")->version;
  EXPECT_GT(updated, start);
  SEQ_ASSERT_OK(store.Assign("row", Tensor::Of<float>({2}, {1, 1})));
  const uint64_t assigned = store.Find("row")->version;
  SEQ_ASSERT_OK(compiled->Run());
  // rounded(x), sum(rounded, row), doubled(row); twice.
  EXPECT_THAT(log.versions,
              ElementsAre(ElementsAre(0), ElementsAre(0, start), ElementsAre(start), ElementsAre(0),
                          ElementsAre(0, assigned), ElementsAre(assigned)));
}

TEST(CompiledFunction, AFailingNodeIsNamedAndLeavesTheVariables) {
  FunctionBuilder g("f", TestOps());
  const Value ids = g.Input("ids", {DType::kInt32, {2}});
  const Value v = g.Variable("v", {2}, {}), w = g.Variable("w", {2}, {});
  g.Update("w", g.AddNode("Add", {v, w}, {}, "first")[0]);
  g.Update("v", g.AddNode("Pick", {ids, v}, {}, "picked")[0]);
  g.Result("w", w);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  VariableStore store = StoreOf(f);
  SEQ_ASSERT_OK(store.Assign("v", Tensor::Of<float>({2}, {1, 2})));
  SEQ_ASSERT_OK(store.Assign("w", Tensor::Of<float>({2}, {3, 4})));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store));
  SEQ_ASSERT_OK(compiled->SetInput(0, Tensor::Of<int32_t>({2}, {1, 7})));
  EXPECT_THAT(compiled->Run(),
              StatusIs(kInvalid, "function f, node picked (Pick): ids[1] is 7, the table has 2"));
  EXPECT_THAT(Floats(store.Find("v")->value), ElementsAre(1, 2));
  EXPECT_THAT(Floats(store.Find("w")->value), ElementsAre(3, 4));
  // The next call is a good one.
  SEQ_ASSERT_OK(compiled->SetInput(0, Tensor::Of<int32_t>({2}, {1, 0})));
  SEQ_ASSERT_OK(compiled->Run());
  EXPECT_THAT(Floats(store.Find("v")->value), ElementsAre(2, 1));
  EXPECT_THAT(Floats(store.Find("w")->value), ElementsAre(4, 6));
}

TEST(CompiledFunction, AfterAFailureVersionsRiseBecauseOfUpdatesInPlace) {
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  const FakeBackend fake({.failures = {{"sum", absl::DataLossError("no")}}});
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store, 1, {&fake}));
  const uint64_t start = store.Find("row")->version;
  EXPECT_THAT(compiled->Run(), StatusIs(absl::StatusCode::kDataLoss, "node sum (AddRow): no"));
  EXPECT_GT(store.Find("row")->version, start);
}

TEST(CompiledFunction, UpdatesSwapVariablesAndResultsShowThemBefore) {
  FunctionBuilder g("swap", TestOps());
  const Value a = g.Variable("a", {2}, {}), b = g.Variable("b", {2}, {});
  g.Update("a", b);
  g.Update("b", a);
  g.Result("a", a);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  VariableStore store = StoreOf(f);
  SEQ_ASSERT_OK(store.Assign("a", Tensor::Of<float>({2}, {1, 2})));
  SEQ_ASSERT_OK(store.Assign("b", Tensor::Of<float>({2}, {3, 4})));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store));
  SEQ_ASSERT_OK(compiled->Run());
  EXPECT_THAT(Floats(store.Find("a")->value), ElementsAre(3, 4));
  EXPECT_THAT(Floats(store.Find("b")->value), ElementsAre(1, 2));
  EXPECT_THAT(Floats(compiled->Result(0)), ElementsAre(1, 2));
}

// x * x with x = 1e-20: 1e-40, a denormal.
Function SquareFunction() {
  FunctionBuilder g("square", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {2}});
  const Value table = g.AddNode("Multiply", {x, x}, {}, "square")[0];
  const Value ids = g.Input("ids", {DType::kInt32, {2}});
  g.Result("y", g.AddNode("Pick", {ids, table})[0]);
  return std::move(g).Build().value();
}

TEST(CompiledFunction, FlushesDenormalsDuringARunAndRestoresTheMode) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(SquareFunction(), nullptr));
  SEQ_ASSERT_OK(compiled->SetInput(0, Tensor::Of<float>({2}, {1e-20f, 2})));
  SEQ_ASSERT_OK(compiled->SetInput(1, Tensor::Of<int32_t>({2}, {0, 1})));
  constexpr unsigned kBits = FlushDenormals::kFlushToZero | FlushDenormals::kDenormalsAreZero;
  const unsigned before = _mm_getcsr();
  for (unsigned mode : {0u, FlushDenormals::kFlushToZero, kBits}) {
    _mm_setcsr((before & ~kBits) | mode);
    const absl::Status good = compiled->Run();
    const unsigned after_good = _mm_getcsr() & kBits;
    static_cast<int32_t*>(compiled->input(1))[0] = -1;
    const absl::Status bad = compiled->Run();
    const unsigned after_bad = _mm_getcsr() & kBits;
    static_cast<int32_t*>(compiled->input(1))[0] = 0;
    _mm_setcsr(before);
    SEQ_EXPECT_OK(good);
    EXPECT_THAT(bad, StatusIs(kInvalid, "ids[0] is -1"));
    EXPECT_EQ(after_good, mode);
    EXPECT_EQ(after_bad, mode);
    EXPECT_THAT(Floats(compiled->Result(0)), ElementsAre(0, 4));
  }
  // The oracle: without flushing the product is not zero.
  volatile float x = 1e-20f;
  EXPECT_GT(x * x, 0);
}

TEST(FlushDenormals, TakesDenormalOperandsForZero) {
  volatile float denormal = 1e-40f, large = 1e20f;
  EXPECT_GT(denormal * large, 0);
  const FlushDenormals flush;
  EXPECT_EQ(denormal * large, 0);
}

TEST(CompiledFunction, TwoBatchSizesShareOneStore) {
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  SEQ_ASSERT_OK(store.Assign("row", Tensor::Of<float>({2}, {1, 2})));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto two, CompileFor(f, &store, 2));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto one, CompileFor(f, &store, 1));
  SEQ_ASSERT_OK(two->Run());
  EXPECT_THAT(Floats(two->Result(0)), ElementsAre(1, 2, 1, 2));
  SEQ_ASSERT_OK(one->Run());
  EXPECT_THAT(Floats(one->Result(0)), ElementsAre(2, 4));
  SEQ_ASSERT_OK(two->Run());
  EXPECT_THAT(Floats(two->Result(0)), ElementsAre(4, 8, 4, 8));
  EXPECT_THAT(Floats(store.Find("row")->value), ElementsAre(8, 16));
}

TEST(CompiledFunction, RunsInAnotherThreadThanItsCreator) {
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  SEQ_ASSERT_OK(store.Assign("row", Tensor::Of<float>({2}, {1, 2})));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store, 1));
  absl::Status status;
  std::thread([&] { status = compiled->Run(); }).join();
  SEQ_ASSERT_OK(status);
  EXPECT_THAT(Floats(compiled->Result(0)), ElementsAre(1, 2));
}

TEST(CompiledFunction, EachNodeRunsOnTheBackendThatClaimedIt) {
  FakeLog picky_log, all_log;
  const FakeBackend picky(
      {.name = "picky",
       .refusals = {{"AddRow", Claim::No(ClaimReason::kUnknownOp, "not written")}}},
      &picky_log);
  const FakeBackend all({.name = "all"}, &all_log);
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  SEQ_ASSERT_OK(store.Assign("row", Tensor::Of<float>({2}, {1, 2})));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store, 1, {&picky, &all}));
  SEQ_ASSERT_OK(compiled->Run());
  EXPECT_THAT(Floats(compiled->Result(0)), ElementsAre(1, 2));
  EXPECT_THAT(picky_log.events, ElementsAre("begin", "run rounded", "run doubled", "end"));
  EXPECT_THAT(all_log.events, ElementsAre("begin", "run sum", "end"));
  std::vector<std::string> assignments;
  for (const NodeAssignment& a : compiled->assignments()) {
    assignments.push_back(a.node + " " + a.op + " " + a.backend + " " + a.implementation);
  }
  EXPECT_THAT(assignments,
              ElementsAre("rounded Round picky fake:Round", "sum AddRow all fake:AddRow",
                          "doubled Scale picky fake:Scale"));
}

TEST(CompiledFunction, ARefusedNodeIsAnErrorUnlessAFallbackIsListed) {
  const FakeBackend picky(
      {.name = "picky", .refusals = {{"Round", Claim::No(ClaimReason::kUnknownOp, "no")}}});
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  EXPECT_THAT(CompileFor(f, &store, 1, {&picky}),
              StatusIs(kInvalid, "rounded (Round)\n    picky: unknown op: no"));
  EXPECT_THAT(CompileFor(f, &store, 1, {}), StatusIs(kInvalid, "no backend is given"));
}

TEST(CompiledFunction, EndFollowsEveryBeginThatWasOk) {
  FakeLog good_log, bad_log;
  const FakeBackend good(
      {.name = "good", .refusals = {{"Scale", Claim::No(ClaimReason::kUnknownOp, "")}}}, &good_log);
  const FakeBackend bad({.name = "bad", .begin = absl::DataLossError("broken")}, &bad_log);
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store, 1, {&good, &bad}));
  EXPECT_THAT(compiled->Run(), StatusIs(absl::StatusCode::kDataLoss, "function f"));
  EXPECT_THAT(good_log.events, ElementsAre("begin", "end"));
  EXPECT_TRUE(bad_log.events.empty());

  FakeLog log;
  const FakeBackend fails({.failures = {{"sum", absl::DataLossError("no")}}}, &log);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto failing, CompileFor(f, &store, 1, {&fails}));
  EXPECT_FALSE(failing->Run().ok());
  EXPECT_THAT(log.events, ElementsAre("begin", "run rounded", "run sum", "end"));
}

TEST(CompiledFunction, APrivateLayoutStaysInsideItsBackend) {
  FakeLog log;
  const FakeBackend own({.opaque_layouts = true}, &log);
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {3}});
  const Value a = g.AddNode("Round", {x}, {}, "a")[0];
  const Value b = g.AddNode("Scale", {a}, {}, "b")[0];
  g.Result("c", g.AddNode("Add", {a, b}, {}, "c")[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, nullptr, 1, {&own}));
  EXPECT_THAT(log.opaque_values, ElementsAre("a", "b"));
  SEQ_ASSERT_OK(compiled->SetInput(0, Tensor::Of<float>({3}, {1, 2, 3})));
  SEQ_ASSERT_OK(compiled->Run());
  EXPECT_THAT(Floats(compiled->Result(0)), ElementsAre(3, 6, 9));
  // Two backends: what crosses between them has the common layout.
  const FakeBackend other({.name = "other"});
  log = {};
  const FakeBackend most(
      {.refusals = {{"Scale", Claim::No(ClaimReason::kUnknownOp, "")}}, .opaque_layouts = true},
      &log);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto mixed, CompileFor(f, nullptr, 1, {&most, &other}));
  EXPECT_TRUE(log.opaque_values.empty());
  SEQ_ASSERT_OK(mixed->SetInput(0, Tensor::Of<float>({3}, {1, 2, 3})));
  SEQ_ASSERT_OK(mixed->Run());
  EXPECT_THAT(Floats(mixed->Result(0)), ElementsAre(3, 6, 9));
}

TEST(CompiledFunction, PrivateStorageThatIsNotTheBackendsOwnIsRefused) {
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  // Value 0 is the input, 99 none at all; value 2 (rounded) may be private, but not of -1 bytes.
  for (const OpaqueLayout& wrong : {OpaqueLayout{Value{0}, 64}, OpaqueLayout{Value{99}, 64},
                                    OpaqueLayout{Value{-1}, 64}, OpaqueLayout{Value{2}, -1}}) {
    const FakeBackend fake({.demanded = {wrong}});
    EXPECT_THAT(CompileFor(f, &store, 1, {&fake}),
                StatusIs(absl::StatusCode::kInternal, "backend fake asks for"))
        << wrong.value.index;
  }
}

TEST(CompiledFunction, ValuesWithoutElementsHaveAnAddress) {
  FakeLog log;
  const FakeBackend fake({}, &log);
  FunctionBuilder g("f", TestOps());
  g.Result("y", g.AddNode("Round", {g.Input("x", {DType::kFloat32, {0}})})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, nullptr, 1, {&fake}));
  SEQ_ASSERT_OK(compiled->Run());
  EXPECT_NE(log.inputs[0][0], nullptr);
  EXPECT_NE(log.outputs[0][0], nullptr);
  EXPECT_EQ(compiled->Result(0).num_elements(), 0);
}

TEST(CompiledFunction, ErrorsOfTheCallerAreNamed) {
  const Function f = RowFunction();
  VariableStore store = StoreOf(f), empty;
  EXPECT_THAT(CompileFor(f, &empty), StatusIs(absl::StatusCode::kNotFound, "\"row\""));
  EXPECT_THAT(CompileFor(f, &store, 0), StatusIs(kInvalid, "the batch must be at least 1"));
  EXPECT_THAT(CompiledFunction::Compile(f, TestOps(), &store, {.backends = {&kFake}, .threads = 0}),
              StatusIs(kInvalid, "at least 1 thread, got 0"));
  VariableStore other;
  SEQ_ASSERT_OK(other.Declare({"row", {DType::kFloat32, {3}}, {}}));
  EXPECT_THAT(CompileFor(f, &other),
              StatusIs(kInvalid, "reads variable row as float32[2], but it is float32[3]"));
  const FakeBackend fails({.prepare = absl::DataLossError("broken")});
  EXPECT_THAT(CompileFor(f, &store, 1, {&fails}),
              StatusIs(absl::StatusCode::kDataLoss, "backend fake preparing function f: broken"));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store, 2));
  EXPECT_THAT(compiled->SetInput(0, Tensor::Of<float>({1, 2}, {1, 2})),
              StatusIs(kInvalid, "input x is float32[2, 2], cannot take float32[1, 2]"));
  EXPECT_THAT(compiled->SetInput(-1, Tensor()), StatusIs(kInvalid, "none with index -1"));
  EXPECT_THAT(compiled->SetInput(1, Tensor()), StatusIs(kInvalid, "has 1 inputs"));
}

TEST(CompiledFunction, SaysHowMuchMemoryIsMissing) {
  FunctionBuilder g("f", TestOps());
  g.Result("y", g.AddNode("Round", {g.Input("x", {DType::kFloat64, {Dim::Batch()}})})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  const FakeBackend greedy({.scratch_bytes = int64_t{1} << 60});
  EXPECT_THAT(CompileFor(f, nullptr, 4, {&greedy}),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       "function f with batch 4 takes 1152921504606847104 bytes"));
  EXPECT_THAT(
      CompiledFunction::Compile(f, TestOps(), nullptr,
                                {.backends = {&greedy}, .batch = 4, .max_memory = kNoMemoryLimit}),
      StatusIs(absl::StatusCode::kResourceExhausted,
               "no memory to run function f with batch 4: it takes 1152921504606847104"));
}

TEST(CompiledFunction, RunsThePassesAfterBindingTheBatch) {
  // Round(x) = x where the batch is 2.
  const Rewrite rewrite{"drop_round", "", [](RewriteContext& c) -> absl::StatusOr<bool> {
                          if (c.node().op->name() != "Round" ||
                              c.source().type(c.node().inputs[0]).shape[0] != Dim(2)) {
                            return false;
                          }
                          c.ReplaceOutput(0, c.Mapped(c.node().inputs[0]));
                          return true;
                        }};
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  const FunctionPass pass{.name = rewrite.name, .rule = "Round(x) = x", .rewrites = {rewrite}};
  for (int64_t batch : {1, 2}) {
    SEQ_ASSERT_OK_AND_ASSIGN(
        const auto compiled,
        CompiledFunction::Compile(f, TestOps(), &store,
                                  {.backends = {&kFake}, .batch = batch, .passes = {&pass}}));
    EXPECT_EQ(compiled->assignments().size(), batch == 2 ? 2u : 3u);
    ASSERT_EQ(compiled->passes().size(), 1u);
    EXPECT_EQ(compiled->passes()[0].name, "drop_round");
    EXPECT_EQ(compiled->passes()[0].count, batch == 2 ? 1 : 0);
  }
}

TEST(CompiledFunction, APassThatAsksForAClaimFiresWhereTheBackendOfTheMatchTakesIt) {
  const Rewrite rewrite{"round_to_scale", "", [](RewriteContext& c) -> absl::StatusOr<bool> {
                          if (c.node().op->name() != "Round") return false;
                          const Value x = c.Mapped(c.node().inputs[0]);
                          c.ReplaceOutput(0, c.builder().AddNode("Scale", {x}, {}, "new")[0]);
                          return true;
                        }};
  const FunctionPass pass{.name = rewrite.name, .only_if_claimed = true, .rewrites = {rewrite}};
  const Claim no = Claim::No(ClaimReason::kUnknownOp, "not here");
  const FakeBackend all({.name = "all"}),
      no_scale({.name = "no_scale", .refusals = {{"Scale", no}}}),
      no_round({.name = "no_round", .refusals = {{"Round", no}}});
  FunctionBuilder g("f", TestOps());
  g.Result("y", g.AddNode("Round", {g.Input("x", {DType::kFloat32, {Dim::Batch()}})})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  const struct {
    std::vector<const Backend*> backends;
    const char* runs_on;
    int fired;
  } cases[] = {
      {{&all}, "all", 1},
      {{&no_scale}, "no_scale", 0},
      {{&no_scale, &all}, "no_scale", 0},  // or the node would move to a later backend
      {{&no_round, &all}, "no_round", 1},  // to an earlier one it may
      {{&all, &no_scale}, "all", 1},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.backends[0]->info().name);
    VariableStore store;
    SEQ_ASSERT_OK_AND_ASSIGN(
        const auto compiled,
        CompiledFunction::Compile(f, TestOps(), &store,
                                  {.backends = c.backends, .batch = 3, .passes = {&pass}}));
    EXPECT_EQ(compiled->passes()[0].count, c.fired);
    EXPECT_EQ(compiled->assignments()[0].backend, c.runs_on);
    EXPECT_EQ(compiled->assignments()[0].op, c.fired > 0 ? "Scale" : "Round");
  }
}

}  // namespace
}  // namespace seqgraph
