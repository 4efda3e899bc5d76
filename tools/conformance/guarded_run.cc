#include "tools/conformance/guarded_run.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/denormals.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph::conformance {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kPageBytes = 4096;

absl::Status Broken(const absl::Status& status, absl::string_view doing) {
  if (status.ok()) return status;
  return Internal("all nodes are claimed, but ", doing, " fails: ", status.ToString());
}

}  // namespace

absl::StatusOr<std::unique_ptr<GuardedRun>> GuardedRun::Create(const Function& function,
                                                               const Backend& backend,
                                                               const GuardedRunOptions& options) {
  std::unique_ptr<GuardedRun> run(new GuardedRun());
  run->function_ = function;
  run->options_ = options;
  run->claim_ = backend.ClaimFunction(function);
  SEQ_RETURN_IF_ERROR(CheckClaimed(function, run->claim_));
  SEQ_RETURN_IF_ERROR(run->Prepare(backend));
  if (options.in_place) run->ShareInPlace();
  SEQ_RETURN_IF_ERROR(run->AllocateValues());
  SEQ_RETURN_IF_ERROR(run->AllocateScratch());
  run->MakeSteps();
  return run;
}

absl::Status CheckClaimed(const Function& function, const FunctionClaim& claim) {
  for (size_t n = 0; n < function.nodes().size(); ++n) {
    const Claim& answer = claim.nodes[n];
    if (answer.claimed()) continue;
    const Node& node = function.nodes()[n];
    // A refusal is no fault, but a claim that was not meant is one.
    const bool broken = answer.reason == ClaimReason::kBrokenPromise;
    return absl::Status(broken ? absl::StatusCode::kInternal : absl::StatusCode::kUnimplemented,
                        absl::StrCat("node ", node.name, " (", node.op->name(),
                                     "): ", ClaimReasonName(answer.reason), ": ", answer.text));
  }
  return absl::OkStatus();
}

absl::Status GuardedRun::Prepare(const Backend& backend) {
  may_be_opaque_.assign(function_.values().size(), false);
  if (options_.allow_opaque) {
    const auto& consumers = function_.Consumers();
    for (size_t v = 0; v < function_.values().size(); ++v) {
      may_be_opaque_[v] = function_.values()[v].origin == Origin::kNode && !consumers[v].empty();
    }
    for (const auto* list : {&function_.results(), &function_.updates()}) {
      for (const NamedValue& named : *list) may_be_opaque_[named.value.index] = false;
    }
  }
  for (size_t n = 0; n < function_.nodes().size(); ++n) nodes_.push_back(static_cast<int>(n));
  ProgramRequest request{&function_, nodes_, may_be_opaque_, options_.threads, &claim_};
  absl::StatusOr<std::unique_ptr<Program>> program = backend.Prepare(request);
  SEQ_RETURN_IF_ERROR(Broken(program.status(), "Prepare"));
  program_ = *std::move(program);
  if (program_ == nullptr) return Internal("Prepare gives no program and no error");
  is_opaque_.assign(function_.values().size(), false);
  return absl::OkStatus();
}

// Pairs an output with an input of the function that this node alone reads.
void GuardedRun::ShareInPlace() {
  const auto& consumers = function_.Consumers();
  const auto used = function_.UsedValues();
  std::vector<bool> kept(function_.values().size(), false);
  for (const auto* list : {&function_.results(), &function_.updates()}) {
    for (const NamedValue& named : *list) kept[named.value.index] = true;
  }
  std::vector<bool> taken(function_.values().size(), false);
  for (const Node& node : function_.nodes()) {
    for (const InPlacePair& pair : node.op->in_place()) {
      const Value output = node.outputs[pair.output], input = node.inputs[pair.input];
      if (!input.present() || !used[output.index] || IsShared(output) || taken[input.index] ||
          kept[input.index] || consumers[input.index].size() != 1 ||
          function_.info(input).origin == Origin::kNode ||
          std::count(node.inputs.begin(), node.inputs.end(), input) != 1 ||
          function_.type(output) != function_.type(input)) {
        continue;
      }
      shared_[output.index] = input.index;
      taken[input.index] = true;
    }
  }
}

absl::Status GuardedRun::AllocateValues() {
  const std::vector<bool> used = function_.UsedValues();
  std::vector<int64_t> bytes(function_.values().size());
  for (size_t v = 0; v < bytes.size(); ++v) bytes[v] = function_.values()[v].type.num_bytes();
  for (const OpaqueLayout& storage : program_->opaque_layouts()) {
    const int v = storage.value.index;
    if (v < 0 || v >= static_cast<int>(bytes.size()) || !may_be_opaque_[v] || storage.bytes < 0) {
      return Internal("asks for ", storage.bytes, " bytes of private storage for value ", v,
                      ", which is not its own");
    }
    bytes[v] = storage.bytes;
    is_opaque_[v] = true;
  }
  buffers_.resize(bytes.size());
  for (size_t v = 0; v < bytes.size(); ++v) {
    const ValueInfo& info = function_.values()[v];
    if ((!used[v] && info.origin == Origin::kNode) || shared_.count(static_cast<int>(v)) != 0) {
      continue;
    }
    const char* kind = info.origin == Origin::kInput      ? "input "
                       : info.origin == Origin::kVariable ? "variable "
                                                          : "output ";
    SEQ_ASSIGN_OR_RETURN(buffers_[v], GuardedBuffer::Create(bytes[v], kAlignment, options_.guard,
                                                            absl::StrCat(kind, info.name)));
  }
  return absl::OkStatus();
}

absl::Status GuardedRun::AllocateScratch() {
  for (size_t n = 0; n < function_.nodes().size(); ++n) {
    // -1: the node allocates itself.
    const int64_t asked = program_->scratch_bytes(static_cast<int>(n));
    if (asked < -1) return Internal("asks for ", asked, " bytes of scratch");
    const int64_t bytes = std::max<int64_t>(asked, 0);
    scratch_.emplace_back();
    SEQ_ASSIGN_OR_RETURN(
        scratch_.back(),
        GuardedBuffer::Create(bytes, kAlignment, options_.guard,
                              absl::StrCat("scratch of ", function_.nodes()[n].name)));
  }
  const int64_t bytes = program_->persistent_bytes();
  if (bytes < 0) return Internal("asks for ", bytes, " persistent bytes");
  SEQ_ASSIGN_OR_RETURN(
      persistent_, GuardedBuffer::Create(bytes, kPageBytes, options_.guard, "persistent memory"));
  persistent_->Fill(0);
  return absl::OkStatus();
}

void GuardedRun::MakeSteps() {
  const auto address = [&](Value value) -> void* {
    const auto shared = shared_.find(value.index);
    const int v = shared == shared_.end() ? value.index : shared->second;
    return buffers_[v] == nullptr ? nullptr : buffers_[v]->data();
  };
  for (const Node& node : function_.nodes()) {
    Step step;
    for (Value input : node.inputs) {
      step.inputs.push_back(input.present() ? address(input) : nullptr);
    }
    for (Value output : node.outputs) step.outputs.push_back(address(output));
    step.versions.assign(node.inputs.size(), 0);
    steps_.push_back(std::move(step));
  }
}

absl::Status GuardedRun::Set(const std::string& name, const Tensor& tensor) {
  const Value value = function_.FindValue(name);
  if (!value.present() || function_.info(value).origin == Origin::kNode ||
      function_.type(value) != tensor.type()) {
    return InvalidArgument(name, " is no input or variable of type ", tensor.type().ToString());
  }
  contents_[value.index] = tensor;
  if (function_.info(value).origin == Origin::kVariable) ++versions_[value.index];
  return absl::OkStatus();
}

absl::Status GuardedRun::SetAll(const std::map<std::string, Tensor>& contents) {
  for (const ValueInfo& info : function_.values()) {
    if (info.origin == Origin::kNode) continue;
    const auto found = contents.find(info.name);
    if (found == contents.end()) return InvalidArgument("no content for ", info.name);
    SEQ_RETURN_IF_ERROR(Set(info.name, found->second));
  }
  return absl::OkStatus();
}

absl::Status GuardedRun::Run(Verdict& verdict) {
  ran_with_ = contents_;
  for (size_t v = 0; v < buffers_.size(); ++v) {
    if (buffers_[v] == nullptr) continue;
    const auto content = contents_.find(static_cast<int>(v));
    if (content == contents_.end()) {
      buffers_[v]->Fill(options_.fill);
      continue;
    }
    buffers_[v]->SetReadOnly(false);
    if (buffers_[v]->bytes() > 0) {
      std::memcpy(buffers_[v]->data(), content->second.data(), buffers_[v]->bytes());
    }
  }
  for (const auto& scratch : scratch_) scratch->Fill(options_.fill);
  std::vector<bool> written(buffers_.size(), false);
  for (const auto& [output, input] : shared_) written[input] = true;
  for (const auto& [v, tensor] : contents_) buffers_[v]->SetReadOnly(!written[v]);
  for (size_t n = 0; n < steps_.size(); ++n) {
    const std::vector<Value>& inputs = function_.nodes()[n].inputs;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto version = versions_.find(inputs[i].index);
      steps_[n].versions[i] = version == versions_.end() ? 0 : version->second;
    }
  }
  const absl::Status status = RunNodes(verdict);
  LookAtGuards(verdict);
  CheckUnchanged(verdict);
  if (!status.ok()) return status;
  std::vector<std::pair<int, Tensor>> updates;
  for (const NamedValue& update : function_.updates()) {
    updates.push_back({function_.FindVariable(update.name)->value.index, Read(update.value)});
  }
  for (auto& [v, tensor] : updates) {
    contents_[v] = std::move(tensor);
    ++versions_[v];
  }
  return absl::OkStatus();
}

absl::Status GuardedRun::RunNodes(Verdict& verdict) {
  const FlushDenormals flush;
  SEQ_RETURN_IF_ERROR(Annotate(program_->Begin(), "Begin"));
  absl::Status status;
  for (size_t n = 0; n < steps_.size() && status.ok(); ++n) {
    const Step& step = steps_[n];
    status = program_->Run(static_cast<int>(n), {step.inputs, step.outputs, step.versions,
                                                 scratch_[n]->data(), persistent_->data()});
    if (status.ok()) verdict.CountRun();
    status = Annotate(status, absl::StrCat("node ", function_.nodes()[n].name));
  }
  program_->End();
  return status;
}

void GuardedRun::LookAtGuards(Verdict& verdict) {
  const auto look = [&](const std::unique_ptr<GuardedBuffer>& buffer) {
    if (buffer == nullptr) return;
    const std::string damage = buffer->Damage();
    if (!damage.empty()) verdict.Damage(damage);
  };
  for (const auto& buffer : buffers_) look(buffer);
  for (const auto& buffer : scratch_) look(buffer);
  look(persistent_);
}

// Inputs are read only, but for one that shares its memory with an output.
void GuardedRun::CheckUnchanged(Verdict& verdict) {
  for (const auto& [v, tensor] : contents_) {
    const bool written = std::any_of(shared_.begin(), shared_.end(),
                                     [v = v](const auto& pair) { return pair.second == v; });
    if (written || tensor.num_bytes() == 0) continue;
    if (std::memcmp(buffers_[v]->data(), tensor.data(), tensor.num_bytes()) != 0) {
      verdict.Damage(absl::StrCat("changed its ", buffers_[v]->label()));
    }
  }
}

Tensor GuardedRun::Read(Value value) const {
  const auto shared = shared_.find(value.index);
  const int v = shared == shared_.end() ? value.index : shared->second;
  return Tensor::CopyOf(function_.type(value), buffers_[v]->data());
}

std::vector<const Tensor*> GuardedRun::Values() {
  read_.assign(function_.values().size(), Tensor());
  std::vector<const Tensor*> values(read_.size(), nullptr);
  for (size_t v = 0; v < values.size(); ++v) {
    const Value value{static_cast<int>(v)};
    if ((buffers_[v] == nullptr && !IsShared(value)) || is_opaque_[v]) continue;
    // Not from memory for an input, which an output may have by now.
    const auto content = ran_with_.find(value.index);
    read_[v] = content != ran_with_.end() ? content->second : Read(value);
    values[v] = &read_[v];
  }
  return values;
}

std::map<std::string, Tensor> GuardedRun::Results() {
  std::map<std::string, Tensor> results;
  for (const auto* list : {&function_.results(), &function_.updates()}) {
    for (const NamedValue& named : *list) results[named.name] = Read(named.value);
  }
  return results;
}

}  // namespace seqgraph::conformance
