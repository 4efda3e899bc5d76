#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/plugin/seqgraph_backend.h"
#include "graph/function.h"

namespace seqgraph {

/// Gives the serialized seqgraph.proto.Function of a function. The format is not this folder's
/// business: whoever loads plugins passes it in.
using FunctionSerializer = std::function<absl::StatusOr<std::string>(const Function&)>;

/// A function as it crosses to a plugin: its bytes, and the types of its values.
class EncodedFunction {
 public:
  /// InvalidArgument for a function whose shapes are not static; Internal for bytes that the reader
  /// cannot read.
  static absl::StatusOr<std::shared_ptr<const EncodedFunction>> Encode(
      const Function& function, const FunctionSerializer& serialize);
  EncodedFunction(const EncodedFunction&) = delete;
  EncodedFunction& operator=(const EncodedFunction&) = delete;

  /// Lives as long as this.
  const sg_function& view() const { return view_; }
  const std::string& bytes() const { return bytes_; }
  /// Of the function, for messages; empty where it was unpacked.
  const std::string& name() const { return name_; }
  int num_nodes() const { return view_.num_nodes; }
  const sg_node& node(int n) const { return nodes_[n]; }
  /// "node hidden (Dense)", for errors.
  std::string NodeLabel(int node) const;

  /// All of it in one string, for another process of this very program.
  std::string Pack() const;
  /// The inverse; InvalidArgument if the string is damaged.
  static absl::StatusOr<std::shared_ptr<const EncodedFunction>> Unpack(absl::string_view packed);

 private:
  struct ValueType {
    std::string name;
    int32_t dtype = 0;
    std::vector<int64_t> dims;
  };
  EncodedFunction(std::string name, std::string bytes, std::vector<ValueType> types);
  static absl::StatusOr<std::shared_ptr<const EncodedFunction>> Create(std::string name,
                                                                       std::string bytes,
                                                                       std::vector<ValueType> types,
                                                                       int64_t num_nodes);

  std::string name_;
  std::string bytes_;
  std::vector<ValueType> types_;
  std::vector<sg_value> values_;
  std::vector<const sg_value*> pointers_;
  std::vector<int32_t> by_name_;  // indices of the values
  std::vector<sg_node> nodes_;    // point into bytes_
  sg_function view_ = {};
};

/// Bytes of a value's elements, 0 if there are none or the type is unknown.
int64_t ValueBytes(const sg_value& value);

}  // namespace seqgraph
