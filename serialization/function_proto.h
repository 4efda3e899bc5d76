#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/function.h"
#include "graph/op_registry.h"
#include "serialization/graph.pb.h"
#include "serialization/tensor_proto.h"

namespace seqgraph {

/// Names of functions, nodes, values and variables in files have at most this many bytes.
inline constexpr int kMaxNameBytes = 1000;
/// A function in a file has at most this many variables, results and updates each.
inline constexpr int kMaxFunctionVariables = 10000;
/// And so many nodes, and inputs: what compiles in a minute.
inline constexpr int kMaxFunctionNodes = 100'000;

/// InvalidArgument for a text with a zero byte: programs that have the runtime alone take names,
/// labels and descriptions as C strings. `what` says what it is.
absl::Status CheckNoZeroByte(absl::string_view what, const std::string& text);
/// InvalidArgument for a name in a file that is empty, too long, or holds a zero byte; `what` says
/// whose it is.
absl::Status CheckName(absl::string_view what, const std::string& name);

proto::Initializer InitializerToProto(const Initializer& initializer);
/// InvalidArgument for an unknown kind, and for NaN.
absl::StatusOr<Initializer> InitializerFromProto(const proto::Initializer& initializer);

proto::VariableDef VariableDefToProto(const VariableDef& def);
/// InvalidArgument names the variable.
absl::StatusOr<VariableDef> VariableDefFromProto(const proto::VariableDef& def);

proto::Attribute AttributeToProto(const std::string& name, const AttributeValue& value,
                                  TensorEncoding encoding);
/// An attribute of a node; InvalidArgument if it has no value, or NaN.
absl::StatusOr<AttributeValue> AttributeFromProto(const proto::Attribute& attribute);

/// The function as it is saved, with the tensors among its attributes in that encoding. The same
/// function gives the same message.
proto::Function FunctionToProto(const Function& function,
                                TensorEncoding encoding = TensorEncoding::kRaw);

/// What can be checked without knowing the ops: lengths of names, counts, that attributes and
/// variables' definitions have a meaning. What passes here and was a Function can be read again.
absl::Status CheckFunctionProto(const proto::Function& function);

/// Builds the function anew with the ops of `registry`, so that everything is checked as if a
/// program had built it: types are inferred, not read. Gives back what FunctionToProto was given,
/// with the values in another order of indices (inputs, variables, nodes).
///
/// Errors name function and node. InvalidArgument: whatever FunctionBuilder refuses, an attribute
/// that the op does not have, a name that is not there, not yet there, or there twice. NotFound: an
/// op that the registry does not have. FailedPrecondition: a version of an op that is newer, or
/// older, than the registry's.
absl::StatusOr<Function> FunctionFromProto(const proto::Function& function,
                                           const OpRegistry& registry);

}  // namespace seqgraph
