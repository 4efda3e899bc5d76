#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace seqgraph {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Reflection;

constexpr size_t kLongestPiece = 32;

// The number, text or word of a JSON text that begins at or behind `at`: from, to. A text does not
// hold an escaped quote here, or is cut there, which is damage too.
std::pair<size_t, size_t> TokenAt(const std::string& json, size_t at) {
  static const std::string kBetween = " \n\t,:[]{}";
  const size_t begin = json.find_first_not_of(kBetween, at);
  if (begin == std::string::npos) return {json.size(), json.size()};
  const size_t end =
      json[begin] == '"' ? json.find('"', begin + 1) + 1 : json.find_first_of(kBetween, begin);
  return {begin, std::min(end == 0 ? json.size() : end, json.size())};
}

}  // namespace

uint64_t FuzzSeed(uint64_t otherwise) {
  const char* given = std::getenv("SEQGRAPH_FUZZ_SEED");
  const uint64_t seed = given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
  std::printf("seed %llu (SEQGRAPH_FUZZ_SEED)\n", static_cast<unsigned long long>(seed));
  return seed;
}

int FuzzCount(int otherwise) {
  const char* given = std::getenv("SEQGRAPH_FUZZ_COUNT");
  const int count = given == nullptr ? otherwise : std::atoi(given);
  std::printf("%d mutations (SEQGRAPH_FUZZ_COUNT)\n", count);
  return count;
}

std::string Mutator::Bytes(std::string bytes) {
  for (uint64_t changes = 1 + Below(8); changes > 0; --changes) ChangeBytes(bytes);
  return bytes;
}

void Mutator::ChangeBytes(std::string& bytes) {
  if (bytes.empty()) {
    bytes += static_cast<char>(Below(256));
    return;
  }
  const size_t at = Below(bytes.size());
  const size_t length = 1 + Below(std::min(kLongestPiece, bytes.size() - at));
  switch (Below(6)) {
    case 0:
      bytes[at] ^= static_cast<char>(1 << Below(8));
      break;
    case 1: {
      constexpr unsigned char kOften[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, '{', '}', '"'};
      bytes[at] = static_cast<char>(kOften[Below(std::size(kOften))]);
      break;
    }
    case 2:
      bytes.insert(at, 1, static_cast<char>(Below(256)));
      break;
    case 3:
      bytes.erase(at, length);
      break;
    case 4:
      bytes.insert(Below(bytes.size() + 1), bytes.substr(at, length));
      break;
    default: {
      const std::string piece = bytes.substr(at, length);
      bytes.erase(at, length);
      bytes.insert(Below(bytes.size() + 1), piece);
    }
  }
}

std::string Mutator::OtherToken(const std::string& json) {
  constexpr const char* kTokens[] = {
      "0",    "-1",   "1",     "2",  "16777217",   "9223372036854775807",
      "0.5",  "1e99", "null",  "[]", "{}",         "true",
      "[[]]", "\"\"", "false", "7",  "2147483648", "-0.0"};
  if (Below(2) == 0) return kTokens[Below(std::size(kTokens))];
  const auto [from, to] = TokenAt(json, Below(json.size()));
  return from == to ? "3" : json.substr(from, to - from);
}

// Begins behind a separator, so that it is a whole token and not the rest of one.
std::string Mutator::Json(std::string json) {
  for (uint64_t changes = 1 + Below(4); changes > 0 && !json.empty(); --changes) {
    const size_t separator = json.find_first_of(":[,{", Below(json.size()));
    if (separator == std::string::npos) continue;
    const auto [from, to] = TokenAt(json, separator);
    json.replace(from, to - from, OtherToken(json));
  }
  return json;
}

int64_t Mutator::ExtremeInt() {
  using Limits = std::numeric_limits<int64_t>;
  constexpr int64_t kInts[] = {0,
                               1,
                               -1,
                               -2,
                               2,
                               7,
                               1000,
                               Limits::max(),
                               Limits::min(),
                               int64_t{1} << 31,
                               int64_t{1} << 32,
                               int64_t{1} << 40,
                               (int64_t{1} << 40) + 1};
  return kInts[Below(std::size(kInts))];
}

double Mutator::ExtremeReal() {
  using Limits = std::numeric_limits<double>;
  constexpr double kReals[] = {
      0.0, -0.0, 1.0, -1.0, 1e300, Limits::infinity(), Limits::quiet_NaN()};
  return kReals[Below(std::size(kReals))];
}

std::string Mutator::OtherText(const std::string& text) {
  std::string other;
  switch (Below(4)) {
    case 0:
      break;
    case 1:
      other = text + text;
      break;
    case 2:
      other = std::string(1001, 'n');
      break;
    default:
      other = last_text_;
  }
  if (!text.empty()) last_text_ = text;
  return other;
}

void Mutator::Message(google::protobuf::Message& message) {
  for (uint64_t changes = 1 + Below(4); changes > 0; --changes) ChangeField(message);
}

void Mutator::ChangeField(google::protobuf::Message& message) {
  const Reflection& r = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  r.ListFields(message, &fields);
  if (fields.empty()) return;
  const FieldDescriptor* field = fields[Below(fields.size())];
  const int size = field->is_repeated() ? r.FieldSize(message, field) : 0;
  const int i = size > 0 ? static_cast<int>(Below(size)) : 0;
  const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  // Mostly go down to where the values are.
  if (is_message && Below(8) != 0) {
    return ChangeField(size > 0 ? *r.MutableRepeatedMessage(&message, field, i)
                                : *r.MutableMessage(&message, field));
  }
  if (Below(6) == 0 || (is_message && size == 0)) return r.ClearField(&message, field);
  if (size > 1 && Below(3) == 0) {
    return r.SwapElements(&message, field, i, static_cast<int>(Below(size)));
  }
  if (size > 0 && Below(4) == 0) return r.RemoveLast(&message, field);
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      r.AddMessage(&message, field)->CopyFrom(r.GetRepeatedMessage(message, field, i));
      break;
    case FieldDescriptor::CPPTYPE_INT32: {
      const int32_t value = static_cast<int32_t>(ExtremeInt());
      size > 0 ? r.SetRepeatedInt32(&message, field, i, value) : r.SetInt32(&message, field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const int64_t value = ExtremeInt();
      size > 0 ? r.SetRepeatedInt64(&message, field, i, value) : r.SetInt64(&message, field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (size == 0) r.SetDouble(&message, field, ExtremeReal());
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      r.SetBool(&message, field, !r.GetBool(message, field));
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      r.SetEnumValue(&message, field, static_cast<int>(Below(8)));
      break;
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text =
          size > 0 ? r.GetRepeatedString(message, field, i) : r.GetString(message, field);
      size > 0 ? r.SetRepeatedString(&message, field, i, OtherText(text))
               : r.SetString(&message, field, OtherText(text));
      break;
    }
    default:
      break;
  }
}

}  // namespace seqgraph
