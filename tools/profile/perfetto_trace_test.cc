#include "tools/profile/perfetto_trace.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "backends/all_backends.h"
#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "tests/testing.h"
#include "tools/profile/perfetto.pb.h"

namespace seqgraph::tools {
namespace {

using ::testing::ElementsAre;

perfetto::Trace Parsed(const Profile& profile) {
  perfetto::Trace trace;
  EXPECT_TRUE(trace.ParseFromString(PerfettoTrace(profile, "test")));
  return trace;
}

// "begin NAME", "end" and times, in the order of the file.
std::vector<std::string> SlicesOf(const perfetto::Trace& trace) {
  std::vector<std::string> slices;
  for (const perfetto::TracePacket& packet : trace.packet()) {
    const perfetto::TrackEvent& event = packet.track_event();
    if (event.type() == perfetto::TrackEvent::TYPE_SLICE_BEGIN) {
      slices.push_back(absl::StrCat("begin ", event.name(), " ", packet.timestamp()));
    } else if (event.type() == perfetto::TrackEvent::TYPE_SLICE_END) {
      slices.push_back(absl::StrCat("end ", packet.timestamp()));
    }
  }
  return slices;
}

TEST(PerfettoTraceTest, ASpanByteForByte) {
  Profile profile;
  profile.trace().Add("s", "c", 5, 300);
  const std::string bytes = PerfettoTrace(profile, "p");
  const std::string hex = absl::BytesToHexString(bytes);
  // The process: a packet of 14 bytes, in it sequence 1 and a track of 9: number 1, process 1, "p".
  EXPECT_EQ(hex.substr(0, 2 * 16),
            "0a0e"
            "5001"
            "e20309"
            "0801"
            "1a05"
            "0801"
            "320170");
  // The slice's begin at 5, in category "c" and called "s", and its end at 300, of the track 10.
  EXPECT_EQ(hex.substr(hex.size() - 2 * (20 + 13)),
            "0a12"
            "4005"
            "5001"
            "5a0c"
            "4801"
            "580a"
            "b2010163"
            "ba010173"
            "0a0b"
            "40ac02"
            "5001"
            "5a04"
            "4802"
            "580a");
}

TEST(PerfettoTraceTest, SlicesNest) {
  Profile profile;
  profile.trace().Add("inner", "a", 20, 30);
  profile.trace().Add("outer", "a", 10, 40);
  profile.trace().Add("empty", "a", 40, 40);
  profile.trace().Add("next", "a", 40, 50);
  profile.trace().Add("too long", "a", 45, 60);
  EXPECT_THAT(SlicesOf(Parsed(profile)),
              ElementsAre("begin outer 10", "begin inner 20", "end 30", "end 40", "begin next 40",
                          "begin empty 40", "end 40", "begin too long 45", "end 50", "end 50"));
}

TEST(PerfettoTraceTest, NamesAreMadeWellFormed) {
  Profile profile;
  profile.trace().Add("a\xFF", "x", 1, 2);
  EXPECT_THAT(SlicesOf(Parsed(profile)), ElementsAre("begin a\xEF\xBF\xBD 1", "end 2"));
}

TEST(PerfettoTraceTest, NodesHaveAnnotationsAndCounters) {
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
      CompiledFunction::Compile(f, AllOps(), &store, {.backends = backends, .batch = 2}));
  Profile profile({.warm_up = 0, .calls = 1});
  const int number = profile.AddFunction(*compiled);
  SEQ_ASSERT_OK(profile.Run(number, *compiled));
  std::map<uint64_t, std::string> names;
  std::map<std::string, std::vector<double>> counters;
  std::map<std::string, perfetto::TrackEvent> events;
  const perfetto::Trace trace = Parsed(profile);
  for (const perfetto::TracePacket& packet : trace.packet()) {
    const perfetto::TrackDescriptor& track = packet.track_descriptor();
    if (packet.has_track_descriptor()) names[track.uuid()] = track.name();
    const perfetto::TrackEvent& event = packet.track_event();
    events[event.name()] = event;
    if (event.type() != perfetto::TrackEvent::TYPE_COUNTER) continue;
    counters[names[event.track_uuid()]].push_back(event.has_counter_value()
                                                      ? static_cast<double>(event.counter_value())
                                                      : event.double_counter_value());
  }
  // float32[2, 3] and [2, 4] live in the first node, these (one in the other's place) in the
  // second.
  const std::vector<int64_t> live = LiveBytes(*compiled);
  EXPECT_EQ(live[0], 24 + 32);
  EXPECT_THAT(counters["memory of values"], ElementsAre(live[0], live[1], 0));
  const Profile::Call& call = profile.calls()[0];
  EXPECT_EQ(counters["GFLOP/s"][0],
            48.0 / static_cast<double>(call.nodes[0].end_ns - call.nodes[0].begin_ns));
  EXPECT_EQ(counters["GFLOP/s"].back(), 0);
  const auto& annotations = events["project"].debug_annotations();
  ASSERT_EQ(annotations.size(), 8);
  EXPECT_EQ(annotations[0].string_value(), "Dense");
  EXPECT_EQ(annotations[3].string_value(), "float32[2, 3], float32[3, 4] -> float32[2, 4]");
  EXPECT_EQ(annotations[4].double_value(), 48);
}

TEST(PerfettoTraceTest, TheEndingOfAFileTells) {
  EXPECT_TRUE(IsPerfettoPath("a/x.pftrace"));
  EXPECT_TRUE(IsPerfettoPath("x.perfetto-trace"));
  EXPECT_FALSE(IsPerfettoPath("x.json"));
  EXPECT_FALSE(IsPerfettoPath("pftrace"));
}

}  // namespace
}  // namespace seqgraph::tools
