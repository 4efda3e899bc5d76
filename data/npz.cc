#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/memory_limit.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "data/npy.h"

namespace seqgraph::data {

absl::StatusOr<std::map<std::string, NpyArray>> ReadNpz(const std::string& path) {
  std::map<std::string, NpyArray> arrays;
  int64_t bytes = 0;  // of the arrays so far
  const auto measure = [&](const std::string& file,
                           absl::string_view start) -> absl::StatusOr<int64_t> {
    if (!absl::EndsWith(file, ".npy")) {
      return InvalidArgument("expected arrays alone, found '", file,
                             "' in it; numpy.savez writes what is read here");
    }
    const std::string name = absl::StrCat("array ", absl::StripSuffix(file, ".npy"));
    SEQ_ASSIGN_OR_RETURN(const NpySize size, MeasureNpy(start, name));
    SEQ_RETURN_IF_ERROR(CheckMemory(bytes + size.file + size.array, name));
    bytes += size.array;
    // Of one that is as a whole in the start what is wrong is said when it is parsed.
    const bool is_whole = start.size() < kZipStart;
    return is_whole ? std::max(size.file, static_cast<int64_t>(start.size())) : size.file;
  };
  const absl::Status read = ForEachInZipFile(
      path, kMaxNpyBytes, measure,
      [&](const std::string& file, std::string content) -> absl::Status {
        const absl::string_view name = absl::StripSuffix(file, ".npy");
        SEQ_ASSIGN_OR_RETURN(NpyArray array, ParseNpy(content, absl::StrCat("array ", name)));
        if (arrays.emplace(name, std::move(array)).second) return absl::OkStatus();
        return InvalidArgument("expected one array of each name, found two '", name, "'");
      });
  if (absl::IsInvalidArgument(read)) return Annotate(read, "expected a zip of .npy files");
  SEQ_RETURN_IF_ERROR(read);
  return arrays;
}

}  // namespace seqgraph::data
