// The C interface (runtime.h) over streams.

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "runtime_library/guarded.h"
#include "runtime_library/model_reader.h"
#include "runtime_library/ports.h"
#include "runtime_library/runtime.h"
#include "stream/stream.h"
#include "stream/stream_batch.h"
#include "stream/stream_model.h"

struct seqgraph_stream_model {
  std::shared_ptr<const seqgraph::StreamModel> model;
  std::vector<seqgraph::Port> inputs, outputs;
};

struct seqgraph_stream {
  std::unique_ptr<seqgraph::Stream> stream;
  std::vector<seqgraph::Port> inputs, outputs;
};

struct seqgraph_stream_batch {
  std::unique_ptr<seqgraph::StreamBatch> batch;
};

namespace seqgraph {
namespace {

std::vector<Port> PortsOf(const std::vector<StreamPort>& ports) {
  std::vector<Port> found;
  for (const StreamPort& port : ports) found.push_back({port.name, port.type});
  return found;
}

absl::Status NewStreamModel(absl::string_view bytes, const seqgraph_stream_options* given,
                            seqgraph_stream_model** made) {
  SEQ_ASSIGN_OR_RETURN(const seqgraph_stream_options read, ReadStruct("options", given));
  StreamOptions options;
  if (read.function != nullptr) options.function = read.function;
  if (read.max_batch != 0) options.max_batch = read.max_batch;
  if (read.block != 0) options.block = read.block;
  if (read.max_num_bytes < 0) {
    return InvalidArgument("options: max_num_bytes ", read.max_num_bytes, " must not be negative");
  }
  if (read.max_num_bytes > 0) options.max_memory = read.max_num_bytes;
  SEQ_ASSIGN_OR_RETURN(UnreadModel unread, ReadWithoutFunctions(bytes));
  SEQ_ASSIGN_OR_RETURN(const int32_t index, IndexOf(options.function, unread.functions));
  SEQ_RETURN_IF_ERROR(AddFunction(unread.functions[index], AllOps(), unread.model));
  SEQ_ASSIGN_OR_RETURN(std::shared_ptr<const StreamModel> streams,
                       StreamModel::Create(std::move(unread.model), options));
  std::vector<Port> inputs = PortsOf(streams->inputs()), outputs = PortsOf(streams->results());
  *made = new seqgraph_stream_model{std::move(streams), std::move(inputs), std::move(outputs)};
  return absl::OkStatus();
}

}  // namespace
}  // namespace seqgraph

using seqgraph::Fill;
using seqgraph::Guarded;
using seqgraph::Missing;

extern "C" {

int32_t seqgraph_stream_model_load(const char* path, const seqgraph_stream_options* options,
                                   seqgraph_stream_model** model, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"path", path}, {"model", model}}));
    *model = nullptr;
    SEQ_ASSIGN_OR_RETURN(const std::string bytes,
                         seqgraph::ReadFile(path, seqgraph::kMaxModelFileBytes));
    return seqgraph::Annotate(seqgraph::NewStreamModel(bytes, options, model),
                              absl::StrCat("cannot load ", path));
  });
}

int32_t seqgraph_stream_model_parse(const void* bytes, size_t num_bytes,
                                    const seqgraph_stream_options* options,
                                    seqgraph_stream_model** model, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"bytes", bytes}, {"model", model}}));
    *model = nullptr;
    return seqgraph::NewStreamModel({static_cast<const char*>(bytes), num_bytes}, options, model);
  });
}

void seqgraph_stream_model_free(seqgraph_stream_model* model) { delete model; }

int32_t seqgraph_stream_model_get_info(const seqgraph_stream_model* model,
                                       seqgraph_stream_info* info, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"model", model}}));
    const seqgraph::StreamModel& streams = *model->model;
    seqgraph_stream_info found = {};
    found.num_inputs = static_cast<int32_t>(model->inputs.size());
    found.num_outputs = static_cast<int32_t>(model->outputs.size());
    found.num_slow_nodes = static_cast<int32_t>(streams.nodes_by_definition().size());
    found.num_steps = streams.steps();
    found.max_batch = streams.max_batch();
    found.state_bytes = streams.state_bytes();
    found.stream_bytes = streams.stream_bytes();
    return Fill(found, info);
  });
}

int32_t seqgraph_stream_create(const seqgraph_stream_model* model, seqgraph_stream** stream,
                               seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"model", model}, {"stream", stream}}));
    *stream = nullptr;
    SEQ_ASSIGN_OR_RETURN(std::unique_ptr<seqgraph::Stream> made, model->model->NewStream());
    *stream = new seqgraph_stream{std::move(made), model->inputs, model->outputs};
    return absl::OkStatus();
  });
}

void seqgraph_stream_free(seqgraph_stream* stream) { delete stream; }

int32_t seqgraph_stream_get_input(const seqgraph_stream* stream, int32_t index,
                                  seqgraph_tensor_info* info, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"stream", stream}}));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Port* port, PortAt(stream->inputs, "input", index));
    seqgraph_tensor_info found = port->info();
    found.data = stream->stream->input<void>(index);
    return Fill(found, info);
  });
}

int32_t seqgraph_stream_get_output(const seqgraph_stream* stream, int32_t index,
                                   seqgraph_tensor_info* info, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"stream", stream}}));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Port* port, PortAt(stream->outputs, "output", index));
    seqgraph_tensor_info found = port->info();
    found.data = const_cast<void*>(stream->stream->result<void>(index));
    return Fill(found, info);
  });
}

int32_t seqgraph_stream_step(seqgraph_stream* stream, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    if (stream == nullptr) return seqgraph::InvalidArgument("stream is NULL");
    return stream->stream->Step();
  });
}

int32_t seqgraph_stream_step_block(seqgraph_stream* stream, int64_t num_calls,
                                   const void* const* inputs, void* const* outputs, int64_t* done,
                                   seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    if (done != nullptr) *done = 0;
    SEQ_RETURN_IF_ERROR(Missing({{"stream", stream}, {"inputs", inputs}, {"outputs", outputs}}));
    if (num_calls < 0) return seqgraph::InvalidArgument("num_calls is ", num_calls);
    for (size_t i = 0; i < stream->inputs.size(); ++i) {
      if (inputs[i] == nullptr) return seqgraph::InvalidArgument("inputs[", i, "] is NULL");
    }
    return stream->stream->StepBlock(num_calls, {inputs, stream->inputs.size()},
                                     {outputs, stream->outputs.size()}, done);
  });
}

int32_t seqgraph_stream_reset(seqgraph_stream* stream, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"stream", stream}}));
    stream->stream->Reset();
    return absl::OkStatus();
  });
}

int32_t seqgraph_stream_copy(seqgraph_stream* stream, const seqgraph_stream* from,
                             seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"stream", stream}, {"from", from}}));
    return stream->stream->CopyFrom(*from->stream);
  });
}

int32_t seqgraph_stream_save(const seqgraph_stream* stream, void* bytes, size_t* num_bytes,
                             seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"stream", stream}, {"num_bytes", num_bytes}}));
    const std::string saved = stream->stream->Save();
    const size_t room = std::exchange(*num_bytes, saved.size());
    if (bytes == nullptr) return absl::OkStatus();
    if (room < saved.size()) {
      return seqgraph::OutOfRange("a saved stream has ", saved.size(), " bytes; there is room for ",
                                  room);
    }
    std::memcpy(bytes, saved.data(), saved.size());
    return absl::OkStatus();
  });
}

int32_t seqgraph_stream_restore(seqgraph_stream* stream, const void* bytes, size_t num_bytes,
                                seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"stream", stream}, {"bytes", bytes}}));
    return stream->stream->Restore({static_cast<const char*>(bytes), num_bytes});
  });
}

int32_t seqgraph_stream_batch_create(const seqgraph_stream_model* model,
                                     seqgraph_stream_batch** batch, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"model", model}, {"batch", batch}}));
    *batch = nullptr;
    SEQ_ASSIGN_OR_RETURN(std::unique_ptr<seqgraph::StreamBatch> made, model->model->NewBatch());
    *batch = new seqgraph_stream_batch{std::move(made)};
    return absl::OkStatus();
  });
}

void seqgraph_stream_batch_free(seqgraph_stream_batch* batch) { delete batch; }

int32_t seqgraph_stream_batch_step(seqgraph_stream_batch* batch, seqgraph_stream* const* streams,
                                   int32_t num_streams, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"batch", batch}, {"streams", streams}}));
    if (num_streams < 0) return seqgraph::InvalidArgument("num_streams is ", num_streams);
    // On the stack: a step allocates nothing.
    seqgraph::Stream* together[seqgraph::kMaxStreamBatch];
    for (int32_t from = 0; from < num_streams;) {
      int32_t count = 0;
      for (; count < seqgraph::kMaxStreamBatch && from + count < num_streams; ++count) {
        seqgraph_stream* stream = streams[from + count];
        if (stream == nullptr) {
          return seqgraph::InvalidArgument("streams[", from + count, "] is NULL");
        }
        together[count] = stream->stream.get();
      }
      SEQ_RETURN_IF_ERROR(
          batch->batch->Step(absl::MakeConstSpan(together, static_cast<size_t>(count))));
      from += count;
    }
    return absl::OkStatus();
  });
}

}  // extern "C"
