#pragma once

// Shapes that are said once: a doc begins with the shape of its operand.
//
//   .Input({.name = "x", .doc = "[..., features]"})
//   .Input({.name = "w", .doc = "[features, units]"})
//   .Input({.name = "b", .doc = "[units]; absent: zero", .optional = true})
//   .Output({.name = "y", .doc = "[..., units]"})
//   .With(ShapesByDoc({{"C1", {"x"}}, {"C2", {"w"}}, {"C3", {"b"}}}))
//
// What a doc may begin with:
//   "[batch, time, 3 units]"    extents by name, and multiples of them
//   "[..., features]"           "..." is any axes
//   "[shape of ids..., width]"  the axes of an input
//   "the shape of x", "the shape of x without its last axis", "a scalar"
// A name, and "...", is the same wherever it stands, or the integer attribute of that name. Only
// what is called batch, and "...", may be the batch. Behind a semicolon may follow what holds
// instead without an input or for an attribute: "the shape of w; [0, units] without w", "[2,
// units]; [units] with reset_after = false".

#include <functional>
#include <string>
#include <vector>

#include "graph/op_def.h"

namespace seqgraph::ops {

/// The shapes of some inputs, as their docs say.
struct ShapeConstraint {
  std::string label;
  std::vector<std::string> inputs;
  std::string not_zero = {};  ///< an extent that is at least 1
};

/// Gives an op that has all its operands these constraints, checked in this order, rejections of
/// them from its samples, and the shape rule: the docs of all outputs say shapes too.
std::function<void(OpDef&)> ShapesByDoc(std::vector<ShapeConstraint> constraints);

}  // namespace seqgraph::ops
