#pragma once

// The part of HDF5 that model files use, as plain data: groups in groups, arrays of numbers, and
// texts attached to either.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/tensor.h"

namespace seqgraph::hdf5 {

/// Texts under a name: one (`scalar`), or a list.
struct Attribute {
  std::string name;
  bool scalar = true;
  std::vector<std::string> texts;
  /// False for an attribute that was found but holds something else, such as an empty list of
  /// numbers, which is what h5py makes of an empty list.
  bool is_text = true;
};

/// A group, or a dataset with its elements.
struct Node {
  std::string name;  ///< within its group; empty for the root
  std::vector<Attribute> attributes;
  std::vector<Node> children;   ///< of a group, by name in byte order
  std::optional<Tensor> value;  ///< of a dataset
  /// Not empty: a dataset that was found and whose elements cannot be given, and why.
  std::string unreadable;

  bool is_group() const { return !value.has_value() && unreadable.empty(); }

  /// The child, or null.
  const Node* Child(absl::string_view child) const;
  /// What lies at "a/b/c" below this group, or null.
  const Node* Find(absl::string_view path) const;
  /// The attribute, or null.
  const Attribute* FindAttribute(absl::string_view attribute) const;
  /// The dataset's elements; InvalidArgument, naming it as `path`, for what has none.
  absl::StatusOr<const Tensor*> Value(absl::string_view path) const;

  /// The child group of that name, made if there is none. Only of groups. Children stay in the
  /// order that the writer needs.
  Node& Group(absl::string_view child);
  /// Puts a dataset at "a/b/c" below this group.
  void Put(absl::string_view path, Tensor tensor);
  void SetText(absl::string_view attribute, absl::string_view text);
  void SetTexts(absl::string_view attribute, std::vector<std::string> texts);
};

}  // namespace seqgraph::hdf5
