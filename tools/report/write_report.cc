#include "tools/report/write_report.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "tools/report/report_page.h"
#include "tools/report/run_folders.h"
#include "training/summary.h"

namespace seqgraph::tools {

absl::StatusOr<std::string> WriteReport(const std::vector<std::string>& folders,
                                        const std::string& output, const CommandFiles& files,
                                        const ModelReportOptions& options) {
  SEQ_ASSIGN_OR_RETURN(std::vector<RunRecord> records, LoadRuns(folders));
  std::vector<ReportedRun> runs;
  std::string lines;
  for (RunRecord& record : records) {
    SEQ_ASSIGN_OR_RETURN(ModelReport model, MakeModelReport(record, files, options));
    for (const std::string& note : model.notes) {
      absl::StrAppend(&lines, record.folder, ": ", note, "\n");
    }
    runs.push_back({std::move(record), std::move(model)});
  }
  const std::string page = ReportPage(runs);
  SEQ_RETURN_IF_ERROR(AtomicWriteFile(output, page));
  return absl::StrCat(lines, "Wrote ", output, " (",
                      ReadableBytes(static_cast<int64_t>(page.size())), "): ", runs.size(),
                      runs.size() == 1 ? " run\n" : " runs\n");
}

}  // namespace seqgraph::tools
