#include "data/review_source.h"

#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/review_archive.h"
#include "data/review_csv.h"
#include "data/review_folder.h"
#include "data/review_text.h"

namespace seqgraph::data {

absl::string_view HalfName(Half half) { return half == Half::kTrain ? "train" : "test"; }

std::string ReviewId::Path() const {
  return absl::StrCat(HalfName(half), label == 1 ? "/pos/" : "/neg/", name);
}

absl::Status CheckReview(const std::string& path, const Review& review) {
  const absl::Status text = CheckReviewText(review.text);
  if (text.ok()) return text;
  return absl::Status(text.code(), absl::StrCat("'", path, "': review ", review.folder, review.name,
                                                ": ", text.message()));
}

bool IsCsvPath(const std::string& path) { return SeparatorByName(path).has_value(); }

absl::Status ForEachReview(const std::string& path, const ReviewSourceOptions& options,
                           ReviewSink sink, ClassTable* classes) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("no reviews at '", path,
                            "': expected the archive aclImdb_v1.tar.gz, its unpacked folder, or "
                            "another folder or CSV file of labelled texts"));
  }
  ClassTable own_classes;
  ClassTable& table = classes != nullptr ? *classes : own_classes;
  int64_t count = 0;
  const auto checked = [&](const Review& review) -> absl::Status {
    if (++count > options.max_reviews) {
      return absl::ResourceExhaustedError(
          absl::StrCat("'", path, "' holds more than ", options.max_reviews, " reviews"));
    }
    if (options.text_policy == TextPolicy::kRefuse) {
      const absl::Status text = CheckReview(path, review);
      if (!text.ok()) return text;
    }
    return sink(review);
  };
  const bool csv = !S_ISDIR(info.st_mode) && IsCsvPath(path);
  SEQ_RETURN_IF_ERROR(S_ISDIR(info.st_mode) ? ReadReviewFolder(path, options, checked, table)
                      : csv                 ? ReadReviewCsv(path, options, checked, table)
                                            : ReadReviewArchive(path, options, checked, table));
  if (count == 0 && csv) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' holds no records of texts"));
  }
  if (count == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' holds no reviews", options.only ? " of its " : "",
                     options.only ? HalfName(*options.only) : "", options.only ? " half" : "",
                     ": expected files such as aclImdb/",
                     HalfName(options.only.value_or(Half::kTrain)), "/pos/0_9.txt"));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::data
