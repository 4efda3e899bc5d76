#include "stream/stream_batch.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "stream/stream.h"
#include "stream/stream_shape.h"

namespace seqgraph {

absl::Status StreamBatch::Step(absl::Span<Stream* const> streams) {
  for (size_t i = 0; i < streams.size(); ++i) {
    if (streams[i]->model_ == model_) continue;
    return InvalidArgument("stream ", i, " of ", streams.size(), " is of another model");
  }
  const auto most = static_cast<size_t>(model_->max_batch());
  for (size_t first = 0; first < streams.size(); first += most) {
    const absl::Span<Stream* const> some = streams.subspan(first, most);
    const absl::Status status = StepTogether(some);
    if (!status.ok()) {
      return Annotate(status, absl::StrCat("streams ", first, " to ", first + some.size() - 1));
    }
  }
  return absl::OkStatus();
}

absl::Status StreamBatch::StepTogether(absl::Span<Stream* const> streams) {
  if (streams.size() == 1) return streams[0]->Step();
  size_t c = 0;
  while (model_->shapes_[c]->batch < static_cast<int64_t>(streams.size())) ++c;
  const StreamShape& shape = *model_->shapes_[c];
  FunctionCall& call = *calls_[c];
  const auto row = [](const void* base, size_t r, int64_t bytes) {
    return static_cast<char*>(const_cast<void*>(base)) + static_cast<int64_t>(r) * bytes;
  };
  // Rows beyond these streams hold what was there: zeros, or a step that was right.
  for (size_t r = 0; r < streams.size(); ++r) {
    for (size_t i = 0; i < shape.input_slots.size(); ++i) {
      const StreamSlot& slot = shape.input_slots[i];
      std::memcpy(row(call.input(slot.index), r, slot.bytes), streams[r]->inputs_[i], slot.bytes);
    }
    for (size_t s = 0; s < shape.state_slots.size(); ++s) {
      const StreamSlot& slot = shape.state_slots[s];
      std::memcpy(row(call.input(slot.index), r, slot.bytes), streams[r]->StatePlace(s),
                  slot.bytes);
    }
  }
  if (absl::Status status = call.Run(); !status.ok()) {
    // What is wrong must not stay in a row that the next call may not write.
    for (const StreamSlot& slot : shape.input_slots) {
      std::memset(call.input(slot.index), 0, static_cast<size_t>(slot.bytes * shape.batch));
    }
    return status;
  }
  for (size_t r = 0; r < streams.size(); ++r) {
    for (size_t i = 0; i < shape.result_slots.size(); ++i) {
      const StreamSlot& slot = shape.result_slots[i];
      std::memcpy(const_cast<void*>(streams[r]->results_[i]),
                  row(call.result(slot.index), r, slot.bytes), slot.bytes);
    }
    for (size_t s = 0; s < shape.next_slots.size(); ++s) {
      const StreamSlot& slot = shape.next_slots[s];
      std::memcpy(streams[r]->StatePlace(s), row(call.result(slot.index), r, slot.bytes),
                  slot.bytes);
    }
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
