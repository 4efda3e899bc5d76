#include "tests/testing.h"

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace seqgraph {

std::string SharedPath(absl::string_view relative) {
  const char* root = getenv("SEQGRAPH_SHARED");
  if (root == nullptr || *root == '\0') return "";
  std::string path = absl::StrCat(root, "/", relative);
  std::error_code error;
  return std::filesystem::exists(path, error) ? path : "";
}

std::string MakeTempDir() {
  std::string path = absl::StrCat(::testing::TempDir(), "/seqgraph_XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    ADD_FAILURE() << "cannot make a temporary folder like " << path;
    return "";
  }
  return path;
}

}  // namespace seqgraph
