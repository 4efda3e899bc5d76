#include "backends/plugin/plugin_program.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

absl::Status CheckBytes(const PluginTable& plugin, absl::string_view what, int64_t bytes,
                        int64_t least) {
  if (bytes >= least && bytes <= kMaxPluginBytes) return absl::OkStatus();
  return Internal(plugin.label, ": asks for ", bytes, " bytes of ", what);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PluginProgram>> PluginProgram::Prepare(
    const PluginTable& plugin, std::shared_ptr<const EncodedFunction> function, const void* choice,
    absl::Span<const int> nodes, std::vector<uint8_t> may_be_private, int threads) {
  std::unique_ptr<PluginProgram> out(new PluginProgram(plugin, std::move(function)));
  const std::vector<int32_t> indices(nodes.begin(), nodes.end());
  const sg_prepare_args args = {sizeof(args),
                                &out->function_->view(),
                                indices.data(),
                                static_cast<int32_t>(indices.size()),
                                threads,
                                may_be_private.data(),
                                const_cast<void*>(choice)};  // The plugin's own.
  out->program_.struct_size = sizeof(sg_program);
  const std::string place = absl::StrCat("function ", out->function_->name());
  const auto prepare = [&](sg_status* status) {
    return plugin.table.prepare(plugin.table.instance, &args, &out->program_, status);
  };
  SEQ_RETURN_IF_ERROR(CallPlugin(plugin.label, "prepare", prepare, place));
  out->prepared_ = true;
  SEQ_RETURN_IF_ERROR(CheckBytes(plugin, "persistent memory", out->program_.persistent_bytes, 0));
  SEQ_RETURN_IF_ERROR(out->AskForOpaqueLayouts(may_be_private));
  out->calls_.resize(out->function_->num_nodes());
  for (int node : nodes) SEQ_RETURN_IF_ERROR(out->AddCall(node));
  return out;
}

PluginProgram::~PluginProgram() {
  if (!prepared_ || plugin_.table.destroy == nullptr) return;
  // A destructor has nobody to tell.
  (void)CallPlugin(plugin_.label, "destroy", [&](sg_status*) -> int32_t {
    plugin_.table.destroy(program_.handle);
    return SG_OK;
  });
}

absl::Status PluginProgram::AskForOpaqueLayouts(const std::vector<uint8_t>& may_be_private) {
  const sg_function& function = function_->view();
  for (int v = 0; v < function.num_values; ++v) {
    value_bytes_.push_back(ValueBytes(*function.values[v]));
    if (plugin_.table.private_storage == nullptr || may_be_private[v] == 0) continue;
    int64_t bytes = -1;
    SEQ_RETURN_IF_ERROR(CallPlugin(plugin_.label, "private_storage", [&](sg_status*) -> int32_t {
      bytes = plugin_.table.private_storage(program_.handle, v);
      return SG_OK;
    }));
    if (bytes == -1) continue;
    SEQ_RETURN_IF_ERROR(CheckBytes(
        plugin_, absl::StrCat("private storage for value ", function.values[v]->name), bytes, 0));
    opaque_layouts_.push_back({Value{v}, bytes});
    value_bytes_[v] = bytes;
  }
  return absl::OkStatus();
}

absl::Status PluginProgram::AddOperands(const sg_node& node, uint32_t tag, NodeCall& call) const {
  sg_string name;
  for (int i = 0; sg_node_field(&node, tag, i, &name) != 0; ++i) {
    sg_tensor tensor = {};
    tensor.struct_size = sizeof(tensor);
    int32_t index = -1;
    if (name.size > 0) {
      const sg_value* value = sg_find_value(&function_->view(), name, &index);
      if (value == nullptr) return Internal(call.label, " names a value that is not there");
      tensor.bytes = value_bytes_[index];
      tensor.dtype = value->dtype;
      tensor.rank = value->rank;
      tensor.dims = value->dims;
    }
    call.tensors.push_back(tensor);
  }
  return absl::OkStatus();
}

absl::Status PluginProgram::AddCall(int node) {
  auto call = std::make_unique<NodeCall>();
  call->label = function_->NodeLabel(node);
  call->place = absl::StrCat(call->label, " of function ", function_->name());
  const sg_node& found = function_->node(node);
  SEQ_RETURN_IF_ERROR(AddOperands(found, SG_NODE_INPUT, *call));
  const size_t num_inputs = call->tensors.size();
  SEQ_RETURN_IF_ERROR(AddOperands(found, SG_NODE_OUTPUT, *call));
  for (const sg_tensor& tensor : call->tensors) call->pointers.push_back(&tensor);
  call->args = {sizeof(sg_run_args),
                node,
                static_cast<int32_t>(num_inputs),
                call->pointers.data(),
                call->pointers.data() + num_inputs,
                static_cast<int32_t>(call->pointers.size() - num_inputs),
                0,
                nullptr,
                nullptr};
  SEQ_RETURN_IF_ERROR(AskForInfo(node, *call));
  calls_[node] = std::move(call);
  return absl::OkStatus();
}

absl::Status PluginProgram::AskForInfo(int node, NodeCall& call) {
  call.implementation = plugin_.info.name;
  if (plugin_.table.node_info == nullptr) return absl::OkStatus();
  sg_node_info info = {};
  info.struct_size = sizeof(info);
  const auto ask = [&](sg_status* status) {
    return plugin_.table.node_info(program_.handle, node, &info, status);
  };
  const absl::Status status = CallPlugin(plugin_.label, "node_info", ask, call.place);
  SEQ_RETURN_IF_ERROR(Annotate(status, call.label));
  SEQ_RETURN_IF_ERROR(
      CheckBytes(plugin_, absl::StrCat("scratch memory for ", call.label), info.scratch_bytes, -1));
  call.scratch_bytes = info.scratch_bytes;
  const std::string text = TextFromPlugin(info.implementation, sizeof(info.implementation));
  if (!text.empty()) call.implementation = text;
  return absl::OkStatus();
}

absl::Status PluginProgram::Begin() {
  if (plugin_.table.begin == nullptr) return absl::OkStatus();
  return CallPlugin(plugin_.label, "begin", [&](sg_status* status) {
    return plugin_.table.begin(program_.handle, status);
  });
}

void PluginProgram::End() {
  if (plugin_.table.end == nullptr) return;
  (void)CallPlugin(plugin_.label, "end", [&](sg_status*) -> int32_t {
    plugin_.table.end(program_.handle);
    return SG_OK;
  });
}

absl::Status PluginProgram::Run(int node, const KernelArgs& args) {
  NodeCall& call = *calls_[node];
  // The plugin's node has no inputs that came with a later version of the op than it uses.
  const size_t num_inputs = call.args.num_inputs;
  SEQ_CHECK(num_inputs <= args.inputs.size() &&
            num_inputs + args.outputs.size() == call.tensors.size() &&
            args.versions.size() == args.inputs.size());
  sg_tensor* tensor = call.tensors.data();
  for (size_t i = 0; i < num_inputs; ++i, ++tensor) {
    tensor->data = const_cast<void*>(args.inputs[i]);  // The header forbids to write it.
    tensor->version = args.versions[i];
  }
  for (void* output : args.outputs) (tensor++)->data = output;
  call.args.scratch = args.scratch;
  call.args.persistent = args.persistent;
  return CallPlugin(
      plugin_.label, "run",
      [&](sg_status* status) { return plugin_.table.run(program_.handle, &call.args, status); },
      call.place);
}

}  // namespace seqgraph
