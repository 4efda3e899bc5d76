#pragma once

// What a seqgraph_model is: a model whose functions are read when they are asked for.

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/model.h"
#include "runtime_library/model_reader.h"
#include "runtime_library/ports.h"

namespace seqgraph {

/// A function's, in its order.
struct Ports {
  std::vector<Port> inputs, outputs;

  explicit Ports(const Function& function);
};

/// Any number of threads may ask.
class LoadedModel {
 public:
  struct LoadedFunction {
    const Function* function;
    Ports ports;
  };

  explicit LoadedModel(UnreadModel read);

  /// Its functions are those that were asked for so far: ask here.
  Model& model() { return model_; }
  const std::vector<int64_t>& variable_extents(int32_t index) const {
    return variable_extents_[index];
  }

  int32_t num_functions() const { return static_cast<int32_t>(unread_.size()); }
  /// Errors: NotFound if there is none; those of AddFunction.
  absl::StatusOr<const LoadedFunction*> GetFunction(absl::string_view name);
  absl::StatusOr<const LoadedFunction*> GetFunction(int32_t index);

 private:
  Model model_;
  std::vector<std::vector<int64_t>> variable_extents_;
  std::vector<UnreadModel::UnreadFunction> unread_;
  std::mutex mutex_;                                     // of what follows, and of model_.functions
  std::vector<std::unique_ptr<LoadedFunction>> loaded_;  // null: not asked for yet
};

}  // namespace seqgraph
