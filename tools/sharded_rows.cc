#include "tools/sharded_rows.h"

#include <map>
#include <memory>
#include <utility>

#include "base/status_macros.h"
#include "distributed/work_queue.h"

namespace seqgraph::tools {
namespace {

// Behind a shard as it is sent.
constexpr char kAnswerIt = 'a', kOnlyCheckIt = 'c';

// What the root does: it makes shards, and keeps answers in their order.
class ShardOrder {
 public:
  ShardOrder(const ShardedOptions& options, const MakeShard& next, int ranks)
      : options_(options), make_(next), most_ahead_(4 * ranks + 4) {}

  absl::Status Open() {
    SEQ_ASSIGN_OR_RETURN(journal_, ShardJournal::Open(options_.output, options_.facts));
    first_ = committed_ = journal_->shards();
    return CheckProblems();
  }

  // Behind those that are answered already.
  absl::StatusOr<WorkSource::Next> Next(std::string* job) {
    // A slow rank must not make the others' answers pile up.
    if (made_ - committed_ >= most_ahead_) return WorkSource::Next::kLater;
    while (true) {
      std::string shard;
      SEQ_ASSIGN_OR_RETURN(const bool more, make_(&shard));
      if (!more) {
        if (made_ < first_) return journal_->CheckShard(made_, "");  // there were more
        return WorkSource::Next::kEnd;
      }
      const int64_t number = made_++;
      if (number < first_) {
        SEQ_RETURN_IF_ERROR(journal_->CheckShard(number, shard));
        continue;
      }
      sent_[number] = {static_cast<int64_t>(shard.size()), ShardSum(shard)};
      *job = std::move(shard);
      job->push_back(only_check_ ? kOnlyCheckIt : kAnswerIt);
      return WorkSource::Next::kJob;
    }
  }

  absl::Status Take(int64_t job, std::string result) {
    SEQ_ASSIGN_OR_RETURN(waiting_[first_ + job], ShardAnswer::FromText(result));
    while (!waiting_.empty() && waiting_.begin()->first == committed_) {
      SEQ_RETURN_IF_ERROR(Commit(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
      sent_.erase(committed_++);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ShardedOutcome> Finish() {
    if (only_check_) return bad_.status();
    SEQ_RETURN_IF_ERROR(journal_->Finish());
    return ShardedOutcome{journal_->rows(), journal_->problems()};
  }

 private:
  struct Sent {
    int64_t bytes = 0;
    uint64_t sum = 0;
  };

  absl::Status Commit(const ShardAnswer& answer) {
    SEQ_RETURN_IF_ERROR(answer.error);
    bad_.Add(answer.problems);
    SEQ_RETURN_IF_ERROR(CheckProblems());
    if (only_check_) return absl::OkStatus();
    const Sent& sent = sent_[committed_];
    return journal_->Append(sent.bytes, sent.sum, answer);
  }

  // Behind a problem that nobody skips it goes on only to tell what else is wrong.
  absl::Status CheckProblems() {
    only_check_ = bad_.count() > 0 && !options_.skip_bad_rows;
    if (first_ == 0 || options_.skip_bad_rows || journal_->problems().count() == 0) {
      return absl::OkStatus();
    }
    return FailedPrecondition(journal_->folder(),
                              " holds answers without the rows that have problems: give "
                              "--skip_bad_rows again, or remove the folder");
  }

  const ShardedOptions& options_;
  const MakeShard& make_;
  const int64_t most_ahead_;
  std::unique_ptr<ShardJournal> journal_;
  int64_t first_ = 0, made_ = 0, committed_ = 0;
  std::map<int64_t, Sent> sent_;
  std::map<int64_t, ShardAnswer> waiting_;  // for those in front of them
  data::Problems bad_;
  bool only_check_ = false;
};

absl::StatusOr<std::string> AnswerJob(const WorkQueue::Job& job, WorkQueue& queue,
                                      const std::atomic<bool>* interrupt, AnswerShard answer) {
  if (job.text.empty()) {
    return Internal("rank 0 tells of a shard without an end: do all ranks run the same build?");
  }
  absl::Status stopped;
  const auto between = [&] {
    if (interrupt != nullptr && interrupt->load()) stopped.Update(Cancelled("interrupted"));
    stopped.Update(queue.Poll());
    return stopped;
  };
  absl::StatusOr<ShardAnswer> given =
      answer(absl::string_view(job.text).substr(0, job.text.size() - 1),
             job.text.back() == kOnlyCheckIt, between);
  SEQ_RETURN_IF_ERROR(stopped);
  if (!given.ok()) {
    given = ShardAnswer{.bytes = "", .rows = 0, .problems = {}, .error = given.status()};
  }
  return given->Text();
}

}  // namespace

absl::StatusOr<ShardedOutcome> AnswerInShards(Communicator& communicator,
                                              const ShardedOptions& options, const MakeShard& next,
                                              AnswerShard answer) {
  SEQ_RETURN_IF_ERROR(CheckSame(communicator, options.facts));
  ShardOrder order(options, next, communicator.size());
  WorkSource source;
  if (communicator.is_root()) {
    source.next = [&](std::string* job) { return order.Next(job); };
    source.take = [&](int64_t number, int, std::string result) {
      return order.Take(number, std::move(result));
    };
  }
  WorkQueue queue(&communicator, {.slots = 1, .ahead = 1}, std::move(source));
  // The others are told of it as of any other error.
  if (communicator.is_root()) {
    if (const absl::Status opened = order.Open(); !opened.ok()) queue.Stop(opened);
  }
  SEQ_RETURN_IF_ERROR(queue.Run(
      [&](const WorkQueue::Job& job) { return AnswerJob(job, queue, options.interrupt, answer); },
      options.interrupt));
  return communicator.is_root() ? order.Finish() : ShardedOutcome();
}

absl::StatusOr<int> StatusAtRank(const Communicator& communicator, absl::StatusOr<int> status) {
  const bool heard =
      !communicator.is_root() && !status.ok() && !absl::IsUnavailable(status.status());
  return heard ? absl::StatusOr<int>(1) : status;
}

}  // namespace seqgraph::tools
