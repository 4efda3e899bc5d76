#include "backends/plugin/guarded_run.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/guarded_buffer.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// Null if it is too large to be tried here.
std::unique_ptr<GuardedBuffer> Guarded(int64_t bytes) {
  constexpr int64_t kAlignment = 64;
  auto buffer =
      GuardedBuffer::Create(std::max<int64_t>(bytes, 0), kAlignment, Guard::kPage, "an operand");
  return buffer.ok() ? *std::move(buffer) : nullptr;
}

using Buffers = std::vector<std::unique_ptr<GuardedBuffer>>;

absl::Status CheckIntact(const Buffers& buffers, size_t num_inputs, const std::string& label,
                         const PluginProgram::NodeCall& call) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    const bool is_input = i < num_inputs;
    if (!buffers[i]->Damage().empty()) {
      return absl::OutOfRangeError(absl::StrCat("wrote outside the memory of ",
                                                is_input ? "input " : "output ",
                                                is_input ? i : i - num_inputs, " of ", label));
    }
    const auto* data = static_cast<const char*>(buffers[i]->data());
    const auto is_zero = [](char byte) { return byte == 0; };
    if (is_input && !std::all_of(data, data + call.tensors[i].bytes, is_zero)) {
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
    buffers.push_back(Guarded(call.tensors[i].bytes));
    if (buffers.back() == nullptr) return absl::OkStatus();
    void* data = buffers.back()->data();
    if (call.tensors[i].dims == nullptr && call.tensors[i].dtype == 0) data = nullptr;  // absent
    if (i < num_inputs) {
      inputs.push_back(data);
    } else {
      outputs.push_back(data);
    }
  }
  const std::unique_ptr<GuardedBuffer> scratch = Guarded(call.scratch_bytes);
  if (scratch == nullptr) return absl::OkStatus();
  const std::vector<uint64_t> versions(num_inputs, 0);
  SEQ_RETURN_IF_ERROR(program.Begin());
  const absl::Status status =
      program.Run(node, inputs, outputs, versions, scratch->data(), persistent.data());
  program.End();
  SEQ_RETURN_IF_ERROR(CheckIntact(buffers, num_inputs, call.label, call));
  if (!scratch->Damage().empty() || !persistent.Damage().empty()) {
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

absl::Status RunGuarded(PluginProgram& program, absl::Span<const int> nodes) {
  const std::unique_ptr<GuardedBuffer> persistent = Guarded(program.persistent_bytes());
  if (persistent == nullptr) return absl::OkStatus();
  for (int node : nodes) SEQ_RETURN_IF_ERROR(RunNode(program, node, *persistent));
  return absl::OkStatus();
}

}  // namespace seqgraph
