#include "distributed/same_facts.h"

#include <unistd.h>

#include <vector>

#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// A fact is its name and its value, with a byte between that is in neither.
constexpr char kFactEnd = '\0';

std::string Joined(const Facts& facts) {
  std::string text = HostName();
  for (const auto& [name, value] : facts) {
    text.push_back(kFactEnd);
    text += name;
    text.push_back(kFactEnd);
    text += value;
  }
  return text;
}

// The host, and the facts.
std::pair<std::string, Facts> Parted(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, kFactEnd);
  std::pair<std::string, Facts> both(parts[0], {});
  for (size_t i = 1; i + 1 < parts.size(); i += 2) both.second[parts[i]] = parts[i + 1];
  return both;
}

// The first difference in words; empty: none.
std::string Difference(const Facts& root, const Facts& other) {
  Facts all = root;
  all.insert(other.begin(), other.end());
  const auto value = [](const Facts& facts, const std::string& name) {
    const auto found = facts.find(name);
    return found == facts.end() ? std::string("none") : found->second;
  };
  for (const auto& [name, unused] : all) {
    const std::string here = value(root, name), there = value(other, name);
    if (here != there || root.count(name) != other.count(name)) {
      return absl::StrCat(name, " is ", there, ", and rank 0 has ", here);
    }
  }
  return "";
}

}  // namespace

absl::Status CheckSame(Communicator& communicator, const Facts& facts) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> all, communicator.Gather(Joined(facts)));
  std::string verdict;
  for (size_t rank = 1; rank < all.size() && verdict.empty(); ++rank) {
    const auto [host, theirs] = Parted(all[rank]);
    const std::string difference = Difference(facts, theirs);
    if (!difference.empty()) verdict = absl::StrCat("rank ", rank, " (", host, "): ", difference);
  }
  SEQ_RETURN_IF_ERROR(communicator.Broadcast(&verdict));
  return verdict.empty() ? absl::OkStatus() : FailedPrecondition(verdict);
}

std::string HostName() {
  char name[256] = {};
  if (::gethostname(name, sizeof(name) - 1) != 0) return "unknown host";
  return name;
}

}  // namespace seqgraph
