// Mode graphs: functions that the host runs with guards, alone with several threads, or in turns
// with another backend.

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/reference/reference_backend.h"
#include "base/status_macros.h"
#include "runtime/buffer_guards.h"
#include "tools/conformance/case.h"
#include "tools/conformance/networks.h"
#include "tools/conformance/session.h"

namespace seqgraph::conformance {
namespace {

// A backend that is asked for every other node only.
class Half : public Backend {
 public:
  Half(const Backend& whole, int parity) : whole_(whole), parity_(parity), info_(whole.info()) {
    info_.name = absl::StrCat("half of ", info_.name);
  }
  const BackendInfo& info() const override { return info_; }
  FunctionClaim ClaimFunction(const Function& function) const override {
    FunctionClaim claim = whole_.ClaimFunction(function);
    for (size_t n = 0; n < claim.nodes.size(); ++n) {
      if (static_cast<int>(n % 2) == parity_) continue;
      claim.nodes[n] = Claim::No(ClaimReason::kNeedsOtherNode, "goes to the other backend");
    }
    return claim;
  }
  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override {
    return whole_.Prepare(request);
  }

 private:
  const Backend& whole_;
  const int parity_;
  BackendInfo info_;
};

// A problem as the host runs it.
class Host {
 public:
  Host(const Problem& problem, const CaseContext& context) : problem_(problem), context_(context) {}

  absl::Status Compile(const std::vector<const Backend*>& backends, int threads) {
    for (const VariableRead& read : problem_.function.variables()) {
      SEQ_RETURN_IF_ERROR(variables_.Declare(read.def));
    }
    SEQ_ASSIGN_OR_RETURN(
        session_,
        CompiledFunction::Compile(
            problem_.function, context_.registry, &variables_,
            {.backends = backends, .threads = threads, .guard_bytes = kDefaultGuardBytes}));
    return absl::OkStatus();
  }

  // One call from the problem's contents: results, and updates by variable.
  absl::StatusOr<TensorMap> Run(Verdict& verdict) {
    for (const VariableRead& read : problem_.function.variables()) {
      SEQ_RETURN_IF_ERROR(variables_.Assign(read.def.name, problem_.contents.at(read.def.name)));
    }
    const absl::Status status = RunOnce(*session_, problem_.contents, verdict);
    if (session_->damage().has_value()) verdict.Damage(std::string(status.message()));
    SEQ_RETURN_IF_ERROR(status);
    TensorMap found = ResultsOf(*session_);
    for (const NamedValue& update : problem_.function.updates()) {
      found[update.name] = variables_.Find(update.name)->value;
    }
    return found;
  }

  int NodesOf(const Backend& backend) const {
    const auto& assignments = session_->assignments();
    return static_cast<int>(std::count_if(
        assignments.begin(), assignments.end(),
        [&](const NodeAssignment& node) { return node.backend == backend.info().name; }));
  }

 private:
  const Problem& problem_;
  const CaseContext& context_;
  VariableStore variables_;
  std::unique_ptr<CompiledFunction> session_;
};

// What a problem must give, and how far it may be off.
struct Expected {
  TensorMap exact;
  ChainBound bound;

  absl::Status Find(const Problem& problem, const CaseContext& context, uint64_t seed) {
    SEQ_ASSIGN_OR_RETURN(ExactRun run, ExactRun::Create(problem.function, context.registry));
    SEQ_ASSIGN_OR_RETURN(exact, RunWithBound(run, problem.contents, seed, bound));
    return absl::OkStatus();
  }
  void Compare(const TensorMap& found, absl::string_view when, Verdict& verdict) const {
    for (const auto& [name, tensor] : found) {
      verdict.Compare(tensor, exact.at(name), bound.Of(name), absl::StrCat(name, " ", when));
    }
  }
};

// The backend and the reference take turns node by node.
absl::Status RunMixed(const Problem& problem, const CaseContext& context, int parity,
                      const Expected& expected, Verdict& verdict) {
  const Half half(context.backend, parity);
  const std::unique_ptr<Backend> reference = MakeReferenceBackend();
  Host host(problem, context);
  SEQ_RETURN_IF_ERROR(host.Compile({&half, reference.get()}, /*threads=*/1));
  const int own = host.NodesOf(half);
  if (own == 0) return Unimplemented("none of the nodes that it may have is claimed");
  SEQ_ASSIGN_OR_RETURN(const TensorMap first, host.Run(verdict));
  expected.Compare(first, "where two backends take turns", verdict);
  SEQ_ASSIGN_OR_RETURN(const TensorMap again, host.Run(verdict));
  ExpectSameBits(again, first, "in a second call", verdict);
  verdict.Note(absl::StrCat(own, " of ", problem.function.nodes().size(), " nodes"));
  return absl::OkStatus();
}

// The same numbers within bounds with any number of threads, and the same bits each time with one.
absl::Status RunThreaded(const Problem& problem, const CaseContext& context,
                         const Expected& expected, Verdict& verdict) {
  for (const Claim& claim : context.backend.ClaimFunction(problem.function).nodes) {
    if (!claim.claimed()) return Unimplemented(claim.text);
  }
  TensorMap one;
  for (const int threads : {1, 2}) {
    TensorMap first;
    for (int session = 0; session < 2; ++session) {
      Host host(problem, context);
      SEQ_RETURN_IF_ERROR(host.Compile({&context.backend}, threads));
      for (int call = 0; call < 2; ++call) {
        SEQ_ASSIGN_OR_RETURN(TensorMap found, host.Run(verdict));
        if (first.empty()) first = found;
        ExpectSameBits(found, first, absl::StrCat("in another call with ", threads, " threads"),
                       verdict);
      }
    }
    expected.Compare(first, absl::StrCat("with ", threads, " threads"), verdict);
    if (threads == 1) one = first;
    const bool same = std::all_of(one.begin(), one.end(), [&](const auto& entry) {
      return entry.second.BitwiseEquals(first.at(entry.first));
    });
    if (threads > 1) {
      verdict.Note(absl::StrCat(threads, " threads: ", same ? "same" : "other", " bits as 1"));
    }
  }
  return absl::OkStatus();
}

using MakeProblem = std::function<absl::StatusOr<Problem>(const CaseContext&, uint64_t seed)>;

void AddCases(const std::string& name, const MakeProblem& make, Cases& cases) {
  const auto add = [&](const std::string& full, auto run) {
    cases.push_back({full, [=](const CaseContext& context, Verdict& verdict) {
                       const uint64_t seed = SeedOf(context.seed, full);
                       const auto problem = make(context, seed);
                       if (!verdict.Check(problem.status(), "building")) return;
                       Expected expected;
                       absl::Status status = expected.Find(*problem, context, seed);
                       if (status.ok()) status = run(*problem, context, expected, verdict);
                       CheckSession(status, verdict);
                     }});
  };
  for (const int parity : {0, 1}) {
    add(absl::StrCat("graphs/mixed/", name, parity == 0 ? "/even" : "/odd"),
        [parity](const Problem& problem, const CaseContext& context, const Expected& expected,
                 Verdict& verdict) {
          return RunMixed(problem, context, parity, expected, verdict);
        });
  }
  add("graphs/threads/" + name, RunThreaded);
}

}  // namespace

Cases SessionCases() {
  Cases cases;
  const std::pair<const char*, Network> networks[] = {
      {"rnn", {.batch = 32, .time = 20, .vocabulary = 50, .width = 16, .units = 16}},
      {"projected", {.projected = true}},
      {"stacked", {.units = 16, .stacked = true, .initial_state = true, .sequence_loss = true}},
      {"two_gradients", {.relu_after = true, .twice = true}},
  };
  for (const auto& [name, network] : networks) {
    AddCases(
        name,
        [network = network](const CaseContext& context, uint64_t seed) {
          return MakeNetwork(network, context.registry, seed);
        },
        cases);
  }
  const std::pair<const char*, bool> inputs[] = {{"embedding_step", false}, {"onehot_step", true}};
  for (const auto& [name, one_hot] : inputs) {
    const TextModelOptions options{.one_hot = one_hot, .num_words = 60, .maxlen = 20};
    AddCases(
        name,
        [options](const CaseContext& context, uint64_t seed) {
          return TutorialProblem(options, kTrainStep, /*batch=*/32, /*rewritten=*/true,
                                 context.registry, seed);
        },
        cases);
  }
  return cases;
}

}  // namespace seqgraph::conformance
