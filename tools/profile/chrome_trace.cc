#include "tools/profile/chrome_trace.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/text_table.h"

namespace seqgraph::tools {
namespace {

// Escaped and in quotes. Names come from model files: bytes that are not UTF-8 are replaced.
std::string Quoted(absl::string_view text) {
  constexpr auto kReplaceInvalid = nlohmann::json::error_handler_t::replace;
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, kReplaceInvalid);
}

// Writes one event a line, as text: a document in memory would take ten times the space.
class EventWriter {
 public:
  void Metadata(const char* what, int thread, absl::string_view name) {
    Begin();
    absl::StrAppend(&text_, R"({"ph":"M","pid":1,"tid":)", thread, R"(,"name":")", what,
                    R"(","args":{"name":)", Quoted(name), "}}");
  }

  // `args` is a JSON object, or empty.
  void Complete(absl::string_view name, absl::string_view category, int thread, int64_t begin_ns,
                int64_t end_ns, absl::string_view args = "") {
    Begin();
    absl::StrAppendFormat(&text_,
                          R"({"ph":"X","pid":1,"tid":%d,"name":%s,"cat":%s,"ts":%d.%03d,)"
                          R"("dur":%d.%03d)",
                          thread, Quoted(name), Quoted(category), begin_ns / 1000, begin_ns % 1000,
                          (end_ns - begin_ns) / 1000, (end_ns - begin_ns) % 1000);
    if (!args.empty()) absl::StrAppend(&text_, R"(,"args":)", args);
    text_ += '}';
  }

  std::string Finish(int64_t dropped) && {
    absl::StrAppend(&text_,
                    "\n],\n\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"dropped_spans\":", dropped,
                    "}}\n");
    return std::move(text_);
  }

 private:
  void Begin() {
    if (!first_) text_ += ",\n";
    first_ = false;
  }

  std::string text_ = "{\"traceEvents\":[\n";
  bool first_ = true;
};

// In units of 1e9 a second: FLOPs or bytes by nanoseconds. 0 where no time was measured.
double Giga(double amount, int64_t ns) { return ns > 0 ? amount / static_cast<double>(ns) : 0; }

std::string NodeArgs(const ProfiledNode& node, int64_t ns) {
  return absl::StrFormat(
      R"({"op":%s,"backend":%s,"implementation":%s,"shapes":%s,"flops":%.0f,"bytes":%d,)"
      R"("gflops_per_second":%.6g,"gbytes_per_second":%.6g})",
      Quoted(node.op), Quoted(node.backend), Quoted(node.implementation), Quoted(node.shapes),
      node.cost.flops, node.cost.bytes(), Giga(node.cost.flops, ns),
      Giga(static_cast<double>(node.cost.bytes()), ns));
}

void WriteCall(const Profile::Call& call, const Profile::FunctionInfo& function,
               EventWriter& writer) {
  writer.Complete(absl::StrCat(function.name, ", batch ", function.batch), "call", 0, call.begin_ns,
                  call.end_ns);
  for (size_t n = 0; n < call.nodes.size(); ++n) {
    const NodeTimer::Times& times = call.nodes[n];
    writer.Complete(function.nodes[n].node, "node", 0, times.begin_ns, times.end_ns,
                    NodeArgs(function.nodes[n], times.end_ns - times.begin_ns));
  }
}

struct OpSum {
  int64_t calls = 0;
  int64_t ns = 0;
  OpCost cost;
};

}  // namespace

std::string ChromeTrace(const Profile& profile, absl::string_view process_name) {
  EventWriter writer;
  const std::vector<Trace::Span> spans = profile.trace().spans();
  std::set<int> threads = {0};
  for (const Trace::Span& span : spans) threads.insert(span.thread);
  writer.Metadata("process_name", 0, process_name);
  for (int thread : threads) {
    writer.Metadata("thread_name", thread, thread == 0 ? "main" : absl::StrCat("thread ", thread));
  }
  for (const Trace::Span& span : spans) {
    writer.Complete(span.name, span.category, span.thread, span.begin_ns, span.end_ns);
  }
  for (const Profile::Call& call : profile.calls()) {
    WriteCall(call, profile.functions()[call.function], writer);
  }
  return std::move(writer).Finish(profile.trace().dropped());
}

std::string OpTable(const Profile& profile) {
  std::map<std::string, OpSum> by_op;
  int64_t total_ns = 0;
  OpSum dispatch;
  for (const Profile::Call& call : profile.calls()) {
    const std::vector<ProfiledNode>& nodes = profile.functions()[call.function].nodes;
    int64_t in_nodes = 0;
    for (size_t n = 0; n < nodes.size(); ++n) {
      OpSum& sum = by_op[nodes[n].op];
      const int64_t ns = call.nodes[n].end_ns - call.nodes[n].begin_ns;
      ++sum.calls;
      sum.ns += ns;
      sum.cost += nodes[n].cost;
      in_nodes += ns;
    }
    ++dispatch.calls;
    dispatch.ns += call.end_ns - call.begin_ns - in_nodes;
    total_ns += call.end_ns - call.begin_ns;
  }
  if (profile.calls().empty()) return "";
  std::vector<std::pair<std::string, OpSum>> rows(by_op.begin(), by_op.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second.ns > b.second.ns; });
  TextTable table({"op", "calls", "ms", "share", "MFLOP", "GFLOP/s", "GB/s"});
  for (const auto& [op, sum] : rows) {
    table.AddRow({op, absl::StrCat(sum.calls), absl::StrFormat("%.3f", sum.ns * 1e-6),
                  absl::StrFormat("%.1f %%", 100.0 * sum.ns / std::max<int64_t>(total_ns, 1)),
                  absl::StrFormat("%.3f", sum.cost.flops * 1e-6),
                  absl::StrFormat("%.2f", Giga(sum.cost.flops, sum.ns)),
                  absl::StrFormat("%.2f", Giga(static_cast<double>(sum.cost.bytes()), sum.ns))});
  }
  table.AddRow({"(dispatch)", absl::StrCat(dispatch.calls),
                absl::StrFormat("%.3f", dispatch.ns * 1e-6),
                absl::StrFormat("%.1f %%", 100.0 * dispatch.ns / std::max<int64_t>(total_ns, 1)),
                "", "", ""});
  return table.Text(/*first_number=*/1, /*last_number=*/6);
}

}  // namespace seqgraph::tools
