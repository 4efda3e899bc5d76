// The gradients of both tutorial models, whole: on the reference in double against central
// differences, and on oneDNN and simd in float against the reference's.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "graph/rewrite.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "tests/testing.h"
#include "training/initializers.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

constexpr uint64_t kSeed = 20240607;

struct ModelCase {
  bool one_hot;
  int64_t num_words, maxlen, embedding_dim, units, batch;
};

// The weights of a store as float64 variables.
VariableStore InDouble(const VariableStore& variables) {
  VariableStore result;
  for (const Variable& variable : variables.all()) {
    VariableDef def = variable.def;
    if (IsReal(def.type.dtype)) def.type.dtype = DType::kFloat64;
    SEQ_CHECK(result.Declare(def).ok());
    SEQ_CHECK(result.Assign(def.name, variable.value.Cast(def.type.dtype)).ok());
  }
  return result;
}

// A model with random weights, a random batch, and its function "gradients": the loss and the
// gradient of each weight, named after it.
class ModelGradients : public testing::TestWithParam<ModelCase> {
 protected:
  void SetUp() override {
    const ModelCase& c = GetParam();
    RecordProperty("seed", std::to_string(kSeed));
    SEQ_ASSERT_OK_AND_ASSIGN(model_, MakeTextModel({.one_hot = c.one_hot,
                                                    .num_words = c.num_words,
                                                    .maxlen = c.maxlen,
                                                    .embedding_dim = c.embedding_dim,
                                                    .units = c.units}));
    SEQ_ASSERT_OK(InitializeVariables(kSeed, model_.variables));
    RandomizeBiasesAndInputs(c);
    SEQ_ASSERT_OK_AND_ASSIGN(gradients_, MakeGradients());
  }

  // Biases start at zero, where their gradients could hide a mistake.
  void RandomizeBiasesAndInputs(const ModelCase& c) {
    std::mt19937_64 rng(kSeed);
    const auto uniform = [&] { return static_cast<float>(rng() >> 11) * 0x1.0p-53f - 0.5f; };
    for (const Variable& variable : model_.variables.all()) {
      if (variable.def.name.find("bias") == std::string::npos) continue;
      model_.variables.Mutate<float>(variable, [&](absl::Span<float> content) {
        for (float& x : content) x = uniform();
      });
    }
    std::vector<int32_t> tokens(c.batch * c.maxlen);
    for (int32_t& token : tokens) token = static_cast<int32_t>(rng() % c.num_words);
    tokens_ = Tensor::Of<int32_t>({c.batch, c.maxlen}, tokens);
    std::vector<float> labels(c.batch);
    for (float& label : labels) label = static_cast<float>(rng() % 2);
    labels_ = Tensor::Of<float>({c.batch, 1}, labels);
  }

  absl::StatusOr<Function> MakeGradients() {
    SEQ_ASSIGN_OR_RETURN(const Function* evaluate, model_.GetFunction("evaluate"));
    SEQ_ASSIGN_OR_RETURN(const Function rewritten,
                         ApplyRewrites(*evaluate, AllOps(), StandardRewrites()));
    FunctionBuilder g("gradients", AllOps(), rewritten);
    std::vector<Value> weights;
    for (const VariableRead& read : rewritten.variables()) {
      weights.push_back(read.value);
      weight_names_.push_back(read.def.name);
    }
    SEQ_ASSIGN_OR_RETURN(const std::vector<Value> gradients,
                         AddGradients(g, rewritten.FindResult("loss"), weights));
    for (size_t i = 0; i < gradients.size(); ++i) g.Result(weight_names_[i], gradients[i]);
    return std::move(g).Build();
  }

  absl::StatusOr<std::unique_ptr<CompiledFunction>> Compile(const Function& function,
                                                            VariableStore& variables,
                                                            const std::string& backend) {
    SEQ_ASSIGN_OR_RETURN(const auto backends, AllBackends().ParseList(backend));
    SEQ_ASSIGN_OR_RETURN(
        std::unique_ptr<CompiledFunction> compiled,
        CompiledFunction::Compile(function, AllOps(), &variables,
                                  {.backends = backends, .batch = GetParam().batch}));
    const int labels = compiled->FindInput("labels");
    const DType real = compiled->function().type(compiled->function().inputs()[labels]).dtype;
    SEQ_RETURN_IF_ERROR(compiled->SetInput(compiled->FindInput("tokens"), tokens_));
    SEQ_RETURN_IF_ERROR(compiled->SetInput(labels, labels_.Cast(real)));
    return compiled;
  }

  Model model_;
  Function gradients_;
  std::vector<std::string> weight_names_;
  Tensor tokens_, labels_;
};

double LargestMagnitude(absl::Span<const double> values) {
  double largest = 0;
  for (double value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

TEST_P(ModelGradients, ReferenceAgreesWithCentralDifferencesInDouble) {
  VariableStore variables = InDouble(model_.variables);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function in_double,
                           WithRealType(gradients_, AllOps(), DType::kFloat64));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, Compile(in_double, variables, "reference"));
  SEQ_ASSERT_OK(compiled->Run());
  // The loss from the model as it was built, without any rewrite.
  SEQ_ASSERT_OK_AND_ASSIGN(const Function evaluate, WithRealType(**model_.GetFunction("evaluate"),
                                                                 AllOps(), DType::kFloat64));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto forward, Compile(evaluate, variables, "reference"));
  const auto loss = [&] {
    SEQ_CHECK(forward->Run().ok());
    return *static_cast<const double*>(forward->result(forward->FindResult("loss")));
  };
  std::vector<Tensor> analytic;
  for (const std::string& name : weight_names_) {
    analytic.push_back(compiled->Result(compiled->FindResult(name)));
  }
  std::mt19937_64 rng(kSeed);
  for (size_t w = 0; w < weight_names_.size(); ++w) {
    const Variable& variable = *variables.Find(weight_names_[w]);
    const absl::Span<const double> weight = variable.value.Elements<double>();
    const auto set = [&](size_t i, double x) {
      variables.Mutate<double>(variable, [&](absl::Span<double> content) { content[i] = x; });
    };
    const absl::Span<const double> gradient = analytic[w].Elements<double>();
    const double largest = LargestMagnitude(gradient);
    ASSERT_GT(largest, 0) << weight_names_[w];
    double difference = 0;
    // All elements of small weights, a random sample of large ones.
    const size_t checked = std::min<size_t>(weight.size(), 60);
    for (size_t k = 0; k < checked; ++k) {
      const size_t i = checked == weight.size() ? k : rng() % weight.size();
      const double h = 1e-5, saved = weight[i];
      set(i, saved + h);
      const double above = loss();
      set(i, saved - h);
      const double below = loss();
      set(i, saved);
      difference = std::max(difference, std::fabs((above - below) / (2 * h) - gradient[i]));
    }
    EXPECT_LT(difference / largest, 1e-6) << weight_names_[w];
  }
}

TEST_P(ModelGradients, BackendsAgreeWithTheReferenceInDouble) {
  const ModelCase& c = GetParam();
  VariableStore variables = InDouble(model_.variables);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function in_double,
                           WithRealType(gradients_, AllOps(), DType::kFloat64));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto reference, Compile(in_double, variables, "reference"));
  SEQ_ASSERT_OK(reference->Run());
  // Forward and backward recurrence, and the dense layer behind it.
  const double bound = RecurrenceBound(1, c.units, c.batch, c.maxlen, false) +
                       RecurrenceBound(1, c.units, c.batch, c.maxlen, true) +
                       SumRoundings(c.units) * kFloatEpsilon;
  for (const char* backend : {"onednn", "simd"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto tested, Compile(gradients_, model_.variables, backend));
    SEQ_ASSERT_OK(tested->Run());
    for (const std::string& name : weight_names_) {
      const Tensor expected = reference->Result(reference->FindResult(name));
      const Tensor found = tested->Result(tested->FindResult(name)).Cast(DType::kFloat64);
      const double largest = LargestMagnitude(expected.Elements<double>());
      double difference = 0;
      for (int64_t i = 0; i < expected.num_elements(); ++i) {
        difference = std::max(
            difference, std::fabs(expected.Elements<double>()[i] - found.Elements<double>()[i]));
      }
      EXPECT_LE(difference / largest, bound) << backend << " " << name;
      RecordProperty(absl::StrCat(backend, " ", name),
                     std::to_string(difference / largest / bound) + " of the bound");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BothModels, ModelGradients,
                         testing::Values(ModelCase{false, 20, 12, 4, 5, 7},
                                         ModelCase{true, 20, 12, 4, 5, 7},
                                         ModelCase{false, 500, 100, 16, 8, 64},
                                         ModelCase{true, 500, 100, 16, 8, 9}),
                         [](const auto& info) {
                           return std::string(info.param.one_hot ? "OneHot" : "Embedding") +
                                  (info.param.num_words == 500 ? "Tutorial" : "Small");
                         });

}  // namespace
}  // namespace seqgraph
