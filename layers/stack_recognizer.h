#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/function.h"
#include "layers/layer_def.h"

namespace seqgraph {

/// A stack, and the variables of the function for those that its layers name.
struct RecognizedStack {
  LayerStack stack;
  /// Names in the stack to names in the function; absent: the same.
  std::map<std::string, std::string> variable_of;
};

/// Walks from the input of a function to its result, a layer at a time. Definitions of layers see
/// where it is and say whether theirs is there.
class StackRecognizer {
 public:
  StackRecognizer(const Function& function, const LayerRegistry& registry)
      : f_(function), registry_(registry), consumers_(function.Consumers()) {}

  /// Unimplemented, naming the node, where no layer is known.
  absl::StatusOr<RecognizedStack> Run(const std::string& name);

  const Function& function() const { return f_; }
  /// The nodes that read the value at this place as their first input.
  const std::vector<const Node*>& readers() const { return readers_; }
  /// The one reader, if it is a node of that op; or null.
  const Node* Reader(absl::string_view op) const;
  /// The operand of that name; absent where the op or the node has none.
  Value Operand(const Node& node, absl::string_view name) const;
  /// The one node that reads the value, which is no result; or null.
  const Node* OnlyReader(Value value) const;
  bool IsRead(Value value) const;
  /// The tokens that the function takes; absent where it takes numbers.
  Value tokens() const { return tokens_; }
  Initializer InitializerOf(Value weight) const;

  /// A name for a layer: what the variable of its first weight is named after, or `otherwise`, with
  /// a number if that is taken.
  std::string Name(Value weight, const std::string& otherwise);
  /// Notes that `value` is the weight `name` of the stack. A layer is frozen as a whole: *trainable
  /// becomes false if it is. Unimplemented for what is no variable.
  absl::Status Weight(const Node& node, const std::string& name, Value value, bool* trainable);

  static absl::Status Refuse(const Node& node, absl::string_view why);

 private:
  absl::Status ReadInput();
  absl::Status NextLayer();

  const Function& f_;
  const LayerRegistry& registry_;
  const std::vector<std::vector<int>> consumers_;
  Value x_;
  Value tokens_;
  std::vector<const Node*> readers_;
  std::set<std::string> names_;
  RecognizedStack result_;
};

}  // namespace seqgraph
