#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "graph/dtype.h"
#include "graph/tensor.h"

namespace seqgraph {

/// A tensor as the value of an attribute: never changed, shared by all copies, and equal to another
/// of the same type and bits.
class TensorAttribute {
 public:
  TensorAttribute(Tensor tensor) : tensor_(std::make_shared<const Tensor>(std::move(tensor))) {}

  const Tensor& operator*() const { return *tensor_; }
  const Tensor* operator->() const { return tensor_.get(); }
  friend bool operator==(const TensorAttribute& a, const TensorAttribute& b) {
    return a.tensor_ == b.tensor_ || a->BitwiseEquals(*b);
  }

 private:
  std::shared_ptr<const Tensor> tensor_;
};

/// What an attribute of a node can be. The order of alternatives is the order of AttributeKind.
using AttributeValue =
    std::variant<int64_t, double, bool, std::string, std::vector<int64_t>, DType, TensorAttribute>;

enum class AttributeKind { kInt, kFloat, kBool, kString, kInts, kDType, kTensor };

/// The kind of a value, and the kind's name as docs and errors print it ("int", "float", ...).
AttributeKind KindOf(const AttributeValue& value);
absl::string_view KindName(AttributeKind kind);

/// `8`, `0.9`, `true`, `"tanh"`, `[0, 1]`, `float32`, `float32[2]{0.5, 1}`: one text for each
/// value, exact for floats; but of a tensor of more than 8 elements only the first and last ones.
std::string AttributeToString(const AttributeValue& value);

/// AttributeToString for a program to compare: different for any two values that differ.
std::string AttributeKey(const AttributeValue& value);

/// A node's attributes, ordered by name. The typed getters are for attributes that the op's
/// definition declares and the builder has filled in: a missing one or another kind is our own bug.
class Attributes {
 public:
  using Map = std::map<std::string, AttributeValue, std::less<>>;

  Attributes();
  Attributes(std::initializer_list<Map::value_type> entries);
  Attributes(const Attributes&);
  Attributes(Attributes&&) noexcept;
  Attributes& operator=(const Attributes&);
  Attributes& operator=(Attributes&&) noexcept;
  ~Attributes();

  const AttributeValue* Find(absl::string_view name) const;
  void Set(std::string name, AttributeValue value);
  void Remove(absl::string_view name);

  int64_t GetInt(absl::string_view name) const { return Get<int64_t>(name); }
  double GetFloat(absl::string_view name) const { return Get<double>(name); }
  bool GetBool(absl::string_view name) const { return Get<bool>(name); }
  const std::string& GetString(absl::string_view name) const { return Get<std::string>(name); }
  const std::vector<int64_t>& GetInts(absl::string_view name) const {
    return Get<std::vector<int64_t>>(name);
  }
  DType GetDType(absl::string_view name) const { return Get<DType>(name); }
  const Tensor& GetTensor(absl::string_view name) const { return *Get<TensorAttribute>(name); }

  const Map& entries() const { return entries_; }
  friend bool operator==(const Attributes& a, const Attributes& b);

 private:
  template <typename T>
  const T& Get(absl::string_view name) const;
  Map entries_;
};

}  // namespace seqgraph
