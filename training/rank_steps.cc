#include "training/rank_steps.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "distributed/exact_sum.h"
#include "training/model_builder.h"
#include "training/optimizers.h"

namespace seqgraph {
namespace {

using Kind = GradientClipping::Kind;

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

absl::string_view AsBytes(const double& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<RankSteps>> RankSteps::Create(Communicator* communicator,
                                                             ModelRunner* runner,
                                                             const RunnerOptions& options,
                                                             StepParts parts, Data data) {
  if (data.train->source != nullptr || data.validation->source != nullptr) {
    return Unimplemented("rows that a source makes one after the other cannot be dealt to ranks");
  }
  std::unique_ptr<RankSteps> made(
      new RankSteps(communicator, runner, std::move(parts), std::move(data)));
  SEQ_RETURN_IF_ERROR(made->Compile(options));
  return made;
}

absl::Status RankSteps::Compile(const RunnerOptions& options) {
  Model& model = runner_->model();
  tensors_ = parts_.weights;
  for (const std::string& name : parts_.statistics) {
    SEQ_ASSIGN_OR_RETURN(const Variable* variable, model.variables.Get(name));
    tensors_.push_back(variable->def);
  }
  for (const VariableDef& def : tensors_) {
    if (def.type.dtype == DType::kFloat32) continue;
    return Unimplemented("variable ", def.name, " is ", def.type.ToString(),
                         "; ranks exchange float32 alone");
  }
  layout_.emplace(tensors_);
  flat_.assign(static_cast<size_t>(layout_->elements()), 0.0f);
  buckets_.emplace(communicator_, &*layout_,
                   data_.bucket_bytes > 0 ? data_.bucket_bytes : GradientBuckets::kBucketBytes);
  for (int rank = 0; rank < communicator_->size(); ++rank) {
    pieces_of_.push_back(PiecesOfWeights(parts_, *layout_, buckets_->SharesOf(rank)));
  }
  SEQ_ASSIGN_OR_RETURN(
      share_,
      OptimizerShare::Create(parts_, *layout_, buckets_->SharesOf(communicator_->rank()), options));
  // The function is the model's only until it is compiled: what is saved has it not.
  SEQ_RETURN_IF_ERROR(model.AddFunction(parts_.gradients));
  const absl::Status blocks = CompileBlocks();
  model.functions.pop_back();
  SEQ_RETURN_IF_ERROR(blocks);
  if (data_.validation->rows == 0) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(const Function* evaluate, model.GetFunction(kEvaluate));
  if (!evaluate->updates().empty()) {
    return Unimplemented("a validation that changes variables goes row after row: not on ranks");
  }
  SEQ_ASSIGN_OR_RETURN(validation_, DataPass::Create(*runner_, kEvaluate, *data_.validation,
                                                     data_.batch, data_.prediction));
  return absl::OkStatus();
}

absl::Status RankSteps::CompileBlocks() {
  const int64_t last = data_.train->rows % data_.batch;
  for (const int64_t rows : {std::min(data_.batch, data_.train->rows), last}) {
    if (rows >= data_.block_rows) SEQ_RETURN_IF_ERROR(CompileBlock(data_.block_rows));
    if (rows % data_.block_rows > 0) SEQ_RETURN_IF_ERROR(CompileBlock(rows % data_.block_rows));
  }
  return absl::OkStatus();
}

absl::Status RankSteps::CompileBlock(int64_t rows) {
  Block& block = blocks_[rows];
  if (block.compiled != nullptr) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(block.compiled, runner_->Compile(StepParts::kGradients, rows));
  SEQ_ASSIGN_OR_RETURN(const Function* step, runner_->model().GetFunction(kTrainStep));
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> outputs,
                       OutputsToRead(*step, data_.prediction));
  SEQ_ASSIGN_OR_RETURN(BatchRunner runner,
                       BatchRunner::Create(block.compiled, outputs.size() == 1 ? outputs[0] : ""));
  SEQ_RETURN_IF_ERROR(runner.CheckFits(*data_.train));
  runner.SetProfile(runner_->profile());
  block.runner.emplace(std::move(runner));
  const auto result = [&](absl::string_view name) {
    return static_cast<const float*>(block.compiled->result(block.compiled->FindResult(name)));
  };
  for (size_t i = 0; i < tensors_.size(); ++i) block.gradients.push_back(result(GradientName(i)));
  const Function& function = block.compiled->function();
  for (size_t bucket = 0; bucket < buckets_->count(); ++bucket) {
    int last = 0;
    const IndexRange tensors = buckets_->tensors(bucket);
    for (int64_t i = tensors.begin; i < tensors.end; ++i) {
      const Value value = function.FindResult(GradientName(static_cast<size_t>(i)));
      const ValueInfo& info = function.info(value);
      if (info.origin == Origin::kNode) last = std::max(last, info.source);
    }
    block.ready_after.push_back(last);
  }
  if (parts_.mask.empty()) return absl::OkStatus();
  block.mask = result(parts_.mask);
  block.mask_size = function.type(function.FindResult(parts_.mask)).shape.num_elements();
  return absl::OkStatus();
}

int64_t RankSteps::RowsOf(int64_t step) const {
  return std::min(data_.batch, data_.train->rows - step * data_.batch);
}

std::string RankSteps::GradientName(size_t tensor) const {
  return absl::StrCat(
      tensor < parts_.weights.size() ? StepParts::kGradientPrefix : StepParts::kStatisticPrefix,
      tensors_[tensor].name);
}

double RankSteps::RowsThatCount(const Block& block) const {
  if (block.mask == nullptr) return static_cast<double>(block.runner->batch());
  double count = 0;
  for (int64_t i = 0; i < block.mask_size; ++i) count += block.mask[i];
  return count;
}

// Hands on the buckets of a rank's last block as soon as they are complete.
class RankSteps::BucketSender : public RunObserver {
 public:
  BucketSender(RankSteps* steps, const Block* block) : steps_(*steps), block_(*block) {}

  bool OnlyLooks() const override { return true; }
  absl::Status BeforeNode(int, const KernelArgs&) override { return absl::OkStatus(); }
  absl::Status AfterNode(int node, const KernelArgs&) override {
    while (taken_ < block_.ready_after.size() && block_.ready_after[taken_] <= node) {
      SEQ_RETURN_IF_ERROR(TakeNext());
    }
    return steps_.buckets_->Progress();
  }
  absl::Status TakeRest() {
    while (taken_ < block_.ready_after.size()) SEQ_RETURN_IF_ERROR(TakeNext());
    return absl::OkStatus();
  }

 private:
  absl::Status TakeNext() {
    return steps_.buckets_->Take(taken_++, block_.gradients, steps_.RowsThatCount(block_),
                                 /*is_last_block=*/true);
  }

  RankSteps& steps_;
  const Block& block_;
  size_t taken_ = 0;
};

absl::Status RankSteps::RunBlocks(int64_t step, IndexRange own, std::string* records,
                                  double* counted) {
  const int64_t rows = RowsOf(step);
  const int64_t blocks_a_step = (data_.batch + data_.block_rows - 1) / data_.block_rows;
  for (int64_t b = own.begin; b < own.end; ++b) {
    const int64_t begin = b * data_.block_rows;
    Block& block = blocks_.at(std::min(data_.block_rows, rows - begin));
    const bool is_last = b + 1 == own.end;
    BucketSender sender(this, &block);
    // Each block of each step draws its own numbers.
    SEQ_RETURN_IF_ERROR(SetModelIteration(iteration_ * blocks_a_step + b));
    const absl::Status run = block.runner->Run(*data_.train, order_, step * data_.batch + begin,
                                               is_last ? &sender : nullptr);
    if (!run.ok()) {
      return Annotate(run, absl::StrCat("batch ", step + 1, " of ", steps(), ", block ", b + 1));
    }
    const double count = RowsThatCount(block);
    *counted += count;
    if (is_last) SEQ_RETURN_IF_ERROR(sender.TakeRest());
    for (size_t bucket = 0; bucket < buckets_->count() && !is_last; ++bucket) {
      SEQ_RETURN_IF_ERROR(buckets_->Take(bucket, block.gradients, count, is_last));
    }
    records->append(reinterpret_cast<const char*>(&count), sizeof(count));
    AppendPacked(*block.runner, records);
  }
  return absl::OkStatus();
}

absl::StatusOr<double> RankSteps::RowsOfAll(int64_t step, double own) {
  if (parts_.mask.empty()) return static_cast<double>(RowsOf(step));
  // Whole numbers, so that any order gives the same.
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> all, communicator_->AllGather(AsBytes(own)));
  double sum = 0;
  for (const std::string& each : all) {
    double rows = 0;
    if (each.size() != sizeof(rows)) {
      return Internal("a rank tells its rows in ", each.size(),
                      " bytes: do all ranks run the same build?");
    }
    std::memcpy(&rows, each.data(), sizeof(rows));
    sum += rows;
  }
  return sum;
}

absl::StatusOr<std::vector<double>> RankSteps::SquaredNorms() {
  const Kind clipping = parts_.optimizer.clipping.kind;
  if (clipping != Kind::kNorm && clipping != Kind::kGlobalNorm) return std::vector<double>();
  std::vector<ExactSum> sums(clipping == Kind::kNorm ? parts_.weights.size() : 1);
  for (const WeightPiece& piece : pieces_of_[communicator_->rank()]) {
    ExactSum& sum = sums[sums.size() == 1 ? 0 : static_cast<size_t>(piece.weight)];
    const float* from = flat_.data() + layout_->begin(piece);
    for (int64_t i = 0; i < piece.size(); ++i) {
      sum.Add(static_cast<double>(from[i]) * static_cast<double>(from[i]));
    }
  }
  std::string bytes;
  for (const ExactSum& sum : sums) bytes += sum.Bytes();
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> all, communicator_->AllGather(bytes));
  const size_t each = bytes.size() / sums.size();
  std::vector<double> norms;
  for (size_t i = 0; i < sums.size(); ++i) {
    ExactSum total;
    for (const std::string& of_rank : all) {
      ExactSum sum;
      if (of_rank.size() != bytes.size() ||
          !sum.FromBytes(absl::string_view(of_rank).substr(i * each, each))) {
        return Internal(
            "a rank tells the norms of other weights: do all ranks run the same build and model?");
      }
      total.Merge(sum);
    }
    norms.push_back(total.value());
  }
  return norms;
}

absl::Status RankSteps::Update(double rows, double rate) {
  // The statistics are then what they become; the gradients become weights.
  SEQ_RETURN_IF_ERROR(buckets_->Finish(rows, absl::MakeSpan(flat_)));
  SEQ_ASSIGN_OR_RETURN(const std::vector<double> norms, SquaredNorms());
  const Clock::time_point start = Clock::now();
  SEQ_RETURN_IF_ERROR(share_->SetRate(rate));
  SEQ_RETURN_IF_ERROR(share_->SetIteration(iteration_));
  SEQ_RETURN_IF_ERROR(share_->Apply(flat_, norms));
  share_->GetWeights(absl::MakeSpan(flat_));
  computing_ += SecondsSince(start);
  return buckets_->AllGather(absl::MakeSpan(flat_));
}

absl::Status RankSteps::Train(int64_t step, double rate, FitEngine::Judge judge) {
  const Clock::time_point start = Clock::now();
  const int64_t blocks = (RowsOf(step) + data_.block_rows - 1) / data_.block_rows;
  buckets_->Begin(blocks);
  const IndexRange own = PartOf(blocks, communicator_->size(), communicator_->rank());
  std::string records;
  double counted = 0;
  SEQ_RETURN_IF_ERROR(RunBlocks(step, own, &records, &counted));
  computing_ += SecondsSince(start);
  SEQ_ASSIGN_OR_RETURN(const double rows, RowsOfAll(step, counted));
  SEQ_RETURN_IF_ERROR(Update(rows, rate));
  const Clock::time_point exchanged = Clock::now();
  SEQ_RETURN_IF_ERROR(ModelFromFlat());
  ++iteration_;
  SEQ_RETURN_IF_ERROR(SetModelIteration(iteration_));
  computing_ += SecondsSince(exchanged);
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> all, communicator_->Gather(records));
  const Clock::time_point gathered = Clock::now();
  for (const std::string& of_rank : all) {
    SEQ_RETURN_IF_ERROR(Judge(of_rank, static_cast<double>(RowsOf(step)), rows, judge));
  }
  computing_ += SecondsSince(gathered);
  seconds_ += SecondsSince(start);
  return absl::OkStatus();
}

// The mean over blocks by their rows, which is what is logged, is then that over the rows that
// count.
absl::Status RankSteps::Judge(absl::string_view records, double rows, double counted,
                              FitEngine::Judge judge) {
  while (!records.empty()) {
    double count = 0;
    if (records.size() < sizeof(count)) {
      return Internal("a rank's records are cut off: do all ranks run the same build?");
    }
    std::memcpy(&count, records.data(), sizeof(count));
    records.remove_prefix(sizeof(count));
    SEQ_ASSIGN_OR_RETURN(PackedBatch batch, PackedBatch::TakeFrom(&records));
    if (!parts_.mask.empty() && counted > 0) {
      batch.ScaleLosses(count * rows / (counted * static_cast<double>(batch.batch())));
    }
    judge(batch);
  }
  return absl::OkStatus();
}

absl::Status RankSteps::Validate(FitEngine::JudgeBatch judge) {
  SEQ_RETURN_IF_ERROR(validation_->Begin(0));
  const IndexRange own = PartOf(validation_steps(), communicator_->size(), communicator_->rank());
  std::string records;
  for (int64_t step = own.begin; step < own.end; ++step) {
    SEQ_ASSIGN_OR_RETURN(const BatchRunner* batch, validation_->Run(step));
    AppendPacked(*batch, &records);
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> all, communicator_->Gather(records));
  int64_t step = 0;
  for (const std::string& of_rank : all) {
    for (absl::string_view rest = of_rank; !rest.empty(); ++step) {
      SEQ_ASSIGN_OR_RETURN(const PackedBatch batch, PackedBatch::TakeFrom(&rest));
      SEQ_ASSIGN_OR_RETURN(const bool go_on, judge(step, batch));
      if (!go_on) return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

void RankSteps::FlatFromModel() {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const Variable* variable = runner_->model().variables.Find(tensors_[i].name);
    std::copy_n(variable->value.Elements<float>().data(), layout_->size(i),
                flat_.begin() + layout_->begin(i));
  }
}

absl::Status RankSteps::ModelFromFlat() {
  VariableStore& variables = runner_->model().variables;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    SEQ_ASSIGN_OR_RETURN(const Variable* variable, variables.Get(tensors_[i].name));
    variables.Mutate<float>(*variable, [&](absl::Span<float> to) {
      std::copy_n(flat_.begin() + layout_->begin(i), layout_->size(i), to.begin());
    });
  }
  return absl::OkStatus();
}

absl::Status RankSteps::SetModelIteration(int64_t iteration) {
  VariableStore& variables = runner_->model().variables;
  const Variable* variable = variables.Find(kIterationVariable);
  if (variable == nullptr) return absl::OkStatus();
  variables.Mutate<int64_t>(*variable, [&](absl::Span<int64_t> to) { to[0] = iteration; });
  return absl::OkStatus();
}

absl::Status RankSteps::SendWeights() {
  if (communicator_->is_root()) FlatFromModel();
  SEQ_RETURN_IF_ERROR(communicator_->Broadcast(
      absl::MakeSpan(reinterpret_cast<char*>(flat_.data()), flat_.size() * sizeof(float))));
  SEQ_RETURN_IF_ERROR(share_->SetWeights(flat_));
  return ModelFromFlat();
}

// All but the slots: also what no step changes, as a state that the root goes on from has it.
absl::Status RankSteps::SendVariables() {
  VariableStore& variables = runner_->model().variables;
  for (const Variable& variable : variables.all()) {
    Tensor value = variable.value;
    SEQ_RETURN_IF_ERROR(communicator_->Broadcast(
        absl::MakeSpan(static_cast<char*>(value.data()), static_cast<size_t>(value.num_bytes()))));
    SEQ_RETURN_IF_ERROR(variables.Assign(variable.def.name, value));
  }
  return absl::OkStatus();
}

absl::Status RankSteps::Distribute(const VariableStore& whole) {
  if (communicator_->is_root()) {
    SEQ_ASSIGN_OR_RETURN(const Variable* iteration, whole.Get(kIterationVariable));
    iteration_ = iteration->value.Elements<int64_t>()[0];
  }
  SEQ_RETURN_IF_ERROR(communicator_->BroadcastValue(&iteration_));
  SEQ_RETURN_IF_ERROR(SendVariables());
  FlatFromModel();
  SEQ_RETURN_IF_ERROR(share_->SetWeights(flat_));
  std::vector<std::string> slots;
  for (const std::vector<WeightPiece>& pieces : pieces_of_) {
    if (!communicator_->is_root()) break;
    SEQ_ASSIGN_OR_RETURN(std::string bytes, OptimizerShare::PackSlots(parts_, pieces, whole));
    slots.push_back(std::move(bytes));
  }
  SEQ_ASSIGN_OR_RETURN(const std::string own, communicator_->Scatter(slots));
  return share_->UnpackSlots(own);
}

absl::Status RankSteps::GatherSlots(VariableStore* whole) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> all,
                       communicator_->Gather(share_->PackSlots()));
  for (size_t rank = 0; rank < all.size(); ++rank) {
    SEQ_RETURN_IF_ERROR(OptimizerShare::UnpackSlots(parts_, pieces_of_[rank], all[rank], whole));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
