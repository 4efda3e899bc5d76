#pragma once

// Rows cut into shards that ranks answer, and the answers in the order of the rows.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/problems.h"
#include "distributed/communicator.h"
#include "distributed/same_facts.h"
#include "tools/shard_journal.h"

namespace seqgraph::tools {

struct ShardedOptions {
  std::string output;
  /// What the answers follow from besides the shards: model, options, instruction set. They must
  /// be the same on all ranks, and those of answers that are there already.
  Facts facts;
  bool skip_bad_rows = false;
  const std::atomic<bool>* interrupt = nullptr;
};

struct ShardedOutcome {
  int64_t rows = 0;         ///< that were answered, and
  data::Problems problems;  ///< of those that were not
};

/// At the root: the next shard, in the order of the rows; whether there was one. The same shards
/// each time.
using MakeShard = std::function<absl::StatusOr<bool>(std::string* shard)>;

/// The answer to a shard; one that is only checked for problems needs no bytes. `between` is to be
/// called every few milliseconds; its errors are to be returned.
using AnswerShard = absl::FunctionRef<absl::StatusOr<ShardAnswer>(
    absl::string_view shard, bool only_check, absl::FunctionRef<absl::Status()> between)>;

/// Answers all shards on all ranks, which all call it, and writes the output as a whole: the same
/// bytes on any number of them. The root reads and writes; a shard goes to whoever is free. What is
/// answered lies in OUTPUT.parts (shard_journal.h) until all is, and the next call with the same
/// facts and shards goes on behind it.
///
/// Errors, the same on all ranks but for their wording: InvalidArgument for rows with problems, all
/// of them, unless skip_bad_rows leaves such rows out; the first error of a shard in the order of
/// the rows; Cancelled for an interrupt of any rank; those of CheckSame() and ShardJournal.
absl::StatusOr<ShardedOutcome> AnswerInShards(Communicator& communicator,
                                              const ShardedOptions& options, const MakeShard& next,
                                              AnswerShard answer);

/// What a command that shares work gives, at this rank: what goes wrong with that the root says, so
/// elsewhere such an error is exit status 1 alone.
absl::StatusOr<int> StatusAtRank(const Communicator& communicator, absl::StatusOr<int> status);

}  // namespace seqgraph::tools
