#ifndef SEQGRAPH_SERIALIZATION_MODEL_IO_H_
#define SEQGRAPH_SERIALIZATION_MODEL_IO_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/model.h"
#include "graph/op_registry.h"

namespace seqgraph {

/// What this program writes, and the newest that it reads. Every older one is read for ever.
inline constexpr int kModelFormatVersion = 1;

enum class ModelFormat {
  kBinary,  ///< ".pb": serialization/model.proto with a checksum
  kText,    ///< ".textproto": the same in protobuf's text format, for people and diffs
};

/// The format by the ending of the path; InvalidArgument for any other than the two.
absl::StatusOr<ModelFormat> ModelFormatOfPath(absl::string_view path);

/// The model as bytes; the same model gives the same bytes on every run and machine. Both formats
/// keep every bit of every variable. InvalidArgument for a model that could not be read again: one
/// that does not verify, a name that is too long, a text that is not UTF-8, more than 2 GiB.
absl::StatusOr<std::string> SerializeModel(const Model& model, ModelFormat format);

/// The inverse, for untrusted bytes: everything is checked, and memory stays within a small
/// multiple of the bytes. Functions are built anew with the ops of `registry`, which must outlive
/// the model. Errors say what is wrong and where in the model: InvalidArgument (foreign, damaged or
/// cut, missing variables, shapes that do not fit), DataLoss (checksum), FailedPrecondition (a
/// newer format, or a newer version of an op), NotFound (unknown op).
absl::StatusOr<Model> ParseModel(absl::string_view bytes, ModelFormat format,
                                 const OpRegistry& registry);

/// Writes the model to a file, in the format that the ending says, by AtomicWriteFile: all or
/// nothing. Errors name the path.
absl::Status SaveModel(const Model& model, const std::string& path);

/// Reads what SaveModel wrote. Errors name the path.
absl::StatusOr<Model> LoadModel(const std::string& path, const OpRegistry& registry);

/// The model in protobuf text with the types of the variables but without their contents: what
/// `seqgraph inspect --format=textproto` shows. It cannot be loaded.
std::string ModelOutline(const Model& model);

}  // namespace seqgraph

#endif  // SEQGRAPH_SERIALIZATION_MODEL_IO_H_
