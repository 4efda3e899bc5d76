#include "runtime_library/ports.h"

#include "absl/strings/str_cat.h"

namespace seqgraph {

// What crosses as a number.
static_assert(static_cast<int>(DType::kFloat32) == SEQGRAPH_FLOAT32);
static_assert(static_cast<int>(DType::kFloat64) == SEQGRAPH_FLOAT64);
static_assert(static_cast<int>(DType::kInt32) == SEQGRAPH_INT32);
static_assert(static_cast<int>(DType::kInt64) == SEQGRAPH_INT64);

std::vector<int64_t> Extents(const Shape& shape) {
  std::vector<int64_t> extents;
  for (const Dim dim : shape.dims()) extents.push_back(dim.is_batch() ? -1 : dim.size());
  return extents;
}

seqgraph_tensor_info TensorInfo(const std::string& name, const TensorType& type,
                                const std::vector<int64_t>& extents) {
  seqgraph_tensor_info info = {};
  info.name = name.c_str();
  info.dtype = static_cast<int32_t>(type.dtype);
  info.rank = static_cast<int32_t>(extents.size());
  info.dims = extents.data();
  info.num_bytes = type.shape.is_static() ? type.num_bytes() : -1;
  return info;
}

absl::StatusOr<const Port*> PortAt(const std::vector<Port>& ports, absl::string_view what,
                                   int32_t index) {
  if (index >= 0 && static_cast<size_t>(index) < ports.size()) return &ports[index];
  return NotFound("there is no ", what, " ", index, ": there are ", ports.size());
}

int32_t FindPort(const std::vector<Port>& ports, const char* name) {
  for (size_t i = 0; name != nullptr && i < ports.size(); ++i) {
    if (ports[i].name == name) return static_cast<int32_t>(i);
  }
  return -1;
}

}  // namespace seqgraph
