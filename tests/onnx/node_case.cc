#include "tests/onnx/node_case.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
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
#include "serialization/onnx/node_reader.h"
#include "serialization/onnx/onnx.pb.h"
#include "serialization/onnx/onnx_reader.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {
namespace {

using onnx_proto::ModelProto;
using onnx_proto::TensorProto;

constexpr int64_t kMaxFile = 64 << 20;
constexpr char kSeveral[] = "several operators";

// Results in float are as near as the tests' own float32 arithmetic in numpy is, which sums by
// pairs what we sum in order. (ONNX's own runner allows a relative 1e-3.)
constexpr double kAbsolute = 1e-6, kRelative = 5e-5;

// Inputs that say what is computed rather than on what: shapes, axes, sizes. They become known.
struct KnownInputs {
  const char* op;
  std::vector<int> inputs;
};

const std::vector<KnownInputs>& KnownInputsOf() {
  static const auto& kTable = *new std::vector<KnownInputs>{
      {"BlackmanWindow", {0}},
      {"CastLike", {1}},
      {"Compress", {1}},
      {"ConstantOfShape", {0}},
      {"CumSum", {1}},
      {"DFT", {1, 2}},
      {"Dropout", {1, 2}},
      {"Expand", {1}},
      {"HammingWindow", {0}},
      {"HannWindow", {0}},
      {"If", {0}},
      {"Loop", {0, 1}},
      {"NonZero", {0}},
      {"OneHot", {1}},
      {"Pad", {1, 2, 3}},
      {"Range", {0, 1, 2}},
      {"Reshape", {1}},
      {"Resize", {1, 2, 3}},
      {"STFT", {1, 2, 3}},
      {"Slice", {1, 2, 3, 4}},
      {"AffineGrid", {1}},
      {"CenterCropPad", {1}},
      {"ReduceL1", {1}},
      {"ReduceL2", {1}},
      {"ReduceLogSum", {1}},
      {"ReduceLogSumExp", {1}},
      {"ReduceMax", {1}},
      {"ReduceMean", {1}},
      {"ReduceMin", {1}},
      {"ReduceProd", {1}},
      {"ReduceSumSquare", {1}},
      {"ReduceSum", {1}},
      {"Split", {1}},
      {"Squeeze", {1}},
      {"Tile", {1}},
      {"TopK", {1}},
      {"Trilu", {1}},
      {"Unsqueeze", {1}},
      {"Upsample", {1}},
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

// The tensors input_0.pb, .. of a data set, as many as there are, which these are. (numpy has no
// bfloat16: its 16 bits are written as uint16.)
template <typename Infos>
absl::StatusOr<std::vector<Tensor>> ReadTensors(const std::filesystem::path& folder,
                                                const char* prefix, const Infos& infos) {
  std::vector<Tensor> tensors;
  for (int i = 0;; ++i) {
    const std::filesystem::path path = folder / absl::StrCat(prefix, "_", i, ".pb");
    if (!std::filesystem::exists(path)) return tensors;
    SEQ_ASSIGN_OR_RETURN(TensorProto proto, ReadProto<TensorProto>(path));
    if (i < infos.size() &&
        infos.Get(i).type().tensor_type().elem_type() == TensorProto::BFLOAT16) {
      proto.set_data_type(TensorProto::BFLOAT16);
    }
    SEQ_ASSIGN_OR_RETURN(Tensor tensor, TensorFromOnnx(proto, nullptr));
    tensors.push_back(std::move(tensor));
  }
}

// What the results of a test may be off by, relatively. Those of windows were computed with 3.1415
// for pi.
double RelativeBound(const ModelProto& model) {
  for (const auto& node : model.graph().node()) {
    for (const char* op : {"BlackmanWindow", "HammingWindow", "HannWindow"}) {
      if (node.op_type() == op) return 1e-3;
    }
  }
  return kRelative;
}

absl::Status Compare(const std::string& name, const Tensor& actual, const Tensor& expected,
                     double relative) {
  if (actual.type() != expected.type()) {
    return absl::InternalError(absl::StrCat(name, " is ", actual.type().ToString(), ", expected ",
                                            expected.type().ToString()));
  }
  const Tensor a = actual.Cast(DType::kFloat64), b = expected.Cast(DType::kFloat64);
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    const double x = a.Elements<double>()[i], y = b.Elements<double>()[i];
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double bound = IsReal(actual.dtype()) ? kAbsolute + relative * std::abs(y) : 0;
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
  for (const auto* infos : {&proto.graph().input(), &proto.graph().output()}) {
    for (const auto& info : *infos) {
      if (info.type().has_tensor_type()) continue;
      return absl::UnimplementedError(
          absl::StrCat(info.name(), " is no tensor (a sequence, a map, an optional value)"));
    }
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs,
                       ReadTensors(data, "input", proto.graph().input()));
  SEQ_ASSIGN_OR_RETURN(const std::vector<Tensor> outputs,
                       ReadTensors(data, "output", proto.graph().output()));
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
    const Value input = function.inputs()[place];
    // One that nobody reads may have any shape, and has in some tests.
    if (function.type(input).shape != inputs[i].shape() &&
        function.Consumers()[input.index].empty()) {
      continue;
    }
    const DType dtype = function.type(input).dtype;
    SEQ_RETURN_IF_ERROR(compiled->SetInput(place, inputs[i].Cast(dtype)));
  }
  SEQ_RETURN_IF_ERROR(compiled->Run());
  if (static_cast<int>(outputs.size()) != proto.graph().output_size() || outputs.empty()) {
    return absl::InternalError("the data set has not all outputs");
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = proto.graph().output(static_cast<int>(i)).name();
    SEQ_RETURN_IF_ERROR(Compare(name, compiled->Result(compiled->FindResult(name)), outputs[i],
                                RelativeBound(proto)));
  }
  return absl::OkStatus();
}

// The operator of the model, "several operators" of one with more; absent if nothing converts one
// of them, in whatever opset.
std::optional<std::string> OperatorOf(const ModelProto& model) {
  std::set<std::string> operators;
  for (const auto& node : model.graph().node()) operators.insert(node.op_type());
  const bool converted = std::all_of(operators.begin(), operators.end(),
                                     [](const std::string& op) { return KnowsOperator(op); });
  if (operators.empty() || !converted) return std::nullopt;
  return operators.size() > 1 ? kSeveral : *operators.begin();
}

NodeResult RunNodeTest(const std::filesystem::path& test, std::string op,
                       absl::Span<const Backend* const> backends) {
  NodeResult result{.test = test.filename().string(), .op = std::move(op)};
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
      results.push_back({test.filename().string(), kSeveral, Outcome::kFailed,
                         std::string(model.status().message())});
      continue;
    }
    std::optional<std::string> op = OperatorOf(*model);
    if (op.has_value()) results.push_back(RunNodeTest(test, *std::move(op), backends));
  }
  return results;
}

std::string NodeTable(const std::vector<NodeResult>& results) {
  std::string table =
      absl::StrFormat("%-18s %7s %7s %7s\n", "operator", "passed", "refused", "failed");
  std::map<std::string, std::array<int, 3>> counts;
  std::array<int, 3> all = {};
  const auto line = [&](const std::string& name, const std::array<int, 3>& count) {
    absl::StrAppendFormat(&table, "%-18s %7d %7d %7d\n", name, count[0], count[1], count[2]);
  };
  for (const NodeResult& result : results) {
    ++counts[result.op][static_cast<int>(result.outcome)];
    ++all[static_cast<int>(result.outcome)];
  }
  for (const auto& [op, count] : counts) line(op, count);
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
