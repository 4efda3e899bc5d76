#include "runtime_library/model_reader.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/plugin/function_reader.h"
#include "base/byte_cursor.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "graph/verifier.h"

namespace seqgraph {
namespace {

// How each file begins: field 1 with the magic text, then the tag of field 2, the version.
constexpr absl::string_view kStart("\x0A\x0Eseqgraph model\x10", 17);
// How it ends: the tag of field 1000, fixed32, then the sum's four bytes.
constexpr absl::string_view kChecksumTag("\xC5\x3E", 2);
constexpr size_t kChecksumBytes = 6;

constexpr size_t kMaxFunctions = 1000;

// Fields of seqgraph.proto.Model.
enum ModelField : uint32_t {
  kMagic = 1,
  kVersion = 2,
  kProducer = 4,
  kName = 8,
  kDescription = 12,
  kFunction = 16,
  kVariable = 20,
  kPreprocessing = 24,
  kLabel = 28,
  kSelfTest = 32,
  kLayers = 36,
  kOptimizer = 40,
  kSeries = 44,
};

std::string ToString(sg_string text) { return std::string(text.data, text.size); }

absl::Status Damaged(absl::string_view what) {
  return InvalidArgument(what, " is damaged or holds a field that this program does not know");
}

// The bytes without start and checksum, both of which are as they must be.
absl::StatusOr<absl::string_view> CheckedContent(absl::string_view bytes) {
  if (!absl::StartsWith(bytes, kStart)) {
    return InvalidArgument("not a seqgraph model: it does not begin with \"seqgraph model\"",
                           absl::StartsWith(bytes, "# proto-file: serialization/model.proto")
                               ? " but as a text model does: `seqgraph convert` makes it a .pb"
                               : "");
  }
  const bool long_enough = bytes.size() >= kStart.size() + kChecksumBytes;
  const absl::string_view content =
      bytes.substr(0, bytes.size() - (long_enough ? kChecksumBytes : 0));
  const bool sealed =
      long_enough && bytes.substr(content.size(), kChecksumTag.size()) == kChecksumTag;
  sg_reader reader = sg_read({bytes.data() + kStart.size(), bytes.size() - kStart.size()});
  uint64_t version = 0;
  const bool has_version = sg_read_varint(&reader, &version) != 0;
  // A newer format may be sealed in another way, so its version counts before the seal.
  if (has_version && version > static_cast<uint64_t>(kNewestModelFormat)) {
    return FailedPrecondition("the model has format version ", version,
                              "; this library reads up to ", kNewestModelFormat,
                              ": it needs a newer one");
  }
  if (!sealed || Crc32c(content) != ByteCursor(bytes.substr(bytes.size() - 4)).U32()) {
    return DataLoss("damaged or cut short: the checksum at the end of its ", bytes.size(),
                    " bytes ", sealed ? "differs from that of the content" : "is missing");
  }
  if (version < 1) return InvalidArgument("format version ", version, " does not exist");
  return content;
}

// A seqgraph.proto.Variable: its definition and its content.
absl::Status AddVariable(sg_string message, VariableStore& variables) {
  sg_string def_bytes = {}, content_bytes = {};
  sg_reader reader = sg_read(message);
  sg_field field;
  int more;
  while ((more = sg_next_field(&reader, &field)) > 0) {
    if (field.wire != SG_WIRE_BYTES || (field.tag != 1 && field.tag != 4))
      return Damaged("a variable");
    (field.tag == 1 ? def_bytes : content_bytes) = field.bytes;
  }
  if (more != 0) return Damaged("a variable");
  SEQ_ASSIGN_OR_RETURN(const VariableDef def, ReadVariableDef(def_bytes));
  const std::string where = absl::StrCat("variable ", def.name);
  SEQ_ASSIGN_OR_RETURN(Tensor content, Annotate(ReadTensor(content_bytes), where));
  return Annotate(variables.Add(def, std::move(content)), where);
}

// Of a seqgraph.proto.Function; empty: none.
absl::string_view NameOf(sg_string function) {
  sg_reader reader = sg_read(function);
  sg_field field;
  while (sg_next_field(&reader, &field) > 0) {
    if (field.tag == 1 && field.wire == SG_WIRE_BYTES) return {field.bytes.data, field.bytes.size};
  }
  return {};
}

// A name is handed out as a C string.
absl::Status CheckName(absl::string_view name) {
  if (!absl::StrContains(name, '\0')) return absl::OkStatus();
  return InvalidArgument("a name holds a zero byte");
}

absl::Status CheckNames(const UnreadModel& read) {
  const Model& model = read.model;
  SEQ_RETURN_IF_ERROR(CheckName(model.name));
  SEQ_RETURN_IF_ERROR(CheckName(model.description));
  for (const std::string& label : model.labels) SEQ_RETURN_IF_ERROR(CheckName(label));
  for (const Variable& variable : model.variables.all()) {
    SEQ_RETURN_IF_ERROR(CheckName(variable.def.name));
  }
  std::set<absl::string_view> names;
  for (const UnreadModel::UnreadFunction& function : read.functions) {
    SEQ_RETURN_IF_ERROR(CheckName(function.name));
    if (names.insert(function.name).second) continue;
    return absl::AlreadyExistsError(
        absl::StrCat("the model has two functions \"", function.name, "\""));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UnreadModel> ReadWithoutFunctions(absl::string_view bytes) {
  SEQ_ASSIGN_OR_RETURN(const absl::string_view content, CheckedContent(bytes));
  UnreadModel read;
  Model& model = read.model;
  sg_reader reader = sg_read({content.data(), content.size()});
  sg_field field;
  int more;
  while ((more = sg_next_field(&reader, &field)) > 0) {
    if (field.tag == kVersion && field.wire == SG_WIRE_VARINT) continue;
    if (field.wire != SG_WIRE_BYTES) return Damaged("the model");
    switch (field.tag) {
      case kName:
        model.name = ToString(field.bytes);
        break;
      case kDescription:
        model.description = ToString(field.bytes);
        break;
      case kFunction:
        read.functions.push_back({std::string(NameOf(field.bytes)), ToString(field.bytes)});
        break;
      case kVariable:
        SEQ_RETURN_IF_ERROR(AddVariable(field.bytes, model.variables));
        break;
      case kLabel:
        model.labels.push_back(ToString(field.bytes));
        break;
      case kMagic:
      case kProducer:
      case kPreprocessing:
      case kSelfTest:
      case kLayers:
      case kOptimizer:
      case kSeries:
        break;
      default:
        return Damaged("the model");
    }
    if (read.functions.size() > kMaxFunctions || model.labels.size() > kMaxVocabularyWords) {
      return InvalidArgument("more than ", kMaxFunctions, " functions or ", kMaxVocabularyWords,
                             " labels");
    }
  }
  if (more != 0) return Damaged("the model");
  SEQ_RETURN_IF_ERROR(CheckNames(read));
  return read;
}

absl::StatusOr<int32_t> IndexOf(absl::string_view name,
                                const std::vector<UnreadModel::UnreadFunction>& functions) {
  std::vector<absl::string_view> names;
  for (const UnreadModel::UnreadFunction& function : functions) {
    if (function.name == name) return static_cast<int32_t>(names.size());
    names.push_back(function.name);
  }
  return NotFound("the model has no function \"", name, "\"; it has ",
                  names.empty() ? "none" : absl::StrJoin(names, ", "));
}

absl::Status AddFunction(const UnreadModel::UnreadFunction& unread, const OpRegistry& registry,
                         Model& model) {
  SEQ_ASSIGN_OR_RETURN(Function function,
                       ReadFunction({unread.bytes.data(), unread.bytes.size()}, registry));
  if (function.name() != unread.name) return Damaged("a function");
  for (const ValueInfo& value : function.values()) SEQ_RETURN_IF_ERROR(CheckName(value.name));
  for (const NamedValue& result : function.results()) SEQ_RETURN_IF_ERROR(CheckName(result.name));
  for (const VariableRead& read : function.variables()) {
    if (model.variables.Find(read.def.name) != nullptr) continue;
    // Declaring it would fill it with zeros of whatever size the file says.
    return InvalidArgument("function ", function.name(), " reads variable ", read.def.name,
                           ", which the model does not have");
  }
  SEQ_RETURN_IF_ERROR(VerifyFunction(function));
  return model.AddFunction(std::move(function));
}

absl::StatusOr<Model> ReadModel(absl::string_view bytes, const OpRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(UnreadModel read, ReadWithoutFunctions(bytes));
  for (const UnreadModel::UnreadFunction& function : read.functions) {
    SEQ_RETURN_IF_ERROR(AddFunction(function, registry, read.model));
  }
  return std::move(read.model);
}

}  // namespace seqgraph
