#include "data/series/series_facts.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "data/series/table_columns.h"

namespace seqgraph::data {
namespace {

using Json = nlohmann::ordered_json;
using Options = SeriesSourceOptions;

constexpr int kVersion = 1;
constexpr int kMaxFactsDepth = 2;

constexpr SeriesPart kParts[] = {
    {"series", &Options::series, false}, {"order", &Options::order, false},
    {"time", &Options::time, false},     {"label", &Options::label, true},
    {"group", &Options::group, true},    {"weight", &Options::weight, true},
};

// What of a set is texts and switches, by name.
struct TextList {
  const char* name;
  std::vector<std::string> SeriesSet::*list;
};
constexpr TextList kLists[] = {
    {"features", &SeriesSet::features},
    {"names", &SeriesSet::names},
    {"groups", &SeriesSet::groups},
    {"class_names", &SeriesSet::class_names},
    {"target_names", &SeriesSet::target_names},
    {"files", &SeriesSet::files},
};
struct Switch {
  const char* name;
  bool SeriesSet::*value;
};
constexpr Switch kSwitches[] = {{"times_are_dates", &SeriesSet::times_are_dates},
                                {"per_step", &SeriesSet::per_step},
                                {"weights_per_step", &SeriesSet::weights_per_step}};

bool TakeText(const Json& json, std::string* text) {
  return json.is_string() && absl::CUnescape(json.get_ref<const std::string&>(), text);
}

}  // namespace

absl::Span<const SeriesPart> SeriesParts() { return kParts; }

std::string FactsToJson(const SeriesSet& set, const SeriesSourceOptions& source) {
  Json json;
  json["version"] = kVersion;
  for (const auto& [name, list] : kLists) {
    Json& texts = json[name] = Json::array();
    for (const std::string& text : set.*list) texts.push_back(absl::CEscape(text));
  }
  for (const auto& [name, value] : kSwitches) json[name] = set.*value;
  for (const SeriesPart& part : kParts) {
    json["columns"][part.name] = absl::CEscape(source.*part.column);
  }
  json["missing"] = static_cast<unsigned>(source.missing);
  return json.dump();
}

bool FactsFromJson(const std::string& text, SeriesFacts* facts) {
  const Json json = Json::parse(
      text, [](int depth, Json::parse_event_t, Json&) { return depth <= kMaxFactsDepth; },
      /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("version", Json()) != kVersion) return false;
  for (const auto& [name, list] : kLists) {
    const Json texts = json.value(name, Json());
    if (!texts.is_array()) return false;
    for (const Json& each : texts) {
      (facts->set.*list).emplace_back();
      if (!TakeText(each, &(facts->set.*list).back())) return false;
    }
  }
  for (const auto& [name, value] : kSwitches) {
    const Json given = json.value(name, Json());
    if (!given.is_boolean()) return false;
    facts->set.*value = given.get<bool>();
  }
  const Json columns = json.value("columns", Json());
  if (!columns.is_object()) return false;
  for (const SeriesPart& part : kParts) {
    if (!TakeText(columns.value(part.name, Json()), &(facts->source.*part.column))) return false;
  }
  const Json missing = json.value("missing", Json());
  if (!missing.is_number_unsigned() ||
      missing.get<uint64_t>() > static_cast<uint64_t>(Options::Missing::kDrop)) {
    return false;
  }
  facts->source.missing = static_cast<Options::Missing>(missing.get<int>());
  facts->source.per_step = facts->set.per_step;
  facts->source.targets = facts->set.target_names;
  return true;
}

std::string WrongPart(const SeriesSet& set) {
  const auto size = [](const auto& list) { return static_cast<int64_t>(list.size()); };
  const auto rows = [&](bool per_step) { return per_step ? set.num_steps() : set.num_series(); };
  const auto ascend = [](const auto& list) {
    return std::adjacent_find(list.begin(), list.end(), std::greater_equal<>()) == list.end();
  };
  if (set.begin.size() < 2 || set.begin[0] != 0 || !ascend(set.begin)) return "begin";
  if (set.features.empty() || set.num_features() > kMaxSeriesColumns) return "features";
  if (set.files.empty()) return "files";
  if (!set.names.empty() && size(set.names) != set.num_series()) return "names";
  if (!set.groups.empty() && size(set.groups) != set.num_series()) return "groups";
  if (!set.gaps.empty() && (set.gaps[0] <= 0 || set.gaps.back() >= set.num_steps())) return "gaps";
  if (!ascend(set.gaps)) return "gaps";
  for (const int64_t gap : set.gaps) {
    if (std::binary_search(set.begin.begin(), set.begin.end(), gap)) return "gaps";
  }
  const auto finite = [](auto value) { return std::isfinite(value); };
  if (!set.times.empty() && size(set.times) != set.num_steps()) return "times";
  if (!std::all_of(set.times.begin(), set.times.end(), finite)) return "times";
  if (!set.classes.empty() && (size(set.classes) != rows(set.per_step) || !set.targets.empty())) {
    return "classes";
  }
  for (const int32_t number : set.classes) {
    if (number < 0 || number >= size(set.class_names)) return "classes";
  }
  if (!set.targets.empty() && size(set.targets) != rows(set.per_step) * size(set.target_names)) {
    return "targets";
  }
  if (!std::all_of(set.targets.begin(), set.targets.end(), finite)) return "targets";
  if (!set.weights.empty() && size(set.weights) != rows(set.weights_per_step)) return "weights";
  for (const float weight : set.weights) {
    if (!(weight >= 0 && std::isfinite(weight))) return "weights";
  }
  if (!set.lines.empty() && set.lines[0].step != 0) return "lines";
  for (size_t i = 0; i < set.lines.size(); ++i) {
    const SeriesSet::Lines& run = set.lines[i];
    if (run.file < 0 || run.file >= size(set.files) || run.line < 0 ||
        run.line > (int64_t{1} << 62) || (i > 0 && run.step <= set.lines[i - 1].step)) {
      return "lines";
    }
  }
  return "";
}

}  // namespace seqgraph::data
