#include "tools/convert/model_formats.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "serialization/keras/keras_io.h"
#include "serialization/model_io.h"
#include "serialization/onnx/onnx_writer.h"
#include "tools/convert/imported_training.h"
#include "tools/convert/npz_weights.h"
#include "training/keras/keras_export.h"

namespace seqgraph::tools {
namespace {

// Says what a file of a format other than ours does not hold of this model: nothing is lost without
// a word. `keeps_text`: the format keeps vocabulary, rule and labels.
void NoteLosses(ConvertedModel& converted, bool keeps_text) {
  const Model& model = converted.model;
  std::vector<std::string> lost;
  if (!keeps_text && !model.preprocessing.rule.empty()) {
    lost.push_back(
        absl::StrCat("the rule '", model.preprocessing.rule, "' that makes text tokens"));
  }
  if (!keeps_text && !model.preprocessing.words.empty()) {
    lost.push_back(absl::StrCat("the vocabulary of ", model.preprocessing.words.size(), " words"));
  }
  if (!keeps_text && !model.labels.empty()) {
    lost.push_back(absl::StrCat("the names of ", model.labels.size(), " classes"));
  }
  if (!model.description.empty()) lost.push_back("the description");
  if (!converted.self_tests.empty()) {
    lost.push_back(absl::StrCat(converted.self_tests.size(), " self-tests"));
  }
  if (lost.empty()) return;
  converted.notes.push_back(absl::StrCat("such a file has no place for ", absl::StrJoin(lost, ", "),
                                         ": keep the model that was read"));
}

absl::StatusOr<ConvertedModel> ReadOurs(const std::string& path, const FormatOptions&) {
  ConvertedModel converted;
  SEQ_ASSIGN_OR_RETURN(converted.model, LoadModel(path, AllOps(), &converted.self_tests));
  return converted;
}

template <ModelFormat kFormat>
absl::StatusOr<std::string> WriteOurs(ConvertedModel& converted, const FormatOptions&) {
  return SerializeModel(converted.model, kFormat, converted.self_tests);
}

absl::StatusOr<ConvertedModel> ReadKeras(const std::string& path, const FormatOptions& options) {
  ConvertedModel converted;
  absl::StatusOr<Model> model = LoadKerasModel(path, options.keras, &converted.notes);
  if (absl::StrContains(model.status().message(), ": training: ")) {
    return absl::Status(model.status().code(),
                        absl::StrCat(model.status().message(), "; --no_training leaves it out"));
  }
  SEQ_RETURN_IF_ERROR(model.status());
  converted.model = *std::move(model);
  return converted;
}

absl::Status ReadWeightsOfKeras(const std::string& path, ConvertedModel& into) {
  return SetKerasWeights(path, into.model, &into.notes);
}

absl::StatusOr<std::string> WriteKerasZip(ConvertedModel& converted, const FormatOptions&) {
  NoteLosses(converted, /*keeps_text=*/true);
  SEQ_ASSIGN_OR_RETURN(const keras::KerasModel keras,
                       KerasFromModel(converted.model, &converted.notes));
  return keras::KerasZip(keras);
}

absl::StatusOr<std::string> WriteKerasHdf5(ConvertedModel& converted,
                                           const FormatOptions& options) {
  NoteLosses(converted, /*keeps_text=*/true);
  SEQ_ASSIGN_OR_RETURN(const keras::KerasModel keras,
                       KerasFromModel(converted.model, &converted.notes));
  return keras::KerasHdf5(keras, options.layout);
}

absl::StatusOr<std::string> WriteKerasWeights(ConvertedModel& converted, const FormatOptions&) {
  NoteLosses(converted, /*keeps_text=*/false);
  SEQ_ASSIGN_OR_RETURN(const keras::KerasModel keras,
                       KerasFromModel(converted.model, &converted.notes));
  return keras::KerasWeightsHdf5(keras);
}

absl::Status ReadNpz(const std::string& path, ConvertedModel& into) {
  return ReadNpzWeights(path, into.model);
}

absl::StatusOr<std::string> WriteNpz(ConvertedModel& converted, const FormatOptions&) {
  NoteLosses(converted, /*keeps_text=*/false);
  return NpzOfWeights(converted.model);
}

absl::StatusOr<ConvertedModel> ReadOnnx(const std::string& path, const FormatOptions& options) {
  ConvertedModel converted;
  SEQ_ASSIGN_OR_RETURN(converted.model, LoadOnnx(path, AllOps(), options.onnx));
  if (options.onnx_loss.empty()) {
    converted.notes.push_back("the model can predict; --loss makes it one that can be trained on");
    return converted;
  }
  SEQ_ASSIGN_OR_RETURN(converted.model,
                       MakeImportedTrainable(std::move(converted.model), options.onnx_loss));
  return converted;
}

absl::StatusOr<std::string> WriteOnnx(ConvertedModel& converted, const FormatOptions&) {
  NoteLosses(converted, /*keeps_text=*/true);
  return SerializeOnnx(converted.model);
}

// An ending that is part of another comes behind it.
constexpr ModelFormatRow kFormats[] = {
    {".pb", "a model of seqgraph", ReadOurs, nullptr, WriteOurs<ModelFormat::kBinary>},
    {".textproto", "the same as text", ReadOurs, nullptr, WriteOurs<ModelFormat::kText>},
    {".keras", "a model of Keras 3", ReadKeras, ReadWeightsOfKeras, WriteKerasZip},
    {".weights.h5", "weights of Keras 3 alone", nullptr, ReadWeightsOfKeras, WriteKerasWeights},
    {".h5", "a model of Keras 2 or 3", ReadKeras, ReadWeightsOfKeras, WriteKerasHdf5},
    {".onnx", "an ONNX model", ReadOnnx, nullptr, WriteOnnx},
    {".npz", "weights alone, numpy arrays by name", nullptr, ReadNpz, WriteNpz},
};

}  // namespace

absl::Span<const ModelFormatRow> ModelFormats() { return kFormats; }

absl::StatusOr<const ModelFormatRow*> FormatOfPath(absl::string_view path) {
  for (const ModelFormatRow& row : kFormats) {
    if (absl::EndsWith(path, row.ending)) return &row;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "cannot tell the format of ", path, ": its name must end in ",
      absl::StrJoin(kFormats, ", ",
                    [](std::string* out, const ModelFormatRow& row) { *out += row.ending; })));
}

}  // namespace seqgraph::tools
