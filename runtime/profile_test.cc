#include "runtime/profile.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "runtime/testing/fake_backend.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

const TensorType kRows{DType::kFloat32, {Dim::Batch(), 3}};

// Two nodes; the second has an output that nobody reads.
Function TwoNodes() {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  const Value y = g.AddNode("Scale", {x}, {}, "scaled")[0];
  g.Result("y", g.AddNode("SumDiff", {x, y}, {}, "sum")[0]);
  return std::move(g).Build().value();
}

absl::StatusOr<std::unique_ptr<CompiledFunction>> Compile(const Function& function,
                                                          VariableStore* store,
                                                          const Backend& backend,
                                                          Trace* trace = nullptr) {
  return CompiledFunction::Compile(function, TestOps(), store,
                                   {.backends = {&backend}, .batch = 2, .trace = trace});
}

TEST(TraceTest, SpansNestAsTheirScopesDo) {
  Trace trace;
  {
    const TraceSpan outer(&trace, "outer", "a");
    const TraceSpan inner(&trace, "inner", "b");
  }
  const std::vector<Trace::Span> spans = trace.spans();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].name, "inner");
  EXPECT_EQ(spans[0].category, "b");
  EXPECT_EQ(spans[1].name, "outer");
  EXPECT_LE(spans[1].begin_ns, spans[0].begin_ns);
  EXPECT_LE(spans[0].begin_ns, spans[0].end_ns);
  EXPECT_LE(spans[0].end_ns, spans[1].end_ns);
}

TEST(TraceTest, AnEndedSpanEndsOnceAndANullTraceTakesNothing) {
  Trace trace;
  {
    TraceSpan span(&trace, "once", "a");
    span.End();
  }
  { const TraceSpan nowhere(nullptr, "never", "a"); }
  EXPECT_EQ(trace.spans().size(), 1u);
}

TEST(LiveBytesTest, ValuesLiveFromTheirNodeToTheirLastReader) {
  const Function function = TwoNodes();
  VariableStore store;
  const FakeBackend backend({});
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, Compile(function, &store, backend));
  // float32[2, 3] each: the input and "scaled"; then these and the sum, which is not read by a
  // node.
  EXPECT_EQ(LiveBytes(*compiled), (std::vector<int64_t>{48, 72}));
  EXPECT_EQ(compiled->memory().live_bound, 72);
  EXPECT_EQ(DescribeNodes(*compiled)[1].live_bytes, 72);
}

TEST(TraceTest, EachThreadHasANumber) {
  Trace trace;
  std::thread other([&] { trace.Add("other", "a", 1, 2); });
  other.join();
  trace.Add("main", "a", 3, 4);
  EXPECT_EQ(trace.spans()[0].thread, 1);
  EXPECT_EQ(trace.spans()[1].thread, 0);
}

TEST(TraceTest, BeyondItsLimitSpansAreOnlyCounted) {
  Trace trace;
  for (size_t i = 0; i < Trace::kMaxSpans + 7; ++i) trace.Add("s", "a", 0, 0);
  EXPECT_EQ(trace.spans().size(), Trace::kMaxSpans);
  EXPECT_EQ(trace.dropped(), 7);
}

TEST(ProfileTest, NodesAreDescribedWithWhatIsUsedOfThem) {
  const Function f = TwoNodes();
  VariableStore store;
  const FakeBackend fake({});
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, Compile(f, &store, fake));
  const std::vector<ProfiledNode> nodes = DescribeNodes(*compiled);
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[0].node, "scaled");
  EXPECT_EQ(nodes[0].op, "Scale");
  EXPECT_EQ(nodes[0].backend, "fake");
  EXPECT_EQ(nodes[1].shapes, "float32[2, 3], float32[2, 3] -> float32[2, 3]");
  EXPECT_EQ(nodes[1].cost, (OpCost{.flops = 6, .bytes_read = 48, .bytes_written = 24}));
}

TEST(ProfileTest, CallsAfterTheWarmUpAreRecordedAsManyAsAskedFor) {
  const Function f = TwoNodes();
  VariableStore store;
  const FakeBackend fake({});
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, Compile(f, &store, fake));
  Profile profile({.warm_up = 2, .calls = 3});
  const int number = profile.AddFunction(*compiled);
  for (int i = 0; i < 10; ++i) SEQ_ASSERT_OK(profile.Run(number, *compiled));
  EXPECT_EQ(profile.functions()[number].calls, 10);
  EXPECT_EQ(profile.functions()[number].recorded, 3);
  ASSERT_EQ(profile.calls().size(), 3u);
  int64_t last = 0;
  for (const Profile::Call& call : profile.calls()) {
    EXPECT_LE(last, call.begin_ns);
    last = call.begin_ns;
    ASSERT_EQ(call.nodes.size(), 2u);
    for (const NodeTimer::Times& node : call.nodes) {
      EXPECT_LE(last, node.begin_ns);
      EXPECT_LE(node.begin_ns, node.end_ns);
      last = node.end_ns;
    }
    EXPECT_LE(last, call.end_ns);
  }
}

TEST(ProfileTest, ANodeThatIsKeptTakesNothing) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {2}});
  const Value scaled = g.AddNode("Scale", {g.Variable("a", {2}, {})}, {}, "scaled")[0];
  g.Result("y", g.AddNode("Multiply", {x, scaled})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  VariableStore store;
  for (const VariableRead& read : f.variables()) SEQ_ASSERT_OK(store.Declare(read.def));
  const FakeBackend fake({.delays = {{"Scale", 1e-3}}});
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, Compile(f, &store, fake));
  Profile profile({.warm_up = 1, .calls = 2});
  const int number = profile.AddFunction(*compiled);
  for (int i = 0; i < 3; ++i) SEQ_ASSERT_OK(profile.Run(number, *compiled));
  EXPECT_EQ(profile.functions()[number].nodes[0].cost, OpCost{});
  EXPECT_THAT(profile.functions()[number].nodes[0].implementation,
              ::testing::HasSubstr("(kept between calls)"));
  ASSERT_EQ(profile.calls().size(), 2u);
  for (const Profile::Call& call : profile.calls()) {
    ASSERT_EQ(call.nodes.size(), 2u);
    EXPECT_EQ(call.nodes[0].begin_ns, call.nodes[0].end_ns);
  }
}

TEST(ProfileTest, ACallThatFailsIsNotRecordedAndItsErrorIsGiven) {
  const Function f = TwoNodes();
  VariableStore store;
  const FakeBackend fake({.failures = {{"sum", absl::DataLossError("broken")}}});
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, Compile(f, &store, fake));
  Profile profile({.warm_up = 0});
  EXPECT_THAT(profile.Run(profile.AddFunction(*compiled), *compiled),
              StatusIs(absl::StatusCode::kDataLoss, "broken"));
  EXPECT_TRUE(profile.calls().empty());
}

TEST(ProfileTest, ThePhasesOfCompilingAreRecorded) {
  const Function f = TwoNodes();
  VariableStore store;
  const FakeBackend fake({});
  Trace trace;
  SEQ_ASSERT_OK(Compile(f, &store, fake, &trace).status());
  std::vector<std::string> names;
  for (const Trace::Span& span : trace.spans()) names.push_back(span.name);
  EXPECT_THAT(names, testing::ElementsAre("rewrite", "assign nodes", "prepare fake", "plan memory",
                                          "allocate", "compile f, batch 2"));
}

}  // namespace
}  // namespace seqgraph
