#include "tests/onnx/node_case.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "serialization/onnx/onnx.pb.h"
#include "serialization/onnx/onnx_reader.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {
namespace {

using onnx_proto::ModelProto;
using onnx_proto::TensorProto;

constexpr int64_t kMaxFile = 64 << 20;
constexpr char kFunctionBodies[] = "function bodies";

// Results in float are as near as the tests' own float32 arithmetic in numpy is.
constexpr double kAbsolute = 1e-6, kRelative = 1e-5;

// Inputs that say what is computed rather than on what: shapes, axes, sizes. They become known.
struct KnownInputs {
  const char* op;
  std::vector<int> inputs;
};

const std::vector<KnownInputs>& KnownInputsOf() {
  static const auto& kTable = *new std::vector<KnownInputs>{
      {"ConstantOfShape", {0}}, {"Dropout", {1, 2}}, {"Expand", {1}},    {"OneHot", {1}},
      {"Range", {0, 1, 2}},     {"ReduceSum", {1}},  {"Reshape", {1}},   {"Slice", {1, 2, 3, 4}},
      {"Split", {1}},           {"Squeeze", {1}},    {"Unsqueeze", {1}},
  };
  return kTable;
}

std::set<std::string> NamesOfKnownInputs(const ModelProto& model) {
  std::set<std::string> names;
  for (const auto& node : model.graph().node()) {
    for (const KnownInputs& row : KnownInputsOf()) {
      if (node.op_type() != row.op) continue;
      for (int i : row.inputs) {
        if (i < node.input_size() && !node.input(i).empty()) names.insert(node.input(i));
      }
    }
  }
  return names;
}

template <typename Proto>
absl::StatusOr<Proto> ReadProto(const std::filesystem::path& path) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path.string(), kMaxFile));
  Proto proto;
  if (!proto.ParseFromString(bytes)) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), " is no protobuf"));
  }
  return proto;
}

// The tensors input_0.pb, .. of a data set, as many as there are.
absl::StatusOr<std::vector<Tensor>> ReadTensors(const std::filesystem::path& folder,
                                                const char* prefix) {
  std::vector<Tensor> tensors;
  for (int i = 0;; ++i) {
    const std::filesystem::path path = folder / absl::StrCat(prefix, "_", i, ".pb");
    if (!std::filesystem::exists(path)) return tensors;
    SEQ_ASSIGN_OR_RETURN(const TensorProto proto, ReadProto<TensorProto>(path));
    SEQ_ASSIGN_OR_RETURN(Tensor tensor, TensorFromOnnx(proto, nullptr));
    tensors.push_back(std::move(tensor));
  }
}

absl::Status Compare(const std::string& name, const Tensor& actual, const Tensor& expected) {
  if (actual.type() != expected.type()) {
    return absl::InternalError(absl::StrCat(name, " is ", actual.type().ToString(), ", expected ",
                                            expected.type().ToString()));
  }
  const Tensor a = actual.Cast(DType::kFloat64), b = expected.Cast(DType::kFloat64);
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    const double x = a.Elements<double>()[i], y = b.Elements<double>()[i];
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double bound = IsReal(actual.dtype()) ? kAbsolute + kRelative * std::abs(y) : 0;
    if (std::abs(x - y) <= bound) continue;
    return absl::InternalError(
        absl::StrFormat("%s, element %d, is %.9g, expected %.9g", name, i, x, y));
  }
  return absl::OkStatus();
}

// Imports the model with the data set's inputs and compares what comes out. Unimplemented: refused.
absl::Status RunDataSet(const std::filesystem::path& test, const std::filesystem::path& data,
                        absl::Span<const Backend* const> backends) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile((test / "model.onnx").string(), kMaxFile));
  SEQ_ASSIGN_OR_RETURN(const ModelProto proto, ReadProto<ModelProto>(test / "model.onnx"));
  for (const auto& input : proto.graph().input()) {
    if (!input.type().has_tensor_type()) return ParseOnnx(bytes, AllOps()).status();
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, ReadTensors(data, "input"));
  SEQ_ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, ReadTensors(data, "output"));
  const std::set<std::string> known = NamesOfKnownInputs(proto);
  OnnxReadOptions options;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = proto.graph().input(static_cast<int>(i)).name();
    if (known.contains(name)) options.constants.emplace(name, inputs[i]);
  }
  SEQ_ASSIGN_OR_RETURN(Model model, ParseOnnx(bytes, AllOps(), options));
  CompileOptions compile;
  compile.backends.assign(backends.begin(), backends.end());
  compile.passes = StandardPasses();
  SEQ_ASSIGN_OR_RETURN(const auto compiled, CompiledFunction::Compile(model.functions[0], AllOps(),
                                                                      &model.variables, compile));
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int place = compiled->FindInput(proto.graph().input(static_cast<int>(i)).name());
    if (place < 0) continue;
    const Function& function = compiled->function();
    const DType dtype = function.type(function.inputs()[place]).dtype;
    SEQ_RETURN_IF_ERROR(compiled->SetInput(place, inputs[i].Cast(dtype)));
  }
  SEQ_RETURN_IF_ERROR(compiled->Run());
  if (static_cast<int>(outputs.size()) != proto.graph().output_size() || outputs.empty()) {
    return absl::InternalError("the data set has not all outputs");
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = proto.graph().output(static_cast<int>(i)).name();
    SEQ_RETURN_IF_ERROR(Compare(name, compiled->Result(compiled->FindResult(name)), outputs[i]));
  }
  return absl::OkStatus();
}

// The family of all operators of the model; absent if one has none.
std::optional<std::string> FamilyOf(const ModelProto& model) {
  std::set<std::string> operators;
  for (const auto& node : model.graph().node()) operators.insert(node.op_type());
  std::string family;
  for (const std::string& op : operators) {
    const auto found =
        std::find_if(Families().begin(), Families().end(), [&](const Family& candidate) {
          return std::count(candidate.operators.begin(), candidate.operators.end(), op) > 0;
        });
    if (found == Families().end()) return std::nullopt;
    family = found->name;
  }
  if (operators.empty()) return std::nullopt;
  return operators.size() > 1 ? kFunctionBodies : family;
}

NodeResult RunNodeTest(const std::filesystem::path& test, std::string family,
                       absl::Span<const Backend* const> backends) {
  NodeResult result{.test = test.filename().string(), .family = std::move(family)};
  int data_sets = 0;
  for (int i = 0; std::filesystem::exists(test / absl::StrCat("test_data_set_", i)); ++i) {
    ++data_sets;
    const absl::Status status =
        RunDataSet(test, test / absl::StrCat("test_data_set_", i), backends);
    if (status.ok()) continue;
    result.outcome = absl::IsUnimplemented(status) ? Outcome::kRefused : Outcome::kFailed;
    result.reason = std::string(status.message());
    return result;
  }
  result.outcome = data_sets > 0 ? Outcome::kPassed : Outcome::kFailed;
  if (data_sets == 0) result.reason = "it has no data set";
  return result;
}

}  // namespace

const std::vector<Family>& Families() {
  static const auto& kFamilies = *new std::vector<Family>{
      {"RNN", {"RNN"}},
      {"LSTM", {"LSTM"}},
      {"GRU", {"GRU"}},
      {"Gather", {"Gather"}},
      {"OneHot", {"OneHot"}},
      {"Gemm", {"Gemm"}},
      {"MatMul", {"MatMul"}},
      {"Sigmoid", {"Sigmoid"}},
      {"Tanh", {"Tanh"}},
      {"Relu", {"Relu"}},
      {"Softmax", {"Softmax", "LogSoftmax"}},
      {"arithmetic", {"Add", "Sub",   "Mul",  "Div",  "Pow",        "Neg",  "Abs", "Sqrt",
                      "Exp", "Log",   "Min",  "Max",  "Sum",        "Mean", "Mod", "Clip",
                      "Erf", "Floor", "Ceil", "Sign", "Reciprocal", "Round"}},
      {"Transpose", {"Transpose"}},
      {"Reshape", {"Reshape", "Flatten"}},
      {"Squeeze", {"Squeeze"}},
      {"Unsqueeze", {"Unsqueeze"}},
      {"Concat", {"Concat"}},
      {"Slice", {"Slice"}},
      {"Split", {"Split"}},
      {"Cast", {"Cast", "CastLike"}},
      {"ReduceSum", {"ReduceSum"}},
      {"ReduceMean", {"ReduceMean"}},
      {"ReduceMax", {"ReduceMax"}},
      {"other reductions",
       {"ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
        "ReduceSumSquare"}},
      {"Shape", {"Shape", "Size"}},
      {"Constant", {"Constant", "ConstantOfShape", "Range"}},
      {"Identity", {"Identity", "Dropout", "Expand"}},
      {"logic",
       {"Where", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not", "And", "Or",
        "Xor"}},
      {"other activations", {"Softplus", "HardSigmoid", "LeakyRelu"}},
      {kFunctionBodies, {}},
  };
  return kFamilies;
}

std::vector<NodeResult> RunNodeTests(const std::string& folder,
                                     absl::Span<const Backend* const> backends) {
  std::vector<std::filesystem::path> tests;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    tests.push_back(entry.path());
  }
  std::sort(tests.begin(), tests.end());
  std::vector<NodeResult> results;
  for (const std::filesystem::path& test : tests) {
    const absl::StatusOr<ModelProto> model = ReadProto<ModelProto>(test / "model.onnx");
    if (!model.ok()) {
      results.push_back({test.filename().string(), kFunctionBodies, Outcome::kFailed,
                         std::string(model.status().message())});
      continue;
    }
    std::optional<std::string> family = FamilyOf(*model);
    if (family.has_value()) results.push_back(RunNodeTest(test, *std::move(family), backends));
  }
  return results;
}

std::string NodeTable(const std::vector<NodeResult>& results) {
  std::string table =
      absl::StrFormat("%-18s %7s %7s %7s\n", "family", "passed", "refused", "failed");
  std::vector<int> all(3);
  const auto line = [&](const std::string& name, const std::vector<int>& counts) {
    absl::StrAppendFormat(&table, "%-18s %7d %7d %7d\n", name, counts[0], counts[1], counts[2]);
  };
  for (const Family& family : Families()) {
    std::vector<int> counts(3);
    for (const NodeResult& result : results) {
      if (result.family != family.name) continue;
      ++counts[static_cast<int>(result.outcome)];
      ++all[static_cast<int>(result.outcome)];
    }
    line(family.name, counts);
  }
  line("all", all);
  for (const Outcome outcome : {Outcome::kRefused, Outcome::kFailed}) {
    table += outcome == Outcome::kRefused ? "\nrefused:\n" : "\nfailed:\n";
    for (const NodeResult& result : results) {
      if (result.outcome == outcome) {
        absl::StrAppend(&table, "  ", result.test, ": ", result.reason, "\n");
      }
    }
  }
  return table;
}

}  // namespace seqgraph::onnx
