#include "training/self_tests.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "graph/compare.h"
#include "graph/gradient.h"
#include "graph/node_bounds.h"
#include "graph/rewrite.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "training/model_builder.h"

namespace seqgraph {
namespace {

constexpr absl::string_view kGradient = "gradient/";

const OpRegistry& OpsOf(const RunnerOptions& options) {
  return options.ops != nullptr ? *options.ops : AllOps();
}

absl::StatusOr<std::vector<const Backend*>> BackendsOf(const RunnerOptions& options) {
  return (options.backends != nullptr ? *options.backends : AllBackends())
      .ParseList(options.backend);
}

// The function with the gradients of its loss as further results.
absl::StatusOr<Function> WithGradients(const Function& function, const OpRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(const Function rewritten,
                       ApplyRewrites(function, registry, StandardRewrites()));
  const Value loss = rewritten.FindResult(kLossResult);
  if (!loss.present()) {
    return InvalidArgument("self-test with gradients: function ", function.name(),
                           " has no result \"", kLossResult, "\"");
  }
  FunctionBuilder g(function.name(), registry, rewritten);
  std::vector<Value> weights;
  std::vector<std::string> names;
  for (const VariableRead& read : rewritten.variables()) {
    if (read.def.role != VariableRole::kWeight || !read.def.trainable) continue;
    weights.push_back(read.value);
    names.push_back(read.def.name);
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<Value> gradients, AddGradients(g, loss, weights));
  for (size_t i = 0; i < names.size(); ++i) {
    g.Result(absl::StrCat(kGradient, names[i]), gradients[i]);
  }
  return std::move(g).Build();
}

// The function compiled and run on the inputs.
absl::StatusOr<std::unique_ptr<CompiledFunction>> RunOnce(
    Model& model, const std::string& name, int64_t batch,
    const std::map<std::string, Tensor>& inputs, bool gradients, const RunnerOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const Function* function, model.GetFunction(name));
  Function with_gradients;
  if (gradients) {
    SEQ_ASSIGN_OR_RETURN(with_gradients, WithGradients(*function, OpsOf(options)));
    function = &with_gradients;
  }
  CompileOptions compile;
  SEQ_ASSIGN_OR_RETURN(compile.backends, BackendsOf(options));
  compile.batch = batch;
  compile.threads = options.threads;
  compile.passes = options.Passes();
  SEQ_ASSIGN_OR_RETURN(
      std::unique_ptr<CompiledFunction> compiled,
      CompiledFunction::Compile(*function, OpsOf(options), &model.variables, compile));
  for (size_t i = 0; i < compiled->function().inputs().size(); ++i) {
    const std::string& input = compiled->function().info(compiled->function().inputs()[i]).name;
    const auto given = inputs.find(input);
    if (given == inputs.end()) {
      return InvalidArgument("self-test of function ", name, ": no input ", input);
    }
    SEQ_RETURN_IF_ERROR(compiled->SetInput(static_cast<int>(i), given->second));
  }
  SEQ_RETURN_IF_ERROR(compiled->Run());
  return compiled;
}

absl::Status Difference(const std::string& what, const std::string& backend, const Tensor& actual,
                        const SelfTest::Expected& expected, const std::string& producer) {
  const Tensor& tensor = expected.tensor;
  const Comparison found = Compare(actual, tensor);
  // Not ">": what cannot be compared differs.
  if (found.measured <= expected.allowed) return absl::OkStatus();
  return FailedPrecondition(what, IndexText(found.element, tensor.shape()), " is ",
                            absl::SixDigits(found.actual), " on backend ", backend, ", expected ",
                            absl::SixDigits(found.exact), " (made by ", producer,
                            "): measured / allowed is ", absl::SixDigits(found.measured), " / ",
                            absl::SixDigits(expected.allowed));
}

absl::Status RunSelfTest(Model& model, const SelfTest& test, const RunnerOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const auto compiled, RunOnce(model, test.function, test.batch, test.inputs,
                                                    !test.gradients.empty(), options));
  const auto check = [&](const std::string& what, const std::string& result,
                         const SelfTest::Expected& expected) -> absl::Status {
    const int i = compiled->FindResult(result);
    if (i < 0) {
      return InvalidArgument(what,
                             ": there is none, so the self-test in the file is not of this model");
    }
    const Tensor actual = compiled->Result(i);
    if (actual.type() != expected.tensor.type()) {
      return InvalidArgument(what, " is ", actual.type().ToString(), ", expected ",
                             expected.tensor.type().ToString());
    }
    return Difference(what, options.backend, actual, expected, test.producer);
  };
  for (const auto& [name, expected] : test.results) {
    SEQ_RETURN_IF_ERROR(check(absl::StrCat("result ", name), name, expected));
  }
  for (const auto& [name, expected] : test.gradients) {
    SEQ_RETURN_IF_ERROR(
        check(absl::StrCat("gradient of ", name), absl::StrCat(kGradient, name), expected));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SelfTest> MakeSelfTest(Model& model, const std::string& function, int64_t batch,
                                      const std::map<std::string, Tensor>& inputs, bool gradients,
                                      const RunnerOptions& options) {
  SelfTest test{.function = function, .batch = batch, .inputs = inputs};
  SEQ_ASSIGN_OR_RETURN(const std::vector<const Backend*> backends, BackendsOf(options));
  test.producer = absl::StrJoin(backends, ", ", [](std::string* out, const Backend* backend) {
    absl::StrAppend(out, backend->info().name, " ", backend->info().version);
  });
  SEQ_ASSIGN_OR_RETURN(const auto compiled,
                       RunOnce(model, function, batch, inputs, gradients, options));
  const Function& ran = compiled->function();
  std::map<int, Tensor> given;
  for (Value input : ran.inputs()) given[input.index] = inputs.at(ran.info(input).name);
  for (const VariableRead& read : ran.variables()) {
    SEQ_ASSIGN_OR_RETURN(const Variable* variable, model.variables.Get(read.def.name));
    given[read.value.index] = variable->value;
  }
  std::vector<int> nodes(ran.nodes().size());
  std::iota(nodes.begin(), nodes.end(), 0);
  SEQ_ASSIGN_OR_RETURN(const auto exact, EvaluateNodesInDouble(ran, nodes, given));
  for (size_t i = 0; i < ran.results().size(); ++i) {
    const auto& [name, value] = ran.results()[i];
    SelfTest::Expected expected{compiled->Result(static_cast<int>(i)), 0};
    const auto bounded = exact.find(value.index);
    if (bounded != exact.end() && IsReal(expected.tensor.dtype())) {
      const double bound = bounded->second.bound.absolute();
      expected.allowed = 2 * bound;
      const absl::Status right =
          Difference(absl::StrCat("result ", name), options.backend, expected.tensor,
                     {bounded->second.exact, bound}, "evaluation in double");
      if (!right.ok()) return Internal(right.message());
    }
    absl::string_view variable = name;
    const bool is_gradient = gradients && absl::ConsumePrefix(&variable, kGradient);
    (is_gradient ? test.gradients : test.results).emplace(variable, std::move(expected));
  }
  return test;
}

absl::StatusOr<std::map<std::string, Tensor>> SelfTestInputs(const Function& function,
                                                             const Examples& examples,
                                                             int64_t rows) {
  SEQ_RETURN_IF_ERROR(examples.Validate());
  if (rows < 1 || rows > examples.rows) {
    return InvalidArgument("self-test: ", rows, " rows of ", examples.rows,
                           " examples; expected 1 to as many as there are");
  }
  if (examples.source != nullptr) {
    std::vector<int64_t> first(static_cast<size_t>(rows));
    std::iota(first.begin(), first.end(), 0);
    SEQ_RETURN_IF_ERROR(examples.source->Begin(0));
    SEQ_ASSIGN_OR_RETURN(const Examples made, FetchRows(examples, first));
    return SelfTestInputs(function, made, rows);
  }
  std::map<std::string, Tensor> inputs;
  for (Value input : function.inputs()) {
    const ValueInfo& info = function.info(input);
    ValueInfo bound = info;
    bound.type.shape = info.type.shape.Bind(rows);
    SEQ_ASSIGN_OR_RETURN(const NamedFiller filler, NamedFiller::Create(function, bound));
    if (absl::Status fits = filler.CheckFits(examples); !fits.ok()) {
      return Annotate(fits, absl::StrCat("self-test: input ", info.name));
    }
    SEQ_ASSIGN_OR_RETURN(Tensor content, Tensor::Zeros(bound.type));
    filler.Fill(examples, {}, 0, rows, content.data());
    inputs[info.name] = std::move(content);
  }
  return inputs;
}

absl::StatusOr<std::vector<SelfTest>> MakeSelfTests(Model& model, const Examples& examples,
                                                    bool gradients, const RunnerOptions& options) {
  const int64_t rows = std::min(kSelfTestRows, examples.rows);
  std::vector<SelfTest> tests;
  for (const auto& [name, with_gradients] : {std::pair{kPredict, false}, {kEvaluate, true}}) {
    if (with_gradients && !gradients) continue;
    SEQ_ASSIGN_OR_RETURN(const Function* function, model.GetFunction(name));
    SEQ_ASSIGN_OR_RETURN(const auto inputs, SelfTestInputs(*function, examples, rows));
    SEQ_ASSIGN_OR_RETURN(SelfTest test,
                         MakeSelfTest(model, name, rows, inputs, with_gradients, options));
    tests.push_back(std::move(test));
  }
  return tests;
}

absl::Status RunSelfTests(Model& model, absl::Span<const SelfTest> tests,
                          const RunnerOptions& options) {
  for (const SelfTest& test : tests) {
    const absl::Status status = RunSelfTest(model, test, options);
    if (!status.ok()) {
      return Annotate(status, absl::StrCat("self-test of function ", test.function));
    }
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
