#include "tools/runs/run_record.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr int64_t kMostBytes = int64_t{64} << 20;
constexpr RunStatus kStatuses[] = {RunStatus::kRunning, RunStatus::kFinished,
                                   RunStatus::kInterrupted, RunStatus::kFailed};

// One walk over what run.json holds, for both directions: visit(section, key, member).
template <typename Record, typename Visit>
void ForEachField(Record& record, Visit visit) {
  visit("", "name", record.name);
  visit("", "command", record.command);
  visit("", "flags", record.flags);
  visit("", "error", record.error);
  visit("", "started", record.started);
  visit("", "ended", record.ended);
  visit("", "seconds", record.seconds);
  visit("", "environment", record.environment);
  visit("", "seed", record.seed);
  visit("", "batch", record.batch);
  visit("data", "source", record.data);
  visit("data", "rows_are", record.noun);
  visit("data", "train_rows", record.train_rows);
  visit("data", "validation_rows", record.validation_rows);
  visit("data", "train_sha256", record.train_hash);
  visit("data", "validation_sha256", record.validation_hash);
  visit("model", "description", record.description);
  visit("model", "parameters", record.parameters);
  visit("model", "output", record.output);
  visit("result", "monitor", record.monitor);
  visit("result", "best_epoch", record.best_epoch);
  visit("result", "higher_is_better", record.higher_is_better);
}

template <typename T>
void Put(Json& at, const char* key, const T& value) {
  at[key] = value;
}
void Put(Json& at, const char* key, const std::optional<int>& value) {
  if (value.has_value()) at[key] = *value;
}

template <typename T>
void Take(const Json& from, T& value) {
  from.get_to(value);
}
void Take(const Json& from, std::optional<int>& value) { value = from.get<int>(); }
// A map with a comparator of its own is taken apart by hand.
void Take(const Json& from, std::map<std::string, bool, std::less<>>& value) {
  for (const auto& [name, higher] : from.items()) value[name] = higher.get<bool>();
}

// Fields of a line. Quotes stay, so that a text in quotes is no number.
std::vector<std::string> Fields(absl::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

// Columns of text, such as a run's facts in its history, are left out.
absl::StatusOr<NumberTable> LoadTable(const std::string& path) {
  NumberTable table;
  absl::StatusOr<std::string> text = ReadFile(path, kMostBytes);
  if (absl::IsNotFound(text.status())) return table;
  SEQ_RETURN_IF_ERROR(text.status());
  const std::vector<absl::string_view> lines = absl::StrSplit(*text, '\n', absl::SkipEmpty());
  if (lines.empty()) return table;
  const std::vector<std::string> names = Fields(lines[0]);
  std::vector<std::vector<double>> columns(names.size());
  std::vector<bool> numbers(names.size(), true);
  for (size_t row = 1; row < lines.size(); ++row) {
    const std::vector<std::string> fields = Fields(lines[row]);
    if (fields.size() != names.size()) {
      return InvalidArgument(path, ":", row + 1, ": ", fields.size(),
                             " fields, and the header has ", names.size());
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      double value = std::numeric_limits<double>::quiet_NaN();
      if (!absl::SimpleAtod(fields[i], &value)) numbers[i] = false;
      columns[i].push_back(value);
    }
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (numbers[i]) table.columns[names[i]] = std::move(columns[i]);
  }
  return table;
}

absl::StatusOr<RunStatus> ParseStatus(const std::string& name) {
  for (const RunStatus status : kStatuses) {
    if (name == RunStatusName(status)) return status;
  }
  return InvalidArgument("status '", name, "' is none of running, finished, interrupted, failed");
}

absl::Status ParseRun(const Json& json, RunRecord& record) {
  if (!json.is_object() || json.value("format", Json()) != kFormat) {
    return InvalidArgument("expected an object with \"format\": ", kFormat);
  }
  SEQ_ASSIGN_OR_RETURN(record.status, ParseStatus(json.value("status", "")));
  ForEachField(record, [&](const char* section, const char* key, auto& value) {
    const Json* at = &json;
    if (*section != '\0') {
      const auto found = json.find(section);
      if (found == json.end()) return;
      at = &*found;
      at->get_ref<const Json::object_t&>();  // throws where it is none
    }
    const auto found = at->find(key);
    if (found != at->end()) Take(*found, value);
  });
  return absl::OkStatus();
}

}  // namespace

const std::vector<double>& NumberTable::operator[](absl::string_view name) const {
  static const auto& none = *new std::vector<double>;
  const auto it = columns.find(name);
  return it == columns.end() ? none : it->second;
}

std::optional<bool> RunRecord::HigherIsBetter(absl::string_view column) const {
  const auto known = higher_is_better.find(absl::StripPrefix(column, "val_"));
  return known == higher_is_better.end() ? std::nullopt : std::optional<bool>(known->second);
}

std::optional<size_t> BestRow(const std::vector<double>& values, bool higher_is_better) {
  std::optional<size_t> best;
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    const bool better = !best.has_value() ||
                        (higher_is_better ? values[i] > values[*best] : values[i] < values[*best]);
    if (better) best = i;
  }
  return best;
}

std::string NumberTable::ToCsv(const std::vector<std::string>& first) const {
  std::vector<std::pair<const std::string*, const std::vector<double>*>> order;
  for (const std::string& name : first) {
    const auto it = columns.find(name);
    if (it != columns.end()) order.emplace_back(&it->first, &it->second);
  }
  for (const auto& [name, column] : columns) {
    if (std::find(first.begin(), first.end(), name) == first.end()) {
      order.emplace_back(&name, &column);
    }
  }
  std::string csv;
  for (const auto& [name, column] : order) absl::StrAppend(&csv, csv.empty() ? "" : ",", *name);
  csv += '\n';
  for (size_t row = 0; row < rows(); ++row) {
    for (size_t i = 0; i < order.size(); ++i) {
      if (i > 0) csv += ',';
      char buffer[32];
      csv.append(buffer,
                 std::to_chars(buffer, buffer + sizeof(buffer), (*order[i].second)[row]).ptr);
    }
    csv += '\n';
  }
  return csv;
}

const char* RunStatusName(RunStatus status) {
  switch (status) {
    case RunStatus::kRunning:
      return "running";
    case RunStatus::kFinished:
      return "finished";
    case RunStatus::kInterrupted:
      return "interrupted";
    case RunStatus::kFailed:
      return "failed";
  }
  return "";
}

absl::StatusOr<RunRecord> LoadRunRecord(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kRunFile);
  SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMostBytes));
  RunRecord record;
  // The library tells by exceptions what does not fit; none leaves this function.
  try {
    SEQ_RETURN_IF_ERROR(Annotate(ParseRun(Json::parse(text), record), path));
  } catch (const Json::exception& error) {
    return InvalidArgument(path, ": no record of a run: ", error.what());
  }
  record.folder = folder;
  SEQ_ASSIGN_OR_RETURN(record.history, LoadTable(absl::StrCat(folder, "/", kHistoryFile)));
  SEQ_ASSIGN_OR_RETURN(record.steps, LoadTable(absl::StrCat(folder, "/", kStepsFile)));
  absl::StatusOr<std::string> messages =
      ReadFile(absl::StrCat(folder, "/", kMessagesFile), kMostBytes);
  if (messages.ok()) record.messages = *std::move(messages);
  if (!messages.ok() && !absl::IsNotFound(messages.status())) return messages.status();
  return record;
}

absl::Status SaveRunRecord(const RunRecord& record) {
  Json json = {{"format", kFormat}, {"status", RunStatusName(record.status)}};
  ForEachField(record, [&](const char* section, const char* key, const auto& value) {
    Put(*section == '\0' ? json : json[section], key, value);
  });
  return AtomicWriteFile(absl::StrCat(record.folder, "/", kRunFile),
                         json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string RunsFolder() {
  const char* given = std::getenv("SEQGRAPH_RUNS");
  return given == nullptr || *given == '\0' ? "runs" : given;
}

std::vector<std::string> RunFolders(const std::string& folder) {
  namespace fs = std::filesystem;
  const auto is_run = [](const fs::path& path) {
    std::error_code none;
    return fs::exists(path / kRunFile, none);
  };
  if (is_run(folder)) return {folder};
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (is_run(it->path())) found.push_back(it->path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace seqgraph::tools
