#include "layers/operation_index.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "graph/layer_stack.h"
#include "layers/layer_context.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace seqgraph {
namespace {

// Where a slice begins and ends in an axis, and how many elements it takes, as Python counts.
struct SlicedAxis {
  int64_t begin, end, stride;
};
SlicedAxis SliceOf(const IndexPlace& place, int64_t extent) {
  const auto within = [extent](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + extent : at, 0, extent);
  };
  const int64_t begin = within(place.begin.value_or(0));
  return {begin, std::max(begin, within(place.end.value_or(extent))), place.stride.value_or(1)};
}

}  // namespace

Value EmitIndex(LayerContext& c, const std::string& index) {
  using Kind = IndexPlace::Kind;
  FunctionBuilder& g = c.g();
  std::vector<IndexPlace> places = *ParseIndex(index);
  const auto taken = [](const IndexPlace& p) {
    return p.kind == Kind::kSlice || p.kind == Kind::kNumber;
  };
  const int rank = c.type().shape.rank();
  const int left = rank - static_cast<int>(std::count_if(places.begin(), places.end(), taken));
  const auto ellipsis = std::find_if(places.begin(), places.end(),
                                     [](const IndexPlace& p) { return p.kind == Kind::kEllipsis; });
  const auto at = ellipsis == places.end() ? ellipsis : places.erase(ellipsis);
  if (left > 0) places.insert(at, left, IndexPlace());
  if (left < 0 || places[0].kind != Kind::kSlice || !(places[0] == IndexPlace())) {
    c.Fail(absl::StrCat("index [", index, "] of ", c.type().ToString(),
                        " must take all of the batch, and no more axes than there are"));
    return {};
  }
  Value y = c.x();
  Shape to;
  int axis = 0;
  for (const IndexPlace& place : places) {
    if (place.kind == Kind::kNewAxis) {
      to.Append(1);
      continue;
    }
    const Dim dim = g.type(y).shape[axis];
    if (place == IndexPlace()) {
      to.Append(dim);
      ++axis;
      continue;
    }
    const int64_t extent = dim.size();
    if (place.stride == -1 && !place.begin.has_value() && !place.end.has_value()) {
      y = ops::Reverse(g, y, axis++, c.Part("reversed"));
      to.Append(dim);
      continue;
    }
    SlicedAxis slice = SliceOf(place, extent);
    if (place.kind == Kind::kNumber) {
      const int64_t begin = *place.begin < 0 ? *place.begin + extent : *place.begin;
      slice = {begin, begin + 1, 1};
    }
    if (slice.begin < 0 || slice.end > extent || slice.begin == slice.end || slice.stride < 1) {
      c.Fail(absl::StrCat("index [", index, "] takes nothing of an axis of ", c.type().ToString(),
                          ", or goes backwards"));
      return {};
    }
    y = ops::Slice(g, y,
                   {.axis = axis,
                    .begin = slice.begin,
                    .end = slice.end,
                    .stride = slice.stride,
                    .name = c.Part("slice")});
    if (!g.status().ok()) return {};
    if (place.kind == Kind::kSlice) to.Append(g.type(y).shape[axis]);
    ++axis;
  }
  return to == g.type(y).shape ? y : ops::Reshape(g, y, to, c.name());
}

absl::StatusOr<std::vector<IndexPlace>> ParseIndex(const std::string& text) {
  std::vector<IndexPlace> places;
  int ellipses = 0;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const absl::string_view item = absl::StripAsciiWhitespace(part);
    IndexPlace& place = places.emplace_back();
    bool valid = places.size() <= 2 * Shape::kMaxRank;
    const auto number = [&](absl::string_view digits, std::optional<int64_t>& to) {
      if (!digits.empty()) valid = valid && absl::SimpleAtoi(digits, &to.emplace());
    };
    if (item == "...") {
      place.kind = IndexPlace::Kind::kEllipsis;
      valid = valid && ++ellipses == 1;
    } else if (item == "None") {
      place.kind = IndexPlace::Kind::kNewAxis;
    } else if (const std::vector<absl::string_view> bounds = absl::StrSplit(item, ':');
               bounds.size() > 1) {
      valid = valid && bounds.size() <= 3;
      number(bounds[0], place.begin);
      number(bounds[1], place.end);
      if (bounds.size() > 2) number(bounds[2], place.stride);
    } else {
      place.kind = IndexPlace::Kind::kNumber;
      valid = valid && !item.empty();
      number(item, place.begin);
    }
    for (const auto& bound : {place.begin, place.end, place.stride}) {
      valid =
          valid && bound.value_or(0) >= -kMaxLayerExtent && bound.value_or(0) <= kMaxLayerExtent;
    }
    if (!valid) return InvalidArgument("index [", text, "] is none: expected \":, -1, 0:3\"");
  }
  return places;
}

std::string IndexText(const std::vector<IndexPlace>& places) {
  const auto text = [](const std::optional<int64_t>& number) {
    return number.has_value() ? absl::StrCat(*number) : std::string();
  };
  std::vector<std::string> parts;
  for (const IndexPlace& place : places) {
    switch (place.kind) {
      case IndexPlace::Kind::kSlice:
        parts.push_back(absl::StrCat(text(place.begin), ":", text(place.end),
                                     place.stride.has_value() ? ":" : "", text(place.stride)));
        break;
      case IndexPlace::Kind::kNumber:
        parts.push_back(text(place.begin));
        break;
      case IndexPlace::Kind::kNewAxis:
        parts.push_back("None");
        break;
      case IndexPlace::Kind::kEllipsis:
        parts.push_back("...");
        break;
    }
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace seqgraph
