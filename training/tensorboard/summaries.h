#pragma once

// The events of TensorBoard's pages, serialized (event.proto). Times are seconds since 1970. Texts
// may be any bytes: what is no UTF-8 in them is replaced.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seqgraph {

/// The first event of each file.
std::string FileVersionEvent(double time);

/// A point of a curve: a tensor float32[] of the scalars plug-in.
std::string ScalarEvent(double time, int64_t step, absl::string_view tag, double value);

/// Intervals of equal width from the least to the largest value, and how many values lie in each:
/// float64[buckets, 3] with left end, right end and count in each row. Only the last one has its
/// right end too. Of values that are all the same, all ends are that one, and the last row counts
/// them. Values that are not finite are not counted; without any other all is 0.
std::vector<double> HistogramBuckets(absl::Span<const float> values, int buckets = 30);

std::string HistogramEvent(double time, int64_t step, absl::string_view tag,
                           absl::Span<const double> buckets);

/// A picture, encoded as PNG.
std::string ImageEvent(double time, int64_t step, absl::string_view tag, int width, int height,
                       const std::string& png);

/// A graph for the graph page: a serialized GraphDef.
std::string GraphEvent(double time, std::string graph_def);

/// What a run was made with, as the page of hyper-parameters lists it: name and value.
using HyperParameters =
    std::vector<std::pair<std::string, std::variant<double, bool, std::string>>>;

/// Begin and end of the run for that page. A name that comes twice counts once, as first given.
std::string SessionStartEvent(double time, const HyperParameters& parameters);
std::string SessionEndEvent(double time, bool succeeded);

}  // namespace seqgraph
