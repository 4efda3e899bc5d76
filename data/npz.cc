#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "data/npy.h"

namespace seqgraph::data {

absl::StatusOr<std::map<std::string, NpyArray>> ReadNpz(const std::string& path) {
  std::map<std::string, NpyArray> arrays;
  const absl::Status read = ForEachInZipFile(
      path, kMaxNpyBytes, [&](const std::string& file, std::string content) -> absl::Status {
        absl::string_view name = file;
        if (!absl::ConsumeSuffix(&name, ".npy")) {
          return InvalidArgument("found '", file, "' in it");
        }
        SEQ_ASSIGN_OR_RETURN(NpyArray array, ParseNpy(content, absl::StrCat("array ", name)));
        if (arrays.emplace(name, std::move(array)).second) return absl::OkStatus();
        return InvalidArgument("expected one array of each name, found two '", name, "'");
      });
  if (absl::IsInvalidArgument(read)) return Annotate(read, "expected a zip of .npy files");
  SEQ_RETURN_IF_ERROR(read);
  return arrays;
}

}  // namespace seqgraph::data
