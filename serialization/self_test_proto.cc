#include "serialization/self_test_proto.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

using Entries = google::protobuf::RepeatedPtrField<proto::SelfTest::Entry>;
using ExpectedTensors = std::map<std::string, SelfTest::Expected>;

// No more than anybody asks for: each takes time whenever the model is loaded.
constexpr int64_t kMaxBatch = 1024;

void AddEntries(const ExpectedTensors& tensors, TensorEncoding encoding, Entries* entries) {
  for (const auto& [name, expected] : tensors) {
    proto::SelfTest::Entry* entry = entries->Add();
    entry->set_name(name);
    *entry->mutable_tensor() = TensorToProto(expected.tensor, encoding);
    entry->set_allowed(expected.allowed);
  }
}

absl::StatusOr<ExpectedTensors> ReadEntries(const Entries& entries, absl::string_view what) {
  ExpectedTensors tensors;
  for (const proto::SelfTest::Entry& entry : entries) {
    const std::string where = absl::StrCat(what, " ", entry.name());
    SEQ_ASSIGN_OR_RETURN(Tensor tensor, Annotate(TensorFromProto(entry.tensor()), where));
    if (!tensors.emplace(entry.name(), SelfTest::Expected{std::move(tensor), entry.allowed()})
             .second) {
      return InvalidArgument(where, " is given twice");
    }
  }
  return tensors;
}

absl::Status CheckType(const std::string& where, const TensorType& given,
                       const TensorType& declared, int64_t batch) {
  const TensorType type{declared.dtype, declared.shape.Bind(batch)};
  if (given == type) return absl::OkStatus();
  return InvalidArgument(where, " is ", given.ToString(), ", the function's is ", type.ToString());
}

absl::Status CheckAllowed(const std::string& where, double allowed) {
  // Not "< 0": NaN would let everything pass.
  if (allowed >= 0 && std::isfinite(allowed)) return absl::OkStatus();
  return InvalidArgument(where, ": what is allowed must be finite and not negative, is ", allowed);
}

absl::Status CheckAgainst(const SelfTest& test, const Function& function, const Model& model) {
  if (test.inputs.size() != function.inputs().size()) {
    return InvalidArgument("it gives ", test.inputs.size(), " inputs, the function has ",
                           function.inputs().size());
  }
  for (Value input : function.inputs()) {
    const ValueInfo& info = function.info(input);
    const auto given = test.inputs.find(info.name);
    if (given == test.inputs.end()) return InvalidArgument("input ", info.name, " is not given");
    SEQ_RETURN_IF_ERROR(
        CheckType(absl::StrCat("input ", info.name), given->second.type(), info.type, test.batch));
  }
  for (const auto& [name, expected] : test.results) {
    const std::string where = absl::StrCat("result ", name);
    const Value result = function.FindResult(name);
    if (!result.present()) return InvalidArgument(where + ": there is none");
    SEQ_RETURN_IF_ERROR(
        CheckType(where, expected.tensor.type(), function.type(result), test.batch));
    SEQ_RETURN_IF_ERROR(CheckAllowed(where, expected.allowed));
  }
  for (const auto& [name, expected] : test.gradients) {
    const std::string where = absl::StrCat("gradient ", name);
    const Variable* variable = model.variables.Find(name);
    if (variable == nullptr || function.FindVariable(name) == nullptr || !variable->def.trainable ||
        !IsReal(variable->def.type.dtype)) {
      return InvalidArgument(where + ": the function reads no such trainable variable");
    }
    SEQ_RETURN_IF_ERROR(CheckType(where, expected.tensor.type(), variable->def.type, test.batch));
    SEQ_RETURN_IF_ERROR(CheckAllowed(where, expected.allowed));
  }
  return absl::OkStatus();
}

}  // namespace

proto::SelfTest SelfTestToProto(const SelfTest& test, TensorEncoding encoding) {
  proto::SelfTest to;
  to.set_function(test.function);
  to.set_batch(test.batch);
  for (const auto& [name, tensor] : test.inputs) {
    proto::SelfTest::Entry* entry = to.add_inputs();
    entry->set_name(name);
    *entry->mutable_tensor() = TensorToProto(tensor, encoding);
  }
  AddEntries(test.results, encoding, to.mutable_results());
  AddEntries(test.gradients, encoding, to.mutable_gradients());
  to.set_producer(test.producer);
  return to;
}

absl::StatusOr<SelfTest> SelfTestFromProto(const proto::SelfTest& from) {
  SelfTest test{.function = from.function(), .batch = from.batch(), .producer = from.producer()};
  SEQ_ASSIGN_OR_RETURN(ExpectedTensors inputs, ReadEntries(from.inputs(), "input"));
  for (auto& [name, input] : inputs) {
    if (input.allowed != 0) {
      return InvalidArgument("input ", name, " is given, so nothing is allowed");
    }
    test.inputs.emplace(name, std::move(input.tensor));
  }
  SEQ_ASSIGN_OR_RETURN(test.results, ReadEntries(from.results(), "result"));
  SEQ_ASSIGN_OR_RETURN(test.gradients, ReadEntries(from.gradients(), "gradient"));
  return test;
}

absl::Status CheckSelfTest(const SelfTest& test, const Model& model) {
  const std::string where = absl::StrCat("self-test of function ", test.function);
  const Function* function = model.FindFunction(test.function);
  if (function == nullptr) return InvalidArgument(where + ": the model has no such function");
  if (!function->updates().empty()) {
    return InvalidArgument(where + ": the function changes variables");
  }
  if (test.batch < 1 || test.batch > kMaxBatch) {
    return InvalidArgument(where, ": batch ", test.batch, " is not from 1 to ", kMaxBatch);
  }
  if (test.results.empty() && test.gradients.empty()) {
    return InvalidArgument(where + ": it compares nothing");
  }
  return Annotate(CheckAgainst(test, *function, model), where);
}

}  // namespace seqgraph
