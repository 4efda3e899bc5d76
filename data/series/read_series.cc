#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "data/class_table.h"
#include "data/compressed_file.h"
#include "data/csv.h"
#include "data/npy.h"
#include "data/series/decimal.h"
#include "data/series/read_arrays.h"
#include "data/series/read_json_lines.h"
#include "data/series/read_table.h"
#include "data/series/row_collector.h"
#include "data/series/series_file.h"
#include "data/series/series_set.h"
#include "data/series/table_columns.h"
#include "data/series/time_text.h"

namespace seqgraph::data {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFiles = 1'000'000;

bool IsNpy(absl::string_view start) { return absl::StartsWith(start, "\x93NUMPY"); }

// The first bytes of what a file holds, gunzipped.
absl::StatusOr<std::string> StartOf(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<CompressedFile> file, CompressedFile::Open(path));
  SEQ_ASSIGN_OR_RETURN(const absl::string_view start, file->Next());
  return std::string(start);
}

bool IsJson(absl::string_view start) {
  absl::ConsumePrefix(&start, "\xEF\xBB\xBF");
  start = absl::StripLeadingAsciiWhitespace(start);
  return absl::StartsWith(start, "{") || absl::StartsWith(start, "[");
}

// A file that is read as rows; see RowCollector::BeginFile.
absl::Status ReadRows(const std::string& path, const SeriesSourceOptions& options,
                      const std::string& series, const std::string& label,
                      RowCollector& collector) {
  SEQ_ASSIGN_OR_RETURN(const std::string start, StartOf(path));
  if (IsNpy(start)) return ReadNpySeries(path, options, series, label, collector);
  SEQ_RETURN_IF_ERROR(CheckIsText(path, start));
  const auto read = IsJson(start) ? ReadJsonLines : ReadTable;
  return read(path, options, series, label, collector);
}

// By their names: data files, as opposed to READMEs and hidden ones.
bool IsSeriesFile(const fs::path& path) {
  const std::string lower = absl::AsciiStrToLower(path.filename().string());
  const absl::string_view name = absl::StripSuffix(lower, ".gz");
  if (absl::StartsWith(name, ".")) return false;
  return absl::EndsWith(name, ".csv") || absl::EndsWith(name, ".tsv") ||
         absl::EndsWith(name, ".jsonl") || absl::EndsWith(name, ".npy");
}

struct FolderFile {
  std::string path;
  std::string label;  // The sub-folder's name.
};

// The files of a folder and its sub-folders, by name.
absl::StatusOr<std::vector<FolderFile>> FilesIn(const std::string& folder) {
  std::vector<FolderFile> files;
  std::error_code error;
  std::vector<std::string> folders = {folder};
  for (size_t i = 0; i < folders.size(); ++i) {
    const std::string label = i == 0 ? "" : fs::path(folders[i]).filename().string();
    for (fs::directory_iterator at(folders[i], error), end; !error && at != end;
         at.increment(error)) {
      const fs::path& path = at->path();
      const bool hidden = absl::StartsWith(path.filename().string(), ".");
      if (i == 0 && !hidden && at->is_directory(error)) folders.push_back(path.string());
      if (IsSeriesFile(path) && at->is_regular_file(error)) files.push_back({path.string(), label});
      if (files.size() > kMaxFiles) {
        return ResourceExhausted("'", folder, "' holds more than ", kMaxFiles, " files");
      }
    }
    if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("reading '", folder, "'"));
  }
  std::sort(files.begin(), files.end(),
            [](const FolderFile& a, const FolderFile& b) { return a.path < b.path; });
  if (files.empty()) {
    return InvalidArgument("the folder '", folder,
                           "' holds no .csv, .tsv, .jsonl (.gz) or .npy file");
  }
  return files;
}

absl::StatusOr<SeriesSet> ReadFolder(const std::string& folder,
                                     const SeriesSourceOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<FolderFile> files, FilesIn(folder));
  const auto is_labelled = [](const FolderFile& file) { return !file.label.empty(); };
  // Sub-folders are classes where nothing else is.
  const bool labels = options.wants_targets && options.label.empty() && options.targets.empty() &&
                      std::any_of(files.begin(), files.end(), is_labelled);
  RowCollector collector(options);
  for (const FolderFile& file : files) {
    if (labels && !is_labelled(file)) {
      return InvalidArgument("'", file.path,
                             "' lies in no sub-folder, whose name is the class, as other files do");
    }
    SEQ_RETURN_IF_ERROR(ReadRows(file.path, options,
                                 fs::path(file.path).lexically_relative(folder).string(),
                                 labels ? file.label : "", collector));
  }
  return collector.Finish(folder);
}

// Whether a field could be one of a table of series: a number, a time, a word or two.
bool IsWord(absl::string_view field) {
  return field.size() <= 64 && std::count(field.begin(), field.end(), ' ') <= 3;
}

bool TableLooksLikeSeries(const std::string& path, absl::string_view start) {
  const auto reader =
      CsvReader::Open(path, {.separator = SeparatorOf(start, {}), .max_fields = kMaxSeriesColumns});
  if (!reader.ok()) return false;
  constexpr int kRows = 100;
  int numbers = 0, texts = 0;
  for (int row = 0; row < kRows; ++row) {
    const auto fields = (*reader)->Next();
    if (!fields.ok() || fields->empty()) break;
    for (absl::string_view field : *fields) {
      double value;
      const NumberText kind = ReadNumber(field, &value);
      if (!IsWord(field)) return false;
      if (row > 0) (kind == NumberText::kNumber ? numbers : texts) += kind != NumberText::kMissing;
    }
  }
  return numbers > 0 && numbers >= texts;
}

}  // namespace

absl::StatusOr<SeriesSet> ReadSeries(const std::string& path, const SeriesSourceOptions& options) {
  std::error_code error;
  const std::string series_file = SeriesFileOf(path);
  if (!series_file.empty()) return ReadSeriesFile(series_file, options);
  if (fs::is_directory(path, error)) return ReadFolder(path, options);
  SEQ_ASSIGN_OR_RETURN(const std::string start, ReadFileStart(path, 6));
  if (LooksLikeZip(start) || IsNpy(start)) return ReadSeriesArrays(path, options);
  RowCollector collector(options);
  SEQ_RETURN_IF_ERROR(ReadRows(path, options, "", "", collector));
  return collector.Finish(path);
}

bool LooksLikeSeries(const std::string& path) {
  if (!SeriesFileOf(path).empty()) return true;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    const auto files = FilesIn(path);
    return files.ok() && LooksLikeSeries(files->front().path);
  }
  const absl::StatusOr<std::string> start = StartOf(path);
  if (!start.ok()) return false;
  if (IsNpy(*start)) return true;
  if (LooksLikeZip(*start)) return absl::EndsWith(absl::AsciiStrToLower(path), ".npz");
  if (!CheckIsText(path, *start).ok()) return false;
  if (!IsJson(*start)) return TableLooksLikeSeries(path, *start);
  const std::pair<absl::string_view, absl::string_view> lines =
      absl::StrSplit(*start, absl::MaxSplits('\n', 1));
  return LineLooksLikeSeries(lines.first);
}

}  // namespace seqgraph::data
