#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "backends/plugin/encoded_function.h"
#include "backends/plugin/probe_protocol.h"
#include "base/byte_cursor.h"
#include "base/crc32c.h"
#include "google/protobuf/stubs/logging.h"
#include "graph/rewrite.h"
#include "ops/all_ops.h"
#include "runtime_library/runtime.h"
#include "serialization/function_proto.h"
#include "serialization/model_io.h"
#include "stream/stream.h"
#include "stream/stream_model.h"
#include "tests/fuzz/seed_models.h"
#include "tests/fuzz/targets/targets.h"

namespace seqgraph {
namespace {

// What a compiled function, or a stream model, may hold.
constexpr int64_t kMaxCallBytes = int64_t{1} << 18;

// A code of the C interface, as FuzzOk() takes a status.
bool CodeOk(int32_t code, const seqgraph_status& status) {
  FuzzCheck(code == status.code, "the code is that of the status");
  FuzzCheck(code == SEQGRAPH_OK || status.text[0] != '\0', "an error says why");
  FuzzCheck(code != SEQGRAPH_INTERNAL && code != SEQGRAPH_UNKNOWN, status.text);
  return code == SEQGRAPH_OK;
}

void RunFunction(seqgraph_model* model, const char* name) {
  seqgraph_status status = SEQGRAPH_STATUS_INIT;
  seqgraph_options options = SEQGRAPH_INIT(seqgraph_options);
  options.batch = 1;
  options.max_num_bytes = kMaxCallBytes;
  seqgraph_function* function = nullptr;
  if (!CodeOk(seqgraph_function_compile(model, name, &options, &function, &status), status)) return;
  CodeOk(seqgraph_function_run(function, &status), status);
  seqgraph_function_free(function);
}

// Without protobuf, through the C interface; and both readers of models agree.
bool RuntimeModel(absl::string_view content) {
  google::protobuf::LogSilencer silencer;
  const std::string bytes = SealedFile(std::string(content));
  const bool whole = ParseModel(bytes, ModelFormat::kBinary, AllOps()).ok();
  seqgraph_status status = SEQGRAPH_STATUS_INIT;
  seqgraph_model* model = nullptr;
  if (!CodeOk(seqgraph_model_parse(bytes.data(), bytes.size(), &model, &status), status)) {
    FuzzCheck(!whole, absl::StrCat("the runtime alone refuses it: ", status.text));
    return false;
  }
  seqgraph_model_info info = SEQGRAPH_INIT(seqgraph_model_info);
  FuzzCheck(CodeOk(seqgraph_model_get_info(model, &info, &status), status), status.text);
  seqgraph_tensor_info variable = SEQGRAPH_INIT(seqgraph_tensor_info);
  for (int32_t v = 0; v < info.num_variables; ++v) {
    FuzzCheck(CodeOk(seqgraph_model_get_variable(model, v, &variable, &status), status),
              status.text);
  }
  for (int32_t f = 0; f < std::min(info.num_functions, 4); ++f) {
    seqgraph_function_info function = SEQGRAPH_INIT(seqgraph_function_info);
    if (!CodeOk(seqgraph_model_get_function(model, f, &function, &status), status)) {
      FuzzCheck(!whole, absl::StrCat("the runtime alone refuses a function: ", status.text));
      continue;
    }
    RunFunction(model, function.name);
  }
  seqgraph_model_free(model);
  return whole;
}

struct Streamed {
  std::shared_ptr<const StreamModel> model;
  std::unique_ptr<Stream> stream;
  std::string saved;
};

void StepTwice(Stream& stream) {
  for (int step = 0; step < 2; ++step) {
    for (size_t i = 0; i < stream.model().inputs().size(); ++i) {
      const StreamPort& port = stream.model().inputs()[i];
      for (int64_t k = 0; k < port.elements(); ++k) {
        if (port.type.dtype == DType::kInt32) {
          stream.input<int32_t>(static_cast<int>(i))[k] = step;
        } else {
          stream.input<float>(static_cast<int>(i))[k] = static_cast<float>(step) / 4 - 0.5f;
        }
      }
    }
    FuzzOk(stream.Step());
  }
}

const std::vector<Streamed>& Streams() {
  static const auto* const streams = [] {
    auto* const all = new std::vector<Streamed>;
    for (const LayerStack& stack : StreamStacks()) {
      auto model = StreamModel::Create(*StackModel(stack, 7), {.max_batch = 2, .block = 3});
      FuzzCheck(model.ok(), model.status().ToString());
      Streamed& each = all->emplace_back();
      each.model = *model;
      each.stream = *each.model->NewStream();
      StepTwice(*each.stream);
      each.saved = each.stream->Save();
    }
    return all;
  }();
  return *streams;
}

constexpr size_t kSumBytes = 4;

// The first byte chooses the model; with the right check sum.
bool StreamState(absl::string_view bytes) {
  if (bytes.empty()) return false;
  const size_t index = static_cast<unsigned char>(bytes[0]) % Streams().size();
  bytes.remove_prefix(1);
  const std::string state = absl::StrCat(bytes, NumberBytes(Crc32c(bytes), kSumBytes));
  FuzzOk(Stream::CountSaved(state).status());
  Stream& stream = *Streams()[index].stream;
  const std::string before = stream.Save();
  const absl::Status status = stream.Restore(state);
  FuzzCheck(stream.Save() == (status.ok() ? state : before), "a refused state changes nothing");
  if (!FuzzOk(status)) return false;
  StepTwice(stream);
  return true;
}

// What a plugin's process and the one that asks it send each other.
bool Probe(absl::string_view bytes) {
  const absl::StatusOr<probe::Request> request = probe::Request::Unpack(bytes);
  if (FuzzOk(request.status())) {
    const auto again = probe::Request::Unpack(request->Pack());
    FuzzCheck(again.ok(), again.status().ToString());
  }
  std::string stream(bytes);
  probe::Frame frame;
  bool damaged = false, any = false;
  while (probe::TakeFrame(stream, frame, damaged)) {
    FuzzCheck(frame.text.size() <= probe::kMaxFrameText, "a frame is small");
    any = true;
  }
  return request.ok() || (any && !damaged);
}

// Seeds.

std::vector<std::string> RuntimeModelSeeds() {
  std::vector<std::string> seeds;
  for (const LayerStack& stack : StreamStacks())
    seeds.push_back(UnsealedFile(*StackModel(stack, 7)));
  const std::vector<Model> models = OpModels();
  for (size_t i = 0; i < models.size(); i += 24) seeds.push_back(UnsealedFile(models[i]));
  return seeds;
}

std::vector<std::string> StreamStateSeeds() {
  std::vector<std::string> seeds;
  for (size_t i = 0; i < Streams().size(); ++i) {
    const std::string& saved = Streams()[i].saved;
    seeds.push_back(absl::StrCat(std::string(1, static_cast<char>(i)),
                                 saved.substr(0, saved.size() - kSumBytes)));
  }
  return seeds;
}

std::vector<std::string> ProbeSeeds() {
  probe::Request request{.path = "plugin.so", .run = true, .leak_repeats = 2, .leak_limit = 7};
  const std::vector<Model> models = OpModels();
  const absl::StatusOr<Function> bound = BindBatch(models[0].functions[0], AllOps(), 1);
  FuzzCheck(bound.ok(), bound.status().ToString());
  const auto function =
      EncodedFunction::Encode(*bound, [](const Function& each) -> absl::StatusOr<std::string> {
        return FunctionToProto(each).SerializeAsString();
      });
  FuzzCheck(function.ok(), function.status().ToString());
  request.functions.push_back(*function);
  return {request.Pack(), absl::StrCat(probe::PackFrame(probe::FrameType::kStage, "load"),
                                       probe::PackFrame(probe::FrameType::kClaimed, "0 1"),
                                       probe::PackFrame(probe::FrameType::kDone, ""))};
}

}  // namespace

const std::vector<FuzzTarget>& RuntimeTargets() {
  static const auto* const targets = new std::vector<FuzzTarget>{
      {"runtime_model", RuntimeModel, RuntimeModelSeeds},
      {"stream_state", StreamState, StreamStateSeeds},
      {"probe", Probe, ProbeSeeds},
  };
  return *targets;
}

}  // namespace seqgraph
