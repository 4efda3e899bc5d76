#include "backends/onednn/onednn_backend.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/onednn/dnnl_compat.h"
#include "backends/onednn/isa.h"
#include "backends/onednn/kernel.h"
#include "backends/onednn/testing/rnn_oracle.h"
#include "graph/compare.h"
#include "graph/evaluate.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/model.h"
#include "graph/node_bounds.h"
#include "graph/rewrite.h"
#include "ops/activations.h"
#include "ops/all_ops.h"
#include "ops/bce.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/reductions.h"
#include "ops/rnn_cell.h"
#include "runtime/compiled_function.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

const Backend& Onednn() {
  static const Backend* const backend = MakeOnednnBackend().release();
  return *backend;
}

using Tensors = TensorMap;

// What all values of a function must be, with how far they may be off.
std::map<int, BoundedValue> Oracle(const Function& function, const Tensors& contents) {
  std::map<int, Tensor> given;
  for (const auto& [name, tensor] : contents) {
    if (const Value value = function.FindValue(name); value.present()) given[value.index] = tensor;
  }
  std::vector<int> nodes(function.nodes().size());
  std::iota(nodes.begin(), nodes.end(), 0);
  return EvaluateNodesInDouble(function, nodes, given).value();
}

// One call of a function on the oneDNN backend alone.
struct Call {
  VariableStore store;
  std::unique_ptr<CompiledFunction> compiled;

  absl::Status Compile(const Function& function, const Tensors& contents, int threads = 1) {
    for (const VariableRead& read : function.variables()) {
      SEQ_RETURN_IF_ERROR(store.Declare(read.def));
      SEQ_RETURN_IF_ERROR(store.Assign(read.def.name, contents.at(read.def.name)));
    }
    CompileOptions options;
    options.backends = {&Onednn()};
    options.threads = threads;
    SEQ_ASSIGN_OR_RETURN(compiled, CompiledFunction::Compile(function, AllOps(), &store, options));
    return SetInputs(contents);
  }
  absl::Status SetInputs(const Tensors& contents) {
    const Function& function = compiled->function();
    for (size_t i = 0; i < function.inputs().size(); ++i) {
      const std::string& name = function.info(function.inputs()[i]).name;
      SEQ_RETURN_IF_ERROR(compiled->SetInput(static_cast<int>(i), contents.at(name)));
    }
    return absl::OkStatus();
  }
  Tensors Results() const {
    Tensors results;
    const Function& function = compiled->function();
    for (size_t i = 0; i < function.results().size(); ++i) {
      results[function.results()[i].name] = compiled->Result(static_cast<int>(i));
    }
    for (const NamedValue& u : function.updates()) results[u.name] = store.Find(u.name)->value;
    return results;
  }
  std::string Implementation(absl::string_view op) const {
    for (const NodeAssignment& a : compiled->assignments()) {
      if (a.op == op) return a.implementation;
    }
    return "";
  }
};

void ExpectWithinBounds(const Function& function, const Tensors& got,
                        const std::map<int, BoundedValue>& want) {
  for (const auto* list : {&function.results(), &function.updates()}) {
    for (const NamedValue& named : *list) {
      const auto found = want.find(named.value.index);
      if (found == want.end()) continue;  // an input as it is
      const Tensor& tensor = got.at(named.name);
      const Comparison worst = Compare(tensor, found->second.exact, found->second.bound);
      EXPECT_TRUE(worst.within()) << named.name << ComparisonText(worst, tensor.shape()) << ": "
                                  << found->second.bound.formula;
    }
  }
}

// Runs `function` twice (the second time with nothing but what a call may leave behind) and holds
// all results of both calls against the oracle.
void ExpectAgreesWithOracle(const Function& function, const Tensors& contents, int threads = 1) {
  const std::map<int, BoundedValue> want = Oracle(function, contents);
  Call call;
  SEQ_ASSERT_OK(call.Compile(function, contents, threads));
  for (int run = 0; run < 2; ++run) {
    SCOPED_TRACE(absl::StrCat("run ", run));
    for (const VariableRead& read : function.variables()) {
      SEQ_ASSERT_OK(call.store.Assign(read.def.name, contents.at(read.def.name)));
    }
    SEQ_ASSERT_OK(call.compiled->Run());
    ExpectWithinBounds(function, call.Results(), want);
  }
}

// Every op, one node at a time, on the op's own random samples.

class OpTest : public testing::TestWithParam<const OpDef*> {};

TEST_P(OpTest, RandomSamplesAgreeWithTheReferenceInDouble) {
  const OpDef& op = *GetParam();
  constexpr int kSamples = 40;
  for (int seed = 1; seed <= kSamples; ++seed) {
    SCOPED_TRACE(absl::StrCat(op.name(), ", seed ", seed));
    SampleSource source(seed, /*max_dim=*/seed <= kSamples / 2 ? 5 : 20);
    OpSample sample = op.sampler()(source);
    if (sample.attributes.Find("dtype") != nullptr) sample.attributes.Set("dtype", DType::kFloat32);
    FunctionBuilder g("sample", AllOps());
    Tensors contents;
    std::vector<Value> inputs;
    for (size_t i = 0; i < sample.inputs.size(); ++i) {
      if (!sample.inputs[i].has_value()) {
        inputs.push_back({});
        continue;
      }
      Tensor tensor = *sample.inputs[i];
      if (tensor.dtype() == DType::kFloat64) tensor = tensor.Cast(DType::kFloat32);
      inputs.push_back(g.Input(op.inputs()[i].name, tensor.type()));
      contents[op.inputs()[i].name] = tensor;
    }
    const std::vector<Value> outputs = g.AddNode(op.name(), inputs, sample.attributes);
    for (size_t o = 0; o < outputs.size(); ++o) g.Result(op.outputs()[o].name, outputs[o]);
    SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
    const Claim claim = Onednn().ClaimFunction(function).nodes[0];
    ASSERT_TRUE(claim.claimed()) << claim.text;
    ExpectAgreesWithOracle(function, contents);
    if (HasFailure()) return;
  }
}

std::vector<const OpDef*> OpsWithKernel() {
  std::set<std::string> names;
  for (const onednn::KernelDef& kernel : onednn::Kernels()) names.insert(kernel.op);
  std::vector<const OpDef*> ops;
  for (const std::string& name : names) ops.push_back(AllOps().Find(name));
  return ops;
}

INSTANTIATE_TEST_SUITE_P(AllOps, OpTest, testing::ValuesIn(OpsWithKernel()),
                         [](const auto& info) { return info.param->name(); });

// Whole graphs with recurrences.

struct ModelOptions {
  int64_t batch = 6, time = 9, vocabulary = 12, width = 5, units = 8;
  std::string activation = "tanh";
  bool projected = false;  // the embedding's rows are the projected input
  bool stacked = false;    // a second RNN reads the first one's sequence
  bool initial_state = false;
  bool sequence_loss = false;    // the loss sees every step, not only the last
  bool sequence_result = false;  // the sequence leaves the backend
  bool relu_after = false;       // a Relu, which may run in place, reads the sequence
  bool dense_input = false;      // x is an input of the function
  bool twice = false;            // two gradients of one RNN node
};

struct BuiltModel {
  Function function;
  Tensors contents;
};

BuiltModel BuildModel(const ModelOptions& o) {
  FunctionBuilder g("train_step", AllOps());
  SampleSource source(7);
  BuiltModel model;
  std::vector<Value> weights;
  const auto variable = [&](const std::string& name, const Shape& shape, double limit) {
    weights.push_back(g.Variable(name, shape, Initializer::Zeros()));
    model.contents[name] = source.Reals(shape, -limit, limit).Cast(DType::kFloat32);
    return weights.back();
  };
  const auto input = [&](const std::string& name, Tensor tensor) {
    if (tensor.dtype() == DType::kFloat64) tensor = tensor.Cast(DType::kFloat32);
    model.contents[name] = tensor;
    return g.Input(name, tensor.type());
  };
  const double limit = 1.0 / std::sqrt(static_cast<double>(o.units));
  const int64_t width = o.projected ? o.units : o.width;
  Value x;
  if (o.dense_input) {
    x = input("x", source.Reals({o.batch, o.time, width}));
  } else {
    const Value ids = input("ids", source.Indices({o.batch, o.time}, o.vocabulary));
    x = ops::Embedding(g, ids, variable("table", {o.vocabulary, width}, 1.0));
  }
  const auto rnn = [&](const std::string& name, Value in, int64_t features, bool projected) {
    ops::RNNCellOptions options;
    options.activation = o.activation;
    options.bias = variable(name + "/b", {o.units}, 0.3);
    if (o.initial_state) {
      options.initial_state = variable(name + "/h0", {o.batch, o.units}, 0.5);
    }
    const Value w =
        projected ? Value{} : variable(name + "/w", {features, o.units}, 1 / std::sqrt(features));
    return ops::RNNCell(g, in, w, variable(name + "/u", {o.units, o.units}, limit), options);
  };
  ops::RNNCellOutputs h = rnn("rnn", x, width, o.projected);
  if (o.sequence_result) g.Result("sequence", h.sequence);
  if (o.relu_after) h.sequence = ops::Relu(g, h.sequence);
  if (o.stacked) h = rnn("rnn2", h.sequence, o.units, false);
  const auto bce = [&](Value state, const std::string& name) {
    Shape shape = g.type(state).shape;
    std::vector<Dim> dims(shape.dims().begin(), shape.dims().end());
    dims.back() = 1;
    const Value z = ops::Dense(g, state, variable(name + "/w", {o.units, 1}, limit));
    return ops::BCEWithLogits(g, z, input(name + "/labels", source.Reals(Shape(dims), 0, 1)));
  };
  Value loss = bce(h.last, "head");
  if (o.sequence_loss) loss = g.AddNode("Add", {loss, bce(h.sequence, "steps")})[0];
  g.Result("loss", loss);
  const std::vector<Value> wrt = weights;
  std::vector<Value> gradients = *AddGradients(g, loss, wrt);
  for (size_t i = 0; i < wrt.size(); ++i) {
    g.Result("d " + g.function().info(wrt[i]).name, gradients[i]);
  }
  if (o.twice) {
    gradients = *AddGradients(g, bce(h.last, "second"), wrt);
    for (size_t i = 0; i < wrt.size(); ++i) {
      g.Result("d2 " + g.function().info(wrt[i]).name, gradients[i]);
    }
  }
  auto function = std::move(g).Build();
  if (!function.ok()) ADD_FAILURE() << function.status();
  model.function = *std::move(function);
  return model;
}

struct ModelCase {
  std::string name;
  ModelOptions options;
};

class ModelTest : public testing::TestWithParam<ModelCase> {};

TEST_P(ModelTest, LossAndGradientsAgreeWithTheReferenceInDouble) {
  const BuiltModel model = BuildModel(GetParam().options);
  ExpectAgreesWithOracle(model.function, model.contents);
}

TEST_P(ModelTest, TwoThreadsAgreeToo) {
  const BuiltModel model = BuildModel(GetParam().options);
  ExpectAgreesWithOracle(model.function, model.contents, /*threads=*/2);
}

TEST_P(ModelTest, GradientsOfTheFirstRecurrenceRunOnThePrimitive) {
  const BuiltModel model = BuildModel(GetParam().options);
  Call call;
  SEQ_ASSERT_OK(call.Compile(model.function, model.contents));
  EXPECT_TRUE(absl::StartsWith(call.Implementation("RNNCell"), "vanilla_rnn:"));
  EXPECT_TRUE(absl::StartsWith(call.Implementation("RNNCellGrad"), "vanilla_rnn:"));
}

std::vector<ModelCase> ModelCases() {
  std::vector<ModelCase> cases;
  for (const char* activation : {"tanh", "relu", "sigmoid"}) {
    for (int64_t units : {8, 16, 19}) {
      ModelOptions o{.units = units, .activation = activation};
      cases.push_back({absl::StrCat(activation, "_units_", units), o});
      o.stacked = o.initial_state = o.sequence_loss = true;
      cases.push_back({absl::StrCat(activation, "_stacked_units_", units), o});
    }
  }
  cases.push_back({"projected", {.projected = true}});
  cases.push_back({"projected_wide", {.units = 16, .projected = true}});
  cases.push_back({"sequence_loss", {.sequence_loss = true}});
  cases.push_back({"sequence_is_a_result", {.sequence_result = true}});
  cases.push_back({"stacked_sequence_is_a_result", {.stacked = true, .sequence_result = true}});
  cases.push_back({"relu_after", {.sequence_loss = true, .relu_after = true}});
  cases.push_back({"dense_input", {.dense_input = true}});
  cases.push_back({"dense_input_stacked", {.stacked = true, .dense_input = true}});
  cases.push_back({"two_gradients", {.twice = true}});
  cases.push_back({"one_step", {.time = 1, .initial_state = true, .sequence_loss = true}});
  cases.push_back({"one_sample", {.batch = 1, .stacked = true}});
  cases.push_back({"wide_embedding", {.width = 40, .units = 33}});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, ModelTest, testing::ValuesIn(ModelCases()),
                         [](const auto& info) { return info.param.name; });

TEST(OnednnBackendTest, ValuesOfItsOwnAreStoredTimeMajorInPaddedRows) {
  const BuiltModel model = BuildModel({.units = 8});
  Call call;
  SEQ_ASSERT_OK(call.Compile(model.function, model.contents));
  const bool padded = onednn::PadUnits(8) != 8;
  EXPECT_EQ(absl::StrContains(call.Implementation("RNNCell"), "units 8 padded to 16"), padded)
      << call.Implementation("RNNCell");
}

TEST(OnednnBackendTest, AnIdOutOfRangeIsNamedWithItsPosition) {
  BuiltModel model = BuildModel({.batch = 3, .time = 4, .vocabulary = 12});
  for (int32_t bad : {12, -1, INT32_MIN, INT32_MAX}) {
    model.contents["ids"].Elements<int32_t>()[7] = bad;
    Call call;
    SEQ_ASSERT_OK(call.Compile(model.function, model.contents));
    EXPECT_THAT(call.compiled->Run(),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         absl::StrCat("ids[1, 3] is ", bad, ", must be in [0, 12)")));
  }
}

TEST(OnednnBackendTest, Float64RunsByDefinitionWithAReason) {
  const BuiltModel model = BuildModel({});
  SEQ_ASSERT_OK_AND_ASSIGN(const Function real,
                           WithRealType(model.function, AllOps(), DType::kFloat64));
  const Claim claim = Onednn().ClaimFunction(real).nodes[0];
  EXPECT_EQ(claim.reason, ClaimReason::kByDefinition);
  EXPECT_THAT(claim.text, testing::HasSubstr("float64"));
}

TEST(OnednnBackendTest, PredictionsFollowWeightsThatChangeBetweenCalls) {
  FunctionBuilder g("predict", AllOps());
  SampleSource source(3);
  Tensors contents;
  contents["x"] = source.Reals({4, 6, 5}).Cast(DType::kFloat32);
  contents["w"] = source.Reals({5, 8}, -0.4, 0.4).Cast(DType::kFloat32);
  contents["u"] = source.Reals({8, 8}, -0.3, 0.3).Cast(DType::kFloat32);
  const Value x = g.Input("x", contents["x"].type());
  const Value w = g.Variable("w", {5, 8}, Initializer::Zeros());
  const Value u = g.Variable("u", {8, 8}, Initializer::Zeros());
  g.Result("last", ops::RNNCell(g, x, w, u).last);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  Call call;
  SEQ_ASSERT_OK(call.Compile(function, contents));
  for (int run = 0; run < 3; ++run) {
    SEQ_ASSERT_OK(call.compiled->Run());
    SCOPED_TRACE(absl::StrCat("run ", run));
    ExpectWithinBounds(function, call.Results(), Oracle(function, contents));
    contents["w"] = source.Reals({5, 8}, -0.4, 0.4).Cast(DType::kFloat32);
    contents["u"] = source.Reals({8, 8}, -0.3, 0.3).Cast(DType::kFloat32);
    SEQ_ASSERT_OK(call.store.Assign("w", contents["w"]));
    SEQ_ASSERT_OK(call.store.Assign("u", contents["u"]));
  }
}

// tools/test_onednn3 names the version that it means to test: another one must not pass for it.
// Elsewhere it is the one whose headers were compiled.
TEST(OnednnBackendTest, TheLibraryIsTheOneThatIsMeant) {
  const char* named = std::getenv("SEQGRAPH_ONEDNN_VERSION");
  const std::string meant = absl::StrCat(
      "oneDNN ",
      named != nullptr ? named : absl::StrCat(DNNL_VERSION_MAJOR, ".", DNNL_VERSION_MINOR));
  EXPECT_THAT(MakeOnednnBackend()->info().version, ::testing::HasSubstr(meant));
}

TEST(OnednnBackendTest, EqualCallsGiveEqualBits) {
  const BuiltModel model = BuildModel({.batch = 32, .time = 40, .stacked = true});
  Tensors first;
  for (int i = 0; i < 3; ++i) {
    Call call;
    SEQ_ASSERT_OK(call.Compile(model.function, model.contents));
    SEQ_ASSERT_OK(call.compiled->Run());
    SEQ_ASSERT_OK(call.compiled->Run());
    const Tensors results = call.Results();
    if (i == 0) first = results;
    for (const auto& [name, tensor] : first) {
      EXPECT_TRUE(results.at(name).BitwiseEquals(tensor)) << name;
    }
  }
}

}  // namespace
}  // namespace seqgraph
