#include "data/series/read_table.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/class_table.h"
#include "data/csv_records.h"
#include "data/series/table_columns.h"
#include "data/series/table_rows.h"

namespace seqgraph::data {
namespace {

constexpr size_t kSamples = 100;

// A block with where its rows begin, and what they are.
struct Work {
  CsvBlock block;
  size_t begin = 0;
  int64_t line = 0;
  TableRows rows;

  void Parse(TableParser& parser) {
    rows = TableRows();
    char* const bytes = block.bytes.data();
    parser.Parse(bytes + begin, bytes + block.bytes.size(), line, rows);
  }
};

// The first records of a file. Quotes are changed where they stand: by a copy.
absl::StatusOr<TableColumns> LookAtFirst(const std::string& path, const CsvOptions& csv,
                                         const SeriesSourceOptions& options, Work& first) {
  std::string copy = first.block.bytes;
  char* at = copy.data();
  char* const end = at + copy.size();
  CsvRecord record;
  Records records;
  int64_t line = first.block.line, next_line = line;
  size_t behind_first = 0;
  while (at != end && records.size() <= kSamples) {
    line = next_line;
    const bool good = record.Split(&at, end, csv);
    next_line += record.lines();
    if (!good && records.empty()) {
      return InvalidArgument("'", path, "', line ", line + record.problem().line, ", byte ",
                             record.problem().column, ": ", record.problem().what);
    }
    if (!good || record.empty()) continue;
    records.emplace_back(record.fields().begin(), record.fields().end());
    if (records.size() > 1) continue;
    behind_first = static_cast<size_t>(at - copy.data());
    first.line = next_line;
  }
  if (records.empty()) return InvalidArgument("'", path, "' is empty");
  std::vector<std::string> names;
  if (HoldsValues(records[0])) {
    first.line = first.block.line;
  } else {
    first.begin = behind_first;
    names = std::move(records[0]);
    records.erase(records.begin());
  }
  return FindColumns(path, csv, names, records, options);
}

}  // namespace

absl::Status ReadTable(const std::string& path, const SeriesSourceOptions& given,
                       const std::string& series, const std::string& label,
                       RowCollector& collector) {
  SeriesSourceOptions options = given;
  if (!collector.features().empty()) options.columns = collector.features();
  if (absl::ascii_isalnum(static_cast<unsigned char>(options.separator)) ||
      (options.separator != 0 &&
       absl::string_view("+-.").find(options.separator) != absl::string_view::npos)) {
    return InvalidArgument("the separator ", Shown(absl::string_view(&options.separator, 1)),
                           " may be part of a number");
  }
  // Blocks are cut by quotes and the separator: the first one's bytes tell which that is.
  CsvOptions csv{.separator = options.separator, .max_fields = kMaxSeriesColumns};
  if (csv.separator == 0) {
    SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<CompressedFile> file, CompressedFile::Open(path));
    SEQ_ASSIGN_OR_RETURN(const absl::string_view start, file->Next());
    csv.separator = SeparatorOf(start, options);
  }
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<CsvBlocks> blocks, CsvBlocks::Open(path, csv));
  std::vector<Work> work(1);
  SEQ_ASSIGN_OR_RETURN(const bool any, blocks->Next(&work[0].block));
  if (!any) return InvalidArgument("'", path, "' is empty");
  SEQ_ASSIGN_OR_RETURN(const TableColumns columns, LookAtFirst(path, csv, options, work[0]));
  collector.BeginFile(columns, series, label);

  const size_t threads =
      std::max<size_t>(1, options.threads > 0 ? static_cast<size_t>(options.threads)
                                              : std::thread::hardware_concurrency());
  std::vector<TableParser> parsers(threads, TableParser(columns, options));
  size_t filled = 1;  // The first block is there.
  for (bool more = true; more; filled = 0) {
    // As many blocks as threads, taken apart at once and put together in their order.
    if (work.size() < threads) work.resize(threads);
    for (; filled < threads && more; filled += more) {
      SEQ_ASSIGN_OR_RETURN(more, blocks->Next(&work[filled].block));
      work[filled].begin = 0;
      work[filled].line = work[filled].block.line;
    }
    std::vector<std::thread> others;
    for (size_t i = 1; i < filled; ++i) {
      others.emplace_back([&work, &parsers, i] { work[i].Parse(parsers[i]); });
    }
    if (filled > 0) work[0].Parse(parsers[0]);
    for (std::thread& thread : others) thread.join();
    for (size_t i = 0; i < filled; ++i) SEQ_RETURN_IF_ERROR(collector.Add(std::move(work[i].rows)));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::data
