#include "training/rank_engine.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "training/optimizers.h"

namespace seqgraph {
namespace {

// What the root tells the others to do next.
struct Command {
  enum Kind : int64_t { kEpoch, kTrain, kValidate, kWeights, kSlots, kEnd };

  int64_t kind = kEnd;
  int64_t number = 0;  // of the epoch or step
  double rate = 0;
};

absl::Status Tell(Communicator* communicator, Command command) {
  return communicator->BroadcastValue(&command);
}

absl::StatusOr<StepParts> SplitOf(ModelRunner& runner) {
  const OpRegistry* ops = runner.options().ops;
  return SplitTrainStep(runner.model(), ops != nullptr ? *ops : AllOps());
}

void JudgeNothing(const JudgedBatch&) {}
absl::StatusOr<bool> JudgeNoBatch(int64_t, const JudgedBatch&) { return true; }

absl::Status Obey(const Command& command, RankSteps* steps) {
  switch (command.kind) {
    case Command::kEpoch:
      steps->BeginEpoch(static_cast<int>(command.number));
      return absl::OkStatus();
    case Command::kTrain:
      return steps->Train(command.number, command.rate, JudgeNothing);
    case Command::kValidate:
      return steps->Validate(JudgeNoBatch);
    case Command::kWeights:
      return steps->SendWeights();
    case Command::kSlots:
      return steps->GatherSlots(nullptr);
    default:
      return Internal("the root tells to do ", command.kind, ", which is nothing");
  }
}

}  // namespace

absl::Status SplitVariables::Strip() {
  other_ = VariableStore();
  for (const Variable& variable : model_->variables.all()) {
    defs_.push_back(variable.def);
    if (slots_.count(variable.def.name) == 0)
      SEQ_RETURN_IF_ERROR(other_.Add(variable.def, variable.value));
  }
  Swap();
  return absl::OkStatus();
}

absl::Status SplitVariables::MakeWhole() {
  other_ = VariableStore();
  for (const VariableDef& def : defs_) {
    if (slots_.count(def.name) > 0) {
      SEQ_RETURN_IF_ERROR(other_.Declare(def));
      continue;
    }
    SEQ_ASSIGN_OR_RETURN(const Variable* variable, model_->variables.Get(def.name));
    SEQ_RETURN_IF_ERROR(other_.Add(def, variable->value));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> SplitVariables::CopyToOther() {
  bool differed = false;
  for (const Variable& variable : model_->variables.all()) {
    const Variable* there = other_.Find(variable.def.name);
    if (there == nullptr || there->value.BitwiseEquals(variable.value)) continue;
    differed = differed || variable.def.role == VariableRole::kWeight;
    SEQ_RETURN_IF_ERROR(other_.Assign(variable.def.name, variable.value));
  }
  return differed;
}

absl::StatusOr<std::unique_ptr<RankEngine>> RankEngine::Create(Communicator* communicator,
                                                               ModelRunner* runner,
                                                               const RunnerOptions& options,
                                                               RankSteps::Data data) {
  SEQ_ASSIGN_OR_RETURN(StepParts parts, SplitOf(*runner));
  std::unique_ptr<RankEngine> engine(
      new RankEngine(communicator, runner, SplitVariables(&runner->model(), AllSlotNames(parts))));
  engine->validates_ = data.validation->rows > 0;
  SEQ_RETURN_IF_ERROR(engine->variables_.Strip());
  absl::StatusOr<std::unique_ptr<RankSteps>> steps =
      RankSteps::Create(communicator, runner, options, std::move(parts), std::move(data));
  engine->variables_.Swap();
  SEQ_RETURN_IF_ERROR(steps.status());
  engine->steps_ = *std::move(steps);
  return engine;
}

absl::Status RankEngine::Start() {
  SEQ_RETURN_IF_ERROR(variables_.CopyToOther().status());
  variables_.Swap();
  whole_ = false;
  SEQ_RETURN_IF_ERROR(steps_->Distribute(variables_.other()));
  variables_.DropOther();
  sent_versions_ = WeightVersions();
  return absl::OkStatus();
}

uint64_t RankEngine::WeightVersions() const {
  uint64_t sum = 0;
  for (const Variable& variable : runner_->model().variables.all()) {
    if (variable.def.role == VariableRole::kWeight) sum += variable.version;
  }
  return sum;
}

absl::Status RankEngine::Gather() {
  SEQ_RETURN_IF_ERROR(Tell(communicator_, {.kind = Command::kSlots}));
  SEQ_RETURN_IF_ERROR(variables_.MakeWhole());
  SEQ_RETURN_IF_ERROR(steps_->GatherSlots(&variables_.other()));
  variables_.Swap();
  whole_ = true;
  return absl::OkStatus();
}

absl::Status RankEngine::Release() {
  SEQ_ASSIGN_OR_RETURN(const bool changed, variables_.CopyToOther());
  variables_.Swap();
  whole_ = false;
  variables_.DropOther();
  send_weights_ = send_weights_ || changed;
  return absl::OkStatus();
}

absl::Status RankEngine::Finish() {
  SEQ_RETURN_IF_ERROR(Gather());
  if (communicator_->size() > 1) {
    note_ = absl::StrFormat("%d ranks: %.1f %% of the time of training steps in communication",
                            communicator_->size(), 100 * steps_->share_in_communication());
  }
  return Tell(communicator_, {.kind = Command::kEnd});
}

void RankEngine::Abandon() {
  if (whole_) return;
  if (variables_.MakeWhole().ok()) variables_.Swap();
  whole_ = true;
}

absl::Status RankEngine::Begin(int epoch, int64_t) {
  SEQ_RETURN_IF_ERROR(Tell(communicator_, {.kind = Command::kEpoch, .number = epoch}));
  steps_->BeginEpoch(epoch);
  return absl::OkStatus();
}

absl::Status RankEngine::Train(int64_t step, Judge judge) {
  if (send_weights_ || WeightVersions() != sent_versions_) {
    SEQ_RETURN_IF_ERROR(Tell(communicator_, {.kind = Command::kWeights}));
    SEQ_RETURN_IF_ERROR(steps_->SendWeights());
    send_weights_ = false;
  }
  SEQ_ASSIGN_OR_RETURN(const double rate, LearningRate(runner_->model()));
  SEQ_RETURN_IF_ERROR(Tell(communicator_, {.kind = Command::kTrain, .number = step, .rate = rate}));
  SEQ_RETURN_IF_ERROR(steps_->Train(step, rate, judge));
  sent_versions_ = WeightVersions();
  return absl::OkStatus();
}

absl::Status RankEngine::Validate(int, JudgeBatch judge) {
  SEQ_RETURN_IF_ERROR(Tell(communicator_, {.kind = Command::kValidate}));
  return steps_->Validate(judge);
}

absl::Status FollowRoot(Communicator* communicator, ModelRunner* runner,
                        const RunnerOptions& options, RankSteps::Data data) {
  SEQ_ASSIGN_OR_RETURN(StepParts parts, SplitOf(*runner));
  SplitVariables variables(&runner->model(), AllSlotNames(parts));
  SEQ_RETURN_IF_ERROR(variables.Strip());
  absl::StatusOr<std::unique_ptr<RankSteps>> steps =
      RankSteps::Create(communicator, runner, options, std::move(parts), std::move(data));
  if (!steps.ok()) {
    variables.Swap();
    return steps.status();
  }
  variables.DropOther();
  SEQ_RETURN_IF_ERROR((*steps)->Distribute(variables.other()));
  while (true) {
    Command command;
    SEQ_RETURN_IF_ERROR(communicator->BroadcastValue(&command));
    if (command.kind == Command::kEnd) break;
    SEQ_RETURN_IF_ERROR(Obey(command, steps->get()));
  }
  SEQ_RETURN_IF_ERROR(variables.MakeWhole());
  variables.Swap();
  return absl::OkStatus();
}

}  // namespace seqgraph
