#include "training/state_slots.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

constexpr char kPart[] = "keeper", kSequence[] = "sequence";
constexpr absl::string_view kBegin = "state-", kEnd = ".seqrun";

// "state-3.seqrun" gives 3; -1 for any other name.
int SlotOf(absl::string_view name) {
  int slot = -1;
  if (!absl::ConsumePrefix(&name, kBegin) || !absl::ConsumeSuffix(&name, kEnd)) return -1;
  const bool number = name.size() <= 4 && absl::SimpleAtoi(name, &slot) && slot >= 0;
  return number && absl::StrCat(slot) == name ? slot : -1;
}

absl::StatusOr<std::vector<int>> SlotsIn(const std::string& folder) {
  std::vector<int> slots;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const int slot = SlotOf(entry->path().filename().string());
    if (slot >= 0) slots.push_back(slot);
  }
  if (error) return SystemError(error.value(), "cannot read the folder", folder);
  std::sort(slots.begin(), slots.end());
  return slots;
}

absl::Status RemoveState(const std::string& path) {
  const int error = Remove(path);
  if (error == 0 || error == ENOENT) return absl::OkStatus();
  return SystemError(error, "cannot remove", path);
}

absl::StatusOr<int64_t> SequenceOf(const RunState& state) {
  int64_t sequence = 0;
  SEQ_RETURN_IF_ERROR(state.Reader(kPart).Get(kSequence, &sequence));
  return sequence;
}

}  // namespace

std::string StateSlots::PathOf(int slot) const {
  return absl::StrCat(folder_, "/", kBegin, slot, kEnd);
}

absl::StatusOr<StateSlots::Found> StateSlots::Find() {
  sequences_.clear();
  last_ = 0;
  Found found;
  SEQ_ASSIGN_OR_RETURN(const std::vector<int> slots, SlotsIn(folder_));
  for (const int slot : slots) {
    absl::StatusOr<RunState> state = RunState::Load(PathOf(slot));
    const absl::StatusOr<int64_t> sequence = state.ok() ? SequenceOf(*state) : state.status();
    if (!sequence.ok()) {
      found.damaged.emplace_back(sequence.status().message());
      continue;
    }
    sequences_[slot] = *sequence;
    if (found.newest.has_value() && *sequence <= last_) continue;
    last_ = *sequence;
    found.newest = *std::move(state);
    found.path = PathOf(slot);
  }
  return found;
}

absl::Status StateSlots::Write(RunState& state) {
  // What has no whole state comes first, then the oldest one: never the newest, with two or more.
  const auto age = [this](int slot) {
    const auto found = sequences_.find(slot);
    return found == sequences_.end() ? int64_t{-1} : found->second;
  };
  int slot = 0;
  for (int i = 1; i < std::max(keep_, 2); ++i) {
    if (age(i) < age(slot)) slot = i;
  }
  state.Writer(kPart).Set(kSequence, last_ + 1);
  SEQ_RETURN_IF_ERROR(state.Save(PathOf(slot)));
  sequences_[slot] = ++last_;
  for (auto it = sequences_.begin(); it != sequences_.end();) {
    if (it->first < std::max(keep_, 2)) {
      ++it;
      continue;
    }
    SEQ_RETURN_IF_ERROR(RemoveState(PathOf(it->first)));
    it = sequences_.erase(it);
  }
  return absl::OkStatus();
}

absl::Status StateSlots::Clear() {
  SEQ_ASSIGN_OR_RETURN(const std::vector<int> slots, SlotsIn(folder_));
  for (const int slot : slots) SEQ_RETURN_IF_ERROR(RemoveState(PathOf(slot)));
  sequences_.clear();
  last_ = 0;
  // Or a power cut would bring back what somebody has given up.
  const int error = slots.empty() ? 0 : SyncFolder(folder_);
  return error == 0 ? absl::OkStatus() : SystemError(error, "cannot sync folder", folder_);
}

absl::StatusOr<std::vector<std::string>> StateSlots::Paths(const std::string& folder) {
  StateSlots slots(folder);
  SEQ_RETURN_IF_ERROR(slots.Find().status());
  std::vector<std::pair<int64_t, int>> newest_first;
  for (const auto& [slot, sequence] : slots.sequences_) newest_first.emplace_back(-sequence, slot);
  std::sort(newest_first.begin(), newest_first.end());
  std::vector<std::string> paths;
  for (const auto& [sequence, slot] : newest_first) paths.push_back(slots.PathOf(slot));
  return paths;
}

}  // namespace seqgraph
