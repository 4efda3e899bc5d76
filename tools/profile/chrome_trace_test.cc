#include "tools/profile/chrome_trace.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "backends/all_backends.h"
#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

// Three recorded calls of tanh(x·w) on the reference backend.
void RecordCalls(Profile& profile) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), 3}});
  const Value w = g.Variable("w", {3, 4}, {});
  const Value z = g.AddNode("Dense", {x, w, Value()}, {}, "project")[0];
  g.Result("y", g.AddNode("Tanh", {z}, {}, "squash")[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  VariableStore store;
  for (const VariableRead& read : f.variables()) SEQ_ASSERT_OK(store.Declare(read.def));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backends, AllBackends().ParseList("reference"));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto compiled,
      CompiledFunction::Compile(f, AllOps(), &store,
                                {.backends = backends, .batch = 2, .trace = &profile.trace()}));
  const int number = profile.AddFunction(*compiled);
  const TraceSpan span(&profile.trace(), "pass", "pass");
  for (int i = 0; i < 5; ++i) SEQ_ASSERT_OK(profile.Run(number, *compiled));
}

std::vector<Json> CompleteEvents(const Json& trace) {
  std::vector<Json> events;
  for (const Json& event : trace["traceEvents"]) {
    if (event["ph"] == "X") events.push_back(event);
  }
  return events;
}

// In whole nanoseconds: "ts" and "dur" are microseconds with three decimals.
int64_t Begin(const Json& event) { return std::llround(event["ts"].get<double>() * 1000); }
int64_t End(const Json& event) {
  return Begin(event) + std::llround(event["dur"].get<double>() * 1000);
}

TEST(ChromeTraceTest, EventsOfAThreadNestOrAreApart) {
  Profile profile({.warm_up = 2, .calls = 3});
  RecordCalls(profile);
  const Json trace = Json::parse(ChromeTrace(profile, "test"));
  std::map<int, std::vector<Json>> by_thread;
  for (const Json& event : CompleteEvents(trace)) by_thread[event["tid"]].push_back(event);
  for (auto& [thread, events] : by_thread) {
    // A parent begins before its children, or with them and ends later.
    std::stable_sort(events.begin(), events.end(), [](const Json& a, const Json& b) {
      return std::pair(Begin(a), -End(a)) < std::pair(Begin(b), -End(b));
    });
    std::vector<int64_t> open;
    for (const Json& event : events) {
      while (!open.empty() && open.back() <= Begin(event)) open.pop_back();
      if (!open.empty()) {
        EXPECT_LE(End(event), open.back()) << event;
      }
      open.push_back(End(event));
    }
  }
}

TEST(ChromeTraceTest, NodesAreInTheirCallsWithWhatTheyCost) {
  Profile profile({.warm_up = 2, .calls = 3});
  RecordCalls(profile);
  int calls = 0, nodes = 0;
  int64_t in_calls = 0, in_nodes = 0;
  for (const Json& event : CompleteEvents(Json::parse(ChromeTrace(profile, "test")))) {
    if (event["cat"] == "call") {
      ++calls;
      in_calls += End(event) - Begin(event);
      EXPECT_EQ(event["name"], "f, batch 2");
    }
    if (event["cat"] != "node") continue;
    ++nodes;
    in_nodes += End(event) - Begin(event);
    const Json& args = event["args"];
    EXPECT_EQ(args["backend"], "reference");
    if (event["name"] != "project") continue;
    EXPECT_EQ(args["op"], "Dense");
    EXPECT_EQ(args["shapes"], "float32[2, 3], float32[3, 4] -> float32[2, 4]");
    EXPECT_EQ(args["flops"], 48);  // 8 elements, 2·3 each
    EXPECT_EQ(args["bytes"], 24 + 48 + 32);
    EXPECT_NEAR(args["gflops_per_second"].get<double>(),
                48.0 / static_cast<double>(End(event) - Begin(event)), 1e-5);
  }
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(nodes, 6);
  EXPECT_LE(in_nodes, in_calls);
}

TEST(ChromeTraceTest, NamesAreEscaped) {
  Profile profile;
  const std::string name = "a\"b\\c\nd\x01\xff";
  profile.trace().Add(name, "x", 1'234'567, 2'000'001);
  const Json trace = Json::parse(ChromeTrace(profile, "quote \" and \\"));
  const std::vector<Json> events = CompleteEvents(trace);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["name"], "a\"b\\c\nd\x01\xEF\xBF\xBD");  // the last: U+FFFD for a bad byte
  EXPECT_EQ(Begin(events[0]), 1'234'567);
  EXPECT_EQ(End(events[0]), 2'000'001);
  EXPECT_EQ(trace["traceEvents"][0]["args"]["name"], "quote \" and \\");
}

TEST(OpTableTest, SharesOfOpsAndDispatchAreTheWhole) {
  Profile profile({.warm_up = 2, .calls = 3});
  EXPECT_EQ(OpTable(profile), "");
  RecordCalls(profile);
  const std::string table = OpTable(profile);
  EXPECT_THAT(table, StartsWith("op"));
  EXPECT_THAT(table, HasSubstr("\nDense"));
  EXPECT_THAT(table, HasSubstr("\nTanh"));
  EXPECT_THAT(table, HasSubstr("\n(dispatch)"));
  double shares = 0;
  for (absl::string_view line : absl::StrSplit(table, '\n')) {
    const std::vector<std::string> cells = absl::StrSplit(line, ' ', absl::SkipEmpty());
    const auto percent = std::find(cells.begin(), cells.end(), "%");
    if (percent == cells.end()) continue;
    EXPECT_EQ(cells[1], "3") << line;  // calls
    shares += std::stod(*(percent - 1));
  }
  EXPECT_NEAR(shares, 100, 0.2);
}

}  // namespace
}  // namespace seqgraph::tools
