#include "runtime_library/loaded_model.h"

#include <utility>

#include "base/status_macros.h"
#include "ops/all_ops.h"

namespace seqgraph {

Ports::Ports(const Function& function) {
  for (const Value input : function.inputs()) {
    inputs.push_back({function.info(input).name, function.type(input)});
  }
  for (const NamedValue& result : function.results()) {
    outputs.push_back({result.name, function.type(result.value)});
  }
}

LoadedModel::LoadedModel(UnreadModel read)
    : model_(std::move(read.model)), unread_(std::move(read.functions)), loaded_(unread_.size()) {
  // Others keep pointers to those that were read earlier.
  model_.functions.reserve(unread_.size());
  for (const Variable& variable : model_.variables.all()) {
    variable_extents_.push_back(Extents(variable.def.type.shape));
  }
}

absl::StatusOr<const LoadedModel::LoadedFunction*> LoadedModel::GetFunction(int32_t index) {
  if (index < 0 || index >= num_functions()) {
    return NotFound("there is no function ", index, ": there are ", unread_.size());
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  std::unique_ptr<LoadedFunction>& loaded = loaded_[index];
  if (loaded == nullptr) {
    SEQ_RETURN_IF_ERROR(AddFunction(unread_[index], AllOps(), model_));
    const Function& function = model_.functions.back();
    loaded.reset(new LoadedFunction{&function, Ports(function)});
  }
  return loaded.get();
}

absl::StatusOr<const LoadedModel::LoadedFunction*> LoadedModel::GetFunction(
    absl::string_view name) {
  SEQ_ASSIGN_OR_RETURN(const int32_t index, IndexOf(name, unread_));
  return GetFunction(index);
}

}  // namespace seqgraph
