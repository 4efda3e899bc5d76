#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "graph/model.h"
#include "serialization/onnx/onnx_reader.h"
#include "serialization/self_test.h"
#include "training/keras/keras_import.h"

namespace seqgraph::tools {

struct FormatOptions {
  KerasImportOptions keras;
  keras::Layout layout = keras::Layout::kKeras3;
  OnnxReadOptions onnx;
  std::string onnx_loss;  ///< Keras's name; empty: none, an ONNX model only predicts
  /// The arrays with which the model will be run, for inputs of these names (null: none): open
  /// lengths and extents are theirs. Null: no arrays.
  std::function<std::vector<const Tensor*>(const std::vector<std::string>& names)> arrays;
};

/// A model on its way from one file to another.
struct ConvertedModel {
  Model model;
  std::vector<SelfTest> self_tests;  ///< hold as long as the weights stay
  std::vector<std::string> notes;    ///< what was assumed or left out, a sentence each
};

/// A format of model files. Errors of all functions name the path or what is wrong in the model.
struct ModelFormatRow {
  const char* ending;
  const char* what;
  /// Reads a whole model; null for a format that has weights alone.
  absl::StatusOr<ConvertedModel> (*read)(const std::string& path, const FormatOptions& options);
  /// Puts the weights of a file into a model; null where there is no such thing.
  absl::Status (*read_weights)(const std::string& path, ConvertedModel& into);
  /// The bytes of a file.
  absl::StatusOr<std::string> (*write)(ConvertedModel& model, const FormatOptions& options);
};

/// All formats. To add one: a row in model_formats.cc.
absl::Span<const ModelFormatRow> ModelFormats();

/// The format by the ending of the path; InvalidArgument lists those there are.
absl::StatusOr<const ModelFormatRow*> FormatOfPath(absl::string_view path);

/// The format of a file with a whole model, by its content and only where that does not tell by its
/// name. Errors: those of reading; what the file really is shows when it is read.
absl::StatusOr<const ModelFormatRow*> FormatOfFile(const std::string& path);

/// A whole model in any format that is read, which the content tells: the door of all commands that
/// take a model.
absl::StatusOr<ConvertedModel> ReadAnyModel(const std::string& path,
                                            const FormatOptions& options = {});

}  // namespace seqgraph::tools
