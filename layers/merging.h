#pragma once

#include <cstdint>
#include <string>

#include "layers/layer_def.h"

namespace seqgraph {

/// Several inputs of shapes that numpy would broadcast, element by element.
struct MergeLayer {
  std::string kind = "Add";  ///< the class: Subtract, Multiply, Average, Maximum or Minimum too

  const std::string& class_name() const { return kind; }
  /// False: it is another class.
  bool SetClass(const std::string& name);

  template <typename Visitor>
  void Fields(Visitor&) {}
};

/// Several inputs, one behind the other along an axis.
struct ConcatenateLayer {
  static constexpr char kClass[] = "Concatenate";
  int64_t axis = -1;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("axis", axis, FieldRule{.low = -8, .high = 7}, "not the batch; from the end if below 0");
  }
};

/// Sums of products of two inputs over an axis of each.
struct DotLayer {
  static constexpr char kClass[] = "Dot";
  int64_t axis = -1;
  int64_t other_axis = -1;
  bool normalize = false;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("axis", axis, FieldRule{.low = -8, .high = 7}, "of the first input; not the batch");
    field("other_axis", other_axis, FieldRule{.low = -8, .high = 7}, "of the second");
    field("normalize", normalize, AnyValue(), "whether vectors are divided by their length first");
  }
};

LayerDef AddDef();
LayerDef SubtractDef();
LayerDef MultiplyDef();
LayerDef AverageDef();
LayerDef MaximumDef();
LayerDef MinimumDef();
LayerDef ConcatenateDef();
LayerDef DotDef();

}  // namespace seqgraph
