#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "graph/model.h"
#include "graph/op_registry.h"
#include "serialization/self_test.h"

namespace seqgraph {

/// The newest that this program reads; every older one is read for ever. It writes the lowest that
/// holds what is saved:
///   1  functions and variables, texts, labels
///   2  self-tests
///   3  layers, each kind a message of its own; read, and written by older programs alone
///   4  layers as classes and settings
///   5  layers that form a graph, not a stack
/// A version says nothing of single ops: each has its own (op_version in graph.proto).
inline constexpr int kModelFormatVersion = 5;

/// No file is larger.
inline constexpr int64_t kMaxModelBytes = std::numeric_limits<int>::max();

enum class ModelFormat {
  kBinary,  ///< ".pb": serialization/model.proto with a checksum
  kText,    ///< ".textproto": the same in protobuf's text format, for people and diffs
};

/// The format by the ending of the path; InvalidArgument for any other than the two.
absl::StatusOr<ModelFormat> ModelFormatOfPath(absl::string_view path);

/// The model as bytes; the same model gives the same bytes on every run and machine. Both formats
/// keep every bit of every variable. InvalidArgument for a model that could not be read again: one
/// that does not verify, a name that is too long, a text that is not UTF-8, more than 2 GiB.
absl::StatusOr<std::string> SerializeModel(const Model& model, ModelFormat format,
                                           absl::Span<const SelfTest> self_tests = {});

/// The inverse, for untrusted bytes: everything is checked, and memory stays within a small
/// multiple of the bytes. Functions are built anew with the ops of `registry`, which must outlive
/// the model. Errors say what is wrong and where in the model: InvalidArgument (foreign, damaged or
/// cut, missing variables, shapes that do not fit), DataLoss (checksum), FailedPrecondition (a
/// newer format, or a newer version of an op), NotFound (unknown op).
/// Self-tests, which are checked for fitting the model but not run here, go to `self_tests` if that
/// is not null.
absl::StatusOr<Model> ParseModel(absl::string_view bytes, ModelFormat format,
                                 const OpRegistry& registry,
                                 std::vector<SelfTest>* self_tests = nullptr);

/// Writes the model to a file, in the format that the ending says, by AtomicWriteFile: all or
/// nothing. Errors name the path.
absl::Status SaveModel(const Model& model, const std::string& path,
                       absl::Span<const SelfTest> self_tests = {});

/// Reads what SaveModel wrote. Errors name the path.
absl::StatusOr<Model> LoadModel(const std::string& path, const OpRegistry& registry,
                                std::vector<SelfTest>* self_tests = nullptr);

/// The model in protobuf text with the types of the variables but without their contents: what
/// `seqgraph inspect --format=textproto` shows. It cannot be loaded.
std::string ModelOutline(const Model& model);

}  // namespace seqgraph
