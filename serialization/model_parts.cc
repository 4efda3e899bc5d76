#include "serialization/model_parts.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "serialization/function_proto.h"
#include "serialization/layers_proto.h"
#include "serialization/model.pb.h"
#include "serialization/proto_guard.h"
#include "serialization/self_test_proto.h"
#include "serialization/series_proto.h"
#include "serialization/tensor_proto.h"

namespace seqgraph {
namespace {

using ::google::protobuf::DynamicCastToGenerated;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::io::CodedInputStream;
using Wire = ::google::protobuf::internal::WireFormatLite;

absl::Status CheckVariablePart(const proto::Variable& saved) {
  SEQ_ASSIGN_OR_RETURN(const VariableDef def, VariableDefFromProto(saved.def()));
  const std::string where = absl::StrCat("variable ", def.name);
  SEQ_ASSIGN_OR_RETURN(const Tensor value, Annotate(TensorFromProto(saved.value()), where));
  if (TensorType{value.dtype(), value.shape()} == def.type) return absl::OkStatus();
  return InvalidArgument(where, " holds another type than its own");
}

// Whether a part has a meaning by itself.
absl::Status CheckPart(const Message& part, const OpRegistry& registry) {
  if (const auto* function = DynamicCastToGenerated<proto::Function>(&part)) {
    SEQ_RETURN_IF_ERROR(CheckFunctionProto(*function));
    return FunctionFromProto(*function, registry).status();
  }
  if (const auto* variable = DynamicCastToGenerated<proto::Variable>(&part)) {
    return CheckVariablePart(*variable);
  }
  if (const auto* layers = DynamicCastToGenerated<proto::LayerStack>(&part)) {
    return LayerStackFromProto(*layers).status();
  }
  if (const auto* test = DynamicCastToGenerated<proto::SelfTest>(&part)) {
    return SelfTestFromProto(*test).status();
  }
  if (const auto* series = DynamicCastToGenerated<proto::SeriesPreprocessing>(&part)) {
    return SeriesFromProto(*series).status();
  }
  return absl::OkStatus();
}

class PartFinder {
 public:
  explicit PartFinder(const OpRegistry& registry) : registry_(registry) {}

  void FindInBinary(absl::string_view content);
  void FindInText(absl::string_view text);
  ModelParts Take() { return std::move(found_); }

 private:
  void Count(const FieldDescriptor& field, const absl::Status& status) {
    if (found_.parts.empty() || found_.parts.back().name != field.name()) {
      found_.parts.push_back({.name = field.name()});
    }
    ModelPart& part = found_.parts.back();
    ++part.found;
    part.readable += status.ok() ? 1 : 0;
    if (!status.ok() && part.first_wrong.empty()) {
      part.first_wrong = std::string(status.message());
    }
  }
  // A field of the model's; false if none of its bytes can be told from what follows.
  bool Field(uint32_t tag, absl::string_view content, CodedInputStream& input);

  const OpRegistry& registry_;
  ModelParts found_;
};

bool PartFinder::Field(uint32_t tag, absl::string_view content, CodedInputStream& input) {
  const FieldDescriptor* const field =
      proto::Model::descriptor()->FindFieldByNumber(Wire::GetTagFieldNumber(tag));
  if (field == nullptr) return false;
  if (field->number() == proto::Model::kFormatVersionFieldNumber) {
    uint32_t version = 0;
    if (!input.ReadVarint32(&version)) return false;
    found_.version = version;
    return true;
  }
  if (field->type() != FieldDescriptor::TYPE_MESSAGE) return Wire::SkipField(&input, tag);
  uint32_t size = 0;
  if (Wire::GetTagWireType(tag) != Wire::WIRETYPE_LENGTH_DELIMITED || !input.ReadVarint32(&size)) {
    return false;
  }
  const absl::string_view rest = content.substr(static_cast<size_t>(input.CurrentPosition()));
  if (size > rest.size()) {
    Count(*field, InvalidArgument("cut off"));
    return false;
  }
  const std::unique_ptr<Message> part(google::protobuf::MessageFactory::generated_factory()
                                          ->GetPrototype(field->message_type())
                                          ->New());
  absl::Status status = ParseBinaryProto(rest.substr(0, size), part.get());
  if (status.ok()) status = CheckPart(*part, registry_);
  Count(*field, status);
  return input.Skip(static_cast<int>(size));
}

void PartFinder::FindInBinary(absl::string_view content) {
  CodedInputStream input(reinterpret_cast<const uint8_t*>(content.data()),
                         static_cast<int>(content.size()));
  while (static_cast<size_t>(input.CurrentPosition()) < content.size()) {
    const int at = input.CurrentPosition();
    const uint32_t tag = input.ReadTag();
    if (tag != 0 && Field(tag, content, input)) continue;
    found_.end = absl::StrCat("what stands at byte ", at, " of ", content.size(),
                              " is no part of a model, or ends too soon");
    return;
  }
}

void PartFinder::FindInText(absl::string_view text) {
  proto::Model model;
  const absl::Status status = ParseTextProto(text, &model);  // what stands before an error is there
  if (!status.ok()) found_.end = std::string(status.message());
  found_.version = model.format_version();
  std::vector<const FieldDescriptor*> fields;
  model.GetReflection()->ListFields(model, &fields);
  for (const FieldDescriptor* const field : fields) {
    if (field->type() != FieldDescriptor::TYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      Count(*field, CheckPart(model.GetReflection()->GetMessage(model, field), registry_));
      continue;
    }
    for (int i = 0; i < model.GetReflection()->FieldSize(model, field); ++i) {
      Count(*field,
            CheckPart(model.GetReflection()->GetRepeatedMessage(model, field, i), registry_));
    }
  }
}

}  // namespace

ModelParts FindModelParts(absl::string_view bytes, ModelFormat format, const OpRegistry& registry) {
  if (bytes.size() > static_cast<size_t>(kMaxModelBytes)) {
    return {.end = absl::StrCat("more than ", kMaxModelBytes, " bytes")};
  }
  const UnsealedModel unsealed = UnsealModel(bytes, format);
  PartFinder finder(registry);
  if (format == ModelFormat::kBinary) {
    finder.FindInBinary(unsealed.content);
  } else {
    finder.FindInText(unsealed.content);
  }
  ModelParts found = finder.Take();
  found.seal = unsealed.seal;
  return found;
}

}  // namespace seqgraph
