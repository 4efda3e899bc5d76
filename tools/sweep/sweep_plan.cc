#include "tools/sweep/sweep_plan.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/counter_random.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

constexpr size_t kLongestName = 120;
constexpr double kLogarithmicFrom = 10;  // of high / low
constexpr int kTriesASample = 20;        // before it is taken that there are no more

// What a folder may be called everywhere.
std::string SafeName(const std::string& text) {
  std::string safe = text.substr(0, kLongestName);
  for (char& c : safe) {
    if (!absl::ascii_isalnum(c) && !absl::StrContains("=._+-", absl::string_view(&c, 1))) c = '-';
  }
  return safe;
}

SweepPoint PointOf(std::vector<std::string> flags) {
  std::vector<std::string> parts;
  for (const std::string& flag : flags) parts.emplace_back(absl::StripPrefix(flag, "--"));
  return {std::move(flags), SafeName(absl::StrJoin(parts, "_"))};
}

// Names that became the same are numbered.
void MakeNamesUnique(std::vector<SweepPoint>& points) {
  std::set<std::string> names;
  for (SweepPoint& point : points) {
    std::string name = point.name.empty() ? "run" : point.name;
    for (int i = 2; !names.insert(name).second; ++i) name = absl::StrCat(point.name, "-", i);
    point.name = name;
  }
}

std::string Draw(const SweepAxis& axis, CounterRandom& random) {
  if (!axis.is_range()) return axis.values[random.NextBelow(axis.values.size())];
  const double u = random.NextUniform();
  const bool by_logarithm = axis.low > 0 && axis.high / axis.low >= kLogarithmicFrom;
  if (axis.whole) {
    const double value = by_logarithm ? axis.low * std::pow((axis.high + 1) / axis.low, u)
                                      : axis.low + u * (axis.high - axis.low + 1);
    return absl::StrFormat("%.0f", std::min(std::floor(value), axis.high));
  }
  const double value = by_logarithm ? axis.low * std::pow(axis.high / axis.low, u)
                                    : axis.low + u * (axis.high - axis.low);
  return absl::StrFormat("%.4g", value);
}

}  // namespace

absl::StatusOr<SweepAxis> ParseSweepAxis(const std::string& argument) {
  const size_t equals = argument.find('=');
  if (!absl::StartsWith(argument, "--") || equals == std::string::npos || equals == 2) {
    return InvalidArgument("expected --FLAG=VALUE,VALUE,... before `--`, got '", argument, "'");
  }
  SweepAxis axis{.flag = argument.substr(0, equals)};
  const std::string text = argument.substr(equals + 1);
  const std::vector<std::string> ends = absl::StrSplit(text, absl::MaxSplits("..", 1));
  int64_t whole = 0;
  if (ends.size() == 2 && absl::SimpleAtod(ends[0], &axis.low) &&
      absl::SimpleAtod(ends[1], &axis.high)) {
    if (!(std::isfinite(axis.low) && std::isfinite(axis.high) && axis.low < axis.high)) {
      return InvalidArgument(axis.flag, ": the range ", text, " is empty or has no end");
    }
    axis.whole = absl::SimpleAtoi(ends[0], &whole) && absl::SimpleAtoi(ends[1], &whole);
    return axis;
  }
  axis.values = absl::StrSplit(text, ',');
  std::set<std::string> seen;
  for (const std::string& value : axis.values) {
    if (value.empty()) return InvalidArgument(axis.flag, ": a value in '", text, "' is empty");
    if (!seen.insert(value).second) {
      return InvalidArgument(axis.flag, ": ", value, " is there twice");
    }
  }
  return axis;
}

absl::StatusOr<std::vector<SweepPoint>> GridPoints(const std::vector<SweepAxis>& axes) {
  std::vector<std::vector<std::string>> all(1);
  for (const SweepAxis& axis : axes) {
    if (axis.is_range()) {
      return InvalidArgument(axis.flag,
                             " is a range, which --search=random draws from; a grid "
                             "needs values with commas between them");
    }
    if (static_cast<int64_t>(all.size() * axis.values.size()) > kMostPoints) {
      return ResourceExhausted("the grid has more than ", kMostPoints,
                               " combinations; --search=random takes a sample of them");
    }
    std::vector<std::vector<std::string>> next;
    for (const std::vector<std::string>& flags : all) {
      for (const std::string& value : axis.values) {
        next.push_back(flags);
        next.back().push_back(absl::StrCat(axis.flag, "=", value));
      }
    }
    all = std::move(next);
  }
  std::vector<SweepPoint> points;
  for (std::vector<std::string>& flags : all) points.push_back(PointOf(std::move(flags)));
  MakeNamesUnique(points);
  return points;
}

std::vector<SweepPoint> RandomPoints(const std::vector<SweepAxis>& axes, int64_t samples,
                                     uint64_t seed) {
  CounterRandom random(seed, "sweep");
  std::set<std::vector<std::string>> seen;
  std::vector<SweepPoint> points;
  for (int64_t sample = 0; sample < samples; ++sample) {
    for (int i = 0; i < kTriesASample; ++i) {
      std::vector<std::string> flags;
      for (const SweepAxis& axis : axes) {
        flags.push_back(absl::StrCat(axis.flag, "=", Draw(axis, random)));
      }
      if (!seen.insert(flags).second) continue;
      points.push_back(PointOf(std::move(flags)));
      break;
    }
  }
  MakeNamesUnique(points);
  return points;
}

std::vector<SweepRung> HalvingRungs(int64_t points, int64_t first, int64_t most, int64_t eta) {
  std::vector<SweepRung> rungs;
  for (int64_t epochs = first; epochs < most; epochs *= eta) {
    rungs.push_back({epochs, points});
    points = (points + eta - 1) / eta;
    if (points <= 1 || epochs > most / eta) break;
  }
  rungs.push_back({most, points});
  return rungs;
}

}  // namespace seqgraph::tools
