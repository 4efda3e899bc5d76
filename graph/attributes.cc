#include "graph/attributes.h"

#include <charconv>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// The shortest decimal text that reads back as the same double.
std::string FloatToString(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  SEQ_CHECK(error == std::errc());
  return std::string(buffer, end);
}

struct ToText {
  std::string operator()(int64_t v) const { return absl::StrCat(v); }
  std::string operator()(double v) const { return FloatToString(v); }
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(const std::string& v) const {
    return absl::StrCat("\"", absl::CEscape(v), "\"");
  }
  std::string operator()(const std::vector<int64_t>& v) const {
    return absl::StrCat("[", absl::StrJoin(v, ", "), "]");
  }
  std::string operator()(DType v) const { return std::string(DTypeName(v)); }
};

}  // namespace

AttributeKind KindOf(const AttributeValue& value) {
  return static_cast<AttributeKind>(value.index());
}

absl::string_view KindName(AttributeKind kind) {
  constexpr absl::string_view kNames[] = {"int", "float", "bool", "string", "ints", "dtype"};
  return kNames[static_cast<int>(kind)];
}

std::string AttributeToString(const AttributeValue& value) { return std::visit(ToText(), value); }

const AttributeValue* Attributes::Find(absl::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

template <typename T>
const T& Attributes::Get(absl::string_view name) const {
  const AttributeValue* value = Find(name);
  SEQ_CHECK(value != nullptr && std::holds_alternative<T>(*value));
  return std::get<T>(*value);
}
template const int64_t& Attributes::Get(absl::string_view) const;
template const double& Attributes::Get(absl::string_view) const;
template const bool& Attributes::Get(absl::string_view) const;
template const std::string& Attributes::Get(absl::string_view) const;
template const std::vector<int64_t>& Attributes::Get(absl::string_view) const;
template const DType& Attributes::Get(absl::string_view) const;

}  // namespace seqgraph
