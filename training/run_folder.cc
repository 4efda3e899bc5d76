#include "training/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph {
namespace {

constexpr double kLongestPause = 60, kLongestInterval = 1e7;

// A state is made by the thread that trains: a hundredth of its time at most, unless that would
// leave too much to lose.
constexpr double kTimesMaking = 100, kLongestByMaking = 600;

// The folder's lock: held as long as the process lives, so that none is ever left behind; who holds
// it is written there.
absl::StatusOr<FileDescriptor> Lock(const std::string& folder) {
  const std::string path = folder + "/lock";
  constexpr int kHow = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  FileDescriptor lock(Uninterrupted([&] { return ::open(path.c_str(), kHow, 0666); }));
  if (lock.get() < 0) return SystemError(errno, "cannot lock", path);
  if (Uninterrupted([&] { return ::flock(lock.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return SystemError(errno, "cannot lock", path);
    const absl::StatusOr<std::string> holder = ReadFileStart(path, 32);
    int64_t process = 0;
    const bool named = holder.ok() && absl::SimpleAtoi(*holder, &process);
    return FailedPrecondition("the run in ", folder, " is that of another process",
                              named ? absl::StrCat(", number ", process) : "",
                              ", which has not ended: wait for it, or name another folder");
  }
  const std::string process = absl::StrCat(::getpid(), "\n");
  // For people: without it the lock holds as well.
  if (Uninterrupted([&] { return ::ftruncate(lock.get(), 0); }) != 0 ||
      ::pwrite(lock.get(), process.data(), process.size(), 0) < 0) {
    return lock;
  }
  return lock;
}

}  // namespace

absl::StatusOr<SaveEvery> ParseSaveEvery(absl::string_view text) {
  SaveEvery every{.seconds = 0, .steps = 0};
  if (text == "epoch") return every;
  absl::string_view number = text;
  if (absl::ConsumeSuffix(&number, "steps")) {
    if (absl::SimpleAtoi(number, &every.steps) && every.steps > 0) return every;
  } else if (absl::ConsumeSuffix(&number, "s")) {
    if (absl::SimpleAtod(number, &every.seconds) && every.seconds > 0 &&
        every.seconds <= kLongestInterval) {
      return every;
    }
  }
  return InvalidArgument(
      "expected a time or number above 0 as in 10s or 1000steps, or epoch, got '", text, "'");
}

absl::StatusOr<std::unique_ptr<RunFolder>> RunFolder::Open(const std::string& path,
                                                           RunFolderOptions options) {
  if (options.keep < 2 || options.keep > 1000) {
    return InvalidArgument("a run keeps 2 to 1000 states, got ", options.keep);
  }
  if (const int error = MakeFolder(path); error != 0) {
    return SystemError(error, "cannot make the folder", path);
  }
  SEQ_ASSIGN_OR_RETURN(FileDescriptor lock, Lock(path));
  std::unique_ptr<RunFolder> folder(new RunFolder(path, std::move(options), std::move(lock)));
  SEQ_ASSIGN_OR_RETURN(folder->found_, folder->slots_.Find());
  folder->last_kept_ = folder->Now();
  folder->writer_ = std::thread([run = folder.get()] { run->WriteStates(); });
  return folder;
}

RunFolder::~RunFolder() { Stop(/*tries=*/1); }

absl::Status RunFolder::Clear() {
  found_ = {};
  return slots_.Clear();
}

double RunFolder::Now() const {
  if (options_.clock) return options_.clock();
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool RunFolder::Wants(const RunPosition& position) {
  if (told_failure_ || !is_written_.load(std::memory_order_relaxed)) TellChanges();
  ++steps_since_;
  const bool wants = options_.every.steps > 0     ? steps_since_ >= options_.every.steps
                     : options_.every.seconds > 0 ? IsTime()
                                                  : position.step == 0;
  if (wants) wanted_at_ = Now();
  return wants;
}

bool RunFolder::IsTime() const {
  const double interval =
      std::max(options_.every.seconds, std::min(kTimesMaking * seconds_to_make_, kLongestByMaking));
  return Now() - last_kept_ >= interval;
}

absl::Status RunFolder::Keep(RunState state) {
  last_kept_ = Now();
  if (wanted_at_.has_value()) seconds_to_make_ = last_kept_ - *wanted_at_;
  wanted_at_.reset();
  steps_since_ = 0;
  StateWriter keeper = state.Writer("keeper");
  for (const auto& [name, value] : facts_.all()) keeper.Set(name, value);
  {
    std::unique_lock<std::mutex> lock(mutex_);
    pending_ = std::move(state);
    changed_.notify_all();
    // The first is on the disk, or known not to be, before the run goes on: there is always one.
    if (!any_kept_) {
      changed_.wait(lock, [&] { return (!pending_.has_value() && !is_busy_) || !status_.ok(); });
    }
    any_kept_ = true;
  }
  TellChanges();
  return absl::OkStatus();
}

void RunFolder::TellChanges() {
  std::string text;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (status_.ok() == !told_failure_) return;
    told_failure_ = !status_.ok();
    text = told_failure_ ? absl::StrCat("The run's state cannot be saved: ", status_.message(),
                                        "; training goes on, and it is tried again")
                         : absl::StrCat("The run's state is saved again, in ", path_);
  }
  if (options_.say) options_.say(text);
}

void RunFolder::WriteStates() {
  double pause = options_.first_pause;
  int tries_left = -1;  // -1: as many as it takes
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return pending_.has_value() || stopping_; });
    if (!pending_.has_value()) return;
    if (stopping_ && tries_left < 0) tries_left = last_tries_;
    RunState state = *std::move(pending_);
    pending_.reset();
    is_busy_ = true;
    lock.unlock();
    const absl::Status status = slots_.Write(state);
    lock.lock();
    is_busy_ = false;
    status_ = status;
    changed_.notify_all();
    is_written_.store(status.ok(), std::memory_order_relaxed);
    if (status.ok()) {
      pause = options_.first_pause;
      continue;
    }
    if (!pending_.has_value()) pending_ = std::move(state);  // unless there is a newer one
    if (tries_left > 0 && --tries_left == 0) return;
    const auto stops = [&] { return stopping_ && tries_left < 0; };
    changed_.wait_for(lock, std::chrono::duration<double>(pause), stops);
    pause = std::min(2 * pause, kLongestPause);
    if (stops()) pause = options_.first_pause;
  }
}

void RunFolder::Stop(int tries) {
  if (!writer_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    last_tries_ = tries;
  }
  changed_.notify_all();
  writer_.join();
}

absl::Status RunFolder::Finish() {
  const bool has_fallback = !options_.fallback.empty();
  Stop(has_fallback ? 1 : options_.last_tries);
  TellChanges();
  if (status_.ok()) {
    where_ = path_;
    return absl::OkStatus();
  }
  if (has_fallback && pending_.has_value()) {
    StateSlots slots(options_.fallback);
    const absl::StatusOr<StateSlots::Found> there = slots.Find();
    const absl::Status written = there.ok() ? slots.Write(*pending_) : there.status();
    if (written.ok()) where_ = options_.fallback;
    if (!written.ok()) status_.Update(written);
  }
  return Annotate(status_, absl::StrCat("the state of the run in ", path_, " is not saved"));
}

}  // namespace seqgraph
