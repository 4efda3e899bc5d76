#include "tools/profile/perfetto_trace.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/well_formed_text.h"
#include "tools/profile/perfetto.pb.h"

namespace seqgraph::tools {
namespace {

constexpr int kProcess = 1;
constexpr uint32_t kSequence = 1;  // of packets: this one writer
// Tracks: numbers of our own choice, those of threads behind the others.
constexpr uint64_t kProcessTrack = 1, kMemoryTrack = 2, kSpeedTrack = 3, kFirstThreadTrack = 10;

// A stretch of time of a thread.
struct Slice {
  int64_t begin_ns = 0;
  int64_t end_ns = 0;
  std::string name;
  std::string category;
  const ProfiledNode* node = nullptr;
};

class TraceWriter {
 public:
  void AddProcess(absl::string_view name) {
    perfetto::TrackDescriptor& track = AddTrack(kProcessTrack);
    track.mutable_process()->set_pid(kProcess);
    track.mutable_process()->set_process_name(data::WellFormedText(name));
    Write();
  }

  void AddThread(int thread) {
    perfetto::TrackDescriptor& track = AddTrack(kFirstThreadTrack + static_cast<uint64_t>(thread));
    track.set_parent_uuid(kProcessTrack);
    track.mutable_thread()->set_pid(kProcess);
    // The main thread has the number of the process.
    track.mutable_thread()->set_tid(kProcess + thread);
    track.mutable_thread()->set_thread_name(thread == 0 ? "main" : absl::StrCat("thread ", thread));
    Write();
  }

  void AddCounters() {
    perfetto::TrackDescriptor& memory = AddTrack(kMemoryTrack);
    memory.set_parent_uuid(kProcessTrack);
    memory.set_name("memory of values");
    memory.mutable_counter()->set_unit(perfetto::CounterDescriptor::UNIT_SIZE_BYTES);
    Write();
    perfetto::TrackDescriptor& speed = AddTrack(kSpeedTrack);
    speed.set_parent_uuid(kProcessTrack);
    speed.set_name("GFLOP/s");
    speed.mutable_counter()->set_unit_name("GFLOP/s");
    Write();
  }

  void Begin(int thread, const Slice& slice) {
    perfetto::TrackEvent& event =
        AddEvent(slice.begin_ns, Track(thread), perfetto::TrackEvent::TYPE_SLICE_BEGIN);
    event.set_name(data::WellFormedText(slice.name));
    event.add_categories(data::WellFormedText(slice.category));
    if (slice.node != nullptr) Annotate(*slice.node, slice.end_ns - slice.begin_ns, event);
    Write();
  }
  void End(int thread, int64_t at_ns) {
    AddEvent(at_ns, Track(thread), perfetto::TrackEvent::TYPE_SLICE_END);
    Write();
  }
  void SetMemory(int64_t at_ns, int64_t bytes) {
    AddEvent(at_ns, kMemoryTrack, perfetto::TrackEvent::TYPE_COUNTER).set_counter_value(bytes);
    Write();
  }
  void SetSpeed(int64_t at_ns, double speed) {
    AddEvent(at_ns, kSpeedTrack, perfetto::TrackEvent::TYPE_COUNTER)
        .set_double_counter_value(speed);
    Write();
  }

  std::string Finish() && { return std::move(bytes_); }

 private:
  static uint64_t Track(int thread) { return kFirstThreadTrack + static_cast<uint64_t>(thread); }

  perfetto::TrackDescriptor& AddTrack(uint64_t uuid) {
    packet_.set_trusted_packet_sequence_id(kSequence);
    packet_.mutable_track_descriptor()->set_uuid(uuid);
    return *packet_.mutable_track_descriptor();
  }

  perfetto::TrackEvent& AddEvent(int64_t at_ns, uint64_t track, perfetto::TrackEvent::Type type) {
    packet_.set_trusted_packet_sequence_id(kSequence);
    packet_.set_timestamp(static_cast<uint64_t>(at_ns));
    packet_.mutable_track_event()->set_track_uuid(track);
    packet_.mutable_track_event()->set_type(type);
    return *packet_.mutable_track_event();
  }

  static void Annotate(const ProfiledNode& node, int64_t ns, perfetto::TrackEvent& event) {
    const auto add = [&event](const char* name) -> perfetto::DebugAnnotation& {
      perfetto::DebugAnnotation& annotation = *event.add_debug_annotations();
      annotation.set_name(name);
      return annotation;
    };
    add("op").set_string_value(data::WellFormedText(node.op));
    add("backend").set_string_value(data::WellFormedText(node.backend));
    add("implementation").set_string_value(data::WellFormedText(node.implementation));
    add("shapes").set_string_value(data::WellFormedText(node.shapes));
    add("flops").set_double_value(node.cost.flops);
    add("bytes").set_int_value(node.cost.bytes());
    if (ns <= 0) return;
    add("gflops_per_second").set_double_value(node.cost.flops / static_cast<double>(ns));
    add("gbytes_per_second")
        .set_double_value(static_cast<double>(node.cost.bytes()) / static_cast<double>(ns));
  }

  // A packet at a time, as one field of a Trace: that of a long run need not fit in memory twice.
  void Write() {
    perfetto::Trace one;
    one.add_packet()->Swap(&packet_);
    one.AppendToString(&bytes_);
    packet_.Clear();
  }

  perfetto::TracePacket packet_;
  std::string bytes_;
};

// Slices of one thread in the order in which they begin, each around those that follow within it.
void WriteSlices(int thread, std::vector<Slice>& slices, TraceWriter& writer) {
  std::stable_sort(slices.begin(), slices.end(), [](const Slice& a, const Slice& b) {
    return std::pair(a.begin_ns, -a.end_ns) < std::pair(b.begin_ns, -b.end_ns);
  });
  std::vector<int64_t> open;  // where they end
  for (Slice& slice : slices) {
    for (; !open.empty() && open.back() <= slice.begin_ns; open.pop_back()) {
      writer.End(thread, open.back());
    }
    if (!open.empty()) slice.end_ns = std::min(slice.end_ns, open.back());
    writer.Begin(thread, slice);
    open.push_back(slice.end_ns);
  }
  for (; !open.empty(); open.pop_back()) writer.End(thread, open.back());
}

void WriteCounters(const Profile::Call& call, const Profile::FunctionInfo& function,
                   TraceWriter& writer) {
  for (size_t n = 0; n < call.nodes.size(); ++n) {
    const NodeTimer::Times& times = call.nodes[n];
    const int64_t ns = times.end_ns - times.begin_ns;
    if (ns <= 0) continue;
    writer.SetMemory(times.begin_ns, function.nodes[n].live_bytes);
    writer.SetSpeed(times.begin_ns, function.nodes[n].cost.flops / static_cast<double>(ns));
    const bool goes_on = n + 1 < call.nodes.size() && call.nodes[n + 1].begin_ns == times.end_ns;
    if (!goes_on) writer.SetSpeed(times.end_ns, 0);
  }
  writer.SetMemory(call.end_ns, 0);
}

}  // namespace

std::string PerfettoTrace(const Profile& profile, absl::string_view process_name) {
  std::map<int, std::vector<Slice>> by_thread = {{0, {}}};
  for (const Trace::Span& span : profile.trace().spans()) {
    by_thread[span.thread].push_back({span.begin_ns, span.end_ns, span.name, span.category});
  }
  std::vector<Slice>& main = by_thread[0];
  for (const Profile::Call& call : profile.calls()) {
    const Profile::FunctionInfo& function = profile.functions()[call.function];
    main.push_back({call.begin_ns, call.end_ns,
                    absl::StrCat(function.name, ", batch ", function.batch), "call"});
    for (size_t n = 0; n < call.nodes.size(); ++n) {
      main.push_back({call.nodes[n].begin_ns, call.nodes[n].end_ns, function.nodes[n].node, "node",
                      &function.nodes[n]});
    }
  }
  TraceWriter writer;
  writer.AddProcess(process_name);
  for (const auto& [thread, slices] : by_thread) writer.AddThread(thread);
  writer.AddCounters();
  for (auto& [thread, slices] : by_thread) WriteSlices(thread, slices, writer);
  for (const Profile::Call& call : profile.calls()) {
    WriteCounters(call, profile.functions()[call.function], writer);
  }
  return std::move(writer).Finish();
}

bool IsPerfettoPath(absl::string_view path) {
  return absl::EndsWith(path, ".pftrace") || absl::EndsWith(path, ".perfetto-trace");
}

}  // namespace seqgraph::tools
