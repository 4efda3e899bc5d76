#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "data/npy.h"

namespace seqgraph::data {

absl::StatusOr<std::map<std::string, NpyArray>> ReadNpz(const std::string& path) {
  std::map<std::string, NpyArray> arrays;
  SEQ_RETURN_IF_ERROR(ForEachInZipFile(
      path, kMaxNpyBytes, [&](const std::string& file, std::string content) -> absl::Status {
        absl::string_view name = file;
        if (!absl::ConsumeSuffix(&name, ".npy")) {
          return absl::InvalidArgumentError(absl::StrCat(
              "expected a .npz file, a zip of .npy files only, found '", file, "' in it"));
        }
        SEQ_ASSIGN_OR_RETURN(NpyArray array, ParseNpy(content, absl::StrCat("array ", name)));
        if (arrays.emplace(name, std::move(array)).second) return absl::OkStatus();
        return absl::InvalidArgumentError(
            absl::StrCat("expected one array of each name, found two '", name, "'"));
      }));
  return arrays;
}

}  // namespace seqgraph::data
