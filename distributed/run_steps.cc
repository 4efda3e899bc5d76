#include "distributed/run_steps.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "distributed/tree_reduce.h"

namespace seqgraph {
namespace {

constexpr int64_t kCarriedBytes = 256;  // lengths and commands; gradients are lengths only

// One rank's part of the steps.
class RankOfStep {
 public:
  RankOfStep(const StepFacts& facts, const StepOptions& options, const StepWork& work,
             absl::Span<float> weights, Communicator& communicator)
      : facts_(facts),
        work_(work),
        weights_(weights),
        communicator_(communicator),
        tree_((facts.batch + facts.block_rows - 1) / facts.block_rows),
        buckets_(BucketsOf(facts, options)) {
    for (const int64_t elements : buckets_) {
      reduces_.emplace_back(&communicator, tree_.blocks(), elements);
    }
  }

  absl::Status Step() {
    std::string command(static_cast<size_t>(facts_.command_bytes), '\0');
    SEQ_RETURN_IF_ERROR(communicator_.Broadcast(absl::MakeSpan(command)));
    SEQ_ASSIGN_OR_RETURN(const int64_t rows, Blocks());
    int64_t share = 0;
    for (TreeReduceScatter& reduce : reduces_) {
      SEQ_RETURN_IF_ERROR(reduce.Finish());
      share += reduce.own_share().size();
    }
    if (communicator_.size() > 1) Moved(NodesOfAll() - 1, share);
    SEQ_RETURN_IF_ERROR(work_.update(share));
    size_t begin = 0;
    for (size_t k = 0; k < buckets_.size(); ++k) {
      const auto elements = static_cast<size_t>(buckets_[k]);
      SEQ_RETURN_IF_ERROR(
          communicator_.AllGather(weights_.subspan(begin, elements), reduces_[k].shares()));
      begin += elements;
    }
    Moved(1, facts_.weights);
    const std::string records(static_cast<size_t>(rows * facts_.record_bytes), '\0');
    return communicator_.Gather(records).status();
  }

 private:
  // The own blocks; how many rows they have.
  absl::StatusOr<int64_t> Blocks() {
    for (TreeReduceScatter& reduce : reduces_) reduce.Begin();
    int64_t rows = 0;
    const IndexRange own = PartOf(tree_.blocks(), communicator_.size(), communicator_.rank());
    const auto nodes = static_cast<int64_t>(tree_.NodesIn(own).size());
    for (int64_t b = own.begin; b < own.end; ++b) {
      const int64_t in_block = std::min(facts_.block_rows, facts_.batch - b * facts_.block_rows);
      rows += in_block;
      // What all own blocks take beside their gradients, before any of them is sent.
      if (b + 1 == own.end) Moved(2 * own.size() - nodes, facts_.weights);
      SEQ_RETURN_IF_ERROR(OneBlock(in_block, b + 1 == own.end));
    }
    return rows;
  }

  absl::Status OneBlock(int64_t rows, bool is_last) {
    double done = 0, elements = 0;
    for (size_t k = 0; k < buckets_.size(); ++k) {
      elements += static_cast<double>(buckets_[k]);
      const double until =
          k + 1 == buckets_.size()
              ? 1
              : 1 - facts_.backward_share * (1 - elements / static_cast<double>(facts_.weights));
      if (is_last || k + 1 == buckets_.size()) {
        SEQ_RETURN_IF_ERROR(work_.block(rows, done, until));
        done = until;
      }
      reduces_[k].NextBlock();
      reduces_[k].AddBlock();
      if (is_last) SEQ_RETURN_IF_ERROR(reduces_[k].Start());
    }
    return absl::OkStatus();
  }

  int64_t NodesOfAll() const {
    int64_t nodes = 0;
    for (int r = 0; r < communicator_.size(); ++r) {
      const IndexRange own = PartOf(tree_.blocks(), communicator_.size(), r);
      nodes += static_cast<int64_t>(tree_.NodesIn(own).size());
    }
    return nodes;
  }
  void Moved(int64_t times, int64_t elements) {
    if (work_.moved) work_.moved(times * elements * static_cast<int64_t>(sizeof(float)));
  }

  const StepFacts& facts_;
  const StepWork& work_;
  const absl::Span<float> weights_;
  Communicator& communicator_;
  const BlockTree tree_;
  const std::vector<int64_t> buckets_;
  std::deque<TreeReduceScatter> reduces_;
};

}  // namespace

absl::Status RunSteps(Communicator& communicator, const StepFacts& facts,
                      const StepOptions& options, int steps, const StepWork& work,
                      absl::Span<float> weights) {
  RankOfStep own(facts, options, work, weights.subspan(0, static_cast<size_t>(facts.weights)),
                 communicator);
  for (int step = 0; step < steps; ++step) SEQ_RETURN_IF_ERROR(own.Step());
  return absl::OkStatus();
}

absl::StatusOr<SimulatedStep> SimulateStep(const StepFacts& facts, const NetworkCosts& costs,
                                           int ranks, const SimulatedStepOptions& options) {
  NetworkCosts scaled = costs;
  scaled.per_byte *= static_cast<double>(options.floats_each);
  scaled.per_added_byte *= static_cast<double>(options.floats_each);
  StepFacts shorter = facts;
  shorter.weights = 0;
  shorter.tensors = BucketsOf(facts, options.step);
  for (int64_t& bucket : shorter.tensors) {
    bucket = std::max<int64_t>(bucket / options.floats_each, 1);
    shorter.weights += bucket;
  }
  // Each is a bucket by itself; the last one goes first.
  std::reverse(shorter.tensors.begin(), shorter.tensors.end());
  const StepOptions each_alone{.overlap = true, .bucket_bytes = 1};
  // Records and commands are no arrays of floats: the same time, in fewer bytes.
  shorter.record_bytes = std::max<int64_t>(facts.record_bytes / options.floats_each, 1);
  shorter.command_bytes = std::max<int64_t>(facts.command_bytes / options.floats_each, 1);
  SimulatedNetwork network(ranks, scaled, {.longest_carried = kCarriedBytes});
  // All ranks write nothing into it: what would be received is a length.
  std::vector<float> weights(static_cast<size_t>(shorter.weights));
  SEQ_RETURN_IF_ERROR(network.Run([&](SimulatedRank& rank) {
    StepWork work;
    work.block = [&](int64_t rows, double from, double to) {
      rank.Advance(facts.block_seconds * (to - from) * static_cast<double>(rows) /
                   static_cast<double>(facts.block_rows));
      return absl::OkStatus();
    };
    work.update = [&](int64_t share) {
      rank.Advance(facts.optimizer_seconds * static_cast<double>(share) /
                   static_cast<double>(shorter.weights));
      return absl::OkStatus();
    };
    work.moved = [&](int64_t bytes) {
      rank.Advance(static_cast<double>(bytes) * scaled.per_added_byte);
    };
    return RunSteps(rank.communicator(), shorter, each_alone, options.steps, work,
                    absl::MakeSpan(weights));
  }));
  SimulatedStep result;
  const double steps = options.steps;
  result.seconds = network.seconds() / steps;
  for (int r = 0; r < ranks; ++r) {
    const SimulatedUse use = network.use(r);
    result.communication = std::max(result.communication, (use.clock - use.computing) / steps);
    result.traffic = std::max(result.traffic, use.bytes * options.floats_each / options.steps);
  }
  return result;
}

}  // namespace seqgraph
