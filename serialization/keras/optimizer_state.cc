#include "serialization/keras/optimizer_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::keras {
namespace {

constexpr size_t kHead = 2;  // iteration, learning rate

absl::Status CheckScalar(const Tensor& tensor, absl::string_view name, bool real) {
  if (tensor.num_elements() == 1 && IsReal(tensor.dtype()) == real) return absl::OkStatus();
  return InvalidArgument("the optimizer's ", name, " is ", tensor.type().ToString(),
                         ", not one number");
}

}  // namespace

std::vector<Slot> SlotsOf(const Optimizer& optimizer, const std::vector<Weight>& weights,
                          bool with_idle) {
  std::vector<Slot> slots;
  for (const SlotGroup& group : optimizer.slots()) {
    if (group[0].idle && !with_idle) continue;
    if (group[0].shared) {
      slots.push_back({group[0], absl::StrCat("optimizer/", group[0].name), nullptr});
      continue;
    }
    for (const Weight& weight : weights) {
      if (!weight.trainable) continue;
      for (const SlotDef& def : group) {
        slots.push_back({def, absl::StrCat("optimizer/", weight.variable, "/", def.name), &weight});
      }
    }
  }
  return slots;
}

absl::StatusOr<std::vector<NamedTensor>> NameState(const Optimizer& optimizer,
                                                   const std::vector<Weight>& weights,
                                                   std::vector<Tensor> arrays) {
  std::vector<Slot> slots = SlotsOf(optimizer, weights);
  if (arrays.empty()) return std::vector<NamedTensor>();
  const bool has_rate = arrays.size() > 1 && arrays[1].shape().rank() == 0;
  if (!has_rate) {
    arrays.insert(arrays.begin() + 1, Tensor::Scalar(static_cast<float>(optimizer.learning_rate)));
  }
  SEQ_RETURN_IF_ERROR(CheckScalar(arrays[0], "iteration", false));
  SEQ_RETURN_IF_ERROR(CheckScalar(arrays[1], "learning rate", true));
  const int64_t steps = arrays[0].Cast(DType::kInt64).Elements<int64_t>()[0];
  // Keras makes the slots at the first step.
  const bool unbuilt = arrays.size() == kHead && !slots.empty() && steps == 0;
  if (arrays.size() > kHead + slots.size()) slots = SlotsOf(optimizer, weights, true);
  if (!unbuilt && arrays.size() != kHead + slots.size()) {
    return InvalidArgument("the state of optimizer ", optimizer.name(), " has ", arrays.size(),
                           " arrays, and it takes ", kHead + slots.size(), " for these layers");
  }
  if (unbuilt) return std::vector<NamedTensor>();
  std::vector<NamedTensor> state;
  state.push_back({kIteration, Tensor::Scalar(steps)});
  const double rate = arrays[1].Cast(DType::kFloat64).Elements<double>()[0];
  state.push_back({kLearningRate, Tensor::Scalar(static_cast<float>(rate))});
  for (size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].def.idle) continue;
    Tensor& array = arrays[kHead + i];
    if (array.shape() != slots[i].shape() || !IsReal(array.dtype())) {
      return InvalidArgument(slots[i].variable, " is ", array.type().ToString(),
                             " in the file, and its weight is ", slots[i].shape().ToString());
    }
    state.push_back({slots[i].variable, array.dtype() == DType::kFloat32
                                            ? std::move(array)
                                            : array.Cast(DType::kFloat32)});
  }
  return state;
}

absl::StatusOr<std::vector<Tensor>> ListState(const Optimizer& optimizer,
                                              const std::vector<Weight>& weights,
                                              const std::vector<NamedTensor>& state,
                                              bool with_idle) {
  std::vector<Tensor> arrays;
  const auto add = [&](const std::string& name) -> absl::Status {
    const Tensor* tensor = FindTensor(state, name);
    if (tensor == nullptr) {
      return InvalidArgument("optimizer ", optimizer.name(), ": its state has no ", name);
    }
    arrays.push_back(*tensor);
    return absl::OkStatus();
  };
  SEQ_RETURN_IF_ERROR(add(kIteration));
  SEQ_RETURN_IF_ERROR(add(kLearningRate));
  for (const Slot& slot : SlotsOf(optimizer, weights, with_idle)) {
    if (slot.def.idle) {
      SEQ_ASSIGN_OR_RETURN(arrays.emplace_back(), Tensor::Zeros({DType::kFloat32, slot.shape()}));
    } else {
      SEQ_RETURN_IF_ERROR(add(slot.variable));
    }
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
