#pragma once

// What converters of the domain ai.onnx.ml have in common.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "serialization/onnx/node_import.h"

namespace seqgraph::onnx {

/// Input 0, [batch, features], in float32.
absl::StatusOr<Operand> Features(NodeImport& node);

// Known operands: float32 of that shape or of one axis; int32; 0, 1, .. below count.
Operand Table(const Shape& shape, const std::vector<double>& values);
Operand Vector(const std::vector<double>& values);
Operand Indices(const std::vector<int32_t>& values);
Operand Numbers(int64_t count);

// An attribute; none where it is not there.
absl::StatusOr<std::vector<double>> RealsOf(NodeImport& node, const std::string& name);
absl::StatusOr<std::vector<int64_t>> IntsOf(NodeImport& node, const std::string& name);

/// The scores [batch, n] of attribute post_transform.
absl::StatusOr<Operand> Transformed(NodeImport& node, const Operand& scores);
/// What the classes are called: numbers, or names, which become those of the model.
absl::StatusOr<std::vector<int64_t>> ClassesOf(NodeImport& node);
/// int64 [batch]: what the class is called whose score is the largest, the first of equal ones.
absl::StatusOr<Operand> LabelOf(NodeImport& node, const Operand& scores,
                                const std::vector<int64_t>& classes);

}  // namespace seqgraph::onnx
