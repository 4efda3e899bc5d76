#include "serialization/keras/python_code.h"

#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "serialization/keras/python_object.h"

namespace seqgraph::keras {
namespace {

constexpr size_t kMaxOperationsOfLambda = 64;
constexpr size_t kMaxInstructionBytes = 2048;

enum class Py {
  kNothing,  // of the interpreter alone
  kLocal,
  kTwoLocals,
  kConstant,
  kGlobal,
  kOuter,  // of the functions around it
  kAttribute,
  kKeywords,   // names of the next call's arguments
  kCall,       // of a function, with arguments by place
  kCallNamed,  // the names of the last arguments lie on top
  kOperator,
  kNegative,
  kItem,
  kItemOfRange,
  kRange,
  kTuple,
  kReturn,
  kReturnConstant,
};

// Instructions by number, of the versions that have them: to 3.10, 3.11 and 3.12, 3.13.
struct InstructionRow {
  Py what;
  int to310, of311, of313;
  int binary = -1;  // of kOperator the one that it is, as BINARY_OP numbers them; -1: its argument
};
constexpr InstructionRow kInstructions[] = {
    {Py::kNothing, 9, 9, 30},             // NOP
    {Py::kNothing, -1, 0, 0},             // CACHE
    {Py::kNothing, -1, 2, 34},            // PUSH_NULL
    {Py::kNothing, -1, 151, 149},         // RESUME
    {Py::kNothing, -1, 166, -1},          // PRECALL
    {Py::kLocal, 124, 124, 85},           // LOAD_FAST
    {Py::kTwoLocals, -1, -1, 88},         // LOAD_FAST_LOAD_FAST
    {Py::kConstant, 100, 100, 83},        // LOAD_CONST
    {Py::kNothing, -1, 149, 62},          // COPY_FREE_VARS
    {Py::kOuter, 136, 137, 84},           // LOAD_DEREF
    {Py::kGlobal, 116, 116, 91},          // LOAD_GLOBAL
    {Py::kAttribute, 106, 106, 82},       // LOAD_ATTR
    {Py::kAttribute, 160, 160, -1},       // LOAD_METHOD
    {Py::kKeywords, -1, 172, -1},         // KW_NAMES
    {Py::kCall, 131, 171, 53},            // CALL_FUNCTION, CALL
    {Py::kCall, 161, -1, -1},             // CALL_METHOD
    {Py::kCallNamed, 141, -1, 57},        // CALL_FUNCTION_KW, CALL_KW
    {Py::kOperator, -1, 122, 45},         // BINARY_OP
    {Py::kOperator, 23, -1, -1, 0},       // BINARY_ADD
    {Py::kOperator, 24, -1, -1, 10},      // BINARY_SUBTRACT
    {Py::kOperator, 20, -1, -1, 5},       // BINARY_MULTIPLY
    {Py::kOperator, 27, -1, -1, 11},      // BINARY_TRUE_DIVIDE
    {Py::kOperator, 19, -1, -1, 8},       // BINARY_POWER
    {Py::kOperator, 16, -1, -1, 4},       // BINARY_MATRIX_MULTIPLY
    {Py::kNegative, 11, 11, 42},          // UNARY_NEGATIVE
    {Py::kItem, 25, 25, 5},               // BINARY_SUBSCR
    {Py::kItemOfRange, -1, 26, 4},        // BINARY_SLICE
    {Py::kRange, 133, 133, 50},           // BUILD_SLICE
    {Py::kTuple, 102, 102, 52},           // BUILD_TUPLE
    {Py::kTuple, 103, 103, 47},           // BUILD_LIST
    {Py::kReturn, 83, 83, 36},            // RETURN_VALUE
    {Py::kReturnConstant, -1, 121, 103},  // RETURN_CONST
};

const InstructionRow* FindInstruction(int version, int number) {
  for (const InstructionRow& row : kInstructions) {
    const int of = version <= 310 ? row.to310 : version == 313 ? row.of313 : row.of311;
    if (of == number) return &row;
  }
  return nullptr;
}

// Functions of TensorFlow, of Keras's backend and of its `ops` by the last part of their names: the
// operation, and what its arguments behind the first are called.
struct PythonFunction {
  const char* name;
  const char* operation;
  std::vector<const char*> arguments;
};
const std::vector<PythonFunction>& PythonFunctions() {
  static const auto* const functions = new std::vector<PythonFunction>{
      {"reduce_sum", "Sum", {"axis", "keepdims"}},
      {"sum", "Sum", {"axis", "keepdims"}},
      {"reduce_mean", "Mean", {"axis", "keepdims"}},
      {"mean", "Mean", {"axis", "keepdims"}},
      {"reduce_max", "Max", {"axis", "keepdims"}},
      {"max", "Max", {"axis", "keepdims"}},
      {"reduce_min", "Min", {"axis", "keepdims"}},
      {"min", "Min", {"axis", "keepdims"}},
      {"reduce_prod", "Prod", {"axis", "keepdims"}},
      {"prod", "Prod", {"axis", "keepdims"}},
      {"std", "Std", {"axis", "keepdims"}},
      {"reduce_std", "Std", {"axis", "keepdims"}},
      {"var", "Var", {"axis", "keepdims"}},
      {"reduce_variance", "Var", {"axis", "keepdims"}},
      {"expand_dims", "ExpandDims", {"axis"}},
      {"squeeze", "Squeeze", {"axis"}},
      {"flip", "Flip", {"axis"}},
      {"reverse", "Flip", {"axis"}},
      {"concat", "Concatenate", {"axis"}},
      {"concatenate", "Concatenate", {"axis"}},
      {"stack", "Stack", {"axis"}},
      {"transpose", "Transpose", {"axes"}},
      {"permute_dimensions", "Transpose", {"axes"}},
      {"reshape", "Reshape", {"newshape"}},
      {"softmax", "Softmax", {"axis"}},
      {"clip", "Clip", {"x_min", "x_max"}},
      {"clip_by_value", "Clip", {"x_min", "x_max"}},
      {"abs", "Absolute", {}},
      {"square", "Square", {}},
      {"sqrt", "Sqrt", {}},
      {"exp", "Exp", {}},
      {"log", "Log", {}},
      {"sin", "Sin", {}},
      {"cos", "Cos", {}},
      {"tanh", "Tanh", {}},
      {"sigmoid", "Sigmoid", {}},
      {"relu", "Relu", {}},
      {"elu", "Elu", {}},
      {"selu", "Selu", {}},
      {"softplus", "Softplus", {}},
      {"identity", "Identity", {}},
      {"negative", "Negative", {}},
      {"add", "Add", {"y"}},
      {"subtract", "Subtract", {"y"}},
      {"multiply", "Multiply", {"y"}},
      {"divide", "TrueDivide", {"y"}},
      {"maximum", "Maximum", {"y"}},
      {"minimum", "Minimum", {"y"}},
      {"pow", "Power", {"y"}},
      {"matmul", "Matmul", {"y"}},
  };
  return *functions;
}

// TensorFlow 1's and NumPy's names of the same arguments.
std::string ArgumentName(const std::string& name) {
  if (name == "keep_dims") return "keepdims";
  if (name == "perm" || name == "pattern") return "axes";
  if (name == "shape") return "newshape";
  if (name == "clip_value_min" || name == "min_value") return "x_min";
  if (name == "clip_value_max" || name == "max_value") return "x_max";
  return name;
}

bool IsFirstArgument(const std::string& name) {
  for (const char* first : {"x", "a", "input", "inputs", "input_tensor", "values", "tensor",
                            "tensors", "arrays", "logits", "features", "value", "x1"}) {
    if (name == first) return true;
  }
  return false;
}

Json TensorJson(const ValueRef& ref) {
  return {{"class_name", "__keras_tensor__"},
          {"config", {{"keras_history", {ref.entry, ref.call, ref.output}}}}};
}

bool IsClass(const Json& json, const char* name) {
  return json.is_object() && ClassName(json) == name;
}
bool IsTensorValue(const Json& json) { return IsClass(json, "__keras_tensor__"); }
// A name of a module, or of what lies in it.
bool IsPath(const Json& json) { return IsClass(json, "__path__"); }
Json PathJson(const std::string& path) { return {{"class_name", "__path__"}, {"config", path}}; }

// Follows the instructions with values that are constants, names and tensors that operations give.
class CodeReader {
 public:
  CodeReader(const PythonCode& code, std::string layer, std::map<std::string, Json> locals)
      : code_(code), layer_(std::move(layer)), locals_(std::move(locals)) {}

  absl::StatusOr<std::vector<Json>> Read() {
    const std::string& code = code_.instructions;
    if (code.size() > kMaxInstructionBytes) {
      return Unimplemented("its Python code has ", code.size() / 2, " instructions; at most ",
                           kMaxInstructionBytes / 2);
    }
    for (size_t i = 0; i + 1 < code.size(); i += 2) {
      const int number = static_cast<uint8_t>(code[i]);
      const InstructionRow* row = FindInstruction(code_.version, number);
      if (row == nullptr) {
        return Unimplemented("its Python code has instruction ", number,
                             ", which formulas do not need");
      }
      if (row->what == Py::kReturn || row->what == Py::kReturnConstant) {
        SEQ_ASSIGN_OR_RETURN(const Json result,
                             row->what == Py::kReturn
                                 ? Pop()
                                 : At(code_.constants, static_cast<uint8_t>(code[i + 1])));
        SEQ_RETURN_IF_ERROR(Finish(result));
        return std::move(operations_);
      }
      SEQ_RETURN_IF_ERROR(Step(*row, number, static_cast<uint8_t>(code[i + 1])));
    }
    return Unimplemented("its Python code returns nothing");
  }

 private:
  static absl::StatusOr<Json> At(const Json& list, int index) {
    if (index < static_cast<int>(list.size())) return list[index];
    return InvalidArgument("its Python code is damaged");
  }
  static absl::StatusOr<std::string> TextAt(const Json& list, int index) {
    SEQ_ASSIGN_OR_RETURN(const Json json, At(list, index));
    if (json.is_string()) return json.get<std::string>();
    return InvalidArgument("its Python code is damaged");
  }

  absl::StatusOr<Json> Pop() {
    if (stack_.empty()) return InvalidArgument("its Python code is damaged");
    Json value = std::move(stack_.back());
    stack_.pop_back();
    return value;
  }
  absl::StatusOr<std::vector<Json>> Pop(size_t count) {
    if (stack_.size() < count) return InvalidArgument("its Python code is damaged");
    std::vector<Json> values(std::make_move_iterator(stack_.end() - count),
                             std::make_move_iterator(stack_.end()));
    stack_.resize(stack_.size() - count);
    return values;
  }

  absl::Status Local(int index) {
    SEQ_ASSIGN_OR_RETURN(const std::string name, TextAt(code_.variables, index));
    const auto found = locals_.find(name);
    if (found == locals_.end()) return Unimplemented("its Python code reads a variable ", name);
    stack_.push_back(found->second);
    return absl::OkStatus();
  }

  absl::Status Step(const InstructionRow& row, int number, int argument) {
    switch (row.what) {
      case Py::kNothing:
        return absl::OkStatus();
      case Py::kLocal:
        return Local(argument);
      case Py::kTwoLocals:
        SEQ_RETURN_IF_ERROR(Local(argument >> 4));
        return Local(argument & 15);
      case Py::kConstant: {
        SEQ_ASSIGN_OR_RETURN(stack_.emplace_back(), At(code_.constants, argument));
        return absl::OkStatus();
      }
      case Py::kGlobal: {
        // From 3.11 on the lowest bit says that a call follows.
        const int index = code_.version > 310 ? argument >> 1 : argument;
        SEQ_ASSIGN_OR_RETURN(const std::string name, TextAt(code_.names, index));
        stack_.push_back(PathJson(name));
        return absl::OkStatus();
      }
      case Py::kOuter: {
        SEQ_ASSIGN_OR_RETURN(const std::string name, TextAt(code_.cells, argument));
        const auto found = locals_.find(name);
        stack_.push_back(found != locals_.end() ? found->second : PathJson(name));
        return absl::OkStatus();
      }
      case Py::kAttribute: {
        const bool shifted = code_.version >= 312 && number != 160;
        SEQ_ASSIGN_OR_RETURN(const std::string name,
                             TextAt(code_.names, shifted ? argument >> 1 : argument));
        SEQ_ASSIGN_OR_RETURN(const Json of, Pop());
        if (!IsPath(of)) return Unimplemented("its Python code takes .", name, " of a tensor");
        stack_.push_back(PathJson(absl::StrCat(of["config"].get<std::string>(), ".", name)));
        return absl::OkStatus();
      }
      case Py::kKeywords: {
        SEQ_ASSIGN_OR_RETURN(keywords_, At(code_.constants, argument));
        return absl::OkStatus();
      }
      case Py::kCallNamed: {
        SEQ_ASSIGN_OR_RETURN(keywords_, Pop());
        return Call(argument);
      }
      case Py::kCall:
        return Call(argument);
      case Py::kOperator:
        return Operator(row.binary >= 0 ? row.binary : argument);
      case Py::kNegative: {
        SEQ_ASSIGN_OR_RETURN(const Json of, Pop());
        if (!of.is_number()) return Emit("Negative", {of}, Json::object());
        // The least integer has no negative.
        const bool is_whole =
            of.is_number_integer() && of.get<int64_t>() != std::numeric_limits<int64_t>::min();
        stack_.push_back(is_whole ? Json(-of.get<int64_t>()) : Json(-of.get<double>()));
        return absl::OkStatus();
      }
      case Py::kItem: {
        SEQ_ASSIGN_OR_RETURN(const std::vector<Json> of, Pop(2));
        return Item(of[0], of[1]);
      }
      case Py::kItemOfRange: {
        SEQ_ASSIGN_OR_RETURN(const std::vector<Json> of, Pop(3));
        return Item(of[0], RangeJson(of[1], of[2], Json()));
      }
      case Py::kRange: {
        SEQ_ASSIGN_OR_RETURN(std::vector<Json> of, Pop(argument == 3 ? 3 : 2));
        of.resize(3);
        stack_.push_back(RangeJson(of[0], of[1], of[2]));
        return absl::OkStatus();
      }
      case Py::kTuple: {
        SEQ_ASSIGN_OR_RETURN(const std::vector<Json> of, Pop(argument));
        stack_.push_back(Json(of));
        return absl::OkStatus();
      }
      default:
        return Unimplemented("its Python code is not known here");
    }
  }

  static Json RangeJson(const Json& start, const Json& stop, const Json& step) {
    return {{"class_name", "__slice__"},
            {"config", {{"start", start}, {"stop", stop}, {"step", step}}}};
  }

  // Of a tensor, or one of several inputs.
  absl::Status Item(const Json& of, const Json& index) {
    if (!of.is_array()) return Emit("GetItem", {of, index}, Json::object());
    const auto count = static_cast<int64_t>(of.size());
    if (!index.is_number_integer() || index < -count || index >= count) {
      return Unimplemented("its Python code takes an item that it does not have");
    }
    const auto i = index.get<int64_t>();
    stack_.push_back(of[static_cast<size_t>(i < 0 ? i + count : i)]);
    return absl::OkStatus();
  }

  absl::Status Operator(int which) {
    SEQ_ASSIGN_OR_RETURN(const std::vector<Json> of, Pop(2));
    for (const auto& [number, operation] : {std::pair{0, "Add"},
                                            {13, "Add"},
                                            {4, "Matmul"},
                                            {5, "Multiply"},
                                            {8, "Power"},
                                            {10, "Subtract"},
                                            {11, "TrueDivide"}}) {
      if (number == which) return Emit(operation, of, Json::object());
    }
    return Unimplemented("its Python code has an operator that is not known here");
  }

  absl::Status Call(int count) {
    SEQ_ASSIGN_OR_RETURN(std::vector<Json> taken, Pop(static_cast<size_t>(count)));
    SEQ_ASSIGN_OR_RETURN(const Json of, Pop());
    const Json keywords = std::exchange(keywords_, Json());
    if (!IsPath(of)) return Unimplemented("its Python code calls what is no function");
    const std::string path = of["config"].get<std::string>();
    const std::string name = path.substr(path.rfind('.') + 1);
    const PythonFunction* function = nullptr;
    for (const PythonFunction& row : PythonFunctions()) {
      if (path != name && name == row.name) function = &row;
    }
    if (function == nullptr) return Unimplemented("its Python code calls ", path);
    const size_t named = keywords.is_array() ? keywords.size() : 0;
    if (named > taken.size()) return InvalidArgument("its Python code is damaged");
    const size_t by_place = taken.size() - named;
    std::vector<Json> operands;
    Json arguments = Json::object();
    for (size_t i = 0; i < taken.size(); ++i) {
      std::string argument;
      if (i >= by_place) {
        if (!keywords[i - by_place].is_string()) {
          return InvalidArgument("its Python code is damaged");
        }
        argument = ArgumentName(keywords[i - by_place].get<std::string>());
        if (IsFirstArgument(argument) && operands.empty()) {
          operands.push_back(std::move(taken[i]));
          continue;
        }
      } else if (i == 0) {
        operands.push_back(std::move(taken[i]));
        continue;
      } else if (i <= function->arguments.size()) {
        argument = function->arguments[i - 1];
      } else {
        return Unimplemented("its Python code calls ", path, " with ", taken.size(), " arguments");
      }
      if (argument == "y" || argument == "b" || argument == "x2") {
        operands.push_back(std::move(taken[i]));
      } else {
        arguments[argument] = std::move(taken[i]);
      }
    }
    return Emit(function->operation, std::move(operands), std::move(arguments));
  }

  // Pushes what the operation gives.
  absl::Status Emit(const char* operation, std::vector<Json> operands, Json arguments) {
    if (operations_.size() == kMaxOperationsOfLambda) {
      return Unimplemented("its Python code has more than ", kMaxOperationsOfLambda, " operations");
    }
    for (const Json& operand : operands) SEQ_RETURN_IF_ERROR(CheckNoPath(operand));
    SEQ_RETURN_IF_ERROR(CheckNoPath(arguments));
    const std::string name = absl::StrCat(layer_, "_step_", operations_.size() + 1);
    operations_.push_back({{"class_name", operation},
                           {"config", {{"name", name}}},
                           {"name", name},
                           {"inbound_nodes", {{{"args", operands}, {"kwargs", arguments}}}}});
    stack_.push_back(TensorJson({.entry = name}));
    return absl::OkStatus();
  }

  // What is read from outside of the function is not in the file.
  static absl::Status CheckNoPath(const Json& json) {
    if (IsPath(json)) {
      return Unimplemented("its Python code reads ", Shown(json["config"]),
                           ", which is not in the file");
    }
    if (!json.is_structured()) return absl::OkStatus();
    for (const auto& each : json) SEQ_RETURN_IF_ERROR(CheckNoPath(each));
    return absl::OkStatus();
  }

  // The last operation bears the layer's name.
  absl::Status Finish(const Json& result) {
    if (!IsTensorValue(result)) return Unimplemented("its Python code returns no tensor");
    const bool is_last =
        !operations_.empty() && result["config"]["keras_history"][0] == operations_.back()["name"];
    if (!is_last) SEQ_RETURN_IF_ERROR(Emit("Identity", {result}, Json::object()));
    operations_.back()["name"] = layer_;
    operations_.back()["config"]["name"] = layer_;
    return absl::OkStatus();
  }

  const PythonCode& code_;
  const std::string layer_;
  std::map<std::string, Json> locals_;
  std::vector<Json> stack_;
  Json keywords_;
  std::vector<Json> operations_;
};

// The function: [code, defaults, closure] in Keras 2, an object __lambda__ in Keras 3.
absl::StatusOr<PythonCode> CodeOf(const Json& function, Json* defaults, Json* closure) {
  const Json* code = nullptr;
  if (function.is_array() && !function.empty()) {
    code = &function[0];
    if (function.size() > 1) *defaults = function[1];
    if (function.size() > 2) *closure = function[2];
  } else if (IsClass(function, "__lambda__") && function.contains("config") &&
             function["config"].is_object() && function["config"].contains("code")) {
    code = &function["config"]["code"];
    if (function["config"].contains("defaults")) *defaults = function["config"]["defaults"];
    if (function["config"].contains("closure")) *closure = function["config"]["closure"];
  }
  std::string bytes;
  if (code == nullptr || !code->is_string() ||
      !absl::Base64Unescape(code->get<std::string>(), &bytes)) {
    return Unimplemented("it calls a Python function that is not in the file");
  }
  return ParsePythonCode(bytes);
}

}  // namespace

absl::StatusOr<std::vector<Json>> OperationsOfLambda(const Json& entry,
                                                     const std::vector<ValueRef>& inputs) {
  if (!entry.contains("config") || !entry["config"].is_object()) {
    return InvalidArgument("it has no configuration");
  }
  const Json& config = entry["config"];
  if (config.contains("mask") && !config["mask"].is_null()) {
    return Unimplemented("it makes a mask by Python code");
  }
  if (!config.contains("function")) return InvalidArgument("it has no function");
  Json defaults, closure;
  SEQ_ASSIGN_OR_RETURN(const PythonCode code, CodeOf(config["function"], &defaults, &closure));
  std::map<std::string, Json> locals;
  // Modules are not in the file, numbers are.
  for (size_t i = 0; closure.is_array() && closure.size() == code.free.size() && i < closure.size();
       ++i) {
    if (code.free[i].is_string() && (closure[i].is_number() || closure[i].is_array())) {
      locals[code.free[i].get<std::string>()] = closure[i];
    }
  }
  const auto variable = [&](int i) {
    return code.variables[i].is_string() ? code.variables[i].get<std::string>() : std::string();
  };
  if (defaults.is_array() && defaults.size() <= static_cast<size_t>(code.arguments)) {
    const int first = code.arguments - static_cast<int>(defaults.size());
    for (int i = first; i < code.arguments; ++i) locals[variable(i)] = defaults[i - first];
  }
  if (config.contains("arguments") && config["arguments"].is_object()) {
    for (const auto& [name, value] : config["arguments"].items()) locals[name] = value;
  }
  if (code.arguments < 1 || inputs.empty()) return Unimplemented("its Python code takes no tensor");
  Json tensors = Json::array();
  for (const ValueRef& input : inputs) tensors.push_back(TensorJson(input));
  locals[variable(0)] = inputs.size() == 1 ? tensors[0] : tensors;
  return CodeReader(code, NameOf(entry), std::move(locals)).Read();
}

}  // namespace seqgraph::keras
