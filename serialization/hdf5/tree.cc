#include "serialization/hdf5/tree.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace seqgraph::hdf5 {

const Node* Node::Child(absl::string_view child) const {
  const auto found =
      std::lower_bound(children.begin(), children.end(), child,
                       [](const Node& node, absl::string_view key) { return node.name < key; });
  return found == children.end() || found->name != child ? nullptr : &*found;
}

const Node* Node::Find(absl::string_view path) const {
  const Node* node = this;
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    node = node->Child(part);
    if (node == nullptr) return nullptr;
  }
  return node;
}

const Attribute* Node::FindAttribute(absl::string_view attribute) const {
  for (const Attribute& candidate : attributes) {
    if (candidate.name == attribute) return &candidate;
  }
  return nullptr;
}

absl::StatusOr<const Tensor*> Node::Value(absl::string_view path) const {
  if (value.has_value()) return &*value;
  return InvalidArgument(path, ": ",
                         unreadable.empty() ? "is a group, not an array of numbers" : unreadable);
}

Node& Node::Group(absl::string_view child) {
  auto place =
      std::lower_bound(children.begin(), children.end(), child,
                       [](const Node& node, absl::string_view key) { return node.name < key; });
  if (place == children.end() || place->name != child) {
    place = children.insert(place, Node{.name = std::string(child)});
  }
  return *place;
}

void Node::Put(absl::string_view path, Tensor tensor) {
  Node* node = this;
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    node = &node->Group(part);
  }
  node->value = std::move(tensor);
}

void Node::SetText(absl::string_view attribute, absl::string_view text) {
  attributes.push_back({std::string(attribute), true, {std::string(text)}});
}

void Node::SetTexts(absl::string_view attribute, std::vector<std::string> texts) {
  attributes.push_back({std::string(attribute), false, std::move(texts)});
}

}  // namespace seqgraph::hdf5
