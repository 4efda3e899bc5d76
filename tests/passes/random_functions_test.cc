// Functions put together at random from the ops' own samplers, with all passes and with none: what
// they compute is the same in float64, and on the backend `reference` in float32.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "graph/evaluate.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/node_bounds.h"
#include "graph/pass.h"
#include "graph/printer.h"
#include "graph/verifier.h"
#include "ops/all_ops.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "ops/rewrites/all_rewrites.h"
#include "tests/passes/pass_checks.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr uint64_t kFirstSeed = 20261123;
constexpr int kFunctions = 1000;
constexpr absl::string_view kProbability = "p";  // results so called are read by a cross-entropy

// The passes without the condition that they must pay: at these sizes hardly one would fire.
const PassList& EagerPasses() {
  static const auto* const kPasses = [] {
    auto* list = new PassList;
    for (const FunctionPass* pass : StandardPasses()) {
      auto* eager = new FunctionPass(*pass);
      eager->only_if_cheaper = false;
      list->push_back(eager);
    }
    return list;
  }();
  return *kPasses;
}

// A function in float64 that grows node by node: each takes what is there already where the types
// agree, and new inputs elsewhere.
class RandomFunction {
 public:
  explicit RandomFunction(uint64_t seed) : source_(seed, /*max_dim=*/2), g_("f", AllOps()) {}

  // Empty: differentiating it failed.
  std::optional<Function> Make() {
    const int64_t nodes = source_.Int(3, 14);
    for (int64_t n = 0; n < nodes; ++n) AddNode();
    AddResults();
    if (source_.Coin()) AddGradientResults();
    absl::StatusOr<Function> function = std::move(g_).Build();
    if (!function.ok()) return std::nullopt;
    return *std::move(function);
  }
  const TensorMap& feeds() const { return feeds_; }

 private:
  // Domains: a probability, a variance, a state that belongs to other operands.
  static bool NeedsItsOwnInputs(const std::string& op) {
    static const std::set<std::string> kOps = {"BCEGrad", "SGDUpdate", "RMSPropUpdate",
                                               "AdamUpdate", "Increment"};
    return kOps.contains(op);
  }

  // For each op those that are to read it, because some pass looks for that.
  static const std::map<std::string, std::vector<std::string>>& Followers() {
    static const auto* const kFollowers = [] {
      auto* followers = new std::map<std::string, std::vector<std::string>>;
      for (auto pass = StandardPasses().rbegin(); pass != StandardPasses().rend(); ++pass) {
        for (const Rewrite& rewrite : (*pass)->rewrites) {
          for (const auto& [op, reader] : rewrite.chains) {
            std::vector<std::string>& readers = (*followers)[op];
            if (std::count(readers.begin(), readers.end(), reader) == 0) readers.push_back(reader);
          }
        }
      }
      return followers;
    }();
    return *kFollowers;
  }

  // Where passes look: drawn more often than the rest.
  std::string DrawOp() {
    static const std::vector<std::string> kFavourites = {
        "Embedding", "Embedding", "OneHot",   "RNNCell",  "RNNCell",  "Dense",    "Dense",
        "TakeStep",  "FillLike",  "Constant", "Add",      "Scale",    "Multiply", "Tanh",
        "Relu",      "TanhGrad",  "Sigmoid",  "Subtract", "ReluGrad", "Softmax"};
    const auto followers = Followers().find(last_op_);
    if (followers != Followers().end() && source_.Int(0, 3) > 0) {
      return source_.OneOf(followers->second);
    }
    if (source_.Int(0, 2) > 0) return source_.OneOf(kFavourites);
    static const std::vector<const OpDef*> kAll = AllOps().All();
    return source_.OneOf(kAll)->name();
  }

  Value InputOf(const Tensor& content) {
    const std::string name = absl::StrCat("x", feeds_.size());
    feeds_[name] = content;
    const Value input = g_.Input(name, content.type());
    values_.push_back(input);
    return input;
  }

  std::vector<Value> OfType(const TensorType& type) const {
    std::vector<Value> found;
    for (Value value : values_) {
      if (g_.type(value) == type) found.push_back(value);
    }
    return found;
  }

  void AddNode() {
    const OpDef& op = *AllOps().Find(DrawOp());
    OpSample sample = op.sampler()(source_);
    // An output of the latest node is wanted as the first operand: chains are what passes work on.
    Value wanted;
    if (!latest_.empty()) wanted = source_.Int(0, 2) > 0 ? latest_[0] : source_.OneOf(latest_);
    for (int tries = 0; tries < 100 && wanted.present(); ++tries) {
      if (!sample.inputs.empty() && sample.inputs[0]->type() == g_.type(wanted)) break;
      sample = op.sampler()(source_);
    }
    // Few rules know masks, dropout and reversed time.
    if (op.name() == "RNNCell" && source_.Int(0, 3) > 0) {
      sample.inputs.resize(5);
      sample.attributes.Set("reverse", false);
    }
    std::vector<Value> inputs;
    for (const std::optional<Tensor>& tensor : sample.inputs) {
      inputs.emplace_back();
      if (!tensor.has_value()) continue;
      const std::vector<Value> there =
          NeedsItsOwnInputs(op.name()) ? std::vector<Value>() : OfType(tensor->type());
      if (inputs.size() == 1 && wanted.present() && !there.empty() &&
          tensor->type() == g_.type(wanted)) {
        inputs.back() = wanted;
      } else if (there.empty() || source_.Int(0, 4) == 0) {
        inputs.back() = InputOf(*tensor);
      } else {
        inputs.back() = source_.Coin() ? there.back() : source_.OneOf(there);
      }
    }
    const std::vector<Value> outputs =
        g_.AddNode(op.name(), inputs,
                   CastReals(op.CompleteAttributes(sample.attributes).value(), DType::kFloat64));
    SEQ_CHECK(g_.status().ok());
    if (op.name() == "BCE" || op.name() == "CategoricalCrossEntropy") {
      probabilities_.push_back(inputs[0]);
    }
    latest_.clear();
    last_op_ = op.name();
    for (Value output : outputs) {
      if (g_.type(output).shape.num_elements() == 0) continue;
      values_.push_back(output);
      latest_.push_back(output);
    }
  }

  // The last values, and some others.
  void AddResults() {
    for (size_t v = 0; v < values_.size(); ++v) {
      const bool computed = g_.function().producer(values_[v]) != nullptr;
      if (computed && (v + 2 >= values_.size() || source_.Int(0, 5) == 0)) {
        g_.Result(absl::StrCat("r", v), values_[v]);
      }
    }
    for (size_t p = 0; p < probabilities_.size(); ++p) {
      g_.Result(absl::StrCat(kProbability, p), probabilities_[p]);
    }
    if (g_.function().results().empty()) g_.Result("r", values_.back());
  }

  // By the inputs, of the sum over the real results.
  void AddGradientResults() {
    Value loss;
    for (const NamedValue& result : std::vector<NamedValue>(g_.function().results())) {
      if (!IsReal(g_.type(result.value).dtype)) continue;
      std::vector<int64_t> axes(g_.type(result.value).shape.rank());
      for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
      const Value sum = ops::ReduceMean(g_, result.value, {.axes = axes});
      loss = loss.present() ? ops::Add(g_, loss, sum) : sum;
    }
    if (!loss.present()) return;
    std::vector<Value> wrt;
    for (Value input : g_.function().inputs()) {
      if (IsReal(g_.type(input).dtype)) wrt.push_back(input);
    }
    FunctionBuilder with_gradients("f", AllOps(), g_.function());
    const absl::StatusOr<std::vector<Value>> gradients = AddGradients(with_gradients, loss, wrt);
    if (!gradients.ok()) return;  // through an op that has none
    for (size_t i = 0; i < wrt.size(); ++i) {
      with_gradients.Result(absl::StrCat("d_", i), (*gradients)[i]);
    }
    absl::StatusOr<Function> function = std::move(with_gradients).Build();
    SEQ_CHECK(function.ok());
    differentiated_ = *std::move(function);
  }

 public:
  std::optional<Function> differentiated_;

 private:
  SampleSource source_;
  FunctionBuilder g_;
  std::vector<Value> values_;
  std::vector<Value> latest_;  // outputs of the last node
  std::vector<Value> probabilities_;
  std::string last_op_;
  TensorMap feeds_;
};

// The largest |a - b|; that of NaN and NaN, or of equal infinities, is 0.
double Difference(const Tensor& a, const Tensor& b) {
  const Tensor x = a.Cast(DType::kFloat64), y = b.Cast(DType::kFloat64);
  double largest = 0;
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    const double p = x.Elements<double>()[i], q = y.Elements<double>()[i];
    if (p == q || (std::isnan(p) && std::isnan(q))) continue;
    largest = std::max(largest, std::isnan(p - q) ? HUGE_VAL : std::fabs(p - q));
  }
  return largest;
}

// True if a probability is so near 0 or 1 that a cross-entropy clips it, which those of logits do
// not.
bool IsClipped(const TensorMap& results) {
  for (const auto& [name, tensor] : results) {
    if (!absl::StartsWith(name, kProbability)) continue;
    for (double p : tensor.Elements<double>()) {
      if (!(std::min(p, 1 - p) > 1e-6)) return true;
    }
  }
  return false;
}

struct Tally {
  int compared = 0;
  std::map<std::string, int> fired;
};

void Check(const Function& function, const TensorMap& feeds, Tally& tally) {
  SCOPED_TRACE(FunctionToText(function));
  const absl::StatusOr<TensorMap> exact = Evaluate(function, feeds);
  // An id that is out of range of the table that it came to, or what the two forms of a
  // cross-entropy are known to differ in: nothing to compare.
  if (!exact.ok() || IsClipped(*exact)) return;
  std::vector<RewriteCount> counts;
  SEQ_ASSERT_OK_AND_ASSIGN(const Function after,
                           RunPasses(function, AllOps(), EagerPasses(), OneBackend, &counts));
  SCOPED_TRACE(FunctionToText(after));
  SEQ_ASSERT_OK(VerifyFunction(after));
  for (const RewriteCount& count : counts) tally.fired[count.name] += count.count;
  SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap same, Evaluate(after, feeds));
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function_in_float,
                           WithRealType(function, AllOps(), DType::kFloat32));
  SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap in_float,
                           RunInFloat(function_in_float, feeds, EagerPasses()));
  // What an intermediate value may reach: a product of two of the largest.
  double scale = 1;
  for (const TensorMap* map : {&feeds, &*exact}) {
    for (const auto& [name, tensor] : *map) scale = std::max(scale, LargestFiniteMagnitude(tensor));
  }
  scale *= scale;
  for (const auto& [name, tensor] : *exact) {
    const double count = GraphErrorBound(function, scale, DType::kFloat64) +
                         GraphErrorBound(after, scale, DType::kFloat64);
    EXPECT_LE(Difference(same.at(name), tensor), count) << name;
    const double in_float_count = GraphErrorBound(function, scale, DType::kFloat32) +
                                  GraphErrorBound(after, scale, DType::kFloat32);
    EXPECT_LE(Difference(in_float.at(name), tensor), in_float_count) << name;
  }
  ++tally.compared;
}

TEST(Passes, LeaveWhatRandomFunctionsCompute) {
  Tally tally;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + kFunctions; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    RandomFunction random(seed);
    const std::optional<Function> function = random.Make();
    if (!function.has_value()) continue;
    Check(*function, random.feeds(), tally);
    if (random.differentiated_.has_value()) Check(*random.differentiated_, random.feeds(), tally);
    if (testing::Test::HasFailure()) break;  // one is enough to read
  }
  EXPECT_GT(tally.compared, kFunctions / 2);
  // A pass that never fires has not been tested.
  for (const FunctionPass* pass : StandardPasses()) {
    EXPECT_GT(tally.fired[pass->name], 5) << pass->name;
    RecordProperty(pass->name, tally.fired[pass->name]);
    std::printf("%s fired %d times\n", pass->name.c_str(), tally.fired[pass->name]);
  }
  std::printf("%d functions compared, seeds from %d\n", tally.compared,
              static_cast<int>(kFirstSeed));
}

}  // namespace
}  // namespace seqgraph
