#pragma once

// What a model knows of the series that it takes, as it is saved.

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/model.h"
#include "serialization/model.pb.h"

namespace seqgraph {

proto::SeriesPreprocessing SeriesToProto(const SeriesPreprocessing& series);
/// InvalidArgument as CheckSeries().
absl::StatusOr<SeriesPreprocessing> SeriesFromProto(const proto::SeriesPreprocessing& from);

}  // namespace seqgraph
