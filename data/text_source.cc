#include "data/text_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/text_archive.h"
#include "data/text_check.h"
#include "data/text_folder.h"
#include "data/text_rows.h"

namespace seqgraph::data {
namespace {

constexpr TextLayout kLayouts[] = {
    {"folder", [](const std::string&, bool is_folder) { return is_folder; }, ReadTextFolder},
    {"records", [](const std::string& path, bool) { return IsCsvName(path); }, ReadTextRows,
     /*by_line=*/true, /*checks_texts=*/true},
    {"json", [](const std::string& path, bool) { return IsJsonLinesName(path); }, ReadTextRows,
     /*by_line=*/true, /*checks_texts=*/true},
    {"archive", [](const std::string&, bool) { return true; }, ReadTextArchive},
};

}  // namespace

absl::string_view SplitName(Split split) { return split == Split::kTrain ? "train" : "test"; }

std::string TextId::Path() const {
  return absl::StrCat(SplitName(split), label == 1 ? "/pos/" : "/neg/", name);
}

absl::Status CheckLabelledText(const std::string& path, const LabelledText& review,
                               TokenRule tokens) {
  const absl::Status text = CheckText(review.text, tokens);
  if (text.ok()) return text;
  return absl::Status(text.code(), absl::StrCat("'", path, "': review ", review.folder, review.name,
                                                ": ", text.message()));
}

const TextLayout& LayoutOf(const std::string& path) {
  struct stat info;
  const bool is_folder = ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  return *std::find_if(std::begin(kLayouts), std::end(kLayouts),
                       [&](const TextLayout& layout) { return layout.takes(path, is_folder); });
}

absl::Status ForEachText(const std::string& path, const TextSourceOptions& options, TextSink sink,
                         ClassTable* classes) {
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
  const TextLayout& layout = LayoutOf(path);
  const auto checked = [&](const LabelledText& review) -> absl::Status {
    if (++count > options.max_texts) {
      return ResourceExhausted("'", path, "' holds more than ", options.max_texts, " reviews");
    }
    if (options.text_policy == TextPolicy::kRefuse && !layout.checks_texts) {
      const absl::Status text = CheckLabelledText(path, review, options.tokens);
      if (!text.ok()) return text;
    }
    return sink(review);
  };
  SEQ_RETURN_IF_ERROR(layout.read(path, options, checked, table));
  if (count == 0 && layout.by_line) {
    const bool skipped = options.skipped != nullptr && options.skipped->count() > 0;
    return InvalidArgument(
        "'", path, "' holds no records of texts",
        skipped ? absl::StrCat(" but with problems: ", options.skipped->Lines()) : "");
  }
  if (count == 0) {
    return InvalidArgument("'", path, "' holds no reviews", options.only ? " of its " : "",
                           options.only ? SplitName(*options.only) : "",
                           options.only ? " split" : "", ": expected files such as aclImdb/",
                           SplitName(options.only.value_or(Split::kTrain)), "/pos/0_9.txt");
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::data
