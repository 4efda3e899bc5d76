#include "backends/plugin/export_backend.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/plugin/function_reader.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// Reasons cross as numbers.
static_assert(static_cast<int>(ClaimReason::kClaimed) == SG_CLAIMED);
static_assert(static_cast<int>(ClaimReason::kNeedsOtherNode) == SG_NEEDS_OTHER_NODE);
static_assert(static_cast<int>(ClaimReason::kByDefinition) == SG_BY_DEFINITION);

int32_t ToCode(const absl::Status& status, sg_status* out) {
  if (status.ok()) return SG_OK;
  return sg_fail(out, static_cast<int32_t>(status.code()), "%s",
                 std::string(status.message()).c_str());
}

// What crosses the interface must not be an exception.
template <typename Body>
int32_t Guarded(sg_status* out, Body&& body) noexcept {
  try {
    return ToCode(body(), out);
  } catch (const std::exception& exception) {
    return sg_fail(out, SG_INTERNAL, "an exception: %s", exception.what());
  } catch (...) {
    return sg_fail(out, SG_INTERNAL, "an exception of unknown type");
  }
}

using Decoded = std::shared_ptr<const DecodedFunction>;

// The plugin's instance. Has no state: what is found out about a function is its choice.
struct Exported {
  const Backend& backend;
  const OpRegistry& registry;
};

// A function that was asked about, and what the backend has said.
struct Choice {
  Decoded decoded;
  FunctionClaim claim;
};

absl::StatusOr<Choice> Choose(const Exported& exported, const sg_function& function) {
  SEQ_ASSIGN_OR_RETURN(DecodedFunction decoded, DecodeFunction(function, exported.registry));
  Choice choice{std::make_shared<const DecodedFunction>(std::move(decoded)), {}};
  choice.claim = exported.backend.ClaimFunction(choice.decoded->function);
  return choice;
}

// A plugin is never unloaded, so what it exports lives as long as the process; the list says so to
// whoever looks for leaks.
Exported* KeepForEver(std::unique_ptr<Exported> exported) {
  static std::mutex& mutex = *new std::mutex;
  static auto& all = *new std::vector<std::unique_ptr<Exported>>;
  const std::lock_guard<std::mutex> lock(mutex);
  all.push_back(std::move(exported));
  return all.back().get();
}

// A program with the function that it was prepared for, and room for the arguments of its nodes.
struct ExportedProgram {
  struct Arguments {
    std::vector<const void*> inputs;
    std::vector<void*> outputs;
    std::vector<uint64_t> versions;
  };
  Choice choice;
  std::unique_ptr<Program> program;
  std::vector<Arguments> arguments;   // for each node
  std::vector<int64_t> opaque_bytes;  // for each value of the host, -1: the plain layout
};

void SetClaim(const Claim& answer, sg_claim* claim) {
  if (answer.together.size() > SG_CLAIM_TOGETHER) {
    return sg_refuse(claim, SG_NEEDS_OTHER_NODE, "needs %zu other nodes; at most %d can be named",
                     answer.together.size(), SG_CLAIM_TOGETHER);
  }
  sg_refuse(claim, static_cast<int32_t>(answer.reason), "%s", answer.text.c_str());
  for (int other : answer.together) claim->together[claim->num_together++] = other;
}

int32_t ClaimFunction(void* instance, const sg_function* function, sg_function_claim* claim,
                      sg_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    absl::StatusOr<Choice> choice = Choose(*static_cast<const Exported*>(instance), *function);
    for (int n = 0; n < claim->num_nodes; ++n) {
      SetClaim(choice.ok()
                   ? choice->claim.nodes[n]
                   : Claim::No(ClaimReason::kUnknownOp, std::string(choice.status().message())),
               claim->nodes[n]);
    }
    if (choice.ok()) claim->choice = new Choice(*std::move(choice));
    return absl::OkStatus();
  });
}

void ReleaseChoice(void* choice) { delete static_cast<Choice*>(choice); }

// For a host of version 1, which asks for one node after the other.
int32_t ClaimNode(void* instance, const sg_function* function, int32_t node, sg_claim* claim,
                  sg_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    const absl::StatusOr<Choice> choice =
        Choose(*static_cast<const Exported*>(instance), *function);
    SetClaim(choice.ok()
                 ? choice->claim.nodes[node]
                 : Claim::No(ClaimReason::kUnknownOp, std::string(choice.status().message())),
             claim);
    return absl::OkStatus();
  });
}

absl::Status PrepareProgram(const Exported& exported, const sg_prepare_args& args,
                            ExportedProgram& out) {
  if (const void* choice = sg_choice_of(&args); choice != nullptr) {
    out.choice = *static_cast<const Choice*>(choice);
  } else {
    SEQ_ASSIGN_OR_RETURN(out.choice, Choose(exported, *args.function));
  }
  const Function& function = out.choice.decoded->function;
  const std::vector<int>& value_of_host = out.choice.decoded->value_of_host;
  const std::vector<int> nodes(args.nodes, args.nodes + args.num_nodes);
  ProgramRequest request{&function, nodes, std::vector<bool>(value_of_host.size()), args.threads,
                         &out.choice.claim};
  for (size_t v = 0; v < value_of_host.size(); ++v) {
    request.may_be_opaque[value_of_host[v]] = args.may_be_private[v] != 0;
  }
  SEQ_ASSIGN_OR_RETURN(out.program, exported.backend.Prepare(request));
  std::vector<int64_t> opaque_bytes(value_of_host.size(), -1);
  for (const OpaqueLayout& entry : out.program->opaque_layouts()) {
    opaque_bytes[entry.value.index] = entry.bytes;
  }
  for (int ours : value_of_host) out.opaque_bytes.push_back(opaque_bytes[ours]);
  for (const Node& node : function.nodes()) {
    out.arguments.push_back({std::vector<const void*>(node.inputs.size()),
                             std::vector<void*>(node.outputs.size()),
                             std::vector<uint64_t>(node.inputs.size())});
  }
  return absl::OkStatus();
}

int32_t Prepare(void* instance, const sg_prepare_args* args, sg_program* program,
                sg_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    auto out = std::make_unique<ExportedProgram>();
    SEQ_RETURN_IF_ERROR(PrepareProgram(*static_cast<const Exported*>(instance), *args, *out));
    program->persistent_bytes = out->program->persistent_bytes();
    program->handle = out.release();
    return absl::OkStatus();
  });
}

ExportedProgram& ToProgram(void* handle) { return *static_cast<ExportedProgram*>(handle); }

void Destroy(void* handle) { delete static_cast<ExportedProgram*>(handle); }

int32_t Begin(void* handle, sg_status* status) {
  return Guarded(status, [&] { return ToProgram(handle).program->Begin(); });
}

void End(void* handle) { ToProgram(handle).program->End(); }

int32_t NodeInfo(void* handle, int32_t node, sg_node_info* info, sg_status* status) {
  return Guarded(status, [&] {
    const Program& program = *ToProgram(handle).program;
    info->scratch_bytes = program.scratch_bytes(node);
    const std::string text = program.implementation(node);
    text.copy(info->implementation, sizeof(info->implementation) - 1);
    return absl::OkStatus();
  });
}

int64_t GetOpaqueLayout(void* handle, int32_t value) {
  return ToProgram(handle).opaque_bytes[value];
}

int32_t Run(void* handle, const sg_run_args* args, sg_status* status) {
  return Guarded(status, [&] {
    ExportedProgram& program = ToProgram(handle);
    ExportedProgram::Arguments& to = program.arguments[args->node];
    // Inputs that only a later version of the op has are not passed: they stay null.
    const size_t num_inputs = std::min<size_t>(to.inputs.size(), args->num_inputs);
    for (size_t i = 0; i < num_inputs; ++i) {
      to.inputs[i] = args->inputs[i]->data;
      to.versions[i] = args->inputs[i]->version;
    }
    for (size_t i = 0; i < to.outputs.size(); ++i) to.outputs[i] = args->outputs[i]->data;
    return program.program->Run(
        args->node, {to.inputs, to.outputs, to.versions, args->scratch, args->persistent});
  });
}

}  // namespace

int32_t ExportBackend(const Backend& backend, const OpRegistry& registry, sg_backend* table,
                      sg_status* status) noexcept {
  return Guarded(status, [&] {
    const BackendInfo& info = backend.info();
    table->name = info.name.c_str();
    table->version = info.version.c_str();
    table->description = info.description.c_str();
    table->instance = KeepForEver(std::make_unique<Exported>(Exported{backend, registry}));
    table->claim = ClaimNode;
    table->claim_function = ClaimFunction;
    table->release_choice = ReleaseChoice;
    table->prepare = Prepare;
    table->run = Run;
    table->destroy = Destroy;
    table->begin = Begin;
    table->end = End;
    table->node_info = NodeInfo;
    table->private_storage = GetOpaqueLayout;
    return absl::OkStatus();
  });
}

}  // namespace seqgraph
