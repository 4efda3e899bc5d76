#include "data/series/read_table.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
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

constexpr size_t kSampleRecords = 100;

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

// Blocks that several threads take apart, and that are put together in their order: while one
// thread reads, and one adds rows, the others parse.
class SharedBlocks {
 public:
  SharedBlocks(CsvBlocks& blocks, RowCollector& collector)
      : blocks_(blocks), collector_(collector) {}

  // What each thread does until there is no more. `first` is the block that is read already; null
  // for all threads but one.
  void Run(TableParser parser, Work* first) {
    Work work;
    bool more = first != nullptr;
    int64_t number = 0;
    absl::Status status;
    if (more) work = std::move(*first);
    if (!more) more = Take(&work, &number, &status);
    for (; more; more = Take(&work, &number, &status)) {
      if (status.ok()) work.Parse(parser);
      Add(number, std::move(status), work);
    }
  }

  const absl::Status& status() const { return status_; }

 private:
  // Whether there is one more block, or what prevents it from being read, in its turn.
  bool Take(Work* work, int64_t* number, absl::Status* status) {
    const std::lock_guard<std::mutex> lock(reading_);
    if (at_end_ || failed_) return false;
    const absl::StatusOr<bool> more = blocks_.Next(&work->block);
    *status = more.status();
    at_end_ = !more.value_or(false);
    if (at_end_ && more.ok()) return false;
    work->begin = 0;
    work->line = work->block.line;
    *number = next_++;
    return true;
  }

  void Add(int64_t number, absl::Status status, Work& work) {
    std::unique_lock<std::mutex> lock(adding_);
    turn_.wait(lock, [&] { return added_ == number; });
    if (status_.ok()) status_ = status.ok() ? collector_.Add(std::move(work.rows)) : status;
    failed_ = !status_.ok();
    ++added_;
    turn_.notify_all();
  }

  CsvBlocks& blocks_;
  RowCollector& collector_;
  std::mutex reading_;
  bool at_end_ = false;
  int64_t next_ = 1;  // The number of the next block; the first one, 0, is read already.
  std::mutex adding_;
  std::condition_variable turn_;
  int64_t added_ = 0;
  absl::Status status_;  // The first error, in the order of blocks.
  std::atomic<bool> failed_ = false;
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
  while (at != end && records.size() <= kSampleRecords) {
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
  if (records.empty()) {
    return InvalidArgument("'", path, "' is empty; expected a line of names and a line a step");
  }
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
  Work first;
  SEQ_ASSIGN_OR_RETURN(const bool any, blocks->Next(&first.block));
  if (!any) {
    return InvalidArgument("'", path, "' is empty; expected a line of names and a line a step");
  }
  SEQ_ASSIGN_OR_RETURN(const TableColumns columns, LookAtFirst(path, csv, options, first));
  collector.BeginFile(columns, series, label);

  const unsigned threads =
      options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  SharedBlocks shared(*blocks, collector);
  std::vector<std::jthread> others;  // Waited for also where memory ends.
  try {
    for (unsigned i = 1; i < threads; ++i) {
      others.emplace_back([&] { shared.Run(TableParser(columns, options), nullptr); });
    }
  } catch (const std::exception&) {
    // The threads that there are do it all.
  }
  shared.Run(TableParser(columns, options), &first);
  others.clear();
  return shared.status();
}

}  // namespace seqgraph::data
