#pragma once

// What a sharded command keeps beside its output until that is whole: the folder OUTPUT.parts with
//
//   lock      whose holder writes
//   answers   the beginning of the output
//   journal   a line of JSON: what the answers follow from; then a line for each shard in
//   `answers`:
//             how long it was and is, its rows and problems, check sums of both; and that of the
//             line

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file_descriptor.h"
#include "data/problems.h"
#include "distributed/same_facts.h"

namespace seqgraph::tools {

/// What a shard of rows becomes.
struct ShardAnswer {
  std::string bytes;        ///< as they stand in the output
  int64_t rows = 0;         ///< that are answered
  data::Problems problems;  ///< of rows that are not
  absl::Status error;       ///< that ends all; what stands in front of it is kept

  /// As one text, and back. Internal for what Text() did not make.
  std::string Text() const;
  static absl::StatusOr<ShardAnswer> FromText(absl::string_view text);
};

/// A check sum: CRC-64 (ECMA-182, reflected), which finds accidents, not forgers.
uint64_t ShardSum(absl::string_view bytes);

/// Shards in their order, appended to what an earlier start of the same command has left.
class ShardJournal {
 public:
  /// Makes the folder, or finds what is whole in it: answers are held against their checksums, and
  /// what stands behind the last whole shard is cut off. FailedPrecondition for answers that follow
  /// from other facts, and where another process is at it; DataLoss for a folder that is damaged;
  /// those of SystemError.
  static absl::StatusOr<std::unique_ptr<ShardJournal>> Open(const std::string& output,
                                                            const Facts& facts);

  /// Removes a folder in which nothing is answered.
  ~ShardJournal();
  ShardJournal(const ShardJournal&) = delete;
  ShardJournal& operator=(const ShardJournal&) = delete;

  const std::string& folder() const { return folder_; }
  /// How many there are.
  int64_t shards() const { return static_cast<int64_t>(entries_.size()); }
  int64_t rows() const { return rows_; }
  const data::Problems& problems() const { return problems_; }
  /// FailedPrecondition where that shard was another one when it was answered.
  absl::Status CheckShard(int64_t number, absl::string_view shard) const;

  /// The answer to shard number shards(). A process that is killed loses none that was appended; a
  /// power cut may.
  absl::Status Append(int64_t shard_bytes, uint64_t shard_sum, const ShardAnswer& answer);
  /// Puts the answers in the output's place, and removes the folder.
  absl::Status Finish();

 private:
  struct Entry {
    int64_t shard_bytes = 0;
    uint64_t shard_sum = 0;
  };

  explicit ShardJournal(const std::string& output)
      : output_(output), folder_(output + ".parts"), lock_(-1), answers_(-1), journal_(-1) {}
  absl::Status Lock();
  void RemoveFolder();
  absl::Status Begin(const Facts& facts);
  absl::Status GoOn(const std::string& journal, const Facts& facts);
  bool TakeEntry(absl::string_view line);
  absl::Status CheckFacts(absl::string_view line, const Facts& facts) const;
  std::string Path(absl::string_view name) const;

  const std::string output_, folder_;
  FileDescriptor lock_, answers_, journal_;
  bool is_ours_ = false;  // to remove: it is ours alone, and has been understood
  std::vector<Entry> entries_;
  int64_t rows_ = 0, bytes_ = 0;
  data::Problems problems_;
};

}  // namespace seqgraph::tools
