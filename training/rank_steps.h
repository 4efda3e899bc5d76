#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "distributed/communicator.h"
#include "training/fit_engine.h"
#include "training/flat_weights.h"
#include "training/gradient_buckets.h"
#include "training/model_runner.h"
#include "training/optimizer_share.h"
#include "training/row_order.h"
#include "training/step_parts.h"

namespace seqgraph {

/// What each rank does in the steps of a run: gradients of its blocks of the batch, the update of
/// its share of the weights. All ranks call the same in the same order.
///
///   g = sum over blocks of rows_k g_k / sum of rows_k,  in the order of BlockTree
///
/// so the bits do not depend on the number of ranks. Rows that a mask leaves out do not count in
/// rows_k, as in the whole batch. Dropout draws anew for each block.
class RankSteps {
 public:
  struct Data {
    const Examples* train = nullptr;
    const Examples* validation = nullptr;  ///< no rows: none
    int64_t batch = 1;
    int64_t block_rows = 1;
    int64_t bucket_bytes = 0;  ///< 0: GradientBuckets::kBucketBytes
    std::string prediction;
    RowOrder order{0, 1, 0};
  };

  /// Compiles all that a run needs, over variables of the model that is in `runner` then. It and
  /// the communicator must outlive this. `parts`: SplitTrainStep of it. Errors: of compiling;
  /// Unimplemented for rows from a source, and for a validation that changes variables.
  static absl::StatusOr<std::unique_ptr<RankSteps>> Create(Communicator* communicator,
                                                           ModelRunner* runner,
                                                           const RunnerOptions& options,
                                                           StepParts parts, Data data);

  int64_t steps() const { return (data_.train->rows + data_.batch - 1) / data_.batch; }
  int64_t validation_steps() const {
    return (data_.validation->rows + data_.batch - 1) / data_.batch;
  }

  /// All get the root's weights, and each its share of the optimizer's state, which the root takes
  /// from `whole`.
  absl::Status Distribute(const VariableStore& whole);
  /// The other way: into the slots of `whole` at the root.
  absl::Status GatherSlots(VariableStore* whole);
  /// All get the weights that the root's model has now.
  absl::Status SendWeights();

  void BeginEpoch(int epoch) { order_ = data_.order.Of(epoch); }
  /// One step. `judge`: at the root, of each block.
  absl::Status Train(int64_t step, double rate, FitEngine::Judge judge);
  /// `judge`: at the root, of each batch in their order; may end it there, not elsewhere.
  absl::Status Validate(FitEngine::JudgeBatch judge);

  const StepParts& parts() const { return parts_; }
  /// Of all training steps so far the share of their time that this rank spent on other ranks:
  /// exchanges, and waiting for them.
  double share_in_communication() const {
    return seconds_ > 0 ? std::max(0.0, 1 - computing_ / seconds_) : 0;
  }
  int64_t slot_bytes() const { return share_->slot_bytes(); }

 private:
  // A compiled function of so many rows, and where its gradients lie.
  struct Block {
    CompiledFunction* compiled = nullptr;
    std::optional<BatchRunner> runner;
    std::vector<const float*> gradients;  // and statistics
    std::vector<int> ready_after;         // of each bucket the node behind which it is complete
    const float* mask = nullptr;
    int64_t mask_size = 0;
  };

  RankSteps(Communicator* communicator, ModelRunner* runner, StepParts parts, Data data)
      : communicator_(communicator),
        runner_(runner),
        data_(std::move(data)),
        parts_(std::move(parts)) {}

  absl::Status Compile(const RunnerOptions& options);
  absl::Status CompileBlocks();
  absl::Status CompileBlock(int64_t rows);
  absl::Status SendVariables();
  int64_t RowsOf(int64_t step) const;
  std::string GradientName(size_t tensor) const;
  class BucketSender;
  double RowsThatCount(const Block& block) const;
  absl::Status RunBlocks(int64_t step, IndexRange own, std::string* records, double* counted);
  absl::StatusOr<double> RowsOfAll(int64_t step, double own);
  absl::StatusOr<std::vector<double>> SquaredNorms();
  absl::Status Update(double rows, double rate);
  absl::Status Judge(absl::string_view records, double rows, double counted,
                     FitEngine::Judge judge);
  void FlatFromModel();
  absl::Status ModelFromFlat();
  absl::Status SetModelIteration(int64_t iteration);

  Communicator* communicator_;
  ModelRunner* runner_;
  Data data_;
  const StepParts parts_;
  std::vector<VariableDef> tensors_;  // weights, then statistics
  std::optional<FlatLayout> layout_;
  std::optional<GradientBuckets> buckets_;
  std::vector<std::vector<WeightPiece>> pieces_of_;  // of each rank
  std::optional<OptimizerShare> share_;
  std::map<int64_t, Block> blocks_;  // by rows
  std::optional<DataPass> validation_;
  absl::Span<const int64_t> order_;
  std::vector<float> flat_;
  int64_t iteration_ = 0;
  double seconds_ = 0, computing_ = 0;  // of steps
};

}  // namespace seqgraph
