// Mode state: what a call may leave behind, and what it must not.

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/rewrite.h"
#include "serialization/model_io.h"
#include "tools/conformance/case.h"
#include "tools/conformance/networks.h"
#include "tools/conformance/session.h"

namespace seqgraph::conformance {
namespace {

const TextModelOptions kModel{.num_words = 40, .maxlen = 15, .embedding_dim = 6, .units = 8};
constexpr int64_t kBatch = 7;

// Three quarters of each real: valid for every op, and no power of two, so that every bit moves.
TensorMap Scaled(const TensorMap& contents) {
  TensorMap scaled = contents;
  for (auto& [name, tensor] : scaled) {
    if (tensor.dtype() != DType::kFloat32) continue;
    for (float& x : tensor.Elements<float>()) x *= 0.75f;
  }
  return scaled;
}

// Old content, new content, old content again in one session: each call sees what is there then.
void CheckContentsChange(const Problem& problem, const CaseContext& context, Verdict& verdict) {
  const auto exact = ExactRun::Create(problem.function, context.registry);
  if (!verdict.Check(exact.status(), "the function in float64")) return;
  const auto run = Start(problem, context, {}, verdict);
  if (run == nullptr) return;
  RunAndCheckNodes(*run, *exact, verdict);
  const TensorMap first = run->Results();
  if (!verdict.ok() || !verdict.Check(run->SetAll(Scaled(problem.contents)), "setting")) return;
  RunAndCheckNodes(*run, *exact, verdict);
  if (!verdict.ok()) return verdict.Explain("after the contents have changed");
  if (!verdict.Check(run->SetAll(problem.contents), "setting")) return;
  RunAndCheckNodes(*run, *exact, verdict);
  if (!verdict.ok()) return verdict.Explain("with the first contents again");
  ExpectSameBits(run->Results(), first, "with the first contents again", verdict);
}

Case ContentsChangeCase(const OpDef* op) {
  const std::string name = absl::StrCat("state/contents_change/", op->name());
  return {name, [op, name](const CaseContext& context, Verdict& verdict) {
            SampleSource source(SeedOf(context.seed, name), /*max_dim=*/17);
            for (int draw = 0; draw < 4 && verdict.ok(); ++draw) {
              const auto problem =
                  OneNode(*op, context.registry, op->sampler()(source), {.variables = true});
              if (!verdict.Check(problem.status(), "building")) return;
              CheckContentsChange(*problem, context, verdict);
            }
          }};
}

Case NetworkContentsChangeCase(const std::string& name, const Network& network) {
  return {"state/contents_change/network_" + name,
          [=](const CaseContext& context, Verdict& verdict) {
            const auto problem = MakeNetwork(network, context.registry, SeedOf(context.seed, name));
            if (!verdict.Check(problem.status(), "building")) return;
            CheckContentsChange(*problem, context, verdict);
          }};
}

// A model of the tutorial with data, for the cases below.
struct Setting {
  Model model;
  const CaseContext& context;
  uint64_t seed;
  Verdict& verdict;

  absl::StatusOr<std::unique_ptr<CompiledFunction>> Compiled(const char* function, int64_t batch) {
    SEQ_ASSIGN_OR_RETURN(const Function* found, model.GetFunction(function));
    return Compile(*found, context, &model.variables, batch);
  }
  TensorMap Data(int64_t batch, uint64_t stream) {
    SampleSource source(seed + stream);
    return RandomBatch(*model.FindFunction(kTrainStep), kModel, batch, source);
  }
  TensorMap Variables() { return VariablesOf(*model.FindFunction(kTrainStep), model.variables); }
  absl::Status Reset() {
    SEQ_ASSIGN_OR_RETURN(model, MakeTutorialModel(kModel, {}, seed));
    return absl::OkStatus();
  }
};

// A prediction of this session for the weights of now, against the definitions.
absl::Status CheckPrediction(Setting& s, CompiledFunction& session, const TensorMap& data,
                             absl::string_view when) {
  SEQ_RETURN_IF_ERROR(RunOnce(session, data, s.verdict));
  SEQ_ASSIGN_OR_RETURN(ExactRun exact, ExactRun::Create(session.function(), s.context.registry));
  TensorMap contents = VariablesOf(session.function(), s.model.variables);
  contents.insert(data.begin(), data.end());
  ChainBound bound;
  SEQ_ASSIGN_OR_RETURN(const TensorMap expected, RunWithBound(exact, contents, s.seed, bound));
  for (const auto& [name, tensor] : ResultsOf(session)) {
    s.verdict.Compare(tensor, expected.at(name), bound.Of(name), absl::StrCat(name, " ", when));
  }
  return absl::OkStatus();
}

absl::Status PredictionsFollowTraining(Setting& s) {
  SEQ_ASSIGN_OR_RETURN(const auto train, s.Compiled(kTrainStep, kBatch));
  SEQ_ASSIGN_OR_RETURN(const auto predict, s.Compiled(kPredict, kBatch));
  SEQ_RETURN_IF_ERROR(SetLearningRate(s.model, 0.05));
  const TensorMap data = s.Data(kBatch, 1);
  for (int k = 0; k < 4; ++k) {
    SEQ_RETURN_IF_ERROR(
        CheckPrediction(s, *predict, data, absl::StrCat("after ", k, " steps of training")));
    SEQ_RETURN_IF_ERROR(RunOnce(*train, data, s.verdict));
  }
  return absl::OkStatus();
}

absl::Status BatchesTakeTurns(Setting& s) {
  SEQ_ASSIGN_OR_RETURN(const auto whole, s.Compiled(kEvaluate, kBatch));
  SEQ_ASSIGN_OR_RETURN(const auto partial, s.Compiled(kEvaluate, 3));
  const TensorMap data = s.Data(kBatch, 1);
  SEQ_RETURN_IF_ERROR(CheckPrediction(s, *whole, data, "of the whole batch"));
  const TensorMap first = ResultsOf(*whole);
  SEQ_RETURN_IF_ERROR(CheckPrediction(s, *partial, s.Data(3, 2), "of the partial batch"));
  SEQ_RETURN_IF_ERROR(CheckPrediction(s, *whole, data, "of the whole batch again"));
  ExpectSameBits(ResultsOf(*whole), first, "after another batch size ran", s.verdict);
  return absl::OkStatus();
}

// Steps of training from the start; gives all variables.
absl::StatusOr<TensorMap> TrainFor(Setting& s, int steps, bool saved_between) {
  SEQ_RETURN_IF_ERROR(s.Reset());
  for (int k = 0; k < steps; ++k) {
    SEQ_ASSIGN_OR_RETURN(const auto train, s.Compiled(kTrainStep, kBatch));
    SEQ_RETURN_IF_ERROR(RunOnce(*train, s.Data(kBatch, k), s.verdict));
    if (!saved_between) continue;
    SEQ_ASSIGN_OR_RETURN(const std::string bytes, SerializeModel(s.model, ModelFormat::kBinary));
    SEQ_ASSIGN_OR_RETURN(s.model, ParseModel(bytes, ModelFormat::kBinary, s.context.registry));
  }
  return s.Variables();
}

absl::Status SaveLoadContinue(Setting& s) {
  SEQ_ASSIGN_OR_RETURN(const TensorMap straight, TrainFor(s, 4, /*saved_between=*/false));
  SEQ_ASSIGN_OR_RETURN(const TensorMap resumed, TrainFor(s, 4, /*saved_between=*/true));
  ExpectSameBits(resumed, straight, "when the model is saved and loaded between steps", s.verdict);
  return absl::OkStatus();
}

absl::Status BackwardTwice(Setting& s) {
  SEQ_ASSIGN_OR_RETURN(const auto train, s.Compiled(kTrainStep, kBatch));
  const TensorMap start = s.Variables(), data = s.Data(kBatch, 1);
  TensorMap first;
  for (int k = 0; k < 3; ++k) {
    for (const auto& [name, tensor] : start) {
      SEQ_RETURN_IF_ERROR(s.model.variables.Assign(name, tensor));
    }
    SEQ_RETURN_IF_ERROR(RunOnce(*train, data, s.verdict));
    TensorMap results = ResultsOf(*train);
    results.merge(s.Variables());
    if (k == 0) first = results;
    ExpectSameBits(results, first, absl::StrCat("in call ", k + 1, " of the same step"), s.verdict);
  }
  return absl::OkStatus();
}

absl::Status AnotherThread(Setting& s) {
  SEQ_ASSIGN_OR_RETURN(const auto predict, s.Compiled(kPredict, kBatch));
  const TensorMap data = s.Data(kBatch, 1);
  SEQ_RETURN_IF_ERROR(RunOnce(*predict, data, s.verdict));
  const TensorMap here = ResultsOf(*predict);
  absl::Status status;
  std::thread([&] { status = CheckPrediction(s, *predict, data, "in another thread"); }).join();
  SEQ_RETURN_IF_ERROR(status);
  ExpectSameBits(ResultsOf(*predict), here, "in another thread than its creator's", s.verdict);
  return absl::OkStatus();
}

// Trains in two threads at once, each with a model of its own, and alone: the same bits.
absl::Status TwoThreads(Setting& s) {
  SEQ_ASSIGN_OR_RETURN(const TensorMap alone, TrainFor(s, 6, /*saved_between=*/false));
  Verdict verdicts[2];
  absl::StatusOr<TensorMap> found[2];
  const auto work = [&](int i) {
    Setting own{Model(), s.context, s.seed, verdicts[i]};
    found[i] = TrainFor(own, 6, /*saved_between=*/false);
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  for (const auto& variables : found) {
    SEQ_RETURN_IF_ERROR(variables.status());
    ExpectSameBits(*variables, alone, "when two sessions run in two threads", s.verdict);
  }
  return absl::OkStatus();
}

Case SessionCase(const std::string& name, absl::Status (*check)(Setting&)) {
  return {"state/" + name, [=](const CaseContext& context, Verdict& verdict) {
            Setting setting{Model(), context, SeedOf(context.seed, name), verdict};
            absl::Status status = setting.Reset();
            if (status.ok()) status = check(setting);
            CheckSession(status, verdict);
          }};
}

// Sequences of other lengths in turn: their sessions live at the same time.
Case LengthsCase() {
  return {"state/lengths_take_turns", [](const CaseContext& context, Verdict& verdict) {
            std::vector<std::unique_ptr<GuardedRun>> runs;
            std::vector<ExactRun> exact;
            for (int64_t time : {9, 1, 30}) {
              const auto problem = MakeNetwork({.time = time}, context.registry, context.seed);
              if (!verdict.Check(problem.status(), "building")) return;
              auto oracle = ExactRun::Create(problem->function, context.registry);
              if (!verdict.Check(oracle.status(), "the function in float64")) return;
              exact.push_back(*std::move(oracle));
              runs.push_back(Start(*problem, context, {}, verdict));
              if (runs.back() == nullptr) return;
            }
            for (int turn = 0; turn < 2; ++turn) {
              for (size_t i = 0; i < runs.size(); ++i) {
                RunAndCheckNodes(*runs[i], exact[i], verdict);
              }
            }
          }};
}

}  // namespace

Cases StateCases(const OpRegistry& registry) {
  Cases cases;
  for (const OpDef* op : registry.All()) {
    if (op->sampler()) cases.push_back(ContentsChangeCase(op));
  }
  cases.push_back(NetworkContentsChangeCase("rnn", {}));
  cases.push_back(NetworkContentsChangeCase("projected", {.projected = true}));
  cases.push_back(NetworkContentsChangeCase(
      "stacked", {.units = 16, .stacked = true, .initial_state = true, .sequence_loss = true}));
  cases.push_back(NetworkContentsChangeCase("two_gradients", {.twice = true}));
  cases.push_back(SessionCase("predictions_follow_training", PredictionsFollowTraining));
  cases.push_back(SessionCase("batches_take_turns", BatchesTakeTurns));
  cases.push_back(LengthsCase());
  cases.push_back(SessionCase("backward_twice", BackwardTwice));
  cases.push_back(SessionCase("save_load_continue", SaveLoadContinue));
  cases.push_back(SessionCase("another_thread", AnotherThread));
  cases.push_back(SessionCase("two_threads", TwoThreads));
  return cases;
}

}  // namespace seqgraph::conformance
