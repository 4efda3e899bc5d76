#include "backends/plugin/encoded_function.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

std::string Packed(int64_t number) { return NumberBytes(static_cast<uint64_t>(number), 8); }

// A text with its length in front.
std::string Packed(absl::string_view text) {
  return absl::StrCat(NumberBytes(text.size(), 8), text);
}

}  // namespace

EncodedFunction::EncodedFunction(std::string name, std::string bytes, std::vector<ValueType> types)
    : name_(std::move(name)), bytes_(std::move(bytes)), types_(std::move(types)) {
  values_.reserve(types_.size());
  for (const ValueType& type : types_) {
    by_name_.push_back(static_cast<int32_t>(values_.size()));
    values_.push_back({sizeof(sg_value), type.name.c_str(), type.dtype,
                       static_cast<int32_t>(type.dims.size()), type.dims.data()});
    pointers_.push_back(&values_.back());
  }
  std::sort(by_name_.begin(), by_name_.end(),
            [this](int32_t a, int32_t b) { return types_[a].name < types_[b].name; });
  view_ = {sizeof(sg_function), reinterpret_cast<const uint8_t*>(bytes_.data()), bytes_.size(),
           pointers_.data(),    static_cast<int32_t>(pointers_.size()),          0,
           by_name_.data()};
}

absl::StatusOr<std::shared_ptr<const EncodedFunction>> EncodedFunction::Create(
    std::string name, std::string bytes, std::vector<ValueType> types, int64_t num_nodes) {
  std::shared_ptr<EncodedFunction> encoded(
      new EncodedFunction(std::move(name), std::move(bytes), std::move(types)));
  sg_reader reader = sg_read_nodes(&encoded->view_);
  sg_string message;
  int more;
  while ((more = sg_next_node_bytes(&reader, &message)) > 0) {
    encoded->nodes_.emplace_back();
    if (sg_parse_node(message, &encoded->nodes_.back()) == 0) more = -1;
    if (more < 0) break;
  }
  if (more != 0 || static_cast<int64_t>(encoded->nodes_.size()) != num_nodes) {
    return Internal("a function for a plugin is written in a way that nobody can read");
  }
  encoded->view_.num_nodes = static_cast<int32_t>(num_nodes);
  return encoded;
}

absl::StatusOr<std::shared_ptr<const EncodedFunction>> EncodedFunction::Encode(
    const Function& function, const FunctionSerializer& serialize) {
  std::vector<ValueType> types;
  for (const ValueInfo& info : function.values()) {
    if (!info.type.shape.is_static()) {
      return InvalidArgument("function ", function.name(), ": value ", info.name, " is ",
                             info.type.ToString(), "; bind the batch first");
    }
    ValueType type{info.name, static_cast<int32_t>(info.type.dtype), {}};
    for (const Dim dim : info.type.shape.dims()) type.dims.push_back(dim.size());
    types.push_back(std::move(type));
  }
  SEQ_ASSIGN_OR_RETURN(std::string bytes, serialize(function));
  return Create(function.name(), std::move(bytes), std::move(types),
                static_cast<int64_t>(function.nodes().size()));
}

std::string EncodedFunction::NodeLabel(int node) const {
  const sg_node& found = nodes_[node];
  return absl::StrCat("node ", absl::string_view(found.name.data, found.name.size), " (",
                      absl::string_view(found.op.data, found.op.size), ")");
}

std::string EncodedFunction::Pack() const {
  std::string packed = absl::StrCat(Packed(bytes_), Packed(view_.num_nodes),
                                    Packed(static_cast<int64_t>(types_.size())));
  for (const ValueType& type : types_) {
    absl::StrAppend(&packed, Packed(type.name), Packed(type.dtype),
                    Packed(static_cast<int64_t>(type.dims.size())));
    for (int64_t dim : type.dims) absl::StrAppend(&packed, Packed(dim));
  }
  return packed;
}

absl::StatusOr<std::shared_ptr<const EncodedFunction>> EncodedFunction::Unpack(
    absl::string_view packed) {
  ByteCursor in(packed);
  std::string bytes(in.Take(in.U64()));
  const auto num_nodes = static_cast<int64_t>(in.U64());
  std::vector<ValueType> types(in.Count(8));
  for (ValueType& type : types) {
    type.name = std::string(in.Take(in.U64()));
    type.dtype = static_cast<int32_t>(in.U64());
    type.dims.resize(in.Count(8));
    for (int64_t& dim : type.dims) dim = static_cast<int64_t>(in.U64());
  }
  if (in.ok() && in.left() == 0) {
    auto unpacked = Create("", std::move(bytes), std::move(types), num_nodes);
    if (unpacked.ok()) return unpacked;
  }
  return InvalidArgument("a packed function is damaged");
}

int64_t ValueBytes(const sg_value& value) {
  int64_t bytes = 0;
  switch (value.dtype) {
    case SG_FLOAT32:
    case SG_INT32:
      bytes = 4;
      break;
    case SG_FLOAT64:
    case SG_INT64:
      bytes = 8;
      break;
  }
  for (int i = 0; i < value.rank; ++i) bytes *= value.dims[i];
  return bytes;
}

}  // namespace seqgraph
