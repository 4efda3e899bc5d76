#include "serialization/onnx/open_extents.h"

#include <algorithm>
#include <utility>

#include "serialization/onnx/onnx.pb.h"
#include "serialization/proto_guard.h"

namespace seqgraph {
namespace {

using Values = google::protobuf::RepeatedPtrField<onnx_proto::ValueInfoProto>;

// Makes the extents in which the values of two graphs differ open in both.
void OpenDifferent(absl::Span<const OpenExtent> open, Values& a, Values& b) {
  for (int i = 0; i < std::min(a.size(), b.size()); ++i) {
    auto& of_a = *a[i].mutable_type()->mutable_tensor_type()->mutable_shape();
    auto& of_b = *b[i].mutable_type()->mutable_tensor_type()->mutable_shape();
    for (int axis = 0; axis < std::min(of_a.dim_size(), of_b.dim_size()); ++axis) {
      auto& x = *of_a.mutable_dim(axis);
      auto& y = *of_b.mutable_dim(axis);
      if (!x.has_dim_value() || !y.has_dim_value() || x.dim_value() == y.dim_value()) continue;
      const std::pair<int64_t, int64_t> numbers(x.dim_value(), y.dim_value());
      x.Clear();
      y.Clear();
      for (const OpenExtent& extent : open) {
        if (numbers != std::pair(extent.in_file, extent.in_other)) continue;
        x.set_dim_param(extent.symbol);
        y.set_dim_param(extent.symbol);
      }
    }
  }
}

}  // namespace

std::optional<std::string> WithOpenExtents(absl::string_view file, absl::string_view other,
                                           absl::Span<const OpenExtent> open) {
  onnx_proto::ModelProto a, b;
  if (!a.ParseFromArray(file.data(), static_cast<int>(file.size())) ||
      !b.ParseFromArray(other.data(), static_cast<int>(other.size()))) {
    return std::nullopt;
  }
  OpenDifferent(open, *a.mutable_graph()->mutable_input(), *b.mutable_graph()->mutable_input());
  OpenDifferent(open, *a.mutable_graph()->mutable_output(), *b.mutable_graph()->mutable_output());
  std::string bytes = SerializeDeterministically(a);
  if (bytes != SerializeDeterministically(b)) return std::nullopt;
  return bytes;
}

}  // namespace seqgraph
