#include "distributed/simulated_step.h"

#include <algorithm>
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
  RankOfStep(const StepFacts& facts, const NetworkCosts& costs, int64_t blocks, int64_t elements,
             std::vector<float>* weights, SimulatedRank& rank)
      : facts_(facts),
        costs_(costs),
        rank_(rank),
        communicator_(rank.communicator()),
        reduce_(&communicator_, blocks, elements),
        weights_(*weights) {}

  absl::Status Step() {
    reduce_.Begin();
    int64_t rows = 0;
    const IndexRange own = reduce_.own_blocks();
    for (int64_t b = own.begin; b < own.end; ++b) {
      const int64_t in_block = std::min(facts_.block_rows, facts_.batch - b * facts_.block_rows);
      rows += in_block;
      rank_.Advance(facts_.block_seconds * static_cast<double>(in_block) /
                    static_cast<double>(facts_.block_rows));
      reduce_.NextBlock();
      reduce_.AddBlock();
    }
    const auto nodes = static_cast<int64_t>(BlockTree(blocks()).NodesIn(own).size());
    Add(own.size() - nodes, static_cast<int64_t>(weights_.size()));
    SEQ_RETURN_IF_ERROR(reduce_.Finish());
    const int64_t share = reduce_.own_share().size();
    if (communicator_.size() > 1) Add(NodesOfAll() - 1, share);
    rank_.Advance(facts_.optimizer_seconds * static_cast<double>(share) /
                  static_cast<double>(weights_.size()));
    SEQ_RETURN_IF_ERROR(
        communicator_.AllGather(absl::MakeSpan(weights_), absl::MakeSpan(reduce_.shares())));
    const std::string records(static_cast<size_t>(rows * facts_.record_bytes), '\0');
    SEQ_RETURN_IF_ERROR(communicator_.Gather(records).status());
    std::string command(static_cast<size_t>(facts_.command_bytes), '\0');
    return communicator_.Broadcast(&command);
  }

 private:
  int64_t blocks() const { return (facts_.batch + facts_.block_rows - 1) / facts_.block_rows; }
  int64_t NodesOfAll() const {
    int64_t nodes = 0;
    for (int r = 0; r < communicator_.size(); ++r) {
      const IndexRange own = PartOf(blocks(), communicator_.size(), r);
      nodes += static_cast<int64_t>(BlockTree(blocks()).NodesIn(own).size());
    }
    return nodes;
  }
  void Add(int64_t times, int64_t elements) {
    rank_.Advance(static_cast<double>(times * elements) * sizeof(float) * costs_.per_added_byte);
  }

  const StepFacts& facts_;
  const NetworkCosts& costs_;
  SimulatedRank& rank_;
  Communicator& communicator_;
  TreeReduceScatter reduce_;
  std::vector<float>& weights_;
};

}  // namespace

absl::StatusOr<SimulatedStep> SimulateStep(const StepFacts& facts, const NetworkCosts& costs,
                                           int ranks, const SimulatedStepOptions& options) {
  NetworkCosts scaled = costs;
  scaled.per_byte *= static_cast<double>(options.floats_each);
  scaled.per_added_byte *= static_cast<double>(options.floats_each);
  StepFacts shorter = facts;
  shorter.weights = std::max<int64_t>(facts.weights / options.floats_each, 1);
  // Records and commands are no arrays of floats: the same time, in fewer bytes.
  shorter.record_bytes = std::max<int64_t>(facts.record_bytes / options.floats_each, 1);
  shorter.command_bytes = std::max<int64_t>(facts.command_bytes / options.floats_each, 1);
  const int64_t blocks = (facts.batch + facts.block_rows - 1) / facts.block_rows;
  SimulatedNetwork network(ranks, scaled, {.longest_carried = kCarriedBytes});
  // All ranks write nothing into it: what would be received is a length.
  std::vector<float> weights(static_cast<size_t>(shorter.weights));
  SEQ_RETURN_IF_ERROR(network.Run([&](SimulatedRank& rank) -> absl::Status {
    RankOfStep own(shorter, scaled, blocks, shorter.weights, &weights, rank);
    for (int step = 0; step < options.steps; ++step) SEQ_RETURN_IF_ERROR(own.Step());
    return absl::OkStatus();
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
