#include "tools/runs/record_writer.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <new>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/file_descriptor.h"
#include "base/file_identity.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kMostModelBytes = int64_t{1} << 40;

}  // namespace

RecordWriter::~RecordWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void RecordWriter::Post(RecordContent content) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_ = std::move(content);
  }
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { Run(); });
    } catch (const std::system_error&) {  // The system gives no thread: who trains waits for it.
      status_ = WriteIfThereIsMemory(*std::exchange(waiting_, std::nullopt));
    }
  }
  changed_.notify_all();
}

absl::Status RecordWriter::status() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return status_;
}

double RecordWriter::seconds() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return seconds_;
}

void RecordWriter::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return !waiting_.has_value() && !is_busy_; });
}

absl::Status RecordWriter::Finish(const RecordContent& content) {
  Wait();
  return Write(content);
}

void RecordWriter::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return waiting_.has_value() || stopping_; });
    if (!waiting_.has_value()) return;
    const RecordContent content = *std::move(waiting_);
    waiting_.reset();
    is_busy_ = true;
    lock.unlock();
    const Clock::time_point began = Clock::now();
    absl::Status status = WriteIfThereIsMemory(content);
    lock.lock();
    status_ = std::move(status);
    seconds_ = std::chrono::duration<double>(Clock::now() - began).count();
    is_busy_ = false;
    changed_.notify_all();
  }
}

// An exception would end the process, as it is in a thread of its own.
absl::Status RecordWriter::WriteIfThereIsMemory(const RecordContent& content) {
  try {
    return Write(content);
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("no memory for what ", content.record.folder, " is to say of the run");
  }
}

// What is there already stays.
absl::Status RecordWriter::WriteFile(const std::string& path, const std::string& text) {
  const auto found = written_.find(path);
  if (found != written_.end() && found->second == text && ::access(path.c_str(), F_OK) == 0) {
    return absl::OkStatus();
  }
  SEQ_RETURN_IF_ERROR(AtomicWriteFileInUnsyncedFolder(path, text));
  written_[path] = text;
  return absl::OkStatus();
}

absl::Status RecordWriter::Write(const RecordContent& content) {
  const RunRecord& record = content.record;
  const auto in_folder = [&](const char* file) { return absl::StrCat(record.folder, "/", file); };
  SEQ_RETURN_IF_ERROR(WriteFile(in_folder(kHistoryFile), content.history.ToCsv()));
  SEQ_RETURN_IF_ERROR(
      WriteFile(in_folder(kStepsFile), content.steps.ToCsv({"total_step", "epoch", "step"})));
  SEQ_RETURN_IF_ERROR(
      WriteFile(in_folder(kMessagesFile),
                absl::StrCat(record.messages, record.messages.empty() ? "" : "\n")));
  if (!content.best_model.empty()) {
    SEQ_RETURN_IF_ERROR(LinkFile(content.best_model, in_folder(kBestModelFile)));
  }
  if (content.but_for_the_record) return absl::OkStatus();
  // Last: where it says that the run has ended, all the rest is there, whatever kills the process
  // or takes the power.
  const int error = SyncFolder(record.folder);
  if (error != 0) return SystemError(error, "cannot sync the folder", record.folder);
  return SaveRunRecord(record);
}

absl::Status LinkFile(const std::string& path, const std::string& link) {
  if (FileIdentity::OfPath(path) == FileIdentity::OfPath(link)) return absl::OkStatus();
  // The folder's lock keeps others away; one that a killed process left goes here.
  const std::string temporary = absl::StrCat(link, ".new");
  Remove(temporary);
  if (Uninterrupted([&] { return ::link(path.c_str(), temporary.c_str()); }) == 0) {
    const int error = Rename(temporary, link);
    if (error == 0) return absl::OkStatus();
    Remove(temporary);
    return SystemError(error, "cannot replace", link);
  }
  if (errno == ENOENT) return SystemError(errno, "cannot link to", path);
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMostModelBytes));
  return AtomicWriteFileInUnsyncedFolder(link, bytes);
}

}  // namespace seqgraph::tools
