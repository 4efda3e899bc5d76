#ifndef SEQGRAPH_DATA_REVIEW_SOURCE_H_
#define SEQGRAPH_DATA_REVIEW_SOURCE_H_

// Labelled reviews, one at a time, from the Large Movie Review Dataset as it is published
// (aclImdb_v1.tar.gz, also gunzipped) or from its unpacked folder; anything in the same layout will
// do:
//
//   [root/]{train|test}/{pos|neg}/NAME.txt
//
//   absl::Status status = ForEachReview(path, {}, [&](const Review& review) {
//     Use(review.text);
//     return absl::OkStatus();
//   });

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace seqgraph::data {

/// The half of the data set a review belongs to.
enum class Half { kTrain, kTest };

/// "train" or "test".
absl::string_view HalfName(Half half);

/// Where a review lies. The order is the file order of the published integers: train/pos,
/// train/neg, test/pos, test/neg, and within each by the bytes of the file names.
struct ReviewId {
  Half half = Half::kTrain;
  int label = 0;     ///< 1 for pos, 0 for neg.
  std::string name;  ///< The file's name, "576_10.txt".

  /// "train/pos/576_10.txt".
  std::string Path() const;

  friend bool operator==(const ReviewId& a, const ReviewId& b) {
    return a.half == b.half && a.label == b.label && a.name == b.name;
  }
  friend bool operator<(const ReviewId& a, const ReviewId& b) {
    return std::tie(a.half, b.label, a.name) < std::tie(b.half, a.label, b.name);  // pos first
  }
};

/// One review. The views hold during the callback only.
struct Review {
  Half half = Half::kTrain;
  int label = 0;
  absl::string_view name;
  absl::string_view text;  ///< The file's bytes as they are.
};

/// What to do with a review that CheckReviewText() refuses: invalid UTF-8, a NUL byte, no word.
enum class TextPolicy {
  kRefuse,    ///< End with its error, naming the review.
  kAnyBytes,  ///< Deliver it: the tokenizer takes any bytes.
};

struct ReviewSourceOptions {
  std::optional<Half> only;  ///< Deliver one half only; the other is not read.
  TextPolicy text_policy = TextPolicy::kRefuse;
  int64_t max_review_bytes = int64_t{4} << 20;  ///< A longer review is an error.
  int64_t max_reviews = 10'000'000;             ///< More reviews are an error.
};

/// Takes one review; an error ends the reading and is returned.
using ReviewSink = absl::FunctionRef<absl::Status(const Review&)>;

/// Ok for a review that TextPolicy::kRefuse takes; otherwise an error that names `path` and it.
absl::Status CheckReview(const std::string& path, const Review& review);

/// Delivers each review under `path`: a folder's in file order (see ReviewId), an archive's in the
/// order in which they lie in it, so a caller that needs file order sorts. Unlabelled reviews
/// (unsup), hidden files and all other files are passed over. An archive is read as a stream, no
/// more than one review is in memory, and its check sums are verified to the last byte.
///
/// Errors name `path` and what was expected: NotFound for a wrong path or a folder in another
/// layout, InvalidArgument for a file that is no tar archive, holds no review (of the half asked
/// for), holds one twice, or holds one that is refused, DataLoss for a damaged or cut off archive,
/// ResourceExhausted beyond the limits.
absl::Status ForEachReview(const std::string& path, const ReviewSourceOptions& options,
                           ReviewSink sink);

}  // namespace seqgraph::data

#endif  // SEQGRAPH_DATA_REVIEW_SOURCE_H_
