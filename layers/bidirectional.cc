#include "layers/bidirectional.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/elementwise.h"
#include "ops/examples.h"
#include "ops/slice.h"

namespace seqgraph {
namespace {

constexpr char kNotMerged[] = "none";

Value Merge(LayerContext& c, const std::string& mode, Value a, Value b) {
  if (mode == "concat") {
    return ops::Concat(c.g(), a, b, c.g().type(a).shape.rank() - 1, c.name());
  }
  if (mode == "sum") return ops::Add(c.g(), a, b, c.name());
  if (mode == "mul") return ops::Multiply(c.g(), a, b, c.name());
  return ops::Scale(c.g(), ops::Add(c.g(), a, b, c.Part("sum")), 0.5, c.name());
}

LayerFlow EmitBidirectional(LayerContext& c, const BidirectionalLayer& layer) {
  // The first half of the states that it is given is for the forward layer.
  const std::vector<LayerFlow>& states = c.more();
  const auto middle = states.begin() + states.size() / 2;
  std::vector<LayerFlow> last;
  const auto direction = [&](const Layer& inner, const char* store, bool flip) {
    RecurrentLayer recurrent = *As<RecurrentLayer>(inner.kind);
    recurrent.zero_output_for_mask = recurrent.return_sequences;
    LayerContext context = c.Inner(inner, store, {c.x(), c.mask()});
    context.set_more(flip ? std::vector(middle, states.end())
                          : std::vector(states.begin(), middle));
    const LayerFlow output = EmitRecurrent(context, recurrent, flip);
    const std::vector<LayerFlow>& given = context.also_given();
    last.insert(last.end(), given.begin(), given.end());
    return output;
  };
  const LayerFlow forward = direction(layer.forward, "forward_layer", false);
  const LayerFlow backward = direction(layer.backward, "backward_layer", true);
  if (!c.g().status().ok()) return {};
  const bool merged = layer.merge_mode != kNotMerged;
  if (!merged) c.AlsoGive(backward);
  for (const LayerFlow& state : last) c.AlsoGive(state);
  if (!merged) return forward;
  return {Merge(c, layer.merge_mode, forward.value, backward.value), forward.mask};
}

absl::Status Check(const BidirectionalLayer& layer) {
  const std::optional<RecurrentLayer> f = As<RecurrentLayer>(layer.forward.kind);
  const std::optional<RecurrentLayer> b = As<RecurrentLayer>(layer.backward.kind);
  if (!f.has_value() || !b.has_value()) {
    return InvalidArgument("its layers must be recurrent, got ", layer.forward.kind.class_name,
                           " and ", layer.backward.kind.class_name);
  }
  if (layer.forward.name == layer.backward.name) {
    return InvalidArgument("both of its layers have the name " + layer.forward.name);
  }
  if (f->go_backwards == b->go_backwards) {
    return InvalidArgument("go_backwards must differ between its layers: true for one of them");
  }
  if (f->return_sequences != b->return_sequences || f->stateful != b->stateful ||
      f->return_state != b->return_state) {
    return InvalidArgument(
        "return_sequences, return_state and stateful must be the same for both of its layers");
  }
  const bool any_units = layer.merge_mode == "concat" || layer.merge_mode == kNotMerged;
  if (any_units || f->units == b->units) return absl::OkStatus();
  return InvalidArgument("its layers have ", f->units, " and ", b->units,
                         " units, which only concat can merge");
}

Layer Mirrored(Layer layer) {
  if (std::optional<RecurrentLayer> recurrent = As<RecurrentLayer>(layer.kind)) {
    recurrent->go_backwards = !recurrent->go_backwards;
    layer.kind = *recurrent;
  }
  return layer;
}

// Keras's wrapper keeps the name of the layer that it was given, and puts words before it.
void Complete(BidirectionalLayer& layer) {
  if (layer.backward.kind.class_name.empty()) {
    const std::string base(absl::StripPrefix(layer.forward.name, "forward_"));
    layer.backward = Mirrored(layer.forward);
    layer.forward.name = absl::StrCat("forward_", base);
    layer.backward.name = absl::StrCat("backward_", base);
  }
  if (layer.forward.name == layer.backward.name) layer.backward.name += "_backward";
}

void NameInner(BidirectionalLayer& layer, const NumberName& number) {
  const BidirectionalLayer unnamed;
  if (layer.forward.name != unnamed.forward.name || layer.backward.name != unnamed.backward.name) {
    return;
  }
  const std::string inner = number(SnakeCase(layer.forward.kind.class_name));
  layer.forward.name = absl::StrCat("forward_", inner);
  layer.backward.name = absl::StrCat("backward_", inner);
}

absl::StatusOr<std::optional<RecognizedLayer>> RecognizeBidirectional(StackRecognizer& r) {
  if (r.readers().size() != 2) return std::nullopt;
  const Node& a = *r.readers()[0];
  const Node& b = *r.readers()[1];
  if (CellOfNode(a) == nullptr || CellOfNode(b) == nullptr) return std::nullopt;
  const bool swapped = a.attributes.GetBool("reverse");
  const Node& forward = swapped ? b : a;
  const Node& backward = swapped ? a : b;
  Layer layer{.name = r.Name({}, "bidirectional")};
  BidirectionalLayer both;
  const auto sequence = [&](const Node& node) { return r.IsRead(node.outputs[0]); };
  for (const auto& [node, inner] :
       {std::pair{&forward, &both.forward}, {&backward, &both.backward}}) {
    SEQ_ASSIGN_OR_RETURN(
        std::optional<RecurrentLayer> cell,
        RecognizeCell(r, *node, absl::StrCat(layer.name, "/", inner->name), &layer.trainable));
    cell->return_sequences = sequence(forward);
    inner->kind = *cell;
  }
  const auto reader = [&](const Node& node) {
    return r.OnlyReader(sequence(forward) ? BehindZeroMasked(r, node.outputs[0]) : node.outputs[1]);
  };
  const Node* merge = reader(forward);
  if (merge == nullptr || merge != reader(backward)) {
    return r.Refuse(forward, "its output and that of the other direction are not merged");
  }
  const std::string& op = merge->op->name();
  if (op == "Concat") {
    both.merge_mode = "concat";
  } else if (op == "Multiply") {
    both.merge_mode = "mul";
  } else if (op == "Add") {
    both.merge_mode = "sum";
    const Node* next = r.OnlyReader(merge->outputs[0]);
    if (next != nullptr && next->op->name() == "Scale") {
      both.merge_mode = "ave";
      merge = next;
    }
  } else {
    return r.Refuse(*merge, "no layer merges two directions so");
  }
  layer.kind = both;
  return RecognizedLayer{std::move(layer), merge->outputs[0]};
}

// Two layers that can be merged.
void FitSample(BidirectionalLayer& layer, SampleSource& random) {
  if (layer.merge_mode == kNotMerged) layer.merge_mode = "concat";
  RecurrentLayer forward = SimpleRNN(random.Dimension(), {.return_sequences = random.Coin()});
  forward.cell = random.OneOf(RecurrentCells()).class_name;
  forward.use_bias = random.Coin();
  forward.go_backwards = random.Coin();
  layer.forward = {.name = "forward", .kind = forward};
  layer.backward = Mirrored(layer.forward);
  layer.backward.name = "backward";
}

}  // namespace

BidirectionalLayer Bidirectional(const RecurrentLayer& layer, const std::string& merge_mode) {
  BidirectionalLayer both{.merge_mode = merge_mode};
  both.forward.kind = layer;
  both.backward.kind = Mirrored(both.forward).kind;
  return both;
}

LayerDef BidirectionalDef() {
  return DefineLayer<BidirectionalLayer>()
      .Doc(
          "A recurrent layer and another that goes the other way, over the same input; their "
          "outputs merged. A sequence is in the order of the first.")
      .Takes(LayerTakes::kSequence)
      .Inputs(1, 5)
      .Keras({.unset = {"activity_regularizer"}, .takes_states = true})
      .Emit(EmitBidirectional)
      .Check(Check)
      .Complete(Complete)
      .NameInner(NameInner)
      .Recognize(RecognizeBidirectional)
      .FitSample(FitSample)
      // Forward 1, 1 + 2; backward 2 2, 2 1 + 4.
      .Example({"concat",
                Bidirectional(SimpleRNN(1, {.activation = "relu", .use_bias = false})),
                ops::Reals({1, 2, 1}, {1, 2}),
                {ops::Reals({1, 1}, {1}), ops::Reals({1, 1}, {1}), ops::Reals({1, 1}, {2}),
                 ops::Reals({1, 1}, {1})},
                ops::Reals({1, 2}, {3, 6})})
      .Example(
          {"sequences",
           Bidirectional(
               SimpleRNN(1, {.activation = "relu", .use_bias = false, .return_sequences = true}),
               "sum"),
           ops::Reals({1, 2, 1}, {1, 2}),
           {ops::Reals({1, 1}, {1}), ops::Reals({1, 1}, {1}), ops::Reals({1, 1}, {2}),
            ops::Reals({1, 1}, {1})},
           ops::Reals({1, 2, 1}, {7, 7})});
}

template void FillLayerKind(const BidirectionalLayer&, LayerKind&);

}  // namespace seqgraph
