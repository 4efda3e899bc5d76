#include "tools/report/font_files.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace seqgraph::tools {
namespace {

namespace fs = std::filesystem;

// A folder of fonts may be anything that somebody links to.
constexpr int kMostEntries = 20'000, kMostFiles = 500, kDeepest = 8;

// The smaller the better; -1: not to be used.
int RankOf(const std::string& name) {
  const std::string lower = absl::AsciiStrToLower(name);
  for (const char* end : {".ttf", ".otf", ".ttc"}) {
    if (!absl::EndsWith(lower, end)) continue;
    for (const char* no : {"bold", "italic", "oblique", "mono", "condensed", "narrow", "light",
                           "thin", "black", "heavy", "medium", "awesome", "emoji", "symbol"}) {
      if (absl::StrContains(lower, no)) return -1;
    }
    int rank = 0;
    for (const char* good :
         {"DejaVuSans.", "LiberationSans-", "NotoSans-", "NotoSansCJK", "Sans"}) {
      if (absl::StrContains(name, good)) return rank;
      ++rank;
    }
    return rank;
  }
  return -1;
}

std::vector<std::string> Folders() {
  std::vector<std::string> folders = {"/usr/share/fonts", "/usr/local/share/fonts"};
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    folders.push_back(absl::StrCat(home, "/.local/share/fonts"));
    folders.push_back(absl::StrCat(home, "/.fonts"));
  }
  return folders;
}

}  // namespace

std::vector<std::string> FontFiles() {
  std::vector<std::tuple<int, std::string, std::string>> found;
  int entries = 0;
  for (const std::string& folder : Folders()) {
    std::error_code error;
    fs::recursive_directory_iterator each(folder, fs::directory_options::skip_permission_denied,
                                          error);
    for (const fs::recursive_directory_iterator end; !error && each != end; each.increment(error)) {
      if (++entries > kMostEntries) break;
      if (each.depth() >= kDeepest) each.disable_recursion_pending();
      std::string name = each->path().filename().string();
      const int rank = RankOf(name);
      std::error_code none;
      if (rank < 0 || !each->is_regular_file(none)) continue;
      found.emplace_back(rank, std::move(name), each->path().string());
    }
  }
  std::sort(found.begin(), found.end());
  if (found.size() > kMostFiles) found.resize(kMostFiles);
  std::vector<std::string> files;
  for (auto& [rank, name, path] : found) files.push_back(std::move(path));
  return files;
}

}  // namespace seqgraph::tools
