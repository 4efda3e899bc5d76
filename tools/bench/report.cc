#include "tools/bench/report.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tools/report/html.h"
#include "tools/text_table.h"

namespace seqgraph::bench {
namespace {

using Json = nlohmann::ordered_json;
using tools::TextTable;

std::string Microseconds(double seconds) { return absl::StrFormat("%.2f", seconds * 1e6); }

double Rate(double amount, double seconds) { return amount / seconds * 1e-9; }

std::string NodesText(const BenchResult& result) {
  TextTable table({"node", "op", "us", "share", "kFLOP", "kB", "GFLOP/s", "GB/s", "roofline",
                   "backend", "implementation"});
  const auto add = [&](std::vector<std::string> names, double seconds, const OpCost& cost,
                       const std::string& roofline, const std::string& backend,
                       const std::string& implementation) {
    const double bytes = static_cast<double>(cost.bytes());
    table.AddRow({names[0], names[1], Microseconds(seconds),
                  absl::StrFormat("%.1f %%", 100 * seconds / result.seconds),
                  absl::StrFormat("%.1f", cost.flops * 1e-3), absl::StrFormat("%.1f", bytes * 1e-3),
                  absl::StrFormat("%.2f", Rate(cost.flops, seconds)),
                  absl::StrFormat("%.2f", Rate(bytes, seconds)), roofline, backend,
                  implementation});
  };
  for (const NodeResult& n : result.nodes) {
    add({n.node.node, n.node.op}, n.seconds, n.node.cost,
        absl::StrFormat("%.1f %%", n.roofline_percent), n.node.backend, n.node.implementation);
  }
  table.AddRow({"(dispatch)", "", Microseconds(result.dispatch),
                absl::StrFormat("%.1f %%", 100 * result.dispatch / result.seconds), "", "", "", "",
                "", "", ""});
  add({"(call)", ""}, result.seconds, result.cost(), "", "", "");
  return table.Text(/*first_number=*/2, /*last_number=*/8);
}

std::string PeakText(const MachinePeak& peak) {
  const auto target = [](std::string* out, const TargetPeak& t) {
    absl::StrAppendFormat(out, "%s %.1f", t.target, t.gflops);
  };
  return absl::StrCat("measured peak, GFLOP/s: ", absl::StrJoin(peak.targets(), ", ", target));
}

Json NodeJson(const NodeResult& n, double call_seconds) {
  const double bytes = static_cast<double>(n.node.cost.bytes());
  return {{"node", n.node.node},
          {"op", n.node.op},
          {"backend", n.node.backend},
          {"implementation", n.node.implementation},
          {"shapes", n.node.shapes},
          {"seconds", n.seconds},
          {"share", n.seconds / call_seconds},
          {"flops", n.node.cost.flops},
          {"bytes_read", n.node.cost.bytes_read},
          {"bytes_written", n.node.cost.bytes_written},
          {"gflops_per_second", Rate(n.node.cost.flops, n.seconds)},
          {"gbytes_per_second", Rate(bytes, n.seconds)},
          {"roofline_percent", n.roofline_percent}};
}

}  // namespace

std::string BenchText(const BenchSubject& subject, absl::Span<const BenchResult> results,
                      const MachinePeak& peak) {
  std::string text = absl::StrFormat("function %s, batch %d, threads %d; %s\n", subject.function,
                                     subject.batch, subject.threads, PeakText(peak));
  for (const BenchResult& result : results) {
    absl::StrAppendFormat(&text, "\n%s: %.0f samples/s, %s us a call (%d calls)\n%s",
                          result.backends, result.samples_per_second(),
                          Microseconds(result.seconds), result.calls, NodesText(result));
  }
  if (results.size() < 2) return text;
  TextTable table({"backends", "us a call", "samples/s", "times the first's speed"});
  for (const BenchResult& result : results) {
    table.AddRow({result.backends, Microseconds(result.seconds),
                  absl::StrFormat("%.0f", result.samples_per_second()),
                  absl::StrFormat("%.2f", results[0].seconds / result.seconds)});
  }
  return absl::StrCat(text, "\n", table.Text(1, 3));
}

std::string BenchJson(const BenchSubject& subject, absl::Span<const BenchResult> results,
                      const MachinePeak& peak) {
  Json json = {
      {"function", subject.function}, {"batch", subject.batch}, {"threads", subject.threads}};
  for (const TargetPeak& t : peak.targets()) json["peak_gflops"][t.target] = t.gflops;
  json["results"] = Json::array();
  for (const BenchResult& result : results) {
    Json nodes = Json::array();
    for (const NodeResult& n : result.nodes) nodes.push_back(NodeJson(n, result.seconds));
    json["results"].push_back({{"backends", result.backends},
                               {"calls", result.calls},
                               {"seconds", result.seconds},
                               {"samples_per_second", result.samples_per_second()},
                               {"dispatch_seconds", result.dispatch},
                               {"nodes", std::move(nodes)}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string BenchHtml(const BenchSubject& subject, absl::Span<const BenchResult> results,
                      const MachinePeak& peak) {
  std::string tiles, sections;
  for (const BenchResult& result : results) {
    tiles += tools::Tile(absl::StrFormat("%.0f", result.samples_per_second()),
                         absl::StrCat("samples/s, ", result.backends));
    if (results.size() > 1) {
      tiles += tools::Tile(absl::StrFormat("%.2f x", results[0].seconds / result.seconds),
                           absl::StrCat("the first's speed, ", result.backends));
    }
    std::vector<std::vector<std::string>> rows;
    for (const NodeResult& n : result.nodes) {
      rows.push_back(
          {tools::Text(n.node.node), tools::Text(n.node.op), Microseconds(n.seconds),
           absl::StrFormat("%.1f %%", 100 * n.seconds / result.seconds),
           absl::StrFormat("%.2f", Rate(n.node.cost.flops, n.seconds)),
           absl::StrFormat("%.2f", Rate(static_cast<double>(n.node.cost.bytes()), n.seconds)),
           absl::StrFormat("%.1f %%", n.roofline_percent), tools::Text(n.node.backend),
           tools::Text(n.node.implementation)});
    }
    rows.push_back({"(dispatch)", "", Microseconds(result.dispatch),
                    absl::StrFormat("%.1f %%", 100 * result.dispatch / result.seconds), "", "", "",
                    "", ""});
    absl::StrAppend(&sections, "<section><h2>", tools::Text(result.backends),
                    "</h2><p class=\"say\">", Microseconds(result.seconds), " us a call, ",
                    result.calls, " calls</p>",
                    tools::HtmlTable("Nodes",
                                     {"node", "op", "us", "share", "GFLOP/s", "GB/s", "roofline",
                                      "backend", "implementation"},
                                     rows, {2, 3, 4, 5, 6}),
                    "</section>\n");
  }
  return tools::PlainPage(
      absl::StrCat("Speed of ", subject.function),
      absl::StrCat("batch ", subject.batch, ", threads ", subject.threads, "; ", PeakText(peak)),
      absl::StrCat("<div class=\"tiles\">", tiles, "</div>\n", sections));
}

}  // namespace seqgraph::bench
