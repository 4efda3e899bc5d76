#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/model.h"
#include "graph/op_registry.h"

namespace seqgraph {

/// The newest format of model files that ReadModel reads; serialization/model_io.h has the same.
inline constexpr int kNewestModelFormat = 5;

/// A model whose functions are still bytes: most programs call one of several.
struct UnreadModel {
  struct UnreadFunction {
    std::string name, bytes;
  };
  Model model;  ///< without functions
  std::vector<UnreadFunction> functions;
};

/// The index of the function of that name. NotFound names those that there are.
absl::StatusOr<int32_t> IndexOf(absl::string_view name,
                                const std::vector<UnreadModel::UnreadFunction>& functions);

/// What is in the bytes of a binary model file (.pb), as ParseModel of serialization/ reads it, but
/// without a protobuf library, and without what only training programs and the command ask for:
/// layers, self-tests, the optimizer's record, and how texts and series become inputs are left out.
///
/// For untrusted bytes: everything is checked, and memory stays within a small multiple of them.
/// Errors as of ParseModel: InvalidArgument (foreign, cut, in text form, missing variables, shapes
/// that do not fit), DataLoss (checksum), FailedPrecondition (a newer format, or a newer version of
/// an op), NotFound (unknown op); those of a function by AddFunction.
absl::StatusOr<UnreadModel> ReadWithoutFunctions(absl::string_view bytes);

/// Reads the function and adds it to the model. `registry` must outlive the model.
absl::Status AddFunction(const UnreadModel::UnreadFunction& function, const OpRegistry& registry,
                         Model& model);

/// The model with all functions.
absl::StatusOr<Model> ReadModel(absl::string_view bytes, const OpRegistry& registry);

}  // namespace seqgraph
