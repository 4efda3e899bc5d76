#include "runtime/buffer_guards.h"

#include "absl/strings/str_cat.h"

namespace seqgraph {
namespace {

// Repeated from addresses that are multiples of 4 on: 0x7FC5A3E1, a quiet NaN.
constexpr uint8_t kGuard[4] = {0xE1, 0xA3, 0xC5, 0x7F};

std::byte GuardAt(const std::byte* p) {
  return std::byte{kGuard[reinterpret_cast<uintptr_t>(p) % 4]};
}

void Write(std::byte* begin, std::byte* end) {
  for (std::byte* p = begin; p < end; ++p) *p = GuardAt(p);
}

// Null if all is as it was written.
const std::byte* FirstDamage(const std::byte* begin, const std::byte* end) {
  for (const std::byte* p = begin; p < end; ++p) {
    if (*p != GuardAt(p)) return p;
  }
  return nullptr;
}

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
    Write(range.data - range.before, range.data);
    Write(range.data + range.bytes, range.data + range.bytes + range.behind);
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
