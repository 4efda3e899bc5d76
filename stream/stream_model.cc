#include "stream/stream_model.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "stream/stream.h"
#include "stream/stream_batch.h"
#include "stream/stream_shape.h"

namespace seqgraph {
namespace {

// True if the steps of a call lie one behind the other in memory.
bool IsSequence(const StreamPort& port) {
  if (port.time_axis < 0) return false;
  return AxisExtents(port.type.shape, port.time_axis).outer == 1;
}

int Find(const std::vector<StreamPort>& ports, absl::string_view name) {
  for (size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

// A row of a batch must lie apart from the others: the batch is the first axis that is not 1.
absl::Status CheckRows(const std::vector<StreamPort>& one, const std::vector<StreamPort>& two) {
  for (size_t i = 0; i < one.size(); ++i) {
    const Shape &a = one[i].type.shape, &b = two[i].type.shape;
    int axis = 0;
    while (axis < a.rank() && a[axis] == b[axis]) ++axis;
    if (axis < a.rank() && AxisExtents(a, axis).outer == 1) continue;
    return InvalidArgument(one[i].name, " is ", one[i].type.ToString(), " for one stream and ",
                           two[i].type.ToString(), " for two; max_batch must be 1");
  }
  return absl::OkStatus();
}

// Of the states' names and types, and of the weights.
uint64_t FingerprintOf(const std::vector<StepState>& states, const VariableStore& variables) {
  std::string names;
  for (const StepState& state : states) {
    absl::StrAppend(&names, state.name, ":", state.type.ToString(), ";");
  }
  uint32_t weights = 0;
  for (const Variable& variable : variables.all()) {
    if (variable.def.role != VariableRole::kWeight) continue;
    const absl::string_view content(static_cast<const char*>(variable.value.data()),
                                    static_cast<size_t>(variable.value.num_bytes()));
    weights = Crc32c(absl::StrCat(variable.def.name, "=", Crc32c(content), ";", weights));
  }
  return uint64_t{weights} << 32 | Crc32c(names);
}

}  // namespace

StreamModel::StreamModel() = default;
StreamModel::~StreamModel() = default;

absl::StatusOr<std::shared_ptr<const StreamModel>> StreamModel::Create(
    Model model, const StreamOptions& options) {
  if (options.max_batch < 1 || options.max_batch > kMaxStreamBatch) {
    return InvalidArgument("max_batch must be in [1, ", kMaxStreamBatch, "], got ",
                           options.max_batch);
  }
  if (options.block < 1) return InvalidArgument("block must be at least 1, got ", options.block);
  std::shared_ptr<StreamModel> made(new StreamModel);
  made->model_ = std::move(model);
  SEQ_RETURN_IF_ERROR(made->Compile(options));
  return made;
}

absl::Status StreamModel::Compile(const StreamOptions& options) {
  for (int64_t batch = 1;; batch *= 2) {
    batch = std::min(batch, options.max_batch);
    SEQ_ASSIGN_OR_RETURN(auto shape, StreamShape::Create(model_, options, batch, /*steps=*/1));
    shapes_.push_back(std::move(shape));
    if (batch == 2) {
      SEQ_RETURN_IF_ERROR(CheckRows(shapes_[0]->inputs, shapes_[1]->inputs));
      SEQ_RETURN_IF_ERROR(CheckRows(shapes_[0]->results, shapes_[1]->results));
    }
    if (batch == options.max_batch) break;
  }
  const StreamShape& one = *shapes_[0];
  for (const NodeAssignment& node : one.compiled->assignments()) {
    if (absl::StartsWith(node.implementation, "by definition")) by_definition_.push_back(node.node);
  }
  const bool sequences = std::all_of(one.inputs.begin(), one.inputs.end(), IsSequence) &&
                         std::all_of(one.results.begin(), one.results.end(), IsSequence);
  if (options.block <= one.steps || !sequences) return absl::OkStatus();
  const int64_t calls = options.block / one.steps;
  auto block = StreamShape::Create(model_, options, /*batch=*/1, calls * one.steps);
  if (absl::IsUnimplemented(block.status())) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(block_shape_, std::move(block));
  block_ = calls;
  return absl::OkStatus();
}

// Threads that ask at the same time find the same.
uint64_t StreamModel::fingerprint() const {
  uint64_t known = fingerprint_.load(std::memory_order_relaxed);
  if (known == 0) {
    known = FingerprintOf(shapes_[0]->states, model_.variables);
    fingerprint_.store(known, std::memory_order_relaxed);
  }
  return known;
}

const std::vector<StreamPort>& StreamModel::inputs() const { return shapes_[0]->inputs; }
const std::vector<StreamPort>& StreamModel::results() const { return shapes_[0]->results; }
int StreamModel::FindInput(absl::string_view name) const { return Find(inputs(), name); }
int StreamModel::FindResult(absl::string_view name) const { return Find(results(), name); }
int64_t StreamModel::steps() const { return shapes_[0]->steps; }
int64_t StreamModel::max_batch() const { return shapes_.back()->batch; }

absl::StatusOr<std::unique_ptr<Stream>> StreamModel::NewStream() const {
  std::unique_ptr<Stream> stream(new Stream);
  stream->model_ = shared_from_this();
  const StreamShape& one = *shapes_[0];
  stream->shape_ = &one;
  std::vector<CarriedValue> carried;
  for (size_t s = 0; s < one.states.size(); ++s) {
    carried.push_back({one.state_slots[s].index, one.next_slots[s].index});
  }
  SEQ_ASSIGN_OR_RETURN(stream->call_, one.compiled->MakeCall(carried));
  if (block_shape_ != nullptr) {
    SEQ_ASSIGN_OR_RETURN(stream->block_, block_shape_->compiled->MakeCall());
  }
  const FunctionCall& call = *stream->call_;
  for (const StreamSlot& slot : one.input_slots) stream->inputs_.push_back(call.input(slot.index));
  for (size_t s = 0; s < one.states.size(); ++s) {
    stream->state_inputs_.push_back(one.state_slots[s].index);
    if (!call.carries(one.state_slots[s].index)) stream->copied_.push_back(s);
  }
  for (const StreamSlot& slot : one.result_slots) {
    stream->results_.push_back(call.result(slot.index));
  }
  stream->Reset();
  return stream;
}

absl::StatusOr<std::unique_ptr<StreamBatch>> StreamModel::NewBatch() const {
  std::unique_ptr<StreamBatch> batch(new StreamBatch);
  batch->model_ = shared_from_this();
  for (const auto& shape : shapes_) {
    SEQ_ASSIGN_OR_RETURN(auto call, shape->compiled->MakeCall());
    batch->calls_.push_back(std::move(call));
  }
  return batch;
}

int64_t StreamModel::state_bytes() const {
  int64_t bytes = 0;
  for (const StreamSlot& slot : shapes_[0]->state_slots) bytes += slot.bytes;
  return bytes;
}

int64_t StreamModel::stream_bytes() const {
  const absl::StatusOr<std::unique_ptr<Stream>> stream = NewStream();
  if (!stream.ok()) return 0;
  const Stream& one = **stream;
  return static_cast<int64_t>(sizeof(Stream)) + one.call_->bytes() +
         (one.block_ != nullptr ? one.block_->bytes() : 0);
}

std::vector<std::string> StreamModel::Describe() const {
  std::vector<std::string> nodes;
  for (const NodeAssignment& node : shapes_[0]->compiled->assignments()) {
    nodes.push_back(absl::StrCat(node.node, " (", node.op, "): ", node.implementation));
  }
  return nodes;
}

}  // namespace seqgraph
