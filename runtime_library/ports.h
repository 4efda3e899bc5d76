#pragma once

// What the C interface tells of inputs, outputs and variables.

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "graph/function.h"
#include "graph/shape.h"
#include "runtime_library/runtime.h"

namespace seqgraph {

/// No model file is larger.
inline constexpr int64_t kMaxModelFileBytes = std::numeric_limits<int32_t>::max();

/// The extents as the interface gives them: -1 for the batch.
std::vector<int64_t> Extents(const Shape& shape);

/// The information of a tensor; `name` and `extents` must outlive it.
seqgraph_tensor_info TensorInfo(const std::string& name, const TensorType& type,
                                const std::vector<int64_t>& extents);

/// An input or output, with what its information points to.
struct Port {
  std::string name;
  TensorType type;
  std::vector<int64_t> extents = Extents(type.shape);

  seqgraph_tensor_info info() const { return TensorInfo(name, type, extents); }
};

/// NotFound, with their number, if there is none of that index; `what` are they: "input".
absl::StatusOr<const Port*> PortAt(const std::vector<Port>& ports, absl::string_view what,
                                   int32_t index);
/// -1 if there is none of that name, or it is null.
int32_t FindPort(const std::vector<Port>& ports, const char* name);

}  // namespace seqgraph
