#ifndef SEQGRAPH_DATA_REVIEW_ARCHIVE_H_
#define SEQGRAPH_DATA_REVIEW_ARCHIVE_H_

#include <string>

#include "absl/status/status.h"
#include "data/class_table.h"
#include "data/review_source.h"

namespace seqgraph::data {

/// ForEachReview() for a tar archive, gzipped or not, in the archive's order.
absl::Status ReadReviewArchive(const std::string& path, const ReviewSourceOptions& options,
                               ReviewSink sink, ClassTable& classes);

}  // namespace seqgraph::data

#endif  // SEQGRAPH_DATA_REVIEW_ARCHIVE_H_
