#include "training/evaluate_on_ranks.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "distributed/block_tree.h"
#include "distributed/work_queue.h"

namespace seqgraph {
namespace {

// So many jobs a rank, so that the last ones end at about the same time.
constexpr int64_t kJobsOfRank = 16;

// What the root does: jobs are neighbouring batches, whose results it adds in their order.
class BatchSums {
 public:
  BatchSums(int64_t jobs, Meter meter, const std::function<void(const JudgedBatch&)>& each)
      : jobs_(jobs), meter_(std::move(meter)), each_(each) {}

  WorkSource source() {
    return {.next = [this](std::string* job) -> absl::StatusOr<WorkSource::Next> {
              if (made_ == jobs_) return WorkSource::Next::kEnd;
              *job = absl::StrCat(made_++);
              return WorkSource::Next::kJob;
            },
            .take = [this](int64_t number, int,
                           std::string result) { return Take(number, std::move(result)); }};
  }

  const Meter& meter() const { return meter_; }

 private:
  absl::Status Take(int64_t number, std::string result) {
    waiting_[number] = std::move(result);
    for (; !waiting_.empty() && waiting_.begin()->first == added_; ++added_) {
      for (absl::string_view rest = waiting_.begin()->second; !rest.empty();) {
        SEQ_ASSIGN_OR_RETURN(const PackedBatch batch, PackedBatch::TakeFrom(&rest));
        meter_.Add(batch);
        if (each_ != nullptr) each_(batch);
      }
      waiting_.erase(waiting_.begin());
    }
    return absl::OkStatus();
  }

  const int64_t jobs_;
  Meter meter_;
  const std::function<void(const JudgedBatch&)>& each_;
  int64_t made_ = 0, added_ = 0;
  std::map<int64_t, std::string> waiting_;  // for those in front of them
};

}  // namespace

absl::StatusOr<Logs> EvaluateOnRanks(ModelRunner& runner, Communicator& communicator,
                                     const Examples& examples, const EvaluateOptions& options,
                                     const std::function<void(const JudgedBatch&)>& each) {
  SEQ_ASSIGN_OR_RETURN(DataPass pass, DataPass::Create(runner, options.function, examples,
                                                       options.batch, options.prediction));
  if (examples.rows == 0) return InvalidArgument("evaluate: there are no examples");
  SEQ_ASSIGN_OR_RETURN(const Function* function, runner.model().GetFunction(options.function));
  if (!function->updates().empty()) {
    return InvalidArgument(
        "evaluate: a layer keeps its state from batch to batch, so these cannot ",
        "be shared: evaluate it on one rank");
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> outputs,
                       OutputsToRead(*function, options.prediction));
  SEQ_ASSIGN_OR_RETURN(Meter meter,
                       Meter::Create(*function, outputs, options.metrics, options.output_metrics));
  SEQ_RETURN_IF_ERROR(pass.Begin(0));
  const int64_t jobs = std::min(pass.steps(), kJobsOfRank * communicator.size());
  BatchSums sums(jobs, std::move(meter), each);
  WorkQueue queue(&communicator, {.slots = 1, .ahead = 1},
                  communicator.is_root() ? sums.source() : WorkSource());
  const auto work = [&](const WorkQueue::Job& job) -> absl::StatusOr<std::string> {
    int64_t number = -1;
    if (!absl::SimpleAtoi(job.text, &number) || number < 0 || number >= jobs) {
      return Internal("evaluate: there is no job ", job.text);
    }
    std::string packed;
    const IndexRange steps = PartOf(pass.steps(), jobs, number);
    for (int64_t step = steps.begin; step < steps.end; ++step) {
      if (options.interrupt != nullptr && options.interrupt->load()) {
        return Cancelled("evaluate: interrupted");
      }
      SEQ_RETURN_IF_ERROR(queue.Poll());
      SEQ_ASSIGN_OR_RETURN(const BatchRunner* batch, pass.Run(step));
      if (!batch->has_loss()) {
        return InvalidArgument("evaluate: function ", options.function, " has no result \"loss\"");
      }
      AppendPacked(*batch, &packed);
    }
    return packed;
  };
  SEQ_RETURN_IF_ERROR(queue.Run(work, options.interrupt));
  Logs logs;
  if (!communicator.is_root()) return logs;
  if (!std::isfinite(sums.meter().loss())) {
    return FailedPrecondition("evaluate: the loss is ", sums.meter().loss(),
                              "; a weight is not finite?");
  }
  sums.meter().Write("", logs);
  return logs;
}

}  // namespace seqgraph
