#ifndef SEQGRAPH_GRAPH_ATTRIBUTES_H_
#define SEQGRAPH_GRAPH_ATTRIBUTES_H_

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "graph/dtype.h"

namespace seqgraph {

/// What an attribute of a node can be. The order of alternatives is the order of AttributeKind.
using AttributeValue =
    std::variant<int64_t, double, bool, std::string, std::vector<int64_t>, DType>;

enum class AttributeKind { kInt, kFloat, kBool, kString, kInts, kDType };

/// The kind of a value, and the kind's name as docs and errors print it ("int", "float", ...).
AttributeKind KindOf(const AttributeValue& value);
absl::string_view KindName(AttributeKind kind);

/// `8`, `0.9`, `true`, `"tanh"`, `[0, 1]`, `float32`: one text for each value, exact for floats.
std::string AttributeToString(const AttributeValue& value);

/// A node's attributes, ordered by name. The typed getters are for attributes that the op's
/// definition declares and the builder has filled in: a missing one or another kind is our own bug.
class Attributes {
 public:
  using Map = std::map<std::string, AttributeValue, std::less<>>;

  Attributes() = default;
  Attributes(std::initializer_list<Map::value_type> entries) : entries_(entries) {}

  const AttributeValue* Find(absl::string_view name) const;
  void Set(std::string name, AttributeValue value) { entries_[std::move(name)] = std::move(value); }

  int64_t GetInt(absl::string_view name) const { return Get<int64_t>(name); }
  double GetFloat(absl::string_view name) const { return Get<double>(name); }
  bool GetBool(absl::string_view name) const { return Get<bool>(name); }
  const std::string& GetString(absl::string_view name) const { return Get<std::string>(name); }
  const std::vector<int64_t>& GetInts(absl::string_view name) const {
    return Get<std::vector<int64_t>>(name);
  }
  DType GetDType(absl::string_view name) const { return Get<DType>(name); }

  const Map& entries() const { return entries_; }
  friend bool operator==(const Attributes& a, const Attributes& b) {
    return a.entries_ == b.entries_;
  }

 private:
  template <typename T>
  const T& Get(absl::string_view name) const;
  Map entries_;
};

}  // namespace seqgraph

#endif  // SEQGRAPH_GRAPH_ATTRIBUTES_H_
