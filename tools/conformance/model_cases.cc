// Modes graphs and training: whole functions, and runs of training of the tutorial's models.

#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/rewrite.h"
#include "runtime/compiled_function.h"
#include "tools/conformance/case.h"
#include "tools/conformance/networks.h"
#include "tools/conformance/session.h"

namespace seqgraph::conformance {
namespace {

Case NetworkCase(const std::string& name, const Network& network) {
  return {"graphs/network/" + name, [name, network](const CaseContext& context, Verdict& verdict) {
            const uint64_t seed = SeedOf(context.seed, name);
            CheckProblem(MakeNetwork(network, context.registry, seed), context, seed, verdict);
          }};
}

// NaN and infinities, where forward and backward run as a pair.
Case NonFiniteNetworkCase(const std::string& name, const Network& network,
                          const std::string& spoiled) {
  return {absl::StrCat("graphs/nonfinite/", name, "_in_", spoiled),
          [=](const CaseContext& context, Verdict& verdict) {
            SampleSource source(SeedOf(context.seed, name));
            const double infinity = std::numeric_limits<double>::infinity();
            for (double special : {std::nan(""), infinity, -infinity}) {
              auto problem = MakeNetwork(network, context.registry, SeedOf(context.seed, name));
              if (!verdict.Check(problem.status(), "building")) return;
              const auto elements = problem->contents.at(spoiled).Elements<float>();
              elements[source.Int(0, static_cast<int64_t>(elements.size()) - 1)] =
                  static_cast<float>(special);
              CheckEachNode(*problem, context, verdict);
              if (verdict.row().outcome == Outcome::kFailed) {
                verdict.Explain(absl::StrCat("with ", special, " in ", spoiled));
              }
              if (!verdict.ok()) return;
            }
          }};
}

struct TutorialSize {
  const char* name;
  TextModelOptions options;
  int64_t batch;
};

const TutorialSize kSizes[] = {
    {"onehot", {.one_hot = true}, 32},
    {"embedding", {.one_hot = false}, 32},
    {"embedding_small",
     {.one_hot = false, .num_words = 20, .maxlen = 12, .embedding_dim = 5, .units = 7},
     5},
    {"onehot_small", {.one_hot = true, .num_words = 20, .maxlen = 12, .units = 17}, 1},
};

Case TutorialCase(const TutorialSize& size, const std::string& function, bool rewritten) {
  const std::string name =
      absl::StrCat("graphs/tutorial_", size.name, "/", function, rewritten ? "_rewritten" : "");
  return {name, [=](const CaseContext& context, Verdict& verdict) {
            const uint64_t seed = SeedOf(context.seed, name);
            CheckProblem(TutorialProblem(size.options, function, size.batch, rewritten,
                                         context.registry, seed),
                         context, seed, verdict);
          }};
}

struct NamedOptimizer {
  std::string name;
  Optimizer optimizer;
};

// All there are, and two with all their state. The rates are large enough for weights to move by
// more than rounding in a few steps.
std::vector<NamedOptimizer> Optimizers() {
  std::vector<NamedOptimizer> optimizers = {
      {"sgd_momentum", SGD{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true}},
      {"rmsprop_centered", RMSProp{.learning_rate = 1e-3, .momentum = 0.5, .centered = true}}};
  for (const OptimizerDef* def : AllOptimizers()) {
    NamedOptimizer each{absl::AsciiStrToLower(def->name), Optimizer(*def)};
    each.optimizer.learning_rate *= 10;
    optimizers.push_back(std::move(each));
  }
  return optimizers;
}

constexpr int kSteps = 6;  // the last one on a partial batch

// A function that updates variables, step after step in float64.
class ExactTraining {
 public:
  ExactTraining(TensorMap variables, SampleSource* noise)
      : variables_(std::move(variables)), noise_(noise) {}

  absl::Status Step(ExactRun& run, const TensorMap& batch) {
    TensorMap contents = variables_;
    contents.insert(batch.begin(), batch.end());
    SEQ_RETURN_IF_ERROR(run.Run(contents, noise_));
    for (const NamedValue& update : run.function().updates()) {
      variables_[update.name] = run.value(update.value);
    }
    return absl::OkStatus();
  }
  const TensorMap& variables() const { return variables_; }

 private:
  TensorMap variables_;
  SampleSource* noise_;
};

// Trains on the backend, exactly, and with noise as large as the bounds of the nodes; all variables
// of the backend's run must be as near to the exact ones as the noisy ones are.
absl::Status Train(const TutorialSize& size, const Optimizer& optimizer, const CaseContext& context,
                   uint64_t seed, Verdict& verdict) {
  SEQ_ASSIGN_OR_RETURN(Model model,
                       MakeTutorialModel(size.options, {.optimizer = optimizer}, seed));
  SEQ_ASSIGN_OR_RETURN(const Function* step, model.GetFunction(kTrainStep));
  const TensorMap start = VariablesOf(*step, model.variables);
  const int64_t partial = size.batch / 2 + 1;
  SampleSource noise(seed), source(seed + 1);
  std::vector<ExactTraining> exact{{start, nullptr}};
  for (int draw = 0; draw < ChainBound::kDraws; ++draw) exact.push_back({start, &noise});
  for (int k = 0; k < kSteps; ++k) {
    const int64_t batch = k + 1 < kSteps ? size.batch : partial;
    const TensorMap data = RandomBatch(*step, size.options, batch, source);
    SEQ_ASSIGN_OR_RETURN(const auto session, Compile(*step, context, &model.variables, batch));
    SEQ_RETURN_IF_ERROR(RunOnce(*session, data, verdict));
    SEQ_ASSIGN_OR_RETURN(const Function bound, BindBatch(*step, context.registry, batch));
    SEQ_ASSIGN_OR_RETURN(ExactRun run, ExactRun::Create(bound, context.registry));
    for (ExactTraining& training : exact) SEQ_RETURN_IF_ERROR(training.Step(run, data));
  }
  ChainBound bound;
  for (size_t draw = 1; draw < exact.size(); ++draw) {
    bound.Add(exact[0].variables(), exact[draw].variables());
  }
  for (const auto& [name, expected] : exact[0].variables()) {
    verdict.Compare(model.variables.Find(name)->value, expected, bound.Of(name),
                    absl::StrCat("variable ", name, " after ", kSteps, " steps"));
  }
  return absl::OkStatus();
}

Case TrainingCase(const TutorialSize& size, const NamedOptimizer& optimizer) {
  const std::string name = absl::StrCat("training/", size.name, "/", optimizer.name);
  return {name, [=](const CaseContext& context, Verdict& verdict) {
            CheckSession(
                Train(size, optimizer.optimizer, context, SeedOf(context.seed, name), verdict),
                verdict);
          }};
}

}  // namespace

Cases GraphCases() {
  Cases cases;
  for (const TutorialSize& size : kSizes) {
    for (const char* function : {kPredict, kEvaluate}) {
      for (bool rewritten : {false, true}) cases.push_back(TutorialCase(size, function, rewritten));
    }
    cases.push_back(TutorialCase(size, kTrainStep, /*rewritten=*/false));
  }
  for (const char* activation : {"tanh", "relu", "sigmoid"}) {
    for (int64_t units : {1, 7, 8, 9, 15, 16, 17, 33}) {
      Network network{.units = units, .activation = activation};
      cases.push_back(NetworkCase(absl::StrCat(activation, "_units", units), network));
      network.stacked = network.initial_state = network.sequence_loss = true;
      cases.push_back(NetworkCase(absl::StrCat(activation, "_stacked_units", units), network));
    }
  }
  for (const char* activation : {"tanh", "relu", "sigmoid"}) {
    const Network network{.activation = activation,
                          .dense_input = true,
                          .stacked = true,
                          .initial_state = true,
                          .sequence_loss = true};
    for (const char* spoiled : {"x", "rnn/w", "rnn/u", "rnn/b", "rnn/h0", "rnn2/w", "steps/w"}) {
      cases.push_back(NonFiniteNetworkCase(activation, network, spoiled));
    }
  }
  cases.push_back(NetworkCase("projected", {.projected = true}));
  cases.push_back(NetworkCase("projected_wide", {.units = 16, .projected = true}));
  cases.push_back(NetworkCase("sequence_loss", {.sequence_loss = true}));
  cases.push_back(NetworkCase("sequence_result", {.sequence_result = true}));
  cases.push_back(
      NetworkCase("stacked_sequence_result", {.stacked = true, .sequence_result = true}));
  cases.push_back(NetworkCase("relu_after", {.sequence_loss = true, .relu_after = true}));
  cases.push_back(NetworkCase("dense_input", {.dense_input = true}));
  cases.push_back(NetworkCase("dense_input_stacked", {.dense_input = true, .stacked = true}));
  cases.push_back(
      NetworkCase("one_step", {.time = 1, .initial_state = true, .sequence_loss = true}));
  cases.push_back(NetworkCase("one_row", {.batch = 1, .stacked = true}));
  cases.push_back(NetworkCase("wide", {.batch = 33, .width = 65, .units = 65}));
  cases.push_back(NetworkCase("long", {.batch = 3, .time = 200}));
  return cases;
}

Cases TrainingCases() {
  Cases cases;
  for (const TutorialSize& size : kSizes) {
    for (const NamedOptimizer& optimizer : Optimizers()) {
      cases.push_back(TrainingCase(size, optimizer));
    }
  }
  return cases;
}

}  // namespace seqgraph::conformance
