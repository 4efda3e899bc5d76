#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "data/series/read_arrays.h"
#include "data/series/read_table.h"
#include "data/series/row_collector.h"
#include "data/series/series_set.h"

namespace seqgraph::data {

absl::StatusOr<SeriesSet> ReadSeries(const std::string& path, const SeriesSourceOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const std::string start, ReadFileStart(path, 6));
  if (LooksLikeZip(start) || absl::StartsWith(start, "\x93NUMPY")) {
    return ReadSeriesArrays(path, options);
  }
  RowCollector collector(options);
  SEQ_RETURN_IF_ERROR(ReadTable(path, options, "", "", collector));
  return collector.Finish(path);
}

bool LooksLikeSeries(const std::string& path) { return !path.empty(); }

}  // namespace seqgraph::data
