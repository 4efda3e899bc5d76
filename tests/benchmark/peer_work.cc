#include "tests/benchmark/peer_work.h"

#include <omp.h>

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "layers/recurrent_cells.h"
#include "tests/benchmark/bare_rnn.h"
#include "tests/benchmark/peer_data.h"
#include "training/batch_runner.h"
#include "training/model_builder.h"
#include "training/model_runner.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

constexpr int64_t kCheckedRows = 256;  // As in common.py.

// Calls until the time is over; the clock is read after every `calls_between_looks` calls.
template <typename Call>
absl::StatusOr<PeerTime> Repeat(int64_t samples, double seconds, int calls_between_looks,
                                Call call) {
  PeerTime result;
  const auto start = std::chrono::steady_clock::now();
  while (result.seconds < seconds) {
    for (int i = 0; i < calls_between_looks; ++i) SEQ_RETURN_IF_ERROR(call());
    result.samples += samples * calls_between_looks;
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return result;
}

class ModelWork : public PeerWork {
 public:
  ModelWork(const PeerSpec& spec, Model model, PeerData data, std::string backends)
      : spec_(spec),
        model_(std::move(model)),
        data_(std::move(data)),
        backends_(std::move(backends)),
        trainer_(&model_, {.backend = backends_}) {}

  // The function whose nodes tell how the work is done.
  virtual const char* function() const = 0;

  absl::StatusOr<PeerResults> Check() override {
    SEQ_RETURN_IF_ERROR(Reset());
    PeerResults results;
    SEQ_RETURN_IF_ERROR(CheckWork(results));
    SEQ_RETURN_IF_ERROR(Describe(results));
    return results;
  }

 protected:
  virtual absl::Status CheckWork(PeerResults& results) = 0;

  absl::Status Reset() { return ReadPeerWeights(spec_, model_); }

  absl::StatusOr<BatchRunner> Batches(int64_t batch) {
    SEQ_ASSIGN_OR_RETURN(CompiledFunction * compiled, trainer_.runner().Compile(function(), batch));
    return BatchRunner::Create(compiled, "");
  }

  void AddWeights(PeerResults& results) const {
    for (const Variable& variable : model_.variables.all()) {
      if (variable.def.role != VariableRole::kWeight) continue;
      const absl::Span<const float> elements = variable.value.Elements<float>();
      results.weights[variable.def.name].assign(elements.begin(), elements.end());
    }
  }

  // Versions of the backends; for each the number of nodes that it runs, and how it runs the cell.
  absl::Status Describe(PeerResults& results) {
    SEQ_ASSIGN_OR_RETURN(CompiledFunction * compiled,
                         trainer_.runner().Compile(function(), spec_.batch));
    SEQ_ASSIGN_OR_RETURN(const auto backends, AllBackends().ParseList(backends_));
    const std::string& cell = FindRecurrentCell(spec_.cell)->op;
    for (const Backend* backend : backends) {
      const std::string& name = backend->info().name;
      int count = 0;
      std::string how;
      for (const NodeAssignment& node : compiled->assignments()) {
        if (node.backend != name) continue;
        ++count;
        // The cell itself, or that on looked-up rows of a table.
        if (absl::EndsWith(node.op, cell)) {
          how = absl::StrCat(", ", node.op, " by ", node.implementation);
        }
      }
      results.versions[absl::StrCat("seqgraph ", name)] = backend->info().version;
      absl::StrAppend(&results.form, results.form.empty() ? "" : "; ", name, ": ", count,
                      count == 1 ? " node" : " nodes", how);
    }
    results.versions["compiler"] = absl::StrCat("gcc ", __VERSION__);
    return absl::OkStatus();
  }

  const PeerSpec spec_;
  Model model_;
  PeerData data_;
  const std::string backends_;
  Trainer trainer_;
};

class TrainWork : public ModelWork {
 public:
  using ModelWork::ModelWork;
  const char* function() const override { return kTrainStep; }

  absl::Status CheckWork(PeerResults& results) override {
    SEQ_ASSIGN_OR_RETURN(BatchRunner batches, Batches(spec_.batch));
    double total = 0;
    for (int64_t step = 0; step < spec_.steps; ++step) {
      SEQ_RETURN_IF_ERROR(batches.Run(data_.train.examples(), {}, step * spec_.batch));
      total += batches.loss();
      if ((step + 1) % spec_.chunk == 0) {
        results.losses.push_back(total / static_cast<double>(step + 1));
      }
    }
    AddWeights(results);
    return absl::OkStatus();
  }

  absl::StatusOr<PeerTime> Run(double seconds) override {
    SEQ_RETURN_IF_ERROR(Reset());
    SEQ_ASSIGN_OR_RETURN(BatchRunner batches, Batches(spec_.batch));
    const Examples examples = data_.train.examples();
    int64_t step = 0;
    return Repeat(spec_.batch, seconds, 1, [&] {
      const int64_t begin = step * spec_.batch;
      step = (step + 1) % spec_.steps;
      return batches.Run(examples, {}, begin);
    });
  }
};

class FitWork : public ModelWork {
 public:
  using ModelWork::ModelWork;
  const char* function() const override { return kTrainStep; }

  absl::Status CheckWork(PeerResults& results) override {
    SEQ_ASSIGN_OR_RETURN(const FitResult fit, Epoch());
    results.losses = {fit.history["loss"].back(), fit.history["val_loss"].back()};
    AddWeights(results);
    return absl::OkStatus();
  }

  absl::StatusOr<PeerTime> Run(double seconds) override {
    SEQ_RETURN_IF_ERROR(Reset());
    return Repeat(data_.train.rows, seconds, 1, [&] { return Epoch().status(); });
  }

 private:
  absl::StatusOr<FitResult> Epoch() {
    return trainer_.Fit(data_.train.examples(), data_.validation.examples(),
                        {.epochs = 1, .batch = spec_.batch, .shuffle = false});
  }
};

class PredictWork : public ModelWork {
 public:
  using ModelWork::ModelWork;
  const char* function() const override { return kPredict; }

  absl::Status CheckWork(PeerResults& results) override {
    SEQ_ASSIGN_OR_RETURN(BatchRunner batches, Batches(spec_.batch));
    for (int64_t begin = 0; begin < kCheckedRows; begin += spec_.batch) {
      SEQ_RETURN_IF_ERROR(batches.Run(data_.train.examples(), {}, begin));
      results.predictions.insert(results.predictions.end(), batches.predictions().begin(),
                                 batches.predictions().end());
    }
    return absl::OkStatus();
  }

  absl::StatusOr<PeerTime> Run(double seconds) override {
    SEQ_ASSIGN_OR_RETURN(BatchRunner batches, Batches(spec_.batch));
    const Examples examples = data_.train.examples();
    const int64_t last = examples.rows - spec_.batch;
    int64_t next = 0;
    return Repeat(spec_.batch, seconds, 4, [&] {
      const int64_t begin = next;
      next = begin + spec_.batch > last ? 0 : begin + spec_.batch;
      return batches.Run(examples, {}, begin);
    });
  }
};

class BareRnnWork : public PeerWork {
 public:
  explicit BareRnnWork(const PeerSpec& spec)
      : batch_(spec.batch),
        rnn_(BareCell::kRnn, spec.time, spec.batch, spec.features, spec.units) {}

  absl::StatusOr<PeerResults> Check() override {
    rnn_.Run();
    PeerResults results;
    results.form = "forward and backward primitive, no lookup, loss or update";
    return results;
  }
  absl::StatusOr<PeerTime> Run(double seconds) override {
    return Repeat(batch_, seconds, 1, [&] {
      rnn_.Run();
      return absl::OkStatus();
    });
  }

 private:
  const int64_t batch_;
  BareRnn rnn_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<PeerWork>> MakeModelWork(const PeerSpec& spec,
                                                        const std::string& backends) {
  SEQ_ASSIGN_OR_RETURN(Model model, MakePeerModel(spec));
  SEQ_ASSIGN_OR_RETURN(PeerData data, ReadPeerData(spec));
  const auto make = [&]<typename Work>(std::type_identity<Work>) {
    return std::make_unique<Work>(spec, std::move(model), std::move(data), backends);
  };
  if (spec.task == "train") return make(std::type_identity<TrainWork>());
  if (spec.task == "fit") return make(std::type_identity<FitWork>());
  if (spec.task == "predict") {
    if (data.train.rows < kCheckedRows || kCheckedRows % spec.batch != 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "predictions of ", kCheckedRows, " rows are compared: the batch must divide that"));
    }
    auto work = make(std::type_identity<PredictWork>());
    SEQ_RETURN_IF_ERROR(work->Check().status());  // Reads the weights.
    return work;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown task \"", spec.task, "\": expected train, fit or predict"));
}

std::unique_ptr<PeerWork> MakeBareRnnWork(const PeerSpec& spec) {
  omp_set_num_threads(1);
  return std::make_unique<BareRnnWork>(spec);
}

}  // namespace seqgraph
