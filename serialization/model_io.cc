#include "serialization/model_io.h"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "google/protobuf/io/coded_stream.h"
#include "graph/verifier.h"
#include "serialization/function_proto.h"
#include "serialization/layers_proto.h"
#include "serialization/model.pb.h"
#include "serialization/model_seal.h"
#include "serialization/proto_guard.h"
#include "serialization/self_test_proto.h"
#include "serialization/series_proto.h"
#include "serialization/tensor_proto.h"

namespace seqgraph {
namespace {

constexpr char kMagic[] = "seqgraph model";
constexpr char kProducer[] = "seqgraph";
constexpr int kMaxFunctions = 1000;
constexpr int kMaxSelfTests = 100;
// The first versions that have them.
constexpr int kSelfTestVersion = 2;
constexpr int kLayersVersion = 3;
constexpr int kLayerClassesVersion = 4;
constexpr int kGraphsVersion = 5;
constexpr int64_t kMaxPreprocessing = INT_MAX;

absl::StatusOr<OptimizerRecord> OptimizerFromProto(const proto::Optimizer& from) {
  OptimizerRecord record{.name = from.name(), .settings = {}};
  for (const proto::Attribute& setting : from.settings()) {
    SEQ_ASSIGN_OR_RETURN(AttributeValue value, AttributeFromProto(setting));
    if (record.name.size() > kMaxNameBytes || setting.name().size() > kMaxNameBytes ||
        record.settings.Find(setting.name()) != nullptr) {
      return InvalidArgument("the optimizer's names have at most ", kMaxNameBytes,
                             " bytes, and are there once");
    }
    record.settings.Set(setting.name(), std::move(value));
  }
  return record;
}

proto::Model ModelToProto(const Model& model, TensorEncoding encoding) {
  proto::Model out;
  out.set_magic(kMagic);
  out.set_format_version(1);
  out.set_producer(kProducer);
  out.set_name(model.name);
  out.set_description(model.description);
  for (const Function& function : model.functions) {
    *out.add_functions() = FunctionToProto(function, encoding);
  }
  const TextPreprocessing& text = model.preprocessing;
  if (!text.rule.empty() || !text.words.empty() || text.num_words != 0 || text.maxlen != 0) {
    proto::TextPreprocessing* saved = out.mutable_preprocessing();
    saved->set_rule(text.rule);
    saved->set_num_words(text.num_words);
    saved->set_maxlen(text.maxlen);
    for (const std::string& word : text.words) saved->add_words(word);
    saved->set_text_column(text.text_column);
    saved->set_label_column(text.label_column);
  }
  if (model.series != SeriesPreprocessing()) *out.mutable_series() = SeriesToProto(model.series);
  for (const std::string& label : model.labels) out.add_labels(label);
  if (model.layers.has_value()) {
    *out.mutable_layers() = LayerStackToProto(*model.layers);
    out.set_format_version(model.layers->is_graph() ? kGraphsVersion : kLayerClassesVersion);
  }
  if (model.optimizer.has_value()) {
    out.mutable_optimizer()->set_name(model.optimizer->name);
    for (const auto& [name, value] : model.optimizer->settings.entries()) {
      *out.mutable_optimizer()->add_settings() = AttributeToProto(name, value, encoding);
    }
  }
  return out;
}

// What must hold of any model in a file, whether it is being written or was read.
absl::Status CheckModelProto(const proto::Model& model) {
  if (model.functions_size() > kMaxFunctions) {
    return InvalidArgument(model.functions_size(), " functions; at most ", kMaxFunctions);
  }
  for (const proto::Function& function : model.functions()) {
    SEQ_RETURN_IF_ERROR(CheckFunctionProto(function));
  }
  for (const proto::Variable& variable : model.variables()) {
    SEQ_RETURN_IF_ERROR(VariableDefFromProto(variable.def()).status());
  }
  if (model.has_layers()) SEQ_RETURN_IF_ERROR(LayerStackFromProto(model.layers()).status());
  if (model.has_optimizer()) SEQ_RETURN_IF_ERROR(OptimizerFromProto(model.optimizer()).status());
  if (model.has_series()) SEQ_RETURN_IF_ERROR(SeriesFromProto(model.series()).status());
  const proto::TextPreprocessing& text = model.preprocessing();
  if (text.num_words() < 0 || text.num_words() > kMaxPreprocessing || text.maxlen() < 0 ||
      text.maxlen() > kMaxPreprocessing) {
    return InvalidArgument("preprocessing: num_words ", text.num_words(), " and maxlen ",
                           text.maxlen(), " must be from 0 to ", kMaxPreprocessing);
  }
  SEQ_RETURN_IF_ERROR(CheckNoZeroByte("the model's name", model.name()));
  SEQ_RETURN_IF_ERROR(CheckNoZeroByte("the model's description", model.description()));
  for (const std::string& label : model.labels()) {
    SEQ_RETURN_IF_ERROR(CheckNoZeroByte("a label", label));
  }
  for (const int count : {text.words_size(), model.labels_size()}) {
    if (static_cast<size_t>(count) > kMaxVocabularyWords) {
      return InvalidArgument("preprocessing: ", count, " words or labels; at most ",
                             kMaxVocabularyWords);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ToBinary(const proto::Model& model) {
  if (model.ByteSizeLong() > kMaxModelBytes - kModelSealBytes) {
    return InvalidArgument("the model has ", model.ByteSizeLong(),
                           " bytes; a protobuf holds at most ", kMaxModelBytes,
                           ": use fewer or smaller variables");
  }
  return SealModel(SerializeDeterministically(model), ModelFormat::kBinary);
}

absl::StatusOr<std::string> ToText(const proto::Model& model) {
  std::string text = SealModel(PrintTextProto(model), ModelFormat::kText);
  if (static_cast<int64_t>(text.size()) > kMaxModelBytes) {
    return InvalidArgument("the text has ", text.size(), " bytes; at most ", kMaxModelBytes,
                           ": save it as .pb");
  }
  return text;
}

absl::Status NewerFormat(int version) {
  return FailedPrecondition("the model has format version ", version, "; this program reads up to ",
                            kModelFormatVersion, ": it needs a newer seqgraph");
}

// The format version of a binary file: the field right after the magic, where any version has it.
// 0 if something else is there.
int PeekVersion(absl::string_view bytes) {
  bytes.remove_prefix(kBinaryModelStart.size());
  if (bytes.empty() || bytes[0] != '\x10') return 0;
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(bytes.data() + 1),
                                               static_cast<int>(bytes.size() - 1));
  uint32_t version;
  return input.ReadVarint32(&version) && version <= INT_MAX ? static_cast<int>(version) : 0;
}

absl::Status FromBinary(absl::string_view bytes, proto::Model* model) {
  if (!absl::StartsWith(bytes, kBinaryModelStart)) {
    return InvalidArgument("not a seqgraph model: it does not begin with \"", kMagic, "\"",
                           absl::StartsWith(bytes, "# proto-file: serialization/model.proto")
                               ? " but as a text model does: name it .textproto"
                               : "");
  }
  if (bytes.size() > static_cast<size_t>(kMaxModelBytes)) {
    return InvalidArgument(bytes.size(), " bytes are more than ", kMaxModelBytes);
  }
  const int version = PeekVersion(bytes);
  const UnsealedModel unsealed = UnsealModel(bytes, ModelFormat::kBinary);
  // A newer format may be sealed in another way, so its version counts before the seal.
  if (unsealed.seal != ModelSeal::kFits) {
    if (version > kModelFormatVersion) return NewerFormat(version);
    return DataLoss(
        "damaged or cut short: the checksum at the end of its ", bytes.size(), " bytes ",
        unsealed.seal == ModelSeal::kDiffers ? "differs from that of the content" : "is missing");
  }
  if (version > kModelFormatVersion) return NewerFormat(version);
  return ParseBinaryProto(unsealed.content, model);
}

absl::Status FromText(absl::string_view text, proto::Model* model) {
  if (absl::StartsWith(text, kBinaryModelStart)) {
    return InvalidArgument("not text but a binary model: name it .pb");
  }
  const absl::Status status = ParseTextProto(text, model);
  // A field that a newer format has stops the parser; what comes before it says why.
  if (model->format_version() > kModelFormatVersion) return NewerFormat(model->format_version());
  SEQ_RETURN_IF_ERROR(status);
  if (model->magic() != kMagic) {
    return InvalidArgument("not a seqgraph model: it needs magic: \"", kMagic, "\"");
  }
  if (model->checksum() != 0) {
    return InvalidArgument("the text form has no field for its checksum: remove it");
  }
  if (UnsealModel(text, ModelFormat::kText).seal == ModelSeal::kDiffers) {
    return DataLoss(
        "damaged, cut short or changed: its checksum differs from that of the text; if you changed "
        "it, remove the line that begins with \"# crc32c\"");
  }
  return absl::OkStatus();
}

absl::Status AddVariables(const proto::Model& from, Model& model) {
  for (const proto::Variable& saved : from.variables()) {
    SEQ_ASSIGN_OR_RETURN(const VariableDef def, VariableDefFromProto(saved.def()));
    if (model.variables.Find(def.name) != nullptr) {
      return InvalidArgument("variable ", def.name, " is there twice");
    }
    SEQ_ASSIGN_OR_RETURN(Tensor value, Annotate(TensorFromProto(saved.value()),
                                                absl::StrCat("variable ", def.name)));
    SEQ_RETURN_IF_ERROR(model.variables.Add(def, std::move(value)));
  }
  return absl::OkStatus();
}

absl::Status AddFunctions(const proto::Model& from, const OpRegistry& registry, Model& model) {
  for (const proto::Function& saved : from.functions()) {
    for (const proto::VariableDef& read : saved.variables()) {
      // Declaring it would fill it with zeros of whatever size the file says.
      if (model.variables.Find(read.name()) == nullptr) {
        return InvalidArgument("function ", saved.name(), " reads variable ", read.name(),
                               ", which the model does not have");
      }
    }
    SEQ_ASSIGN_OR_RETURN(Function function, FunctionFromProto(saved, registry));
    SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(function)));
  }
  return absl::OkStatus();
}

absl::Status ReadSelfTests(const proto::Model& from, const Model& model,
                           std::vector<SelfTest>* self_tests) {
  if (from.self_tests_size() > 0 && from.format_version() < kSelfTestVersion) {
    return InvalidArgument("format version ", from.format_version(),
                           " has no self-tests, but they are there");
  }
  if (from.self_tests_size() > kMaxSelfTests) {
    return InvalidArgument(from.self_tests_size(), " self-tests; at most ", kMaxSelfTests);
  }
  for (const proto::SelfTest& saved : from.self_tests()) {
    SEQ_ASSIGN_OR_RETURN(SelfTest test,
                         Annotate(SelfTestFromProto(saved),
                                  absl::StrCat("self-test of function ", saved.function())));
    SEQ_RETURN_IF_ERROR(CheckSelfTest(test, model));
    if (self_tests != nullptr) self_tests->push_back(std::move(test));
  }
  return absl::OkStatus();
}

absl::StatusOr<Model> ModelFromProto(const proto::Model& from, const OpRegistry& registry,
                                     std::vector<SelfTest>* self_tests) {
  if (from.format_version() < 1) {
    return InvalidArgument("format version ", from.format_version(), " does not exist");
  }
  SEQ_RETURN_IF_ERROR(CheckModelProto(from));
  Model model;
  model.name = from.name();
  model.description = from.description();
  SEQ_RETURN_IF_ERROR(AddVariables(from, model));
  SEQ_RETURN_IF_ERROR(AddFunctions(from, registry, model));
  const proto::TextPreprocessing& text = from.preprocessing();
  model.preprocessing.rule = text.rule();
  model.preprocessing.num_words = text.num_words();
  model.preprocessing.maxlen = text.maxlen();
  model.preprocessing.words.assign(text.words().begin(), text.words().end());
  model.preprocessing.text_column = text.text_column();
  model.preprocessing.label_column = text.label_column();
  if (from.has_series()) {
    SEQ_ASSIGN_OR_RETURN(model.series, SeriesFromProto(from.series()));
  }
  model.labels.assign(from.labels().begin(), from.labels().end());
  if (from.has_layers()) {
    if (from.format_version() < kLayersVersion) {
      return InvalidArgument("format version ", from.format_version(),
                             " has no layers, but they are there");
    }
    for (const proto::Layer& layer : from.layers().layers()) {
      if (from.format_version() >= kLayerClassesVersion || layer.class_name().empty()) continue;
      return InvalidArgument("format version ", from.format_version(),
                             " has no classes of layers, but layer ", layer.name(), " is of one");
    }
    SEQ_ASSIGN_OR_RETURN(model.layers, LayerStackFromProto(from.layers()));
    if (model.layers->is_graph() && from.format_version() < kGraphsVersion) {
      return InvalidArgument("format version ", from.format_version(),
                             " has no graphs of layers, but there is one");
    }
  }
  if (from.has_optimizer()) {
    SEQ_ASSIGN_OR_RETURN(model.optimizer, OptimizerFromProto(from.optimizer()));
  }
  SEQ_RETURN_IF_ERROR(VerifyModel(model));
  SEQ_RETURN_IF_ERROR(ReadSelfTests(from, model, self_tests));
  return model;
}

}  // namespace

absl::StatusOr<ModelFormat> ModelFormatOfPath(absl::string_view path) {
  if (absl::EndsWith(path, ".pb")) return ModelFormat::kBinary;
  if (absl::EndsWith(path, ".textproto")) return ModelFormat::kText;
  return InvalidArgument("cannot tell the format of model ", path,
                         ": its name must end in .pb or .textproto");
}

absl::StatusOr<std::string> SerializeModel(const Model& model, ModelFormat format,
                                           absl::Span<const SelfTest> self_tests) {
  SEQ_RETURN_IF_ERROR(VerifyModel(model));
  const TensorEncoding encoding =
      format == ModelFormat::kBinary ? TensorEncoding::kRaw : TensorEncoding::kValues;
  proto::Model saved = ModelToProto(model, encoding);
  if (self_tests.size() > kMaxSelfTests) {
    return InvalidArgument(self_tests.size(), " self-tests; at most ", kMaxSelfTests);
  }
  for (const SelfTest& test : self_tests) {
    SEQ_RETURN_IF_ERROR(CheckSelfTest(test, model));
    *saved.add_self_tests() = SelfTestToProto(test, encoding);
    saved.set_format_version(std::max(saved.format_version(), kSelfTestVersion));
  }
  SEQ_RETURN_IF_ERROR(CheckModelProto(saved));
  SEQ_RETURN_IF_ERROR(CheckStringsAreUtf8(saved));
  for (const Variable& variable : model.variables.all()) {
    proto::Variable* out = saved.add_variables();
    *out->mutable_def() = VariableDefToProto(variable.def);
    *out->mutable_value() = TensorToProto(variable.value, encoding);
  }
  return format == ModelFormat::kBinary ? ToBinary(saved) : ToText(saved);
}

absl::StatusOr<Model> ParseModel(absl::string_view bytes, ModelFormat format,
                                 const OpRegistry& registry, std::vector<SelfTest>* self_tests) {
  proto::Model saved;
  SEQ_RETURN_IF_ERROR(format == ModelFormat::kBinary ? FromBinary(bytes, &saved)
                                                     : FromText(bytes, &saved));
  return ModelFromProto(saved, registry, self_tests);
}

absl::Status SaveModel(const Model& model, const std::string& path,
                       absl::Span<const SelfTest> self_tests) {
  SEQ_ASSIGN_OR_RETURN(const ModelFormat format, ModelFormatOfPath(path));
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, Annotate(SerializeModel(model, format, self_tests),
                                                         absl::StrCat("cannot save ", path)));
  return AtomicWriteFile(path, bytes);
}

absl::StatusOr<Model> LoadModel(const std::string& path, const OpRegistry& registry,
                                std::vector<SelfTest>* self_tests) {
  SEQ_ASSIGN_OR_RETURN(const ModelFormat format, ModelFormatOfPath(path));
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxModelBytes));
  return Annotate(ParseModel(bytes, format, registry, self_tests),
                  absl::StrCat("cannot load ", path));
}

std::string ModelOutline(const Model& model) {
  proto::Model saved = ModelToProto(model, TensorEncoding::kValues);
  for (const Variable& variable : model.variables.all()) {
    *saved.add_variables()->mutable_def() = VariableDefToProto(variable.def);
  }
  return PrintTextProto(saved);
}

}  // namespace seqgraph
