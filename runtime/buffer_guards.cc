#include "runtime/buffer_guards.h"

#include "absl/strings/str_cat.h"
#include "base/guarded_buffer.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

// What the node knows the buffer at `data` as, and which of its outputs that is, or -1. Empty if it
// is none of its operands.
std::string OperandName(const Function& function, int n, const KernelArgs& args,
                        const std::byte* data, int* output) {
  *output = -1;
  if (n < 0 || n >= static_cast<int>(function.nodes().size())) return "";
  const Node& node = function.nodes()[n];
  for (size_t o = 0; o < args.outputs.size(); ++o) {
    if (args.outputs[o] != data) continue;
    *output = static_cast<int>(o);
    return absl::StrCat("output ", node.op->outputs()[o].name, " (",
                        function.info(node.outputs[o]).name, ")");
  }
  for (size_t i = 0; i < args.inputs.size(); ++i) {
    if (args.inputs[i] != data) continue;
    return absl::StrCat("input ", node.op->inputs()[i].name, " (",
                        function.info(node.inputs[i]).name, ")");
  }
  return "";
}

}  // namespace

std::string GuardDamage::ToString() const {
  const std::string where = offset < 0 ? absl::StrCat(-offset, " before its begin")
                                       : absl::StrCat(offset - bytes + 1, " past its end");
  return absl::StrCat("wrote outside of ", buffer, ", ", bytes, " bytes: byte ", offset,
                      " is damaged, ", where);
}

void BufferGuards::Fill(int node) const {
  for (const GuardedRange& range : ranges_) {
    if (range.first != node) continue;
    WriteGuard(range.data - range.before, range.data);
    WriteGuard(range.data + range.bytes, range.data + range.bytes + range.behind);
  }
}

std::optional<GuardDamage> BufferGuards::Find(const Function& function, int node,
                                              const KernelArgs& args) const {
  for (const GuardedRange& range : ranges_) {
    if (node < range.first || node > range.last) continue;
    const std::byte* damage = FirstDamage(range.data - range.before, range.data);
    if (damage == nullptr) {
      const std::byte* end = range.data + range.bytes;
      damage = FirstDamage(end, end + range.behind);
    }
    if (damage == nullptr) continue;
    GuardDamage found{.node = node, .bytes = range.bytes, .offset = damage - range.data};
    found.buffer = OperandName(function, node, args, range.data, &found.output);
    if (found.buffer.empty()) found.buffer = range.name;
    return found;
  }
  return std::nullopt;
}

}  // namespace seqgraph
