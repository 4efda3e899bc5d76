#ifndef SEQGRAPH_GRAPH_CONSTANT_TEXT_H_
#define SEQGRAPH_GRAPH_CONSTANT_TEXT_H_

// The content of a constant as the text of an attribute, for what makes constants without the op's
// own header: importers, which know ops by name only.

#include <cstdint>
#include <optional>
#include <string>

#include "graph/tensor.h"

namespace seqgraph {

/// What a constant may hold where its elements differ.
inline constexpr int64_t kMaxConstantElements = 256;

/// The attribute `values` of the op Constant: all elements with one space between, or one number
/// that stands for all ("0" for none). Absent where the op would refuse the content: it is not
/// finite, has an integer of 2^53 or more, or more than kMaxConstantElements elements that are not
/// all equal.
std::optional<std::string> ConstantText(const Tensor& content);

}  // namespace seqgraph

#endif  // SEQGRAPH_GRAPH_CONSTANT_TEXT_H_
