#include "serialization/proto_guard.h"

#include <charconv>
#include <climits>
#include <cmath>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/stubs/logging.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/protobuf/wire_format_lite.h"

namespace seqgraph {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using ::google::protobuf::TextFormat;
using ::google::protobuf::io::CodedInputStream;
using WireFormat = ::google::protobuf::internal::WireFormatLite;

// Our messages nest less than ten deep.
constexpr int kMaxDepth = 32;
// Upper bounds of what an element of a repeated field takes in memory beyond its own bytes: a
// string object or a number, its place in the list (which grows by doubling), malloc's share. A
// message takes kListMemory besides its object.
constexpr int64_t kListMemory = 32;
constexpr int64_t kStringMemory = 56;
constexpr int64_t kNumberMemory = 16;
// In the text form nothing is known of a message before it is parsed.
constexpr int64_t kTextMessageMemory = 240;

int64_t AllowedMemory(size_t bytes, int64_t factor = kParseMemoryFactor) {
  return static_cast<int64_t>(bytes) * factor + kParseMemoryBase;
}

absl::Status TooMuchMemory(size_t bytes, int64_t factor = kParseMemoryFactor) {
  return InvalidArgument("its ", bytes, " bytes would take more than ",
                         AllowedMemory(bytes, factor),
                         " bytes of memory: far more, and emptier, parts than a real file has");
}

// Adds up what parsing would allocate, by walking the wire format without parsing it.
class MemoryScan {
 public:
  MemoryScan(absl::string_view bytes, int64_t factor)
      : size_(bytes.size()),
        factor_(factor),
        input_(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size())) {}

  absl::Status Run(const Descriptor* type) {
    input_.PushLimit(static_cast<int>(size_));
    SEQ_RETURN_IF_ERROR(Fields(type, 0));
    if (!input_.ConsumedEntireMessage()) return Malformed();
    return absl::OkStatus();
  }

 private:
  absl::Status Malformed() const {
    return InvalidArgument("damaged or not a protobuf of this kind, at byte ",
                           input_.CurrentPosition(), " of ", size_);
  }

  absl::Status Fields(const Descriptor* type, int depth) {
    if (depth > kMaxDepth) return Malformed();
    while (const uint32_t tag = input_.ReadTag()) {
      const FieldDescriptor* field = type->FindFieldByNumber(WireFormat::GetTagFieldNumber(tag));
      if (WireFormat::GetTagWireType(tag) == WireFormat::WIRETYPE_LENGTH_DELIMITED) {
        SEQ_RETURN_IF_ERROR(Delimited(field, depth));
      } else {
        memory_ += kNumberMemory;
        if (!WireFormat::SkipField(&input_, tag)) return Malformed();
      }
      if (memory_ > AllowedMemory(size_, factor_)) return TooMuchMemory(size_, factor_);
    }
    return absl::OkStatus();
  }

  // A string, a message, a packed list of numbers, or something unknown.
  absl::Status Delimited(const FieldDescriptor* field, int depth) {
    uint32_t length;
    if (!input_.ReadVarint32(&length) || length > INT_MAX ||
        static_cast<int64_t>(length) > input_.BytesUntilLimit()) {
      return Malformed();
    }
    if (field != nullptr && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      memory_ += ObjectSize(field->message_type()) + kListMemory;
      const CodedInputStream::Limit limit = input_.PushLimit(static_cast<int>(length));
      SEQ_RETURN_IF_ERROR(Fields(field->message_type(), depth + 1));
      if (!input_.ConsumedEntireMessage() || input_.BytesUntilLimit() != 0) return Malformed();
      input_.PopLimit(limit);
      return absl::OkStatus();
    }
    // A packed number takes a byte or more here and eight or, while a list grows, sixteen there.
    const bool packed = field != nullptr && field->is_packable();
    memory_ += kStringMemory + length * (packed ? kNumberMemory : int64_t{1});
    return input_.Skip(static_cast<int>(length)) ? absl::OkStatus() : Malformed();
  }

  // Bytes of an empty message of that type.
  int64_t ObjectSize(const Descriptor* type) {
    int64_t& size = object_sizes_[type];
    if (size == 0) {
      size = google::protobuf::MessageFactory::generated_factory()
                 ->GetPrototype(type)
                 ->SpaceUsedLong();
    }
    return size;
  }

  size_t size_;
  int64_t factor_;
  CodedInputStream input_;
  int64_t memory_ = 0;
  absl::flat_hash_map<const Descriptor*, int64_t> object_sizes_;
};

// Keeps the first error of the text parser instead of printing it.
class ErrorKeeper : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (!error_.empty()) return;
    // Counted from zero; -1 where there is no place.
    error_ = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  void AddWarning(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
  const std::string& error() const { return error_; }

 private:
  std::string error_;
};

// The shortest text that the parser, which reads every number as a double first, turns into the
// same number; nine digits are enough for any float and seventeen for any double.
template <typename T>
std::string ExactText(T value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[64];
  char* end = std::to_chars(text, text + sizeof(text), value).ptr;
  double read = 0;
  std::from_chars(text, end, read);
  if (static_cast<T>(read) != value) {
    end = std::to_chars(text, text + sizeof(text), value, std::chars_format::general,
                        sizeof(T) == 4 ? 9 : 17)
              .ptr;
  }
  return std::string(text, end);
}

class ExactNumberPrinter : public TextFormat::FastFieldValuePrinter {
 public:
  void PrintFloat(float value, TextFormat::BaseTextGenerator* generator) const override {
    generator->PrintString(ExactText(value));
  }
  void PrintDouble(double value, TextFormat::BaseTextGenerator* generator) const override {
    generator->PrintString(ExactText(value));
  }
};

bool IsUtf8(absl::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const unsigned char lead = text[i++];
    if (lead < 0x80) continue;
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - i < static_cast<size_t>(more)) return false;
    uint32_t code = lead & (0x3F >> more);
    for (int k = 0; k < more; ++k, ++i) {
      if ((text[i] & 0xC0) != 0x80) return false;
      code = (code << 6) | (text[i] & 0x3F);
    }
    // Too long a form, a surrogate, beyond Unicode.
    constexpr uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
      return false;
  }
  return true;
}

// Calls `visit(message, path)` for the message and, depth first, all messages in it.
template <typename Visitor>
absl::Status VisitMessages(const Message& message, const std::string& path, const Visitor& visit) {
  SEQ_RETURN_IF_ERROR(visit(message, path));
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const std::string name = absl::StrCat(path, path.empty() ? "" : ".", field->name());
    if (!field->is_repeated()) {
      SEQ_RETURN_IF_ERROR(VisitMessages(reflection.GetMessage(message, field), name, visit));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      SEQ_RETURN_IF_ERROR(VisitMessages(reflection.GetRepeatedMessage(message, field, i),
                                        absl::StrCat(name, "[", i, "]"), visit));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckStringsOfOne(const Message& message, const std::string& path) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->type() != FieldDescriptor::TYPE_STRING) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      std::string scratch;
      const std::string& text =
          field->is_repeated() ? reflection.GetRepeatedStringReference(message, field, i, &scratch)
                               : reflection.GetStringReference(message, field, &scratch);
      if (IsUtf8(text)) continue;
      return InvalidArgument(path, path.empty() ? "" : ".", field->name(),
                             ": names and texts must be valid UTF-8");
    }
  }
  return absl::OkStatus();
}

absl::Status ParseWithin(absl::string_view bytes, int64_t factor, Message* message) {
  if (bytes.size() > INT_MAX) {
    return InvalidArgument("more than 2 GiB: a protobuf cannot be that long");
  }
  SEQ_RETURN_IF_ERROR(MemoryScan(bytes, factor).Run(message->GetDescriptor()));
  // Protobuf prints what it finds wrong with strings; the caller gets it as a status instead.
  google::protobuf::LogSilencer silencer;
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return InvalidArgument(
        "damaged: not a protobuf of this kind, or a text in it is not valid UTF-8");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ParseBinaryProto(absl::string_view bytes, Message* message) {
  SEQ_RETURN_IF_ERROR(ParseWithin(bytes, kParseMemoryFactor, message));
  return CheckNoUnknownFields(*message);
}

absl::Status ParseForeignProto(absl::string_view bytes, Message* message) {
  return ParseWithin(bytes, kForeignMemoryFactor, message);
}

std::string SerializeDeterministically(const Message& message) {
  std::string bytes;
  bytes.reserve(message.ByteSizeLong());
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    SEQ_CHECK(message.SerializeToCodedStream(&output));
  }
  return bytes;
}

absl::Status ParseTextProto(absl::string_view text, Message* message) {
  if (text.size() > INT_MAX) return InvalidArgument("more than 2 GiB of text");
  // As the scan of the binary form: a message costs three characters, a number two.
  int64_t memory = 0;
  for (const char c : text) {
    if (c == '{' || c == '<') memory += kTextMessageMemory;
    if (c == ':' || c == ',') memory += kStringMemory;
  }
  if (memory > AllowedMemory(text.size())) return TooMuchMemory(text.size());
  TextFormat::Parser parser;
  ErrorKeeper errors;
  parser.RecordErrorsTo(&errors);
  parser.SetRecursionLimit(kMaxDepth);
  google::protobuf::LogSilencer silencer;
  google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  if (!parser.Parse(&input, message)) return InvalidArgument(errors.error());
  return CheckStringsAreUtf8(*message);
}

std::string PrintTextProto(const Message& message) {
  TextFormat::Printer printer;
  printer.SetDefaultFieldValuePrinter(new ExactNumberPrinter);  // the printer owns it
  printer.SetUseShortRepeatedPrimitives(true);
  std::string text;
  SEQ_CHECK(printer.PrintToString(message, &text));
  return text;
}

absl::Status CheckNoUnknownFields(const Message& message) {
  return VisitMessages(message, "", [](const Message& part, const std::string& path) {
    const auto& unknown = part.GetReflection()->GetUnknownFields(part);
    if (unknown.empty()) return absl::OkStatus();
    return InvalidArgument(path.empty() ? "the file" : path, " has field ",
                           unknown.field(0).number(), " of ", part.GetDescriptor()->name(),
                           ", which this program does not know");
  });
}

absl::Status CheckStringsAreUtf8(const Message& message) {
  return VisitMessages(message, "", CheckStringsOfOne);
}

}  // namespace seqgraph
