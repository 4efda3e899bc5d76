// usage: make_page FOLDER     writes plain.html, hostile.html, two.html of made-up runs, and
// curves.svg and curves.png of one

#include <cstdio>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "tools/report/chart_png.h"
#include "tools/report/curves.h"
#include "tools/report/testing/made_up_run.h"

int main(int argc, char** argv) {
  using seqgraph::tools::MadeUpRun;
  using seqgraph::tools::ReportPage;
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  const std::string hostile =
      "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
      "<svg onload=alert(1)>'\"\xe2\x80\xae"
      "evil\xe2\x81\xa6\xff\x01" +
      std::string(100'000, 'w');
  const std::vector<seqgraph::tools::Chart> charts =
      seqgraph::tools::CurveCharts({MadeUpRun("first").record, MadeUpRun("second").record});
  const absl::StatusOr<std::string> png = seqgraph::tools::ChartsPng(charts);
  if (!png.ok()) {
    std::fprintf(stderr, "make_page: %s\n", png.status().ToString().c_str());
    return 1;
  }
  const std::vector<std::pair<std::string, std::string>> pages = {
      {"curves.svg", seqgraph::tools::ChartsSvg(charts)},
      {"curves.png", *png},
      {"plain.html", ReportPage({MadeUpRun("first")})},
      {"hostile.html", ReportPage({MadeUpRun(hostile)})},
      {"two.html", ReportPage(std::vector<seqgraph::tools::ReportedRun>{MadeUpRun("first"),
                                                                        MadeUpRun("second")})}};
  for (const auto& [name, page] : pages) {
    const absl::Status status = seqgraph::AtomicWriteFile(folder + "/" + name, page);
    if (status.ok()) continue;
    std::fprintf(stderr, "make_page: %s\n", status.ToString().c_str());
    return 1;
  }
  return 0;
}
