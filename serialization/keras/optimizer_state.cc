#include "serialization/keras/optimizer_state.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::keras {
namespace {

constexpr size_t kHead = 2;  // iteration, learning rate

// Adam keeps the two slots of a weight side by side; the others keep all slots of one name
// together.
std::vector<std::vector<const char*>> SlotGroups(const Optimizer& optimizer) {
  if (optimizer.kind == "Adam") return {{"momentum", "velocity"}};
  std::vector<std::vector<const char*>> groups;
  if (optimizer.kind == "RMSprop") groups.push_back({"velocity"});
  if (optimizer.momentum > 0) groups.push_back({"momentum"});
  if (optimizer.kind == "RMSprop" && optimizer.centered) groups.push_back({"average_gradient"});
  return groups;
}

absl::Status CheckScalar(const Tensor& tensor, absl::string_view name, bool real) {
  if (tensor.num_elements() == 1 && IsReal(tensor.dtype()) == real) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the optimizer's ", name, " is ", tensor.type().ToString(), ", not one number"));
}

}  // namespace

std::vector<Slot> SlotsOf(const Optimizer& optimizer, const std::vector<Weight>& weights) {
  std::vector<Slot> slots;
  for (const std::vector<const char*>& group : SlotGroups(optimizer)) {
    for (const Weight& weight : weights) {
      if (!weight.trainable) continue;
      for (const char* name : group) {
        slots.push_back({absl::StrCat("optimizer/", weight.variable, "/", name), name, &weight});
      }
    }
  }
  return slots;
}

absl::StatusOr<std::vector<NamedTensor>> NameState(const Optimizer& optimizer,
                                                   const std::vector<Weight>& weights,
                                                   std::vector<Tensor> arrays) {
  const std::vector<Slot> slots = SlotsOf(optimizer, weights);
  const size_t trainable =
      std::count_if(weights.begin(), weights.end(), [](const Weight& w) { return w.trainable; });
  if (arrays.size() < kHead) return std::vector<NamedTensor>();
  SEQ_RETURN_IF_ERROR(CheckScalar(arrays[0], "iteration", false));
  SEQ_RETURN_IF_ERROR(CheckScalar(arrays[1], "learning rate", true));
  const int64_t steps = arrays[0].Cast(DType::kInt64).Elements<int64_t>()[0];
  // Keras makes the slots at the first step.
  const bool unbuilt = arrays.size() == kHead && !slots.empty() && steps == 0;
  // On PyTorch, Keras keeps momenta that plain SGD never reads.
  const bool idle = optimizer.kind == "SGD" && slots.empty() && arrays.size() == kHead + trainable;
  if (!unbuilt && !idle && arrays.size() != kHead + slots.size()) {
    return absl::InvalidArgumentError(absl::StrCat("the state of optimizer ", optimizer.kind,
                                                   " has ", arrays.size(), " arrays, and it takes ",
                                                   kHead + slots.size(), " for these layers"));
  }
  if (unbuilt) return std::vector<NamedTensor>();
  std::vector<NamedTensor> state;
  state.push_back({kIteration, Tensor::Scalar(steps)});
  const double rate = arrays[1].Cast(DType::kFloat64).Elements<double>()[0];
  state.push_back({kLearningRate, Tensor::Scalar(static_cast<float>(rate))});
  for (size_t i = 0; i < slots.size(); ++i) {
    Tensor& array = arrays[kHead + i];
    if (array.shape() != slots[i].weight->shape || !IsReal(array.dtype())) {
      return absl::InvalidArgumentError(
          absl::StrCat(slots[i].variable, " is ", array.type().ToString(),
                       " in the file, and its weight is ", slots[i].weight->shape.ToString()));
    }
    state.push_back({slots[i].variable, array.dtype() == DType::kFloat32
                                            ? std::move(array)
                                            : array.Cast(DType::kFloat32)});
  }
  return state;
}

absl::StatusOr<std::vector<Tensor>> ListState(const Optimizer& optimizer,
                                              const std::vector<Weight>& weights,
                                              const std::vector<NamedTensor>& state) {
  std::vector<std::string> names = {kIteration, kLearningRate};
  for (const Slot& slot : SlotsOf(optimizer, weights)) names.push_back(slot.variable);
  std::vector<Tensor> arrays;
  for (const std::string& name : names) {
    const Tensor* tensor = FindTensor(state, name);
    if (tensor == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("optimizer ", optimizer.kind, ": its state has no ", name));
    }
    arrays.push_back(*tensor);
  }
  return arrays;
}

const Tensor* FindTensor(const std::vector<NamedTensor>& tensors, absl::string_view name) {
  for (const NamedTensor& candidate : tensors) {
    if (candidate.name == name) return &candidate.tensor;
  }
  return nullptr;
}

}  // namespace seqgraph::keras
