// The C interface (runtime.h) over models and compiled functions.

#include "runtime_library/runtime.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "backends/kernels/target.h"
#include "backends/simd/simd_backend.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "graph/model.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "runtime_library/guarded.h"
#include "runtime_library/loaded_model.h"
#include "runtime_library/model_reader.h"
#include "runtime_library/ports.h"

namespace seqgraph {
namespace {

constexpr int64_t kMaxBatch = int64_t{1} << 31;
constexpr int32_t kMaxThreads = 1024;

const Backend& SimdBackend() {
  static const Backend* const backend = MakeSimdBackend().release();
  return *backend;
}

absl::Status CheckBytes(absl::string_view what, int64_t expected, const void* data,
                        size_t num_bytes) {
  if (num_bytes != static_cast<uint64_t>(expected)) {
    return InvalidArgument(what, " has ", expected, " bytes, not ", num_bytes);
  }
  return data != nullptr || expected == 0 ? absl::OkStatus()
                                          : InvalidArgument("the memory for ", what, " is NULL");
}

seqgraph_function_info FunctionInfo(const Function& function) {
  seqgraph_function_info info = {};
  info.name = function.name().c_str();
  info.num_inputs = static_cast<int32_t>(function.inputs().size());
  info.num_outputs = static_cast<int32_t>(function.results().size());
  info.num_updates = static_cast<int32_t>(function.updates().size());
  return info;
}

}  // namespace
}  // namespace seqgraph

struct seqgraph_model {
  std::shared_ptr<seqgraph::LoadedModel> loaded;
};

struct seqgraph_function {
  std::shared_ptr<seqgraph::LoadedModel> loaded;  // its variables
  std::unique_ptr<seqgraph::CompiledFunction> compiled;
  seqgraph::Ports ports;
};

namespace seqgraph {
namespace {

absl::Status NewModel(absl::string_view bytes, seqgraph_model** model) {
  SEQ_ASSIGN_OR_RETURN(UnreadModel read, ReadWithoutFunctions(bytes));
  *model = new seqgraph_model{std::make_shared<LoadedModel>(std::move(read))};
  return absl::OkStatus();
}

absl::StatusOr<const Ports*> PortsOf(const seqgraph_model& model, const char* name) {
  SEQ_ASSIGN_OR_RETURN(const LoadedModel::LoadedFunction* function,
                       model.loaded->GetFunction(name));
  return &function->ports;
}

absl::StatusOr<CompileOptions> ReadOptions(const seqgraph_options* given) {
  SEQ_ASSIGN_OR_RETURN(const seqgraph_options options, ReadStruct("options", given));
  if (options.batch < 0 || options.batch > kMaxBatch || options.threads < 0 ||
      options.threads > kMaxThreads || options.max_num_bytes < 0) {
    return InvalidArgument("options: batch ", options.batch, " must be from 0 to ", kMaxBatch,
                           ", threads ", options.threads, " from 0 to ", kMaxThreads,
                           ", max_num_bytes ", options.max_num_bytes, " not negative");
  }
  CompileOptions compile;
  compile.backends = {&SimdBackend()};
  compile.passes = StandardPasses();
  compile.batch = std::max<int64_t>(options.batch, 1);
  compile.threads = std::max(options.threads, 1);
  if (options.max_num_bytes > 0) compile.max_memory = options.max_num_bytes;
  return compile;
}

absl::StatusOr<std::unique_ptr<seqgraph_function>> CompileNamed(const seqgraph_model& model,
                                                                const char* name,
                                                                const seqgraph_options* given) {
  LoadedModel& loaded = *model.loaded;
  SEQ_ASSIGN_OR_RETURN(const LoadedModel::LoadedFunction* found, loaded.GetFunction(name));
  SEQ_ASSIGN_OR_RETURN(const CompileOptions options, ReadOptions(given));
  SEQ_ASSIGN_OR_RETURN(
      std::unique_ptr<CompiledFunction> compiled,
      CompiledFunction::Compile(*found->function, AllOps(), &loaded.model().variables, options));
  Ports ports(compiled->function());
  return std::unique_ptr<seqgraph_function>(
      new seqgraph_function{model.loaded, std::move(compiled), std::move(ports)});
}

}  // namespace
}  // namespace seqgraph

using seqgraph::Fill;
using seqgraph::Guarded;
using seqgraph::Missing;

extern "C" {

const char* seqgraph_version(void) {
#define SEQ_TEXT_(number) #number
#define SEQ_TEXT(number) SEQ_TEXT_(number)
  return SEQ_TEXT(SEQGRAPH_VERSION_MAJOR) "." SEQ_TEXT(SEQGRAPH_VERSION_MINOR) "." SEQ_TEXT(
      SEQGRAPH_VERSION_PATCH);
}

const char* seqgraph_simd_target(void) {
  const char* target = "none";
  Guarded(nullptr, [&] {
    static const std::string* const name = new std::string(
        seqgraph::kernels::TargetStatus().ok() ? seqgraph::kernels::TargetName() : "none");
    target = name->c_str();
    return absl::OkStatus();
  });
  return target;
}

int32_t seqgraph_model_load(const char* path, seqgraph_model** model, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"path", path}, {"model", model}}));
    *model = nullptr;
    SEQ_ASSIGN_OR_RETURN(const std::string bytes,
                         seqgraph::ReadFile(path, seqgraph::kMaxModelFileBytes));
    return seqgraph::Annotate(seqgraph::NewModel(bytes, model), absl::StrCat("cannot load ", path));
  });
}

int32_t seqgraph_model_parse(const void* bytes, size_t num_bytes, seqgraph_model** model,
                             seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"bytes", bytes}, {"model", model}}));
    *model = nullptr;
    if (num_bytes > static_cast<uint64_t>(seqgraph::kMaxModelFileBytes)) {
      return seqgraph::InvalidArgument(num_bytes, " bytes are more than ",
                                       seqgraph::kMaxModelFileBytes);
    }
    return seqgraph::NewModel({static_cast<const char*>(bytes), num_bytes}, model);
  });
}

void seqgraph_model_free(seqgraph_model* model) { delete model; }

int32_t seqgraph_model_get_info(const seqgraph_model* model, seqgraph_model_info* info,
                                seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"model", model}}));
    const seqgraph::Model& loaded = model->loaded->model();
    seqgraph_model_info found = {};
    found.name = loaded.name.c_str();
    found.description = loaded.description.c_str();
    found.num_functions = model->loaded->num_functions();
    found.num_variables = static_cast<int32_t>(loaded.variables.all().size());
    found.num_labels = static_cast<int32_t>(loaded.labels.size());
    return Fill(found, info);
  });
}

const char* seqgraph_model_label(const seqgraph_model* model, int32_t index) {
  if (model == nullptr || index < 0) return nullptr;
  const std::vector<std::string>& labels = model->loaded->model().labels;
  return static_cast<size_t>(index) < labels.size() ? labels[index].c_str() : nullptr;
}

int32_t seqgraph_model_get_function(const seqgraph_model* model, int32_t index,
                                    seqgraph_function_info* info, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"model", model}}));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::LoadedModel::LoadedFunction* loaded,
                         model->loaded->GetFunction(index));
    return Fill(seqgraph::FunctionInfo(*loaded->function), info);
  });
}

int32_t seqgraph_model_get_input(const seqgraph_model* model, const char* function, int32_t index,
                                 seqgraph_tensor_info* info, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"model", model}, {"function", function}}));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Ports* ports, seqgraph::PortsOf(*model, function));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Port* port, PortAt(ports->inputs, "input", index));
    return Fill(port->info(), info);
  });
}

int32_t seqgraph_model_get_output(const seqgraph_model* model, const char* function, int32_t index,
                                  seqgraph_tensor_info* info, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"model", model}, {"function", function}}));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Ports* ports, seqgraph::PortsOf(*model, function));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Port* port, PortAt(ports->outputs, "output", index));
    return Fill(port->info(), info);
  });
}

int32_t seqgraph_model_get_variable(const seqgraph_model* model, int32_t index,
                                    seqgraph_tensor_info* info, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"model", model}}));
    const std::deque<seqgraph::Variable>& all = model->loaded->model().variables.all();
    if (index < 0 || static_cast<size_t>(index) >= all.size()) {
      return seqgraph::NotFound("there is no variable ", index, ": there are ", all.size());
    }
    const seqgraph::VariableDef& def = all[index].def;
    seqgraph_tensor_info found =
        seqgraph::TensorInfo(def.name, def.type, model->loaded->variable_extents(index));
    found.is_optimizer_state = def.role == seqgraph::VariableRole::kOptimizer;
    found.is_trainable = def.trainable && found.is_optimizer_state == 0;
    return Fill(found, info);
  });
}

int32_t seqgraph_variable_get(const seqgraph_model* model, const char* name, void* to,
                              size_t num_bytes, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"model", model}, {"name", name}}));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Variable* variable,
                         model->loaded->model().variables.Get(name));
    SEQ_RETURN_IF_ERROR(seqgraph::CheckBytes(absl::StrCat("variable ", name),
                                             variable->value.num_bytes(), to, num_bytes));
    if (num_bytes > 0) std::memcpy(to, variable->value.data(), num_bytes);
    return absl::OkStatus();
  });
}

int32_t seqgraph_variable_set(seqgraph_model* model, const char* name, const void* from,
                              size_t num_bytes, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"model", model}, {"name", name}}));
    seqgraph::VariableStore& variables = model->loaded->model().variables;
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Variable* variable, variables.Get(name));
    SEQ_RETURN_IF_ERROR(seqgraph::CheckBytes(absl::StrCat("variable ", name),
                                             variable->value.num_bytes(), from, num_bytes));
    return variables.Assign(name, seqgraph::Tensor::CopyOf(variable->def.type, from));
  });
}

int32_t seqgraph_function_compile(seqgraph_model* model, const char* name,
                                  const seqgraph_options* options, seqgraph_function** function,
                                  seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"model", model}, {"name", name}, {"function", function}}));
    *function = nullptr;
    SEQ_ASSIGN_OR_RETURN(std::unique_ptr<seqgraph_function> compiled,
                         seqgraph::CompileNamed(*model, name, options));
    *function = compiled.release();
    return absl::OkStatus();
  });
}

void seqgraph_function_free(seqgraph_function* function) { delete function; }

int32_t seqgraph_function_get_info(const seqgraph_function* function, seqgraph_function_info* info,
                                   seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"function", function}}));
    seqgraph_function_info found = seqgraph::FunctionInfo(function->compiled->function());
    found.batch = function->compiled->batch();
    found.num_bytes = function->compiled->memory().total();
    return Fill(found, info);
  });
}

int32_t seqgraph_function_get_input_info(const seqgraph_function* function, int32_t index,
                                         seqgraph_tensor_info* info, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"function", function}}));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Port* port,
                         PortAt(function->ports.inputs, "input", index));
    seqgraph_tensor_info found = port->info();
    found.data = function->compiled->input(index);
    return Fill(found, info);
  });
}

int32_t seqgraph_function_get_output_info(const seqgraph_function* function, int32_t index,
                                          seqgraph_tensor_info* info, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"function", function}}));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Port* port,
                         PortAt(function->ports.outputs, "output", index));
    seqgraph_tensor_info found = port->info();
    found.data = const_cast<void*>(function->compiled->result(index));
    return Fill(found, info);
  });
}

int32_t seqgraph_function_find_input(const seqgraph_function* function, const char* name) {
  return function == nullptr ? -1 : seqgraph::FindPort(function->ports.inputs, name);
}

int32_t seqgraph_function_find_output(const seqgraph_function* function, const char* name) {
  return function == nullptr ? -1 : seqgraph::FindPort(function->ports.outputs, name);
}

int32_t seqgraph_function_set_input(seqgraph_function* function, int32_t index, const void* from,
                                    size_t num_bytes, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"function", function}}));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Port* port,
                         PortAt(function->ports.inputs, "input", index));
    SEQ_RETURN_IF_ERROR(seqgraph::CheckBytes(port->name, port->type.num_bytes(), from, num_bytes));
    if (num_bytes > 0) std::memcpy(function->compiled->input(index), from, num_bytes);
    return absl::OkStatus();
  });
}

int32_t seqgraph_function_run(seqgraph_function* function, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"function", function}}));
    return function->compiled->Run();
  });
}

int32_t seqgraph_function_get_output(const seqgraph_function* function, int32_t index, void* to,
                                     size_t num_bytes, seqgraph_status* status) {
  return Guarded(status, [&]() -> absl::Status {
    SEQ_RETURN_IF_ERROR(Missing({{"function", function}}));
    SEQ_ASSIGN_OR_RETURN(const seqgraph::Port* port,
                         PortAt(function->ports.outputs, "output", index));
    SEQ_RETURN_IF_ERROR(seqgraph::CheckBytes(port->name, port->type.num_bytes(), to, num_bytes));
    if (num_bytes > 0) std::memcpy(to, function->compiled->result(index), num_bytes);
    return absl::OkStatus();
  });
}

}  // extern "C"
