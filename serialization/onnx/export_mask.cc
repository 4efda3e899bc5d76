#include "serialization/onnx/export_mask.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph::onnx {
namespace {

using onnx_proto::TensorProto;

std::string Cast(NodeExport& node, const std::string& x, int32_t type) {
  std::string name = node.Between("Cast");
  SetInt(node.graph().Add("Cast", {x}, name), "to", type);
  return name;
}

std::string IntsInput(NodeExport& node, std::vector<int64_t> values) {
  return node.Ints(std::move(values), "ints");
}

// Elements of each row at the places [batch, time, 1].
std::string GatherInRows(NodeExport& node, const std::string& x, const std::string& places) {
  std::string name = node.Between("GatherND");
  SetInt(node.graph().Add("GatherND", {x, places}, name), "batch_dims", 1);
  return name;
}

// Keys that fall from step to step, those of steps that are not masked above all others, give the
// order.
std::string Order(NodeExport& node, const std::string& ones, int64_t time) {
  std::vector<int64_t> falling(time);
  std::iota(falling.rbegin(), falling.rend(), 0);
  const std::string keys =
      node.Emit("Add", {node.Emit("Mul", {ones, IntsInput(node, {time})}),
                        node.Initializer(Tensor::Of<int64_t>({time}, falling), "falling")});
  const std::string order = node.Between("order");
  node.graph()
      .Add("TopK", {keys, IntsInput(node, {time})}, node.Between("keys"))
      ->add_output(order);
  return node.Emit("Unsqueeze", {order, IntsInput(node, {2})});
}

}  // namespace

bool TakesLengths(const GraphExport& graph, const Node& cell) {
  const Function& function = graph.function();
  const int input = cell.op->FindInput("mask");
  if (input < 0 || !cell.inputs[input].present()) return false;
  const Value mask = cell.inputs[input], sequence = cell.outputs[0];
  const Node* maker = function.producer(mask);
  if (maker == nullptr || maker->op->name() != "SequenceMask") return false;
  const std::vector<NamedValue>& results = function.results();
  const std::vector<int>& readers = graph.consumers()[sequence.index];
  return std::none_of(results.begin(), results.end(),
                      [&](const NamedValue& r) { return r.value == sequence; }) &&
         std::all_of(readers.begin(), readers.end(), [&](int reader) {
           const Node& by = function.nodes()[reader];
           return by.op->name() == "ZeroMasked" && by.inputs[1] == mask;
         });
}

absl::Status CheckSteps(int64_t time) {
  constexpr int64_t kMost = 1 << 24;
  return time <= kMost ? absl::OkStatus() : Unimplemented("a mask of ", time, " steps");
}

absl::StatusOr<const MaskSteps*> StepsOf(NodeExport& node, int mask) {
  const Value value = node.node().inputs[mask];
  const int64_t time = node.graph().function().type(value).shape[1].size();
  SEQ_RETURN_IF_ERROR(CheckSteps(time));
  std::shared_ptr<MaskSteps>& steps = node.graph().mask_steps(value);
  if (steps != nullptr) return steps.get();
  steps = std::make_shared<MaskSteps>();
  steps->present = Cast(node, node.graph().NameOf(value), TensorProto::BOOL);
  steps->ones = Cast(node, steps->present, TensorProto::INT64);
  steps->so_far =
      node.Emit("CumSum", {steps->ones, node.Initializer(Tensor::Scalar<int64_t>(1), "axis")});
  const std::string sum = node.Between("ReduceSum");
  SetInt(node.graph().Add("ReduceSum", {steps->ones, IntsInput(node, {1})}, sum), "keepdims", 0);
  steps->lengths = Cast(node, sum, TensorProto::INT32);
  steps->order = Order(node, steps->ones, time);
  return steps.get();
}

std::string Compacted(NodeExport& node, const std::string& x, const MaskSteps& steps) {
  return GatherInRows(node, x, steps.order);
}

void Spread(NodeExport& node, const std::string& y, const MaskSteps& steps, bool reverse,
            const std::string& output) {
  // Forward, the last one up to the step; backward, the first one from it on.
  const std::string zero = node.Initializer(Tensor::Scalar<int64_t>(0), "zero");
  std::string place, there;
  if (reverse) {
    const std::string before = node.Emit("Sub", {steps.so_far, steps.ones});
    const std::string sum = node.Emit(
        "Unsqueeze", {Cast(node, steps.lengths, TensorProto::INT64), IntsInput(node, {1})});
    there = node.Emit("Less", {before, sum});
    place = node.Emit("Where", {there, before, zero});
  } else {
    const std::string one = node.Initializer(Tensor::Scalar<int64_t>(1), "one");
    there = node.Emit("Less", {zero, steps.so_far});
    place = node.Emit("Max", {node.Emit("Sub", {steps.so_far, one}), zero});
  }
  const std::string all =
      GatherInRows(node, y, node.Emit("Unsqueeze", {place, IntsInput(node, {2})}));
  const std::string wide = node.Emit("Unsqueeze", {there, IntsInput(node, {2})});
  node.graph().Add("Where", {wide, all, node.Initializer(Tensor::Scalar<float>(0), "none")},
                   output);
}

std::string Masked(NodeExport& node, const std::string& x, const MaskSteps& steps,
                   double otherwise) {
  const std::string wide = node.Emit("Unsqueeze", {steps.present, IntsInput(node, {2})});
  const Tensor value = Tensor::Scalar(otherwise).Cast(node.input_type(0).dtype);
  return node.Emit("Where", {wide, x, node.Initializer(value, "otherwise")});
}

}  // namespace seqgraph::onnx
