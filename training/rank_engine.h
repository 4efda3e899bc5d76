#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "distributed/communicator.h"
#include "training/fit_engine.h"
#include "training/model_runner.h"
#include "training/rank_steps.h"

namespace seqgraph {

/// The variables of a model with and without the slots of its optimizer, which ranks keep in
/// shares.
class SplitVariables {
 public:
  /// `slots`: the names of those variables.
  SplitVariables(Model* model, std::set<std::string> slots)
      : model_(model), slots_(std::move(slots)) {}

  /// Makes the store without slots, and has it in the model until Swap.
  absl::Status Strip();
  /// The other store is the model's.
  void Swap() { std::swap(model_->variables, other_); }
  VariableStore& other() { return other_; }
  void DropOther() { other_ = VariableStore(); }
  /// The model has no slots: makes `other` a store with all that it has, and slots of zeros.
  absl::Status MakeWhole();
  /// `other` gets what the model's has of its variables; whether a weight differed.
  absl::StatusOr<bool> CopyToOther();

 private:
  Model* model_;
  std::set<std::string> slots_;
  VariableStore other_;
  std::vector<VariableDef> defs_;  // of all, in the model's order
};

/// The root of a job: what it does itself, and tells the other ranks (FollowRoot) to do.
class RankEngine : public FitEngine {
 public:
  /// `runner` must be new: the model's variables move. It, the model, the data and the communicator
  /// must outlive this.
  static absl::StatusOr<std::unique_ptr<RankEngine>> Create(Communicator* communicator,
                                                            ModelRunner* runner,
                                                            const RunnerOptions& options,
                                                            RankSteps::Data data);

  int64_t steps() const override { return steps_->steps(); }
  bool keeps_optimizer_whole() const override { return false; }
  bool validates() const override { return validates_; }
  std::string DescribeBackends() const override { return runner_->DescribeBackends(); }
  absl::Status Start() override;
  absl::Status Gather() override;
  absl::Status Release() override;
  absl::Status Finish() override;
  void Abandon() override;
  absl::Status Begin(int epoch, int64_t done) override;
  absl::Status Train(int64_t step, Judge judge) override;
  absl::Status Validate(int epoch, JudgeBatch judge) override;
  int64_t validation_steps() const override { return steps_->validation_steps(); }
  std::string TakeNote() override { return std::exchange(note_, ""); }

 private:
  RankEngine(Communicator* communicator, ModelRunner* runner, SplitVariables variables)
      : communicator_(communicator), runner_(runner), variables_(std::move(variables)) {}

  uint64_t WeightVersions() const;

  Communicator* communicator_;
  ModelRunner* runner_;
  SplitVariables variables_;
  std::unique_ptr<RankSteps> steps_;
  bool validates_ = false, whole_ = true, send_weights_ = false;
  uint64_t sent_versions_ = 0;
  std::string note_;
};

/// What the other ranks do while the root trains; returns when it has ended. The model then has the
/// weights of the end; the optimizer's state is the root's alone. `runner` and so on as above.
absl::Status FollowRoot(Communicator* communicator, ModelRunner* runner,
                        const RunnerOptions& options, RankSteps::Data data);

}  // namespace seqgraph
