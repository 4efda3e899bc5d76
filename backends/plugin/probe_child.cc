// The part of the probe that runs in the child.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/plugin/plugin_backend.h"
#include "backends/plugin/plugin_loader.h"
#include "backends/plugin/plugin_program.h"
#include "backends/plugin/probe_protocol.h"
#include "base/guarded_buffer.h"
#include "base/status_macros.h"

namespace seqgraph::probe {
namespace {

using Send = std::function<void(FrameType, absl::string_view)>;
using Encoded = std::shared_ptr<const EncodedFunction>;

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes += static_cast<char>(value);
}

std::string LengthField(uint32_t tag, absl::string_view bytes) {
  return absl::StrCat(Varint(tag << 3 | SG_WIRE_BYTES), Varint(bytes.size()), bytes);
}

// What stands before a number.
std::string NumberKey(uint32_t tag) { return Varint(tag << 3 | SG_WIRE_VARINT); }

absl::string_view View(sg_string text) { return {text.data, text.size}; }

// The function's bytes with something added to one node.
std::string WithAddition(const sg_function& function, int node, absl::string_view addition) {
  std::string out;
  sg_reader reader = sg_read_nodes(&function);
  sg_field field;
  for (int n = -1; sg_next_field(&reader, &field) > 0;) {
    const bool here = field.tag == SG_FUNCTION_NODE && ++n == node;
    absl::StrAppend(&out,
                    LengthField(field.tag, absl::StrCat(View(field.bytes), here ? addition : "")));
  }
  return out;
}

// What a node may never say to this plugin, because nobody has defined it yet. A plugin that claims
// such a node overlooks what newer hosts will say.
struct Addition {
  absl::string_view what;
  std::string bytes;
};
std::vector<Addition> Additions() {
  return {
      {"of an op that does not exist", LengthField(SG_NODE_OP, "NoSuchOp")},
      {"of a version of its op that does not exist",
       absl::StrCat(NumberKey(SG_NODE_OP_VERSION), Varint(1000000))},
      {"with an attribute that does not exist",
       LengthField(SG_NODE_ATTRIBUTE,
                   absl::StrCat(LengthField(SG_ATTRIBUTE_NAME, "no_such_attribute"),
                                NumberKey(SG_ATTRIBUTE_INT), Varint(1)))},
      {"with a field that does not exist", LengthField(1000, "?")},
  };
}

absl::Status CheckRefusals(const PluginTable& plugin, const EncodedFunction& function, int node) {
  for (const Addition& addition : Additions()) {
    const std::string bytes = WithAddition(function.view(), node, addition.bytes);
    sg_function changed = function.view();
    changed.bytes = reinterpret_cast<const uint8_t*>(bytes.data());
    changed.num_bytes = bytes.size();
    if (AskPlugin(plugin, changed).nodes[node].claimed()) {
      return Internal(plugin.label, ": claims a node ", addition.what, " (",
                      function.NodeLabel(node), ", changed)");
    }
  }
  return absl::OkStatus();
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kFreedMemoryIsKept = true;  // by the sanitizer, so that growth is no leak
#else
constexpr bool kFreedMemoryIsKept = false;
#endif

int64_t DataBytes() {
  // The sixth number counts all memory that the process has for data.
  std::ifstream statm("/proc/self/statm");
  int64_t pages = 0;
  for (int i = 0; i < 6; ++i) statm >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

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
      return OutOfRange("wrote outside the memory of ", is_input ? "input " : "output ",
                        is_input ? i : i - num_inputs, " of ", label);
    }
    const auto* data = static_cast<const char*>(buffers[i]->data());
    const auto is_zero = [](char byte) { return byte == 0; };
    if (is_input && !std::all_of(data, data + call.tensors[i].bytes, is_zero)) {
      return Internal("wrote to input ", i, " of ", label);
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
      program.Run(node, {inputs, outputs, versions, scratch->data(), persistent.data()});
  program.End();
  SEQ_RETURN_IF_ERROR(CheckIntact(buffers, num_inputs, call.label, call));
  if (!scratch->Damage().empty() || !persistent.Damage().empty()) {
    return OutOfRange("wrote outside the scratch or persistent memory of ", call.label);
  }
  if (absl::IsInvalidArgument(status) || absl::IsOutOfRange(status) ||
      absl::IsFailedPrecondition(status)) {
    return absl::OkStatus();
  }
  return Annotate(status, call.label);
}

// Runs the nodes of a program in order, each on operands of zeros of its own. OutOfRange for a
// write outside a buffer, Internal for a write to an input; otherwise what the plugin says, except
// that InvalidArgument, OutOfRange and FailedPrecondition count as OK: zeros may be refused.
absl::Status RunGuarded(PluginProgram& program, absl::Span<const int> nodes) {
  const std::unique_ptr<GuardedBuffer> persistent = Guarded(program.persistent_bytes());
  if (persistent == nullptr) return absl::OkStatus();
  for (int node : nodes) SEQ_RETURN_IF_ERROR(RunNode(program, node, *persistent));
  return absl::OkStatus();
}

class Prober {
 public:
  Prober(const Request& request, const PluginTable& plugin, const Send& send)
      : request_(request), plugin_(plugin), send_(send) {}

  absl::Status Run() {
    for (const Encoded& function : request_.functions) {
      SEQ_RETURN_IF_ERROR(Function(function));
    }
    return absl::OkStatus();
  }

 private:
  void Stage(absl::string_view text) { send_(FrameType::kStage, text); }

  absl::Status Function(const Encoded& function) {
    Stage("claiming nodes and preparing them for a trial");
    const PluginClaims claims = ClaimAll(plugin_, function);
    if (!claims.broken.empty()) {
      const int n = claims.broken.front();
      return Internal(plugin_.label, ": ", function->NodeLabel(n), ": ",
                      claims.answer.nodes[n].text);
    }
    const std::vector<int> claimed = claims.Claimed();
    send_(FrameType::kClaimed, absl::StrCat(claimed.size()));
    Stage("refusing what does not exist");
    std::set<absl::string_view> ops;
    for (int n : claimed) {
      if (!ops.insert(View(function->node(n).op)).second) continue;
      SEQ_RETURN_IF_ERROR(CheckRefusals(plugin_, *function, n));
    }
    if (claimed.empty()) return absl::OkStatus();
    Stage("preparing a second time what it had prepared before");
    SEQ_RETURN_IF_ERROR(PrepareAndRun(claims, claimed));
    return Repeat(claims, claimed);
  }

  absl::Status PrepareAndRun(const PluginClaims& claims, const std::vector<int>& nodes) {
    const std::vector<uint8_t> nothing_opaque(claims.function->view().num_values, 0);
    SEQ_ASSIGN_OR_RETURN(
        std::unique_ptr<PluginProgram> program,
        PluginProgram::Prepare(plugin_, claims.function, claims.answer.choice.get(), nodes,
                               nothing_opaque, /*threads=*/1));
    if (!request_.run) return absl::OkStatus();
    Stage("running a node");
    return Annotate(RunGuarded(*program, nodes), plugin_.label);
  }

  absl::Status Repeat(const PluginClaims& claims, const std::vector<int>& nodes) {
    const int repeats = request_.leak_repeats;
    if (repeats == 0) return absl::OkStatus();
    Stage(absl::StrCat("preparing ", repeats, " times"));
    int64_t before = 0;
    const int warm_up = std::max(16, repeats / 10);
    for (int i = 0; i < warm_up + repeats; ++i) {
      if (i == warm_up) before = DataBytes();
      SEQ_RETURN_IF_ERROR(PrepareAndRun(claims, nodes));
    }
    const int64_t growth = (DataBytes() - before) / repeats;
    if (kFreedMemoryIsKept || growth <= request_.leak_limit) return absl::OkStatus();
    return ResourceExhausted(plugin_.label, ": leaks: grew by ", growth, " bytes with each of ",
                             repeats, " preparations; at most ", request_.leak_limit);
  }

  const Request& request_;
  const PluginTable& plugin_;
  const Send& send_;
};

absl::Status ServeOrFail(const Request& request, const Send& send) {
  send(FrameType::kStage, "being loaded");
  SEQ_ASSIGN_OR_RETURN(void* library, OpenPlugin(request.path));
  send(FrameType::kStage, "negotiating");
  SEQ_ASSIGN_OR_RETURN(const PluginTable plugin, EnterPlugin(library, request.path));
  const BackendInfo& info = plugin.info;
  const std::string zero(1, '\0');
  send(FrameType::kInfo, absl::StrCat(info.name, zero, info.version, zero, info.description, zero));
  SEQ_RETURN_IF_ERROR(Prober(request, plugin, send).Run());
  send(FrameType::kStage, "being unloaded");
  dlclose(library);
  return absl::OkStatus();
}

std::string ReadAll(int file) {
  struct stat info;
  if (fstat(file, &info) != 0 || info.st_size < 0) return "";
  std::string content(info.st_size, '\0');
  const ssize_t size = pread(file, content.data(), content.size(), 0);
  content.resize(std::max<ssize_t>(size, 0));
  return content;
}

}  // namespace

void Serve(const Request& request, const Send& send) {
  const absl::Status status = ServeOrFail(request, send);
  if (status.ok()) return send(FrameType::kDone, "");
  send(FrameType::kError,
       absl::StrCat(std::string(1, static_cast<char>('A' + status.raw_code())), status.message()));
}

[[noreturn]] void RunChild() {
  // The plugin's own output file is not this one's number, should it close or write to low ones.
  const int answer = fcntl(kAnswerFile, F_DUPFD_CLOEXEC, 100);
  const absl::StatusOr<Request> request = Request::Unpack(ReadAll(kRequestFile));
  close(kRequestFile);
  close(kAnswerFile);
  if (request.ok()) {
    Serve(*request, [answer](FrameType type, absl::string_view text) {
      const std::string frame = PackFrame(type, text);
      if (write(answer, frame.data(), frame.size()) != static_cast<ssize_t>(frame.size())) {
        _exit(1);
      }
    });
  }
  _exit(0);
}

}  // namespace seqgraph::probe
