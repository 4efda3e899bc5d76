#include "graph/attributes.h"

#include <charconv>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// The shortest decimal text that reads back as the same number of that type.
template <typename T>
std::string ShortestText(T value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  SEQ_CHECK(error == std::errc());
  return std::string(buffer, end);
}

std::string ElementToString(const Tensor& tensor, int64_t i) {
  return VisitElementType(tensor.dtype(), [&](auto zero) {
    return ShortestText(tensor.Elements<decltype(zero)>()[i]);
  });
}

struct ToText {
  std::string operator()(int64_t v) const { return absl::StrCat(v); }
  std::string operator()(double v) const { return ShortestText(v); }
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(const std::string& v) const {
    return absl::StrCat("\"", absl::CEscape(v), "\"");
  }
  std::string operator()(const std::vector<int64_t>& v) const {
    return absl::StrCat("[", absl::StrJoin(v, ", "), "]");
  }
  std::string operator()(DType v) const { return std::string(DTypeName(v)); }
  std::string operator()(const TensorAttribute& v) const {
    constexpr int64_t kAll = 8, kSome = 3;  // elements
    std::vector<std::string> texts;
    const int64_t size = v->num_elements();
    for (int64_t i = 0; i < size; ++i) {
      if (size > kAll && i == kSome) {
        texts.push_back("...");
        i = size - kSome;
      }
      texts.push_back(ElementToString(*v, i));
    }
    return absl::StrCat(v->type().ToString(), "{", absl::StrJoin(texts, ", "), "}");
  }
};

}  // namespace

Attributes::Attributes() = default;
Attributes::Attributes(std::initializer_list<Map::value_type> entries) : entries_(entries) {}
Attributes::Attributes(const Attributes&) = default;
Attributes::Attributes(Attributes&&) noexcept = default;
Attributes& Attributes::operator=(const Attributes&) = default;
Attributes& Attributes::operator=(Attributes&&) noexcept = default;
Attributes::~Attributes() = default;

void Attributes::Set(std::string name, AttributeValue value) {
  entries_.insert_or_assign(std::move(name), std::move(value));
}

bool operator==(const Attributes& a, const Attributes& b) { return a.entries_ == b.entries_; }

AttributeKind KindOf(const AttributeValue& value) {
  return static_cast<AttributeKind>(value.index());
}

absl::string_view KindName(AttributeKind kind) {
  constexpr absl::string_view kNames[] = {"int",  "float", "bool",  "string",
                                          "ints", "dtype", "tensor"};
  return kNames[static_cast<int>(kind)];
}

std::string AttributeToString(const AttributeValue& value) { return std::visit(ToText(), value); }

std::string AttributeKey(const AttributeValue& value) {
  const TensorAttribute* tensor = std::get_if<TensorAttribute>(&value);
  if (tensor == nullptr) return AttributeToString(value);
  return absl::StrCat((*tensor)->type().ToString(),
                      absl::string_view(static_cast<const char*>((*tensor)->data()),
                                        static_cast<size_t>((*tensor)->num_bytes())));
}

const AttributeValue* Attributes::Find(absl::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

void Attributes::Remove(absl::string_view name) {
  if (const auto found = entries_.find(name); found != entries_.end()) entries_.erase(found);
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
template const TensorAttribute& Attributes::Get(absl::string_view) const;

}  // namespace seqgraph
