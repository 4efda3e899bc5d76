#include "tools/shard_journal.h"

#include <fcntl.h>
#include <isa-l/crc64.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph::tools {
namespace {

using ShardJson = nlohmann::ordered_json;

constexpr char kLockName[] = "lock", kAnswersName[] = "answers", kJournalName[] = "journal";
constexpr char kFormat[] = "seqgraph answers 1";
constexpr int64_t kMostJournal = int64_t{1} << 30;

std::string LineOfJson(const ShardJson& json) {
  return json.dump(-1, ' ', false, ShardJson::error_handler_t::replace) + "\n";
}

// Nothing for what is no object.
ShardJson ObjectOf(absl::string_view line) {
  ShardJson json = ShardJson::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : ShardJson::object();
}

int64_t NumberIn(const ShardJson& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_integer() ? found->get<int64_t>() : -1;
}

absl::Status NoProblems() {
  return Internal(
      "a rank tells no problems of its rows, not even that there are none: do all ranks run the "
      "same build?");
}

// Rows or problems of a shard, so few that sums of them have room; -1 for anything else.
int64_t CountIn(const ShardJson& json, const char* name) {
  constexpr int64_t kMost = int64_t{1} << 32;
  const int64_t count = NumberIn(json, name);
  return count <= kMost ? count : -1;
}

absl::StatusOr<data::Problems> ProblemsIn(const ShardJson& json) {
  const auto found = json.find("listed");
  const int64_t count = CountIn(json, "problems");
  if (count < 0 || found == json.end() || !found->is_array()) return NoProblems();
  std::vector<std::string> listed;
  for (const ShardJson& each : *found) {
    if (!each.is_string()) return NoProblems();
    listed.push_back(each.get<std::string>());
  }
  if (static_cast<int64_t>(listed.size()) > count) return NoProblems();
  return data::Problems::Of(count, std::move(listed));
}

// As it stands in the journal.
std::string SumText(uint64_t sum) { return absl::StrCat(absl::Hex(sum, absl::kZeroPad16)); }

// Nothing else is one.
bool ReadSum(const ShardJson& json, const char* name, uint64_t* sum) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() &&
         absl::SimpleHexAtoi(found->get<std::string>(), sum);
}

int64_t SizeOfFile(int fd) {
  struct stat info;
  return ::fstat(fd, &info) == 0 ? info.st_size : -1;
}

// The check sum of so many bytes from there on; those that cannot be read count as zeros.
uint64_t ChecksumAt(int fd, int64_t offset, int64_t bytes) {
  std::string text(static_cast<size_t>(bytes), '\0');
  for (size_t done = 0; done < text.size();) {
    const ssize_t got = Uninterrupted([&] {
      return ::pread(fd, text.data() + done, text.size() - done,
                     offset + static_cast<int64_t>(done));
    });
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  return ShardSum(text);
}

}  // namespace

uint64_t ShardSum(absl::string_view bytes) {
  return ::crc64_ecma_refl(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::string ShardAnswer::Text() const {
  ShardJson head = {{"rows", rows},
                    {"problems", problems.count()},
                    {"listed", problems.listed()},
                    {"code", static_cast<int>(error.code())},
                    {"error", std::string(error.message())}};
  return LineOfJson(head) + bytes;
}

absl::StatusOr<ShardAnswer> ShardAnswer::FromText(absl::string_view text) {
  const size_t end = text.find('\n');
  const ShardJson head = ObjectOf(text.substr(0, end));
  const int64_t code = NumberIn(head, "code");
  const int64_t rows = CountIn(head, "rows");
  if (end == text.npos || code < 0 || code > 16 || rows < 0 || !head.contains("error") ||
      !head["error"].is_string()) {
    return Internal("a rank sends what is no answer: do all ranks run the same build?");
  }
  ShardAnswer answer{.bytes = std::string(text.substr(end + 1)), .rows = rows};
  SEQ_ASSIGN_OR_RETURN(answer.problems, ProblemsIn(head));
  answer.error =
      absl::Status(static_cast<absl::StatusCode>(code), head["error"].get<std::string>());
  return answer;
}

std::string ShardJournal::Path(absl::string_view name) const {
  return absl::StrCat(folder_, "/", name);
}

absl::StatusOr<std::unique_ptr<ShardJournal>> ShardJournal::Open(const std::string& output,
                                                                 const Facts& facts) {
  std::unique_ptr<ShardJournal> journal(new ShardJournal(output));
  SEQ_RETURN_IF_ERROR(journal->Lock());
  const std::string path = journal->Path(kJournalName);
  absl::StatusOr<std::string> there = ReadFile(path, kMostJournal);
  if (absl::IsNotFound(there.status())) there = std::string();
  SEQ_RETURN_IF_ERROR(there.status());
  for (const auto& [name, file] :
       {std::pair(kAnswersName, &journal->answers_), std::pair(kJournalName, &journal->journal_)}) {
    const std::string each = journal->Path(name);
    constexpr int kHow = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    *file = FileDescriptor(Uninterrupted([&] { return ::open(each.c_str(), kHow, 0666); }));
    if (file->get() < 0) return SystemError(errno, "cannot open", each);
  }
  SEQ_RETURN_IF_ERROR(there->empty() ? journal->Begin(facts) : journal->GoOn(*there, facts));
  journal->is_ours_ = true;
  return journal;
}

ShardJournal::~ShardJournal() {
  if (is_ours_ && entries_.empty()) RemoveFolder();
}

void ShardJournal::RemoveFolder() {
  for (const char* name : {kAnswersName, kJournalName, kLockName}) Remove(Path(name));
  ::rmdir(folder_.c_str());
}

absl::Status ShardJournal::Lock() {
  if (const int error = MakeFolder(folder_); error != 0) {
    return SystemError(error, "cannot make the folder", folder_);
  }
  const std::string lock = Path(kLockName);
  constexpr int kHow = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  lock_ = FileDescriptor(Uninterrupted([&] { return ::open(lock.c_str(), kHow, 0666); }));
  if (lock_.get() < 0) return SystemError(errno, "cannot lock", lock);
  if (Uninterrupted([&] { return ::flock(lock_.get(), LOCK_EX | LOCK_NB); }) == 0) {
    return absl::OkStatus();
  }
  return FailedPrecondition("another process writes to ", folder_,
                            ": wait for it, or name another file by --output");
}

absl::Status ShardJournal::Begin(const Facts& facts) {
  if (::ftruncate(answers_.get(), 0) != 0) {
    return SystemError(errno, "cannot write", Path(kAnswersName));
  }
  ShardJson named = ShardJson::object();
  for (const auto& [name, value] : facts) named[name] = value;
  const int error =
      WriteAllAt(journal_.get(), LineOfJson({{"format", kFormat}, {"facts", named}}), 0);
  if (error != 0) return SystemError(error, "cannot write", Path(kJournalName));
  ::lseek(journal_.get(), 0, SEEK_END);
  return absl::OkStatus();
}

absl::Status ShardJournal::CheckFacts(absl::string_view line, const Facts& facts) const {
  const ShardJson head = ObjectOf(line);
  if (!head.contains("format") || head["format"] != kFormat || !head.contains("facts") ||
      !head["facts"].is_object()) {
    return DataLoss(Path(kJournalName), " is damaged, or not of this version: remove ", folder_,
                    ", and the same command begins anew");
  }
  const ShardJson& then = head["facts"];
  for (const auto& [name, value] : facts) {
    const bool is_there = then.contains(name) && then[name].is_string();
    if (is_there && then[name].get<std::string>() == value) continue;
    return FailedPrecondition(folder_, " holds answers that were begun with another ", name, " (",
                              is_there ? then[name].get<std::string>() : "none", "; now ", value,
                              "): give the command that began them, or remove the folder");
  }
  return absl::OkStatus();
}

absl::Status ShardJournal::GoOn(const std::string& journal, const Facts& facts) {
  size_t at = journal.find('\n');
  // Cut off before anything was answered.
  if (at == journal.npos) {
    if (::ftruncate(journal_.get(), 0) != 0) {
      return SystemError(errno, "cannot write", Path(kJournalName));
    }
    return Begin(facts);
  }
  SEQ_RETURN_IF_ERROR(CheckFacts(absl::string_view(journal).substr(0, at++), facts));
  for (size_t end = journal.find('\n', at); end != journal.npos; end = journal.find('\n', at)) {
    if (!TakeEntry(absl::string_view(journal).substr(at, end - at))) break;
    at = end + 1;
  }
  if (::ftruncate(journal_.get(), static_cast<off_t>(at)) != 0 ||
      ::ftruncate(answers_.get(), bytes_) != 0) {
    return SystemError(errno, "cannot write to", folder_);
  }
  ::lseek(journal_.get(), 0, SEEK_END);
  ::lseek(answers_.get(), 0, SEEK_END);
  return absl::OkStatus();
}

// Whether the shard of that line is there, whole.
bool ShardJournal::TakeEntry(absl::string_view line) {
  const size_t end = line.rfind('\t');
  if (end == line.npos || line.substr(end + 1) != SumText(ShardSum(line.substr(0, end)))) {
    return false;
  }
  const ShardJson json = ObjectOf(line.substr(0, end));
  const int64_t rows = CountIn(json, "rows"), bytes = NumberIn(json, "bytes"),
                shard_bytes = NumberIn(json, "shard_bytes");
  uint64_t sum = 0, shard_sum = 0;
  const absl::StatusOr<data::Problems> problems = ProblemsIn(json);
  if (rows < 0 || bytes < 0 || shard_bytes < 0 || !problems.ok() || !ReadSum(json, "sum", &sum) ||
      !ReadSum(json, "shard_sum", &shard_sum) || bytes > SizeOfFile(answers_.get()) - bytes_ ||
      ChecksumAt(answers_.get(), bytes_, bytes) != sum) {
    return false;
  }
  entries_.push_back({shard_bytes, shard_sum});
  rows_ += rows;
  bytes_ += bytes;
  problems_.Add(*problems);
  return true;
}

absl::Status ShardJournal::CheckShard(int64_t number, absl::string_view shard) const {
  const Entry& entry = entries_[static_cast<size_t>(number)];
  if (entry.shard_bytes == static_cast<int64_t>(shard.size()) &&
      entry.shard_sum == ShardSum(shard)) {
    return absl::OkStatus();
  }
  return FailedPrecondition(folder_, " holds answers to other rows (part ", number + 1,
                            " of the input has changed): remove the folder, and the same command "
                            "begins anew");
}

absl::Status ShardJournal::Append(int64_t shard_bytes, uint64_t shard_sum,
                                  const ShardAnswer& answer) {
  if (const int error = WriteAll(answers_.get(), answer.bytes); error != 0) {
    return SystemError(error, "cannot write", Path(kAnswersName));
  }
  std::string line = LineOfJson({{"rows", answer.rows},
                                 {"bytes", answer.bytes.size()},
                                 {"sum", SumText(ShardSum(answer.bytes))},
                                 {"shard_bytes", shard_bytes},
                                 {"shard_sum", SumText(shard_sum)},
                                 {"problems", answer.problems.count()},
                                 {"listed", answer.problems.listed()}});
  line.pop_back();
  line = absl::StrCat(line, "\t", SumText(ShardSum(line)), "\n");
  if (const int error = WriteAll(journal_.get(), line); error != 0) {
    return SystemError(error, "cannot write", Path(kJournalName));
  }
  entries_.push_back({shard_bytes, shard_sum});
  rows_ += answer.rows;
  bytes_ += static_cast<int64_t>(answer.bytes.size());
  problems_.Add(answer.problems);
  return absl::OkStatus();
}

absl::Status ShardJournal::Finish() {
  SEQ_RETURN_IF_ERROR(AtomicMoveFile(Path(kAnswersName), output_));
  // The output is there: what is left of the folder is no error.
  is_ours_ = false;
  RemoveFolder();
  return absl::OkStatus();
}

}  // namespace seqgraph::tools
