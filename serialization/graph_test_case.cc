#include "serialization/graph_test_case.h"

#include <cmath>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "google/protobuf/repeated_field.h"
#include "graph/op_def.h"
#include "graph/rewrite.h"
#include "serialization/function_proto.h"
#include "serialization/graph_test.pb.h"
#include "serialization/model_io.h"
#include "serialization/proto_guard.h"
#include "serialization/tensor_proto.h"

namespace seqgraph {
namespace {

using Tensors = GraphTestCase::Tensors;
using TensorList = google::protobuf::RepeatedPtrField<proto::NamedTensor>;

constexpr int64_t kMaxFileBytes = int64_t{256} << 20;

absl::StatusOr<Tensors> ReadTensors(const TensorList& list, absl::string_view what) {
  Tensors tensors;
  for (const proto::NamedTensor& entry : list) {
    const std::string where = absl::StrCat(what, " ", entry.name());
    SEQ_ASSIGN_OR_RETURN(Tensor tensor, Annotate(TensorFromProto(entry.tensor()), where));
    if (!tensors.emplace(entry.name(), std::move(tensor)).second) {
      return InvalidArgument(where, " is given twice");
    }
  }
  return tensors;
}

// float64 may stand for float32: the exact value.
absl::Status CheckExpected(const std::string& where, const TensorType& actual,
                           const TensorType& expected) {
  const bool same_type = actual.dtype == expected.dtype ||
                         (actual.dtype == DType::kFloat32 && expected.dtype == DType::kFloat64);
  if (same_type && actual.shape == expected.shape) return absl::OkStatus();
  return InvalidArgument(where, " is ", actual.ToString(), ", the case has ", expected.ToString());
}

void WriteTensors(const Tensors& tensors, TensorList* list) {
  for (const auto& [name, tensor] : tensors) {
    proto::NamedTensor* entry = list->Add();
    entry->set_name(name);
    *entry->mutable_tensor() = TensorToProto(tensor, TensorEncoding::kValues);
  }
}

// Reads one case.
class CaseReader {
 public:
  CaseReader(const proto::GraphTestCase& from, const std::string& folder,
             const OpRegistry& registry)
      : from_(from), folder_(folder), registry_(registry) {}

  absl::StatusOr<GraphTestCase> Run() && {
    case_.name = from_.name();
    case_.source = from_.source();
    case_.error = from_.error();
    SEQ_ASSIGN_OR_RETURN(case_.inputs, ReadTensors(from_.inputs(), "input"));
    SEQ_ASSIGN_OR_RETURN(case_.results, ReadTensors(from_.results(), "result"));
    SEQ_ASSIGN_OR_RETURN(case_.updates, ReadTensors(from_.updates(), "update"));
    SEQ_ASSIGN_OR_RETURN(case_.gradients, ReadTensors(from_.gradient().expected(), "gradient"));
    SEQ_ASSIGN_OR_RETURN(case_.gradient_weights,
                         ReadTensors(from_.gradient().weights(), "gradient weight"));
    SEQ_RETURN_IF_ERROR(ReadFunction());
    SEQ_RETURN_IF_ERROR(ReadVariables());
    SEQ_RETURN_IF_ERROR(CheckInputs());
    SEQ_RETURN_IF_ERROR(CheckResults());
    SEQ_RETURN_IF_ERROR(CheckUpdates());
    SEQ_RETURN_IF_ERROR(CheckGradients());
    SEQ_RETURN_IF_ERROR(ReadTolerances());
    SEQ_RETURN_IF_ERROR(ReadEarlier());
    if (from_.guard_bytes() < 0 || from_.guard_bytes() > kMaxCaseGuardBytes) {
      return InvalidArgument("guard_bytes is ", from_.guard_bytes(), ", must be in [0, ",
                             kMaxCaseGuardBytes, "]");
    }
    case_.guard_bytes = from_.guard_bytes();
    return std::move(case_);
  }

 private:
  absl::Status ReadFunction() {
    Function function;
    switch (from_.graph_case()) {
      case proto::GraphTestCase::kFunction: {
        SEQ_ASSIGN_OR_RETURN(function, FunctionFromProto(from_.function(), registry_));
        break;
      }
      case proto::GraphTestCase::kModel: {
        SEQ_ASSIGN_OR_RETURN(function, FunctionOfModel());
        break;
      }
      case proto::GraphTestCase::kNode: {
        SEQ_ASSIGN_OR_RETURN(function, FunctionOfNode());
        break;
      }
      case proto::GraphTestCase::GRAPH_NOT_SET:
        return InvalidArgument("it names no graph: give function, model or node");
    }
    if (function.has_symbolic_batch() != (from_.batch() != 0) || from_.batch() < 0) {
      return InvalidArgument(
          "batch is ", from_.batch(), ", but function ", function.name(),
          function.has_symbolic_batch() ? " needs a positive one" : " has no symbolic batch");
    }
    case_.batch = from_.batch() == 0 ? 1 : from_.batch();
    SEQ_ASSIGN_OR_RETURN(case_.function, BindBatch(function, registry_, case_.batch));
    return absl::OkStatus();
  }

  absl::StatusOr<Function> FunctionOfModel() {
    const std::string& path = from_.model().path();
    const std::vector<std::string> parts = absl::StrSplit(path, '/');
    for (const std::string& part : parts) {
      if (part.empty() || part == "..") {
        return InvalidArgument("model path \"", path, "\" must stay inside the file's folder");
      }
    }
    SEQ_ASSIGN_OR_RETURN(Model model, LoadModel(absl::StrCat(folder_, "/", path), registry_));
    SEQ_ASSIGN_OR_RETURN(const Function* function, model.GetFunction(from_.model().function()));
    case_.variables = std::move(model.variables);
    return *function;
  }

  // A function of one node: the inputs' types are those of the tensors given, and those outputs
  // that the case speaks of are results.
  absl::StatusOr<Function> FunctionOfNode() {
    proto::Function function;
    function.set_name(from_.node().op());
    proto::Node& node = *function.add_nodes();
    node = from_.node();
    if (!node.outputs().empty())
      return InvalidArgument("a single node's outputs bear the op's own names");
    if (node.name().empty()) node.set_name("node");
    const absl::flat_hash_set<std::string> read(node.inputs().begin(), node.inputs().end());
    for (const auto& [name, tensor] : case_.inputs) {
      if (!read.contains(name)) return InvalidArgument("the node does not read input ", name);
      proto::Input* input = function.add_inputs();
      input->set_name(name);
      *input->mutable_type() = TypeToProto(tensor.type());
    }
    SEQ_ASSIGN_OR_RETURN(const OpDef* op, registry_.Get(node.op()));
    const bool all = case_.results.empty() && case_.gradient_weights.empty();
    for (const OutputDef& output : op->outputs()) {
      node.add_outputs(absl::StrCat(node.name(), ".", output.name));
      if (!all &&
          case_.results.count(output.name) + case_.gradient_weights.count(output.name) == 0) {
        continue;
      }
      proto::Result* result = function.add_results();
      result->set_name(output.name);
      result->set_value(node.outputs(node.outputs_size() - 1));
    }
    return FunctionFromProto(function, registry_);
  }

  absl::Status ReadVariables() {
    SEQ_ASSIGN_OR_RETURN(const Tensors given, ReadTensors(from_.variables(), "variable"));
    for (const auto& [name, tensor] : given) {
      const VariableRead* read = case_.function.FindVariable(name);
      if (read == nullptr) return InvalidArgument("the function reads no variable ", name);
      // The content is here, of the very type: no more memory is declared than the file brought.
      if (tensor.type() != read->def.type) {
        return InvalidArgument("variable ", name, " is ", read->def.type.ToString(),
                               ", the case has ", tensor.type().ToString());
      }
      SEQ_RETURN_IF_ERROR(case_.variables.Declare(read->def));
      SEQ_RETURN_IF_ERROR(case_.variables.Assign(name, tensor));
    }
    for (const VariableRead& read : case_.function.variables()) {
      if (case_.variables.Find(read.def.name) == nullptr) {
        return InvalidArgument("variable ", read.def.name, " has no content");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckInputs() const {
    const Function& function = case_.function;
    for (const Value input : function.inputs()) {
      const std::string& name = function.info(input).name;
      const auto given = case_.inputs.find(name);
      if (given == case_.inputs.end()) return InvalidArgument("input ", name, " is not given");
      if (given->second.type() != function.type(input)) {
        return InvalidArgument("input ", name, " is ", function.type(input).ToString(),
                               ", the case has ", given->second.type().ToString());
      }
    }
    if (case_.inputs.size() == function.inputs().size()) return absl::OkStatus();
    return InvalidArgument("it gives ", case_.inputs.size(), " inputs, the function has ",
                           function.inputs().size());
  }

  absl::Status CheckResults() const {
    for (const auto& [name, expected] : case_.results) {
      const Value value = case_.function.FindResult(name);
      if (!value.present()) return InvalidArgument("the function has no result ", name);
      SEQ_RETURN_IF_ERROR(CheckExpected(absl::StrCat("result ", name), case_.function.type(value),
                                        expected.type()));
    }
    const bool compares =
        !case_.results.empty() || !case_.updates.empty() || !case_.gradients.empty();
    if (compares != case_.error.empty()) {
      return InvalidArgument(
          compares ? "a call that must fail gives nothing to compare"
                   : "it compares nothing: give results, updates, a gradient or an error");
    }
    return absl::OkStatus();
  }

  absl::Status CheckUpdates() const {
    for (const auto& [name, expected] : case_.updates) {
      const VariableRead* read = case_.function.FindVariable(name);
      if (read == nullptr) return InvalidArgument("the function has no variable ", name);
      SEQ_RETURN_IF_ERROR(
          CheckExpected(absl::StrCat("update ", name), read->def.type, expected.type()));
    }
    return absl::OkStatus();
  }

  absl::Status CheckGradients() const {
    if (case_.gradients.empty() != case_.gradient_weights.empty()) {
      return InvalidArgument("a gradient needs both weights and expected tensors");
    }
    for (const auto& [name, weight] : case_.gradient_weights) {
      const Value value = case_.function.FindResult(name);
      if (!value.present()) return InvalidArgument("the function has no result ", name);
      if (weight.type() != case_.function.type(value)) {
        return InvalidArgument("gradient weight ", name, " must be ",
                               case_.function.type(value).ToString(), ", is ",
                               weight.type().ToString());
      }
    }
    for (const auto& [name, expected] : case_.gradients) {
      const Value value = case_.function.FindValue(name);
      if (!value.present() || case_.function.info(value).origin == Origin::kNode) {
        return InvalidArgument("gradient ", name, " is of no input or variable");
      }
      SEQ_RETURN_IF_ERROR(CheckExpected(absl::StrCat("gradient ", name), case_.function.type(value),
                                        expected.type()));
    }
    return absl::OkStatus();
  }

  absl::Status ReadTolerances() {
    std::set<std::string> compared;
    for (const auto& [name, tensor] : case_.results) compared.insert("results/" + name);
    for (const auto& [name, tensor] : case_.updates) compared.insert("updates/" + name);
    for (const auto& [name, tensor] : case_.gradients) compared.insert("gradients/" + name);
    for (const proto::Tolerance& from : from_.tolerances()) {
      if (compared.count(from.name()) == 0) {
        return InvalidArgument("tolerance ", from.name(), " is of no tensor compared here");
      }
      // Not "< 0": NaN would let everything pass.
      if (!(from.absolute() >= 0 && from.relative() >= 0) || std::isinf(from.absolute()) ||
          std::isinf(from.relative())) {
        return InvalidArgument("tolerance ", from.name(), " must be finite and not negative");
      }
      if (!case_.tolerances
               .emplace(from.name(), GraphTestTolerance{from.absolute(), from.relative()})
               .second) {
        return InvalidArgument("tolerance ", from.name(), " is given twice");
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadEarlier() {
    for (const proto::EarlierCall& from : from_.earlier()) {
      GraphTestCase::Call& call = case_.earlier.emplace_back();
      SEQ_ASSIGN_OR_RETURN(call.inputs, ReadTensors(from.inputs(), "input of an earlier call"));
      SEQ_ASSIGN_OR_RETURN(call.variables,
                           ReadTensors(from.variables(), "variable of an earlier call"));
      for (const auto& [name, tensor] : call.inputs) {
        const auto now = case_.inputs.find(name);
        SEQ_RETURN_IF_ERROR(
            CheckEarlier(name, tensor, now == case_.inputs.end() ? nullptr : &now->second.type()));
      }
      for (const auto& [name, tensor] : call.variables) {
        const VariableRead* read = case_.function.FindVariable(name);
        SEQ_RETURN_IF_ERROR(
            CheckEarlier(name, tensor, read == nullptr ? nullptr : &read->def.type));
      }
    }
    return absl::OkStatus();
  }

  static absl::Status CheckEarlier(const std::string& name, const Tensor& tensor,
                                   const TensorType* type) {
    if (type != nullptr && tensor.type() == *type) return absl::OkStatus();
    return InvalidArgument("an earlier call gives ", name, " as ", tensor.type().ToString(),
                           type == nullptr ? ", but the case has none"
                                           : absl::StrCat(", the case ", type->ToString()));
  }

  const proto::GraphTestCase& from_;
  const std::string& folder_;
  const OpRegistry& registry_;
  GraphTestCase case_;
};

proto::GraphTestCase CaseToProto(const GraphTestCase& test) {
  proto::GraphTestCase to;
  to.set_name(test.name);
  to.set_source(test.source);
  *to.mutable_function() =
      FunctionToProto(test.function, TensorEncoding::kValues);  // static: it has no batch
  WriteTensors(test.inputs, to.mutable_inputs());
  Tensors variables;
  for (const VariableRead& read : test.function.variables()) {
    const Variable* variable = test.variables.Find(read.def.name);
    if (variable != nullptr) variables.emplace(read.def.name, variable->value);
  }
  WriteTensors(variables, to.mutable_variables());
  WriteTensors(test.results, to.mutable_results());
  WriteTensors(test.updates, to.mutable_updates());
  WriteTensors(test.gradients, to.mutable_gradient()->mutable_expected());
  WriteTensors(test.gradient_weights, to.mutable_gradient()->mutable_weights());
  if (test.gradients.empty()) to.clear_gradient();
  for (const auto& [name, tolerance] : test.tolerances) {
    proto::Tolerance* entry = to.add_tolerances();
    entry->set_name(name);
    entry->set_absolute(tolerance.absolute);
    entry->set_relative(tolerance.relative);
  }
  to.set_error(test.error);
  for (const GraphTestCase::Call& call : test.earlier) {
    proto::EarlierCall* entry = to.add_earlier();
    WriteTensors(call.inputs, entry->mutable_inputs());
    WriteTensors(call.variables, entry->mutable_variables());
  }
  to.set_guard_bytes(test.guard_bytes);
  return to;
}

}  // namespace

std::string GraphTestToText(const GraphTestCase& test) {
  proto::GraphTestFile file;
  *file.add_cases() = CaseToProto(test);
  return absl::StrCat(
      "# proto-file: serialization/graph_test.proto\n"
      "# proto-message: seqgraph.proto.GraphTestFile\n\n",
      PrintTextProto(file));
}

absl::StatusOr<std::vector<GraphTestCase>> ParseGraphTests(absl::string_view text,
                                                           const std::string& folder,
                                                           const OpRegistry& registry) {
  proto::GraphTestFile file;
  SEQ_RETURN_IF_ERROR(ParseTextProto(text, &file));
  if (file.cases().empty()) return InvalidArgument("there are no cases");
  std::vector<GraphTestCase> cases;
  std::set<std::string> names;
  for (const proto::GraphTestCase& from : file.cases()) {
    const std::string where = absl::StrCat("case ", from.name());
    if (from.name().empty() || !names.insert(from.name()).second) {
      return InvalidArgument(where, ": the name must be new and not empty");
    }
    SEQ_ASSIGN_OR_RETURN(cases.emplace_back(),
                         Annotate(CaseReader(from, folder, registry).Run(), where));
  }
  return cases;
}

absl::StatusOr<std::vector<GraphTestCase>> LoadGraphTests(const std::string& path,
                                                          const OpRegistry& registry) {
  if (!absl::EndsWith(path, ".textproto")) {
    return InvalidArgument("graph test file ", path, ": its name must end in .textproto");
  }
  SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFileBytes));
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  return Annotate(ParseGraphTests(text, folder, registry), path);
}

}  // namespace seqgraph
