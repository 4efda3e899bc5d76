#include "layers/stack_recognizer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph {

absl::Status StackRecognizer::Refuse(const Node& node, absl::string_view why) {
  return Unimplemented("node ", node.name, " (", node.op->name(), "): ", why);
}

absl::StatusOr<RecognizedStack> StackRecognizer::Run(const std::string& name) {
  if (!name.empty()) result_.stack.name = name;
  SEQ_RETURN_IF_ERROR(ReadInput());
  if (f_.results().size() != 1) {
    return Unimplemented("it has ", f_.results().size(), " results; a stack of layers has one");
  }
  while (x_ != f_.results()[0].value) {
    SEQ_RETURN_IF_ERROR(NextLayer());
  }
  return std::move(result_);
}

absl::Status StackRecognizer::ReadInput() {
  if (f_.inputs().size() != 1) {
    return Unimplemented("it has ", f_.inputs().size(), " inputs; a stack of layers has one");
  }
  x_ = f_.inputs()[0];
  const TensorType& type = f_.type(x_);
  const bool tokens = type.dtype == DType::kInt32 && type.shape.rank() == 2;
  if (!tokens && (type.dtype != DType::kFloat32 || type.shape.rank() != 3)) {
    return Unimplemented("its input is ", type.ToString(),
                         "; a stack of layers takes int32[batch, time] "
                         "or float32[batch, time, features]");
  }
  LayerInput& input = result_.stack.input;
  input.name = f_.info(x_).name;
  if (!type.shape[0].is_batch()) input.batch = type.shape[0].size();
  input.time = type.shape[1].size();
  if (tokens) {
    tokens_ = x_;
  } else {
    input.features = type.shape[2].size();
  }
  return absl::OkStatus();
}

absl::Status StackRecognizer::NextLayer() {
  // The tokens are read once more by each layer that they mask.
  readers_.clear();
  for (const int i : consumers_[x_.index]) {
    if (f_.nodes()[i].inputs[0] == x_) readers_.push_back(&f_.nodes()[i]);
  }
  for (const LayerDef& def : registry_.all()) {
    if (!def.recognize) continue;
    SEQ_ASSIGN_OR_RETURN(std::optional<RecognizedLayer> found, def.recognize(*this));
    if (!found.has_value()) continue;
    x_ = found->output;
    result_.stack.layers.push_back(std::move(found->layer));
    return absl::OkStatus();
  }
  if (readers_.size() == 1) return Refuse(*readers_[0], "no layer is known that does this");
  return Unimplemented(
      "value ", f_.info(x_).name, " is read by ", readers_.size(), " nodes (",
      absl::StrJoin(readers_, ", ", [](std::string* out, const Node* node) { *out += node->name; }),
      "): this is no stack of layers");
}

const Node* StackRecognizer::Reader(absl::string_view op) const {
  return readers_.size() == 1 && readers_[0]->op->name() == op ? readers_[0] : nullptr;
}

Value StackRecognizer::Operand(const Node& node, absl::string_view name) const {
  const int i = node.op->FindInput(name);
  return i < 0 ? Value() : node.inputs[i];
}

const Node* StackRecognizer::OnlyReader(Value value) const {
  const std::vector<int>& readers = consumers_[value.index];
  return readers.size() == 1 && value != f_.results()[0].value ? &f_.nodes()[readers[0]] : nullptr;
}

bool StackRecognizer::IsRead(Value value) const {
  return !consumers_[value.index].empty() || value == f_.results()[0].value;
}

Initializer StackRecognizer::InitializerOf(Value weight) const {
  const ValueInfo& info = f_.info(weight);
  return info.origin == Origin::kVariable ? f_.variables()[info.source].def.initializer
                                          : Initializer();
}

std::string StackRecognizer::Name(Value weight, const std::string& otherwise) {
  std::string name = otherwise;
  if (weight.present()) {
    const std::string& variable = f_.info(weight).name;
    const size_t slash = variable.find('/');
    if (slash != std::string::npos && slash > 0 && variable.find('/', slash + 1) == variable.npos) {
      name = variable.substr(0, slash);
    }
  }
  const std::string base = name;
  for (int i = 1; !names_.insert(name).second; ++i) name = absl::StrCat(base, "_", i);
  return name;
}

absl::Status StackRecognizer::Weight(const Node& node, const std::string& name, Value value,
                                     bool* trainable) {
  if (f_.info(value).origin != Origin::kVariable) {
    return Refuse(node, absl::StrCat(f_.info(value).name, " is computed: a layer has variables"));
  }
  const std::string& variable = f_.info(value).name;
  result_.variable_of[name] = variable;
  *trainable = *trainable && f_.variables()[f_.info(value).source].def.trainable;
  return absl::OkStatus();
}

}  // namespace seqgraph
