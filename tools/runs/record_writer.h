#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "tools/runs/run_record.h"
#include "training/history.h"

namespace seqgraph::tools {

/// What a run's folder is to say of it, as of one moment.
struct RecordContent {
  RunRecord record;  ///< without its tables
  History history;
  NumberTable steps;
  std::string best_model;  ///< the file; empty: there is none
  /// Not run.json yet, which a later content brings: the end of a run writes the rest while models
  /// and states are written.
  bool but_for_the_record = false;
};

/// Writes records of a run in a thread of its own, so that a run that trains waits for no disk.
class RecordWriter {
 public:
  RecordWriter() = default;
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  /// In place of what waits to be written.
  void Post(RecordContent content);
  /// Of the last that was tried.
  absl::Status status() const;
  /// What that took.
  double seconds() const;
  /// Until all that was posted is written, or known not to be.
  void Wait();
  /// The last one, which is there, or known not to be, when this returns.
  absl::Status Finish(const RecordContent& content);

 private:
  void Run();
  absl::Status WriteIfThereIsMemory(const RecordContent& content);
  absl::Status Write(const RecordContent& content);
  absl::Status WriteFile(const std::string& path, const std::string& text);

  std::map<std::string, std::string> written_;  // texts by file; of who writes
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<RecordContent> waiting_;
  bool is_busy_ = false, stopping_ = false;
  absl::Status status_;
  double seconds_ = 0;
  std::thread thread_;  // from the first Post on
};

/// Makes `link` a second name of the file at `path`, in one step whatever was there; a copy where
/// the file system has no hard links or they are not of one. The caller syncs the folder.
absl::Status LinkFile(const std::string& path, const std::string& link);

}  // namespace seqgraph::tools
