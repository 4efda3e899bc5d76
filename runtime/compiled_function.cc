#include "runtime/compiled_function.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/denormals.h"
#include "base/memory_limit.h"
#include "base/status_macros.h"
#include "base/trace.h"
#include "graph/constant_subgraph.h"
#include "graph/op_def.h"
#include "runtime/compiled_function_impl.h"
#include "runtime/node_assignment.h"

namespace seqgraph {
namespace {

absl::Status AnnotateNode(const absl::Status& status, const Function& function, int n) {
  const Node& node = function.nodes()[n];
  return Annotate(status, absl::StrCat("function ", function.name(), ", node ", node.name, " (",
                                       node.op->name(), ")"));
}

}  // namespace

absl::Status CompiledFunction::Impl::BindVariables(VariableStore* store) {
  for (const VariableRead& read : function.variables()) {
    SEQ_ASSIGN_OR_RETURN(const Variable* variable, store->Get(read.def.name));
    if (variable->def.type != read.def.type) {
      return InvalidArgument("function ", function.name(), " reads variable ", read.def.name,
                             " as ", read.def.type.ToString(), ", but it is ",
                             variable->def.type.ToString());
    }
    variables.push_back(variable);
  }
  for (const NamedValue& update : function.updates()) updated.push_back(store->Find(update.name));
  return absl::OkStatus();
}

// The constant subgraph, but those that a backend runs only beside others: what they leave each
// other in its own memory is not known here.
void CompiledFunction::Impl::FindConstantNodes(const Assignment& assignment) {
  const int nodes = static_cast<int>(function.nodes().size());
  constant.assign(nodes, false);
  if (memory.has_guards()) return;
  const std::vector<bool> subgraph = ConstantSubgraph(function);
  if (std::count(subgraph.begin(), subgraph.end(), true) == 0) return;
  constant = subgraph;
  for (int n = 0; n < nodes; ++n) {
    for (const int other : assignment.together(n)) constant[n] = constant[other] = false;
  }
  std::vector<bool> read(variables.size(), false);
  for (int n = 0; n < nodes; ++n) {
    for (Value input : function.nodes()[n].inputs) {
      if (!subgraph[n] || !input.present()) continue;
      if (function.info(input).origin == Origin::kVariable)
        read[function.info(input).source] = true;
    }
  }
  for (size_t v = 0; v < read.size(); ++v) {
    if (read[v]) constant_inputs.push_back({variables[v], 0});
  }
}

// Assigns the nodes, lets each backend prepare its own, and sets for each node its program.
absl::Status CompiledFunction::Impl::Prepare(const CompileOptions& options,
                                             std::vector<int>& program_of) {
  TraceSpan assign(options.trace, "assign nodes", "compile");
  SEQ_ASSIGN_OR_RETURN(const Assignment assignment,
                       AssignNodes(function, options.backends, options.preferences));
  assign.End();
  FindConstantNodes(assignment);
  program_of.assign(function.nodes().size(), -1);
  assignments.resize(function.nodes().size());
  is_opaque.assign(function.values().size(), false);
  std::vector<OpaqueLayout> opaque_layouts;
  for (int b = 0; b < static_cast<int>(options.backends.size()); ++b) {
    const std::vector<int> nodes = assignment.NodesOf(b);
    if (nodes.empty()) continue;
    ProgramRequest request{&function, nodes, OpaqueValues(function, assignment.backend_of, b),
                           options.threads, &assignment.claims[b]};
    const std::string& name = options.backends[b]->info().name;
    TraceSpan prepare(options.trace, absl::StrCat("prepare ", name), "compile");
    absl::StatusOr<std::unique_ptr<Program>> program = options.backends[b]->Prepare(request);
    if (!program.ok()) {
      return Annotate(program.status(),
                      absl::StrCat("backend ", name, " preparing function ", function.name()));
    }
    for (const OpaqueLayout& entry : (*program)->opaque_layouts()) {
      const int index = entry.value.index;
      if (index < 0 || index >= static_cast<int>(request.may_be_opaque.size()) ||
          !request.may_be_opaque[index] || entry.bytes < 0) {
        return Internal("backend ", name, " asks for ", entry.bytes,
                        " bytes of private storage for value ", index, " of function ",
                        function.name(), ", which is not its own");
      }
      opaque_layouts.push_back(entry);
      is_opaque[index] = true;
    }
    for (int n : nodes) {
      program_of[n] = static_cast<int>(programs.size());
      const Node& node = function.nodes()[n];
      assignments[n] = {.node = node.name,
                        .op = node.op->name(),
                        .backend = name,
                        .implementation = (*program)->implementation(n),
                        .scratch_bytes = std::max<int64_t>((*program)->scratch_bytes(n), -1),
                        .together = assignment.together(n)};
    }
    programs.push_back(*std::move(program));
  }
  const TraceSpan plan(options.trace, "plan memory", "compile");
  std::vector<int64_t> scratch, persistent;
  for (const NodeAssignment& each : assignments) scratch.push_back(each.scratch_bytes);
  for (const auto& program : programs) persistent.push_back(program->persistent_bytes());
  memory.Plan(opaque_layouts, constant, std::move(scratch), std::move(persistent));
  return absl::OkStatus();
}

absl::Status CompiledFunction::Impl::CheckMemory(const CompileOptions& options) const {
  const std::string where = absl::StrCat("function ", function.name(), " with batch ", batch);
  const MemoryUse& use = memory.use();
  if (const int64_t left = options.max_memory.value_or(MemoryLimit()); use.total() > left) {
    return ResourceExhausted(where, " takes ", use.total(), " bytes (values ", use.values,
                             ", scratch ", use.scratch, ", backends' own ", use.persistent,
                             "); the limit leaves it ", left,
                             "; allow more (--max_memory) or make the batch smaller");
  }
  if (!options.max_memory.has_value()) return absl::OkStatus();
  for (const NodeAssignment& assignment : assignments) {
    if (assignment.scratch_bytes >= 0) continue;
    return ResourceExhausted(where, ": backend ", assignment.backend,
                             " does not say how much scratch memory node ", assignment.node, " (",
                             assignment.op, ") takes, so no limit can be kept");
  }
  return absl::OkStatus();
}

void CompiledFunction::Impl::MakeSteps(absl::Span<const int> program_of) {
  steps.resize(program_of.size());
  for (size_t n = 0; n < steps.size(); ++n) {
    const Node& node = function.nodes()[n];
    CompiledStep& step = steps[n];
    step.node = static_cast<int>(n);
    step.program = programs[program_of[n]].get();
    step.scratch = memory.scratch();
    step.persistent = memory.persistent(program_of[n]);
    step.versions.assign(node.inputs.size(), 0);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Value input = node.inputs[i];
      step.inputs.push_back(input.present() ? memory.value(input) : nullptr);
      if (!input.present()) continue;
      const ValueInfo& info = function.info(input);
      if (info.origin == Origin::kVariable) {
        version_links.push_back({&step.versions[i], &variables[info.source]->version});
      } else if (info.origin == Origin::kNode && constant[info.source]) {
        version_links.push_back({&step.versions[i], &constants_version});
      }
    }
    for (Value output : node.outputs) step.outputs.push_back(memory.value(output));
  }
}

absl::Status CompiledFunction::Impl::RunSteps(RunObserver* observer) {
  absl::Status status;
  size_t begun = 0;
  for (; begun < programs.size() && status.ok(); ++begun) status = programs[begun]->Begin();
  // One whose Begin failed has not begun; all others need their End, whatever happens.
  if (!status.ok()) --begun;
  status = status.ok() ? RunNodes(observer)
                       : Annotate(status, absl::StrCat("function ", function.name(), " begins"));
  for (size_t p = 0; p < begun; ++p) programs[p]->End();
  return status;
}

// Whether the outputs of constant nodes are those of the variables as they are now, whose versions
// are taken.
bool CompiledFunction::Impl::HasFreshConstants() {
  bool fresh = constants_are_valid;
  for (ConstantInput& input : constant_inputs) {
    fresh = fresh && input.version == input.variable->version;
    input.version = input.variable->version;
  }
  return fresh;
}

absl::Status CompiledFunction::Impl::RunNodes(RunObserver* observer) {
  const bool may_change = observer != nullptr && !observer->OnlyLooks();
  const bool fresh = HasFreshConstants() && !may_change;
  constants_are_valid = false;  // Unless all goes well.
  if (!fresh) ++constants_version;
  for (const VersionLink& link : version_links) *link.target = *link.version;
  for (CompiledStep& step : steps) {
    if (fresh && constant[step.node]) {
      if (observer != nullptr) observer->OnConstant(step.node);
      continue;
    }
    const absl::Status status = RunStep(step, observer);
    if (!status.ok()) return AnnotateNode(status, function, step.node);
  }
  constants_are_valid = !may_change;
  return absl::OkStatus();
}

absl::Status CompiledFunction::Impl::RunStep(CompiledStep& step, RunObserver* observer) {
  const KernelArgs args{step.inputs, step.outputs, step.versions, step.scratch, step.persistent};
  if (observer != nullptr) SEQ_RETURN_IF_ERROR(observer->BeforeNode(step.node, args));
  if (memory.has_guards()) memory.FillGuards(step.node);
  const absl::Status status = step.program->Run(step.node, args);
  if (memory.has_guards()) SEQ_RETURN_IF_ERROR(memory.CheckGuards(step.node, args));
  SEQ_RETURN_IF_ERROR(status);
  return observer != nullptr ? observer->AfterNode(step.node, args) : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<CompiledFunction>> CompiledFunction::Compile(
    const Function& function, const OpRegistry& registry, VariableStore* variables,
    const CompileOptions& options) {
  if (options.threads < 1) {
    return InvalidArgument("function ", function.name(), ": needs at least 1 thread, got ",
                           options.threads);
  }
  if (options.guard_bytes < 0 || options.guard_bytes > kMaxGuardBytes) {
    return InvalidArgument("function ", function.name(), ": guard_bytes must be in [0, ",
                           kMaxGuardBytes, "], got ", options.guard_bytes);
  }
  const TraceSpan all(options.trace,
                      absl::StrCat("compile ", function.name(), ", batch ", options.batch),
                      "compile");
  auto impl = std::make_shared<Impl>(options.guard_bytes);
  TraceSpan rewrite(options.trace, "rewrite", "compile");
  SEQ_ASSIGN_OR_RETURN(const Function bound, BindBatch(function, registry, options.batch));
  // What a pass makes must not take a node from the backend that it prefers.
  const NodeOwners owners = [&options](const Function& candidate) {
    return RankAssignment(candidate, options.backends, options.preferences);
  };
  SEQ_ASSIGN_OR_RETURN(impl->function,
                       RunPasses(bound, registry, options.passes, owners, &impl->passes));
  rewrite.End();
  impl->batch = options.batch;
  SEQ_RETURN_IF_ERROR(impl->BindVariables(variables));
  std::vector<int> program_of;
  SEQ_RETURN_IF_ERROR(impl->Prepare(options, program_of));
  if (options.plan_only) {
    return std::unique_ptr<CompiledFunction>(new CompiledFunction(std::move(impl)));
  }
  SEQ_RETURN_IF_ERROR(impl->CheckMemory(options));
  TraceSpan allocate(options.trace, "allocate", "compile");
  if (!impl->memory.Allocate()) {
    return ResourceExhausted("no memory to run function ", function.name(), " with batch ",
                             options.batch, ": it takes ", impl->memory.use().total(), " bytes");
  }
  allocate.End();
  impl->MakeSteps(program_of);
  return std::unique_ptr<CompiledFunction>(new CompiledFunction(std::move(impl)));
}

CompiledFunction::CompiledFunction(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
CompiledFunction::~CompiledFunction() = default;

const Function& CompiledFunction::function() const { return impl_->function; }
int64_t CompiledFunction::batch() const { return impl_->batch; }
const std::vector<NodeAssignment>& CompiledFunction::assignments() const {
  return impl_->assignments;
}
const MemoryUse& CompiledFunction::memory() const { return impl_->memory.use(); }
const std::vector<ArenaBuffer>& CompiledFunction::buffers() const {
  return impl_->memory.buffers();
}
const std::vector<RewriteCount>& CompiledFunction::passes() const { return impl_->passes; }
const std::vector<bool>& CompiledFunction::opaque_values() const { return impl_->is_opaque; }
const std::vector<bool>& CompiledFunction::constant_nodes() const { return impl_->constant; }
const std::optional<GuardDamage>& CompiledFunction::damage() const {
  return impl_->memory.damage();
}

void* CompiledFunction::input(int i) {
  SEQ_CHECK(i >= 0 && i < static_cast<int>(impl_->function.inputs().size()));
  return impl_->memory.value(impl_->function.inputs()[i]);
}

const void* CompiledFunction::result(int i) const {
  SEQ_CHECK(i >= 0 && i < static_cast<int>(impl_->function.results().size()));
  return impl_->memory.result(i);
}

int CompiledFunction::FindInput(absl::string_view name) const {
  const Function& function = impl_->function;
  for (size_t i = 0; i < function.inputs().size(); ++i) {
    if (function.info(function.inputs()[i]).name == name) return static_cast<int>(i);
  }
  return -1;
}

int CompiledFunction::FindResult(absl::string_view name) const {
  const std::vector<NamedValue>& results = impl_->function.results();
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

absl::Status CompiledFunction::SetInput(int i, const Tensor& tensor) {
  const int inputs = static_cast<int>(impl_->function.inputs().size());
  if (i < 0 || i >= inputs) {
    return InvalidArgument("function ", impl_->function.name(), " has ", inputs,
                           " inputs, none with index ", i);
  }
  const ValueInfo& info = impl_->function.info(impl_->function.inputs()[i]);
  if (tensor.type() != info.type) {
    return InvalidArgument("function ", impl_->function.name(), ": input ", info.name, " is ",
                           info.type.ToString(), ", cannot take ", tensor.type().ToString());
  }
  std::memcpy(input(i), tensor.data(), tensor.num_bytes());
  return absl::OkStatus();
}

Tensor CompiledFunction::Result(int i) const {
  SEQ_CHECK(i >= 0 && i < static_cast<int>(impl_->function.results().size()));
  const Value value = impl_->function.results()[i].value;
  return Tensor::CopyOf(impl_->function.type(value), result(i));
}

absl::Status CompiledFunction::Run(RunObserver* observer) {
  if (impl_->memory.has_guards()) SEQ_RETURN_IF_ERROR(impl_->memory.Load());
  const FlushDenormals flush;
  const absl::Status status = impl_->RunSteps(observer);
  if (status.ok()) impl_->memory.StoreUpdates();
  // Also after a failure: an update may have been written in place before it.
  for (const Variable* variable : impl_->updated) VariableStore::Writable(*variable);
  return status;
}

}  // namespace seqgraph
