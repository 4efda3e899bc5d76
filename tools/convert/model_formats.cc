#include "tools/convert/model_formats.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "data/npy.h"
#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "serialization/hdf5/reader.h"
#include "serialization/keras/keras_io.h"
#include "serialization/model_io.h"
#include "tools/convert/onnx_extents.h"
#include "training/keras/keras_export.h"
#include "training/losses.h"
#include "training/model_builder.h"
#include "training/preprocessing.h"

namespace seqgraph::tools {
namespace {

// A model that only predicts, with evaluate and train_step beside it: by the loss of Keras's name
// on its one result, and RMSprop. The weights stay. InvalidArgument for another loss, or several
// results; Unimplemented if the loss depends on a weight through an op without a gradient.
absl::StatusOr<Model> MakeImportedTrainable(Model imported, absl::string_view loss) {
  TrainableOptions options;
  options.name = imported.name;
  SEQ_ASSIGN_OR_RETURN(options.loss, LossByName(loss));
  SEQ_ASSIGN_OR_RETURN(const Function* predict, imported.GetFunction(kPredict));
  SEQ_ASSIGN_OR_RETURN(Model model,
                       MakeTrainable(FunctionBuilder(kPredict, AllOps(), *predict), options));
  for (const Variable& variable : imported.variables.all()) {
    SEQ_RETURN_IF_ERROR(model.variables.Assign(variable.def.name, variable.value));
  }
  model.preprocessing = std::move(imported.preprocessing);
  model.series = std::move(imported.series);
  model.labels = std::move(imported.labels);
  model.description = std::move(imported.description);
  return model;
}

template <typename T>
Tensor FromArray(const data::NpyArray& array, const Shape& shape) {
  return Tensor::Of<T>(shape, *array.Values<T>()).Cast(DType::kFloat32);
}

absl::StatusOr<Tensor> ToTensor(const data::NpyArray& array) {
  Shape shape;
  for (const int64_t extent : array.shape) shape.Append(extent);
  SEQ_RETURN_IF_ERROR(shape.Validate());
  switch (array.type) {
    case data::NpyType::kFloat32:
      return FromArray<float>(array, shape);
    case data::NpyType::kFloat64:
      return FromArray<double>(array, shape);
    case data::NpyType::kInt32:
    case data::NpyType::kInt64:
      break;
  }
  return InvalidArgument("holds integers, and weights are real: store it as float32");
}

std::vector<const Variable*> Weights(const Model& model) {
  std::vector<const Variable*> weights;
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.role == VariableRole::kWeight) weights.push_back(&variable);
  }
  return weights;
}

// The bytes of a numpy archive with the model's weights, not the optimizer's state, by the names
// of its variables.
absl::StatusOr<std::string> NpzOfWeights(const Model& model) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const Variable* variable : Weights(model)) {
    std::vector<int64_t> shape;
    for (const Dim dim : variable->value.shape().dims()) shape.push_back(dim.size());
    if (variable->value.dtype() != DType::kFloat32) {
      return Unimplemented("weight ", variable->def.name, " is ", variable->def.type.ToString());
    }
    SEQ_ASSIGN_OR_RETURN(std::string file, data::NpyFile(variable->value.Elements<float>(), shape));
    files.push_back({absl::StrCat(variable->def.name, ".npy"), std::move(file)});
  }
  return WriteZip(files);
}

// Sets the weights of a model from such a file, or from one with arrays arr_0, arr_1, ... in the
// order of the model's weights (`numpy.savez(path, *model.get_weights())`). All weights must be
// there and nothing else; float64 is rounded. Then some may have been set: InvalidArgument names
// path and array.
absl::Status ReadNpzWeights(const std::string& path, Model& model) {
  SEQ_ASSIGN_OR_RETURN(const auto arrays, data::ReadNpz(path));
  const std::vector<const Variable*> weights = Weights(model);
  if (arrays.size() != weights.size()) {
    return InvalidArgument(path, ": has ", arrays.size(), " arrays, and the model ", weights.size(),
                           " weights");
  }
  const bool by_order = arrays.count("arr_0") == 1;
  for (size_t i = 0; i < weights.size(); ++i) {
    const std::string& variable = weights[i]->def.name;
    const std::string name = by_order ? absl::StrCat("arr_", i) : variable;
    const std::string where = absl::StrCat(path, ": array ", name);
    const auto array = arrays.find(name);
    if (array == arrays.end()) {
      return InvalidArgument(where,
                             " is missing: expected one for each weight, by the names that "
                             "`seqgraph summary` shows, or arr_0, arr_1, ... in their order");
    }
    SEQ_ASSIGN_OR_RETURN(const Tensor tensor, Annotate(ToTensor(array->second), where));
    SEQ_RETURN_IF_ERROR(Annotate(model.variables.Assign(variable, tensor), where));
  }
  return absl::OkStatus();
}

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
  if (!keeps_text && !model.series.task.empty()) {
    lost.push_back(absl::StrCat("the columns of the task '", model.series.task, "'"));
  }
  if (!keeps_text && !NumericColumnsOf(model).empty()) {
    lost.push_back(
        absl::StrCat("the names of ", model.series.features.size(), " columns of numbers"));
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

// Whether the first bytes are those of a model of ours; if so in which format.
std::optional<ModelFormat> OurFormat(absl::string_view start) {
  const size_t magic = start.find("seqgraph model");  // The first field.
  if (magic == absl::string_view::npos) return std::nullopt;
  return magic == 2 && start[0] == '\n' ? ModelFormat::kBinary : ModelFormat::kText;
}

absl::StatusOr<ConvertedModel> ReadOurs(const std::string& path, const FormatOptions& options) {
  ConvertedModel converted;
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxModelBytes));
  absl::StatusOr<ModelFormat> format = ModelFormatOfPath(path);
  if (!format.ok()) format = OurFormat(bytes).value_or(ModelFormat::kBinary);
  SEQ_ASSIGN_OR_RETURN(converted.model,
                       Annotate(ParseModel(bytes, *format, AllOps(), &converted.self_tests),
                                absl::StrCat("cannot load ", path)));
  if (!options.keras.read.time.has_value()) return converted;
  SEQ_ASSIGN_OR_RETURN(const bool changed,
                       Annotate(SetOpenLength(*options.keras.read.time, converted.model), path));
  if (changed) converted.self_tests.clear();  // answers to another length
  return converted;
}

template <ModelFormat kFormat>
absl::StatusOr<std::string> WriteOurs(ConvertedModel& converted, const FormatOptions&) {
  return SerializeModel(converted.model, kFormat, converted.self_tests);
}

absl::StatusOr<ConvertedModel> ReadKeras(const std::string& path, const FormatOptions& options) {
  ConvertedModel converted;
  SEQ_ASSIGN_OR_RETURN(converted.model, LoadKerasModel(path, options.keras, &converted.notes));
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
  SEQ_ASSIGN_OR_RETURN(converted.model, LoadBoundOnnx(path, options, &converted.notes));
  if (options.onnx_loss.empty()) return converted;
  SEQ_ASSIGN_OR_RETURN(converted.model,
                       MakeImportedTrainable(std::move(converted.model), options.onnx_loss));
  return converted;
}

absl::StatusOr<std::string> WriteOnnx(ConvertedModel& converted, const FormatOptions&) {
  NoteLosses(converted, /*keeps_text=*/true);
  return OnnxWithOpenLengths(converted.model, &converted.notes);
}

// An ending that is part of another comes behind it.
// Which of Keras's formats a file is in that is read is told by its content.
constexpr ModelFormatRow kFormats[] = {
    {".pb", "a model of seqgraph", ReadOurs, nullptr, WriteOurs<ModelFormat::kBinary>},
    {".textproto", "the same as text", ReadOurs, nullptr, WriteOurs<ModelFormat::kText>},
    {".keras", "a model of Keras 3", ReadKeras, ReadWeightsOfKeras, WriteKerasZip},
    {".weights.h5", "weights of Keras 3 alone", nullptr, ReadWeightsOfKeras, WriteKerasWeights},
    {".h5", "a model of Keras 2 or 3", ReadKeras, ReadWeightsOfKeras, WriteKerasHdf5},
    {".hdf5", "the same", ReadKeras, ReadWeightsOfKeras, WriteKerasHdf5},
    {".onnx", "an ONNX model", ReadOnnx, nullptr, WriteOnnx},
    {".npz", "weights alone, numpy arrays by name", nullptr, ReadNpz, WriteNpz},
};

}  // namespace

absl::Span<const ModelFormatRow> ModelFormats() { return kFormats; }

absl::StatusOr<const ModelFormatRow*> FormatOfPath(absl::string_view path) {
  for (const ModelFormatRow& row : kFormats) {
    if (absl::EndsWith(path, row.ending)) return &row;
  }
  return InvalidArgument(
      "cannot tell the format of ", path, ": its name must end in ",
      absl::StrJoin(kFormats, ", ",
                    [](std::string* out, const ModelFormatRow& row) { *out += row.ending; }));
}

absl::StatusOr<const ModelFormatRow*> FormatOfFile(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const std::string start, ReadFileStart(path, 256));
  if (LooksLikeZip(start)) return FormatOfPath(".keras");
  if (hdf5::LooksLikeHdf5(start)) return FormatOfPath(".h5");
  if (OurFormat(start).has_value()) return FormatOfPath(".pb");
  const absl::StatusOr<const ModelFormatRow*> named = FormatOfPath(path);
  if (named.ok() && (*named)->read != nullptr) return named;
  // ONNX has no mark of its own.
  return FormatOfPath(".onnx");
}

absl::StatusOr<ConvertedModel> ReadAnyModel(const std::string& path, const FormatOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const ModelFormatRow* format, FormatOfFile(path));
  return format->read(path, options);
}

}  // namespace seqgraph::tools
