#include "tools/graph_test/graph_test_runner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/node_bounds.h"
#include "runtime/compiled_function.h"

namespace seqgraph {
namespace {

constexpr char kGradients[] = "gradients/";
constexpr char kWeights[] = "gradient_weights/";

// The function with its gradients as further results and the weights as further inputs.
absl::StatusOr<Function> WithGradients(const GraphTestCase& test, const OpRegistry& registry) {
  FunctionBuilder g(absl::StrCat(test.function.name(), "_gradients"), registry, test.function);
  Value loss;
  for (const auto& [name, weight] : test.gradient_weights) {
    const Value result = test.function.FindResult(name);
    Value term = g.AddNode("Multiply", {result, g.Input(kWeights + name, g.type(result))})[0];
    std::vector<int64_t> axes(weight.shape().rank());
    for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
    if (!axes.empty()) term = g.AddNode("ReduceSum", {term}, {{"axes", axes}})[0];
    loss = loss.present() ? g.AddNode("Add", {loss, term})[0] : term;
  }
  std::vector<Value> wrt;
  for (const auto& [name, expected] : test.gradients) wrt.push_back(test.function.FindValue(name));
  SEQ_ASSIGN_OR_RETURN(const std::vector<Value> gradients, AddGradients(g, loss, wrt));
  size_t i = 0;
  for (const auto& [name, expected] : test.gradients) g.Result(kGradients + name, gradients[i++]);
  return std::move(g).Build();
}

double Magnitude(const Tensor& tensor) {
  return IsReal(tensor.dtype()) ? LargestFiniteMagnitude(tensor) : 0;
}

TensorComparison CompareNamed(std::string name, const Tensor& actual, const Tensor& expected,
                              const GraphTestTolerance& tolerance) {
  const Comparison worst = Compare(actual, expected, [&](double e) {
    return std::isfinite(e) ? tolerance.absolute + tolerance.relative * std::fabs(e) : 0;
  });
  return {std::move(name), expected.num_elements(), worst, ComparisonText(worst, actual.shape())};
}

// One call of one function on the backends.
class Call {
 public:
  Call(const GraphTestCase& test, const Function& function, const OpRegistry& registry,
       const GraphTestOptions& options)
      : test_(test), function_(function), registry_(registry), options_(options) {}

  absl::Status Run(GraphTestResult& result) {
    Function function = function_;
    if (options_.real != DType::kFloat32) {
      SEQ_ASSIGN_OR_RETURN(function, WithRealType(function_, registry_, options_.real));
    }
    // Of its own for each call, which may update them.
    for (const VariableRead& read : function.variables()) {
      SEQ_RETURN_IF_ERROR(variables_.Declare(read.def));
    }
    const CompileOptions options{.backends = options_.backends,
                                 .batch = test_.batch,
                                 .threads = options_.threads,
                                 .passes = options_.passes,
                                 .guard_bytes = std::max(options_.guard_bytes, test_.guard_bytes)};
    SEQ_ASSIGN_OR_RETURN(compiled_,
                         CompiledFunction::Compile(function, registry_, &variables_, options));
    CheckAssignments(result);
    for (const GraphTestCase::Call& earlier : test_.earlier) {
      SEQ_RETURN_IF_ERROR(RunOnce(earlier, result));
    }
    return RunOnce({}, result);
  }

  // The content of a result after Run.
  Tensor Result(const std::string& name) const {
    const int i = compiled_->FindResult(name);
    SEQ_CHECK(i >= 0);
    return compiled_->Result(i);
  }
  const Tensor& Content(const std::string& name) const { return variables_.Find(name)->value; }

 private:
  void CheckAssignments(GraphTestResult& result) const {
    if (options_.allow_fallback) return;
    const std::string& wanted = options_.backends.front()->info().name;
    for (const NodeAssignment& node : compiled_->assignments()) {
      if (node.backend == wanted) continue;
      result.failures.push_back(absl::StrCat("node ", node.node, " (", node.op, ") ran on ",
                                             node.backend, ", not on ", wanted));
    }
  }

  absl::Status RunOnce(const GraphTestCase::Call& call, GraphTestResult& result) {
    TensorMap contents = ContentsOf(test_, call);
    for (const auto& [name, weight] : test_.gradient_weights) contents[kWeights + name] = weight;
    const Function& function = compiled_->function();
    for (const VariableRead& read : function.variables()) {
      SEQ_RETURN_IF_ERROR(variables_.Assign(
          read.def.name, CastReals(contents.at(read.def.name), read.def.type.dtype)));
    }
    std::vector<Tensor> inputs;
    for (const Value input : function.inputs()) {
      inputs.push_back(CastReals(contents.at(function.info(input).name), options_.real));
      SEQ_RETURN_IF_ERROR(compiled_->SetInput(static_cast<int>(inputs.size()) - 1, inputs.back()));
    }
    const absl::Status status = compiled_->Run();
    if (compiled_->damage().has_value()) result.stray_write = true;
    SEQ_RETURN_IF_ERROR(status);
    // Inputs keep their content until the call ends: a node that wrote there wrote past its
    // outputs.
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (std::memcmp(compiled_->input(static_cast<int>(i)), inputs[i].data(),
                      static_cast<size_t>(inputs[i].num_bytes())) == 0) {
        continue;
      }
      result.stray_write = true;
      result.failures.push_back(absl::StrCat("the call overwrote input ",
                                             function.info(function.inputs()[i]).name,
                                             ": a node writes past its outputs"));
    }
    return absl::OkStatus();
  }

  const GraphTestCase& test_;
  const Function& function_;
  const OpRegistry& registry_;
  const GraphTestOptions& options_;
  VariableStore variables_;
  std::unique_ptr<CompiledFunction> compiled_;
};

// Runs the calls of one case and gathers what they give.
class CaseRun {
 public:
  CaseRun(const GraphTestCase& test, const OpRegistry& registry, const GraphTestOptions& options)
      : test_(test), registry_(registry), options_(options) {}

  GraphTestResult Run() && {
    result_.name = test_.name;
    const auto begin = std::chrono::steady_clock::now();
    if (!test_.error.empty()) {
      MustFail();
    } else {
      Note(Forward());
      if (!test_.gradients.empty()) Note(Gradients());
    }
    result_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return std::move(result_);
  }

 private:
  void Note(const absl::Status& status) {
    if (!status.ok()) result_.failures.push_back(status.ToString());
  }

  void MustFail() {
    const absl::Status status = Call(test_, test_.function, registry_, options_).Run(result_);
    if (status.ok()) {
      result_.failures.push_back(
          absl::StrCat("succeeded, but must fail with \"", test_.error, "\""));
    } else if (!absl::StrContains(status.message(), test_.error)) {
      result_.failures.push_back(absl::StrCat("failed with \"", status.ToString(),
                                              "\", but must with \"", test_.error, "\""));
    }
  }

  absl::Status Forward() {
    Call call(test_, test_.function, registry_, options_);
    SEQ_RETURN_IF_ERROR(call.Run(result_));
    bound_ = GraphErrorBound(test_.function, test_, options_.real);
    for (const auto& [name, expected] : test_.results) {
      Add("results/" + name, call.Result(name), expected);
    }
    for (const auto& [name, expected] : test_.updates) {
      Add("updates/" + name, call.Content(name), expected);
    }
    return absl::OkStatus();
  }

  absl::Status Gradients() {
    SEQ_ASSIGN_OR_RETURN(const Function function, WithGradients(test_, registry_));
    Call call(test_, function, registry_, options_);
    SEQ_RETURN_IF_ERROR(call.Run(result_));
    bound_ = GraphErrorBound(function, test_, options_.real);
    for (const auto& [name, expected] : test_.gradients) {
      Add(kGradients + name, call.Result(kGradients + name), expected);
    }
    return absl::OkStatus();
  }

  void Add(const std::string& name, const Tensor& actual, const Tensor& expected) {
    const auto own = test_.tolerances.find(name);
    const GraphTestTolerance tolerance =
        own == test_.tolerances.end() ? GraphTestTolerance{.absolute = bound_} : own->second;
    result_.tensors.push_back(CompareNamed(name, actual, expected, tolerance));
  }

  const GraphTestCase& test_;
  const OpRegistry& registry_;
  const GraphTestOptions& options_;
  GraphTestResult result_;
  double bound_ = 0;
};

}  // namespace

double GraphErrorBound(const Function& function, const GraphTestCase& test, DType real) {
  double scale = 1;
  for (const GraphTestCase::Tensors* tensors :
       {&test.inputs, &test.results, &test.updates, &test.gradients, &test.gradient_weights}) {
    for (const auto& [name, tensor] : *tensors) scale = std::max(scale, Magnitude(tensor));
  }
  for (const Variable& variable : test.variables.all()) {
    if (function.FindVariable(variable.def.name) == nullptr) continue;
    scale = std::max(scale, Magnitude(variable.value));
  }
  return GraphErrorBound(function, scale, real);
}

TensorMap ContentsOf(const GraphTestCase& test, const GraphTestCase::Call& call) {
  TensorMap contents;
  for (const auto* tensors : {&call.inputs, &call.variables, &test.inputs}) {
    contents.insert(tensors->begin(), tensors->end());
  }
  for (const Variable& variable : test.variables.all()) {
    contents.emplace(variable.def.name, variable.value);
  }
  return contents;
}

bool GraphTestResult::passed() const {
  for (const TensorComparison& tensor : tensors) {
    if (!tensor.passed()) return false;
  }
  return failures.empty();
}

int GraphTestReport::num_failed() const {
  int failed = 0;
  for (const GraphTestResult& result : cases) failed += !result.passed();
  return failed;
}

GraphTestResult RunGraphTest(const GraphTestCase& test, const OpRegistry& registry,
                             const GraphTestOptions& options) {
  SEQ_CHECK(!options.backends.empty());
  return CaseRun(test, registry, options).Run();
}

absl::StatusOr<GraphTestReport> RunGraphTestFile(const std::string& path,
                                                 const OpRegistry& registry,
                                                 const GraphTestOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<GraphTestCase> tests, LoadGraphTests(path, registry));
  GraphTestReport report{.file = path};
  for (const GraphTestCase& test : tests) {
    report.cases.push_back(RunGraphTest(test, registry, options));
  }
  return report;
}

}  // namespace seqgraph
