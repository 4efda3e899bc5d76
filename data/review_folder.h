#ifndef SEQGRAPH_DATA_REVIEW_FOLDER_H_
#define SEQGRAPH_DATA_REVIEW_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "data/class_table.h"
#include "data/review_source.h"

namespace seqgraph::data {

/// ForEachReview() for the folder that holds train and test, one that holds it as aclImdb, or one
/// that holds the folders of classes themselves; in file order.
absl::Status ReadReviewFolder(const std::string& path, const ReviewSourceOptions& options,
                              ReviewSink sink, ClassTable& classes);

}  // namespace seqgraph::data

#endif  // SEQGRAPH_DATA_REVIEW_FOLDER_H_
