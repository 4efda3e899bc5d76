#pragma once

// What is wrong with a source, gathered so that all of it is said at once.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph::data {

class Problems {
 public:
  static constexpr size_t kListed = 20;

  /// `what` names its place.
  void Add(std::string what) {
    ++count_;
    if (listed_.size() < kListed) listed_.push_back(std::move(what));
  }
  /// Those behind this one's.
  void Add(const Problems& others) {
    count_ += others.count_;
    for (const std::string& what : others.listed_) {
      if (listed_.size() < kListed) listed_.push_back(what);
    }
  }

  /// So many, the first of which are these.
  static Problems Of(int64_t count, std::vector<std::string> listed) {
    Problems problems;
    problems.count_ = count;
    problems.listed_ = std::move(listed);
    return problems;
  }

  int64_t count() const { return count_; }
  /// The first kListed of them.
  const std::vector<std::string>& listed() const { return listed_; }
  /// One there is.
  const std::string& first() const { return listed_[0]; }

  /// OK if there are none. One is said as it is, several are a line each.
  absl::Status status() const {
    if (count_ == 0) return absl::OkStatus();
    if (count_ == 1) return InvalidArgument(listed_[0]);
    return InvalidArgument(count_, " problems (rows with problems can be skipped):\n  ", Lines());
  }

  /// Those that are listed, a line each, and how many more there are.
  std::string Lines() const {
    const int64_t more = count_ - static_cast<int64_t>(listed_.size());
    return absl::StrCat(absl::StrJoin(listed_, "\n  "),
                        more > 0 ? absl::StrCat("\n  and ", more, " more") : "");
  }

 private:
  std::vector<std::string> listed_;
  int64_t count_ = 0;
};

}  // namespace seqgraph::data
