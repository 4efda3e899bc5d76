#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/model.h"
#include "graph/op_registry.h"

namespace seqgraph {

/// The newest format of model files that ReadModel reads; serialization/model_io.h has the same.
inline constexpr int kNewestModelFormat = 5;

/// The model in the bytes of a binary model file (.pb), as ParseModel of serialization/ reads it,
/// but without a protobuf library, and without what only training programs and the command ask for:
/// layers, self-tests, the optimizer's record, and how texts and series become inputs are left out.
///
/// For untrusted bytes: everything is checked, and memory stays within a small multiple of them.
/// Errors as of ParseModel: InvalidArgument (foreign, cut, in text form, missing variables, shapes
/// that do not fit), DataLoss (checksum), FailedPrecondition (a newer format, or a newer version of
/// an op), NotFound (unknown op). `registry` must outlive the model.
absl::StatusOr<Model> ReadModel(absl::string_view bytes, const OpRegistry& registry);

}  // namespace seqgraph
