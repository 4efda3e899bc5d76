#include "tools/auto_choice.h"

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/content_hash.h"
#include "base/status_macros.h"
#include "graph/printer.h"
#include "ops/all_ops.h"
#include "tools/run_description.h"
#include "tools/text_table.h"

namespace seqgraph::tools {
namespace {

using nlohmann::json;

// All that a measured time depends on.
ContentHash KeyOf(const Function& function, const CompileOptions& options) {
  std::string text = absl::StrCat("backend choice 2\n", ProcessorName(), "\nbatch ", options.batch,
                                  " threads ", options.threads, "\n");
  for (const Backend* backend : options.backends) {
    const BackendInfo& info = backend->info();
    absl::StrAppend(&text, info.name, " ", info.version, " ", info.description, "\n");
  }
  for (const FunctionPass* pass : options.passes) absl::StrAppend(&text, pass->name, "\n");
  absl::StrAppend(&text, FunctionToText(function));
  return HashBytes(text);
}

json TimesToJson(const std::vector<TimedBackend>& times) {
  json list = json::array();
  for (const TimedBackend& time : times) list.push_back({time.backend, time.seconds});
  return list;
}

std::vector<TimedBackend> TimesFromJson(const json& list) {
  std::vector<TimedBackend> times;
  for (const json& time : list) {
    times.push_back({time.at(0).get<std::string>(), time.at(1).get<double>()});
  }
  return times;
}

}  // namespace

std::optional<DataCache> DefaultChoiceCache() {
  std::string folder = DataCache::DefaultFolder();
  if (folder.empty()) return std::nullopt;
  return DataCache(std::move(folder));
}

std::string ChoiceToJson(const BackendChoice& choice) {
  json groups = json::array();
  for (const MeasuredGroup& group : choice.groups) {
    groups.push_back(
        {{"nodes", group.nodes}, {"times", TimesToJson(group.times)}, {"chosen", group.chosen}});
  }
  return json{{"preferences", choice.preferences},
              {"groups", std::move(groups)},
              {"whole", TimesToJson(choice.whole)}}
      .dump();
}

absl::StatusOr<BackendChoice> ChoiceFromJson(absl::string_view text) {
  try {
    const json parsed = json::parse(text.begin(), text.end());
    BackendChoice choice;
    choice.preferences = parsed.at("preferences").get<BackendPreferences>();
    for (const json& group : parsed.at("groups")) {
      choice.groups.push_back({group.at("nodes").get<std::vector<std::string>>(),
                               TimesFromJson(group.at("times")),
                               group.at("chosen").get<std::string>()});
    }
    choice.whole = TimesFromJson(parsed.at("whole"));
    return choice;
  } catch (const json::exception& e) {
    return InvalidArgument("no choice of backends: ", e.what());
  }
}

absl::StatusOr<BackendChoice> AutoChoice::Choose(const Function& function,
                                                 const VariableStore& variables,
                                                 const CompileOptions& options,
                                                 ChoiceOrigin* origin) const {
  ChoiceOrigin ignored;
  ChoiceOrigin& from = origin != nullptr ? *origin : ignored;
  from = {};
  const ContentHash key = KeyOf(function, options);
  if (cache_.has_value()) {
    absl::StatusOr<std::string> found = cache_->Find(key);
    absl::StatusOr<BackendChoice> choice =
        found.ok() ? ChoiceFromJson(*found) : absl::StatusOr<BackendChoice>(found.status());
    if (choice.ok()) {
      from.remembered = true;
      return choice;
    }
    if (!absl::IsNotFound(choice.status())) from.note = std::string(choice.status().message());
  }
  const auto start = std::chrono::steady_clock::now();
  SEQ_ASSIGN_OR_RETURN(BackendChoice choice,
                       ChooseByMeasuring(function, AllOps(), variables, options));
  from.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (cache_.has_value()) {
    const absl::Status stored = cache_->Store(key, ChoiceToJson(choice));
    if (!stored.ok()) from.note = std::string(stored.message());
  }
  return choice;
}

std::string ChoiceText(const BackendChoice& choice, const ChoiceOrigin& origin) {
  std::string text =
      origin.remembered
          ? std::string("backends chosen by what was measured before\n")
          : absl::StrFormat("backends chosen by measuring, in %.2f s\n", origin.seconds);
  if (!origin.note.empty()) absl::StrAppend(&text, "note: ", origin.note, "\n");
  if (choice.groups.empty()) return text;
  std::vector<std::string> header = {"chosen"};
  for (const TimedBackend& time : choice.whole) header.push_back(absl::StrCat(time.backend, " us"));
  header.push_back("nodes");
  TextTable table(header);
  const auto add = [&](const std::string& chosen, const std::vector<TimedBackend>& times,
                       const std::string& nodes) {
    std::vector<std::string> row = {chosen};
    for (size_t t = 0; t < choice.whole.size(); ++t) {
      row.push_back(t < times.size() ? absl::StrFormat("%.1f", times[t].seconds * 1e6) : "");
    }
    row.push_back(nodes);
    table.AddRow(std::move(row));
  };
  for (const MeasuredGroup& group : choice.groups) {
    add(group.chosen, group.times, absl::StrJoin(group.nodes, ", "));
  }
  add("", choice.whole, "the whole function");
  absl::StrAppend(&text, table.Text(1, choice.whole.size()));
  return text;
}

}  // namespace seqgraph::tools
