#include "backends/plugin/guarded_run.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr std::byte kPattern{0xA5};
constexpr int64_t kAlignment = 64;

int64_t RoundUp(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

bool AllEqual(const std::byte* begin, const std::byte* end, std::byte value) {
  for (; begin < end; ++begin) {
    if (*begin != value) return false;
  }
  return true;
}

using Buffers = std::vector<std::unique_ptr<GuardedBuffer>>;

absl::Status CheckIntact(const Buffers& buffers, size_t num_inputs, const std::string& label,
                         const PluginProgram::NodeCall& call) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    const bool is_input = i < num_inputs;
    if (!buffers[i]->Intact()) {
      return absl::OutOfRangeError(absl::StrCat("wrote outside the memory of ",
                                                is_input ? "input " : "output ",
                                                is_input ? i : i - num_inputs, " of ", label));
    }
    const std::byte* data = buffers[i]->data();
    if (is_input && !AllEqual(data, data + call.tensors[i].bytes, std::byte{0})) {
      return absl::InternalError(absl::StrCat("wrote to input ", i, " of ", label));
    }
  }
  return absl::OkStatus();
}

absl::Status RunNode(PluginProgram& program, int node, GuardedBuffer& persistent) {
  const PluginProgram::NodeCall& call = program.call(node);
  const size_t num_inputs = call.args.num_inputs;
  Buffers buffers;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  for (size_t i = 0; i < call.tensors.size(); ++i) {
    buffers.push_back(std::make_unique<GuardedBuffer>(call.tensors[i].bytes));
    void* data = buffers.back()->data();
    if (data == nullptr) return absl::OkStatus();  // Too large to be tried here.
    if (call.tensors[i].dims == nullptr && call.tensors[i].dtype == 0) data = nullptr;  // absent
    if (i < num_inputs) {
      inputs.push_back(data);
    } else {
      outputs.push_back(data);
    }
  }
  GuardedBuffer scratch(std::max<int64_t>(call.scratch_bytes, 0));
  const std::vector<uint64_t> versions(num_inputs, 0);
  SEQ_RETURN_IF_ERROR(program.Begin());
  const absl::Status status =
      program.Run(node, inputs, outputs, versions, scratch.data(), persistent.data());
  program.End();
  SEQ_RETURN_IF_ERROR(CheckIntact(buffers, num_inputs, call.label, call));
  if (!scratch.Intact() || !persistent.Intact()) {
    return absl::OutOfRangeError(
        absl::StrCat("wrote outside the scratch or persistent memory of ", call.label));
  }
  if (absl::IsInvalidArgument(status) || absl::IsOutOfRange(status) ||
      absl::IsFailedPrecondition(status)) {
    return absl::OkStatus();
  }
  return Annotate(status, call.label);
}

}  // namespace

GuardedBuffer::GuardedBuffer(int64_t bytes) : bytes_(bytes) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  writable_ = RoundUp(RoundUp(bytes, kAlignment) + kAlignment, page);
  void* pages = mmap(nullptr, writable_ + page, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return;
  pages_ = static_cast<std::byte*>(pages);
  mprotect(pages_ + writable_, page, PROT_NONE);
  data_ = pages_ + writable_ - RoundUp(bytes, kAlignment);
  std::memset(pages_, static_cast<int>(kPattern), data_ - pages_);
  std::memset(data_ + bytes, static_cast<int>(kPattern), pages_ + writable_ - (data_ + bytes));
}

GuardedBuffer::~GuardedBuffer() {
  if (pages_ != nullptr) munmap(pages_, writable_ + sysconf(_SC_PAGESIZE));
}

bool GuardedBuffer::Intact() const {
  return pages_ == nullptr || (AllEqual(pages_, data_, kPattern) &&
                               AllEqual(data_ + bytes_, pages_ + writable_, kPattern));
}

absl::Status RunGuarded(PluginProgram& program, absl::Span<const int> nodes) {
  GuardedBuffer persistent(program.persistent_bytes());
  for (int node : nodes) SEQ_RETURN_IF_ERROR(RunNode(program, node, persistent));
  return absl::OkStatus();
}

}  // namespace seqgraph
