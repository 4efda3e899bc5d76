#include "ops/step_rules.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/windows.h"

namespace seqgraph::ops {
namespace {

using Kind = TimeLayout::Kind;

// Time counted from the last axis, so that shapes of different ranks compare.
int FromLast(const StepContext& c, int i) {
  return c.whole_input(i).shape.rank() - c.layout(i).axis;
}

// The inputs that have steps, which must agree by `place`: that of them which comes last.
template <typename Place>
absl::StatusOr<int> CommonSteps(const StepContext& c, Place place) {
  int first = -1;
  for (size_t i = 0; i < c.node().inputs.size(); ++i) {
    const int input = static_cast<int>(i);
    if (!c.has_input(input) || !c.layout(input).is_steps()) continue;
    if (first < 0) {
      first = input;
      continue;
    }
    const TimeLayout &a = c.layout(first), &b = c.layout(input);
    if (place(first) != place(input) || a.inner != b.inner || a.period != b.period ||
        a.lead != b.lead || a.whole != b.whole) {
      return c.Refuse(absl::StrCat("time lies differently in ", c.node().op->inputs()[first].name,
                                   " and ", c.node().op->inputs()[i].name));
    }
    if (b.delay > a.delay) first = input;
  }
  return first;
}

// The inputs of a node, all as late as `like`; of one that is steady, axis_of gives the axis along
// which others have steps.
template <typename AxisOf>
absl::StatusOr<std::vector<Value>> AlignedInputs(StepContext& c, const TimeLayout& like,
                                                 AxisOf axis_of) {
  std::vector<Value> inputs;
  for (size_t i = 0; i < c.node().inputs.size(); ++i) {
    const int input = static_cast<int>(i);
    inputs.push_back(c.input(input));
    if (!c.has_input(input)) continue;
    if (c.layout(input).is_steps()) {
      SEQ_ASSIGN_OR_RETURN(inputs.back(), c.Later(input, like.delay - c.layout(input).delay));
      continue;
    }
    SEQ_RETURN_IF_ERROR(c.RequireSteady(input));
    SEQ_ASSIGN_OR_RETURN(inputs.back(), c.SteadyAlong(input, axis_of(input), like));
  }
  return inputs;
}

absl::Status RequireNoLead(const StepContext& c, const TimeLayout& layout) {
  return layout.lead == 0 ? absl::OkStatus() : c.Refuse("it reads padding in front of the steps");
}

}  // namespace

StepRule ElementwiseSteps() {
  return [](StepContext& c) -> absl::Status {
    SEQ_ASSIGN_OR_RETURN(const int first, CommonSteps(c, [&](int i) { return FromLast(c, i); }));
    TimeLayout layout = c.layout(first);
    // Zeros in front stay zeros of few functions only.
    SEQ_RETURN_IF_ERROR(RequireNoLead(c, layout));
    const int from_last = FromLast(c, first);
    SEQ_ASSIGN_OR_RETURN(const std::vector<Value> inputs, AlignedInputs(c, layout, [&](int i) {
                           return c.whole_input(i).shape.rank() - from_last;
                         }));
    layout.axis = c.whole_output(0).shape.rank() - from_last;
    c.SetOutput(0, c.Emit(inputs)[0], layout);
    return absl::OkStatus();
  };
}

StepRule RowSteps(bool uses_last) {
  return [uses_last](StepContext& c) -> absl::Status {
    std::vector<Value> inputs = {c.input(0)};
    for (size_t i = 1; i < c.node().inputs.size(); ++i) {
      SEQ_RETURN_IF_ERROR(c.RequireSteady(static_cast<int>(i)));
      inputs.push_back(c.input(static_cast<int>(i)));
    }
    const TimeLayout& layout = c.layout(0);
    SEQ_RETURN_IF_ERROR(RequireNoLead(c, layout));
    if (uses_last && layout.axis == c.whole_input(0).shape.rank() - 1) {
      return c.Refuse("it reads all steps at once");
    }
    c.SetOutput(0, c.Emit(inputs)[0], layout);
    return absl::OkStatus();
  };
}

StepRule SameAxisSteps() {
  return [](StepContext& c) -> absl::Status {
    SEQ_ASSIGN_OR_RETURN(const int first, CommonSteps(c, [&](int i) { return c.layout(i).axis; }));
    const TimeLayout layout = c.layout(first);
    SEQ_RETURN_IF_ERROR(RequireNoLead(c, layout));
    SEQ_ASSIGN_OR_RETURN(const std::vector<Value> inputs,
                         AlignedInputs(c, layout, [&](int) { return layout.axis; }));
    c.SetOutput(0, c.Emit(inputs)[0], layout);
    return absl::OkStatus();
  };
}

StepRule ReductionSteps() {
  return [](StepContext& c) -> absl::Status {
    TimeLayout layout = c.layout(0);
    SEQ_RETURN_IF_ERROR(RequireNoLead(c, layout));
    int before = 0;
    for (const int64_t axis : c.attributes().GetInts("axes")) {
      if (axis == layout.axis) return c.Refuse("it reduces over all steps");
      before += axis < layout.axis;
    }
    if (!c.attributes().GetBool("keep_dims")) layout.axis -= before;
    c.SetOutput(0, c.Emit({c.input(0)})[0], layout);
    return absl::OkStatus();
  };
}

// Window j of a value x that comes `delay` steps late ends with step j stride + last, so call j + D
// of the windows is the first that has it, with D = (last + delay) / stride. In that call it begins
// D stride + pad_before - delay steps in front of the call's own, which are kept from the calls
// before.
StepRule WindowSteps(std::function<int64_t(const StepContext&)> width, bool pads_zero) {
  return [width = std::move(width), pads_zero](StepContext& c) -> absl::Status {
    const TimeLayout& x = c.layout(0);
    if (x.axis != 1 || x.inner != 1) return c.Refuse("time is not axis 1 of x");
    std::vector<Value> inputs = {c.input(0)};
    for (size_t i = 1; i < c.node().inputs.size(); ++i) {
      SEQ_RETURN_IF_ERROR(c.RequireSteady(static_cast<int>(i)));
      inputs.push_back(c.input(static_cast<int>(i)));
    }
    const Windows windows(width(c), c.attributes());
    const int64_t pad = windows.pad_before + x.lead, stride = windows.stride;
    TimeLayout y = TimeLayout::Steps(1, c.whole_output(0).shape[1].size());
    y.period = x.period * stride;
    // x of the whole function has the padding of x.lead.
    if (x.whole + pad >= windows.extent() &&
        y.whole > (x.whole + pad - windows.extent()) / stride + 1) {
      return c.Refuse(
          "its last windows reach behind the end, which nobody knows; padding \"causal\" "
          "and \"valid\" do not");
    }
    if (pad > 0 && !pads_zero) return c.Refuse("its windows begin in front of the first step");
    const int64_t in = c.steps(x), out = c.steps(y);
    if (in == 0 || out == 0) return c.Refuse("its stride does not divide the steps of a call");
    const int64_t last = windows.extent() - 1 - pad;
    y.delay = std::max<int64_t>(0, last + x.delay) / stride;
    const int64_t first = y.delay * stride + pad - x.delay, kept = std::max<int64_t>(first, 0);
    if (kept > 0) {
      const Shape& shape = c.whole_input(0).shape;
      const TensorType type{c.whole_input(0).dtype, {shape[0], kept, shape[2]}};
      SEQ_ASSIGN_OR_RETURN(const Value state, c.State("steps", type));
      inputs[0] = c.Add("Concat", {state, inputs[0]}, {{"axis", int64_t{1}}});
      c.SetNext(state, c.Add("Slice", {inputs[0]},
                             {{"axis", int64_t{1}}, {"begin", in}, {"end", in + kept}}));
    }
    // What the first window does not reach yet, and what the last one does not need.
    const int64_t begin = kept - first, end = begin + (out - 1) * stride + windows.extent();
    if (begin > 0 || end < kept + in) {
      inputs[0] =
          c.Add("Slice", {inputs[0]}, {{"axis", int64_t{1}}, {"begin", begin}, {"end", end}});
    }
    Attributes attributes = c.attributes();
    attributes.Set("pad_before", int64_t{0});
    attributes.Set("pad_after", int64_t{0});
    c.SetOutput(0, c.Emit(inputs, attributes)[0], y);
    return absl::OkStatus();
  };
}

namespace {

// Rows [batch, units] of a where the condition [batch, 1] is not 0, else of b.
Value SelectRows(StepContext& c, Value condition, Value a, Value b) {
  const Shape& shape = c.builder().type(a).shape;
  const std::vector<int64_t> wide = {shape[0].size(), shape[1].size()};
  return c.Add("Where", {c.Add("BroadcastTo", {condition}, {{"shape", wide}}), a, b});
}

absl::Status CheckCellInputs(StepContext& c, const TimeLayout& x) {
  const std::vector<InputDef>& defs = c.node().op->inputs();
  for (size_t i = 1; i < defs.size(); ++i) {
    const int input = static_cast<int>(i);
    if (!c.has_input(input) || defs[i].name == "h0" || defs[i].name == "c0") continue;
    if (defs[i].name != "mask") {
      SEQ_RETURN_IF_ERROR(c.RequireSteady(input));
    } else if (!c.layout(input).is_steps() || c.layout(input).axis != 1 ||
               c.layout(input).inner != 1 || c.layout(input).period != x.period ||
               c.layout(input).delay != x.delay) {
      return c.Refuse("its mask does not come step by step with x");
    }
  }
  return absl::OkStatus();
}

// The cell from the states that it begins with, over each step and those that are ahead of it:
// x_t, .., x_{t+ahead}. Its last state is known at the end of the sequence alone.
absl::Status BackwardSteps(StepContext& c) {
  const int64_t ahead = c.lookahead();
  if (ahead == 0) {
    return c.Refuse(
        "it goes backwards from the last step, which has not come yet; with a look-ahead "
        "(--lookahead=N) it begins N steps ahead");
  }
  const OpDef& op = *c.node().op;
  TimeLayout x = c.layout(0);
  if (c.has_input(op.FindInput("mask"))) return c.Refuse("it goes backwards under a mask");
  if (x.delay > 0 || x.period > 1 || c.steps(x) != 1) {
    return c.Refuse("with steps ahead a call takes one step, of what is not late itself");
  }
  std::vector<Value> inputs;
  for (size_t i = 0; i < op.inputs().size(); ++i) inputs.push_back(c.input(static_cast<int>(i)));
  for (const char* initial : {"h0", "c0"}) {
    const int i = op.FindInput(initial);
    if (i >= 0) SEQ_RETURN_IF_ERROR(c.RequireSteady(i));
  }
  TensorType before = c.builder().type(inputs[0]);
  Shape shape;
  for (int i = 0; i < before.shape.rank(); ++i) shape.Append(i == 1 ? Dim(ahead) : before.shape[i]);
  before.shape = shape;
  SEQ_ASSIGN_OR_RETURN(const Value state, c.State("ahead", before));
  inputs[0] = c.Add("Concat", {state, inputs[0]}, {{"axis", int64_t{1}}});
  c.SetNext(state, c.Add("Slice", {inputs[0]},
                         {{"axis", int64_t{1}}, {"begin", int64_t{1}}, {"end", ahead + 1}}));
  const std::vector<Value> outputs = c.Emit(inputs);
  const TensorType& last = c.builder().type(outputs[1]);
  x.axis = 1;
  x.delay = ahead;
  c.SetOutput(
      0,
      c.Add("Reshape", {outputs[1]},
            {{"shape", std::vector<int64_t>{last.shape[0].size(), 1, last.shape[1].size()}}}),
      x);
  return absl::OkStatus();
}

}  // namespace

StepRule RecurrentSteps() {
  return [](StepContext& c) -> absl::Status {
    const OpDef& op = *c.node().op;
    if (!c.layout(0).is_steps()) return c.Refuse("its input does not come step by step");
    if (c.layout(0).axis != 1 || c.layout(0).inner != 1) return c.Refuse("time is not axis 1 of x");
    const TimeLayout x = c.layout(0);
    SEQ_RETURN_IF_ERROR(RequireNoLead(c, x));
    SEQ_RETURN_IF_ERROR(CheckCellInputs(c, x));
    if (c.attributes().GetBool("reverse")) return BackwardSteps(c);
    std::vector<Value> inputs;
    for (size_t i = 0; i < op.inputs().size(); ++i) inputs.push_back(c.input(static_cast<int>(i)));
    const int h0 = op.FindInput("h0"), c0 = op.FindInput("c0"), mask = op.FindInput("mask");
    const TensorType& state = c.whole_output(op.FindOutput("last"));
    SEQ_ASSIGN_OR_RETURN(inputs[h0], c.State("h", state, h0));
    if (c0 >= 0) {
      SEQ_ASSIGN_OR_RETURN(inputs[c0], c.State("c", state, c0));
    }
    const bool masked = c.has_input(mask);
    if ((masked || x.delay > 0) && c.steps(x) != 1) {
      return c.Refuse("under a mask, and on what comes late, a call takes one step");
    }
    const std::vector<Value> outputs = c.Emit(inputs);
    // A cell does not begin with what means nothing yet. It has no mask for that: with one, other
    // kernels would run it than run the whole sequence.
    Value begun;
    if (x.delay > 0) {
      SEQ_ASSIGN_OR_RETURN(begun, c.HasBegun(x, state.shape[0].size()));
    }
    const auto next = [&](Value before, Value after) {
      return begun.present() ? SelectRows(c, begun, after, before) : after;
    };
    const Value last = next(inputs[h0], outputs[1]);
    c.SetNext(inputs[h0], last);
    c.SetEnd(1, last);
    if (c0 >= 0) {
      const Value cell = next(inputs[c0], outputs[2]);
      c.SetNext(inputs[c0], cell);
      c.SetEnd(2, cell);
    }
    TimeLayout y = x;
    y.axis = 1;
    if (!masked) {
      c.SetOutput(0, outputs[0], y);
      return absl::OkStatus();
    }
    const int64_t batch = state.shape[0].size(), units = state.shape[1].size();
    Value repeated = last;
    SEQ_ASSIGN_OR_RETURN(const bool zeros, c.BeginsWithZeros(h0));
    if (!zeros) {
      SEQ_ASSIGN_OR_RETURN(const Value before, c.State("output", state));
      // A masked step repeats the output before it, also that of the call before.
      repeated = SelectRows(c, inputs[mask], last, before);
      c.SetNext(before, repeated);
    }
    c.SetOutput(0, c.Add("Reshape", {repeated}, {{"shape", std::vector<int64_t>{batch, 1, units}}}),
                y);
    return absl::OkStatus();
  };
}

StepRule RefuseAllSteps() {
  return [](StepContext& c) {
    return c.Refuse(
        "it takes all steps of a sequence together; run whole sequences, or a model without it");
  };
}

StepRule ReshapeSteps() {
  return [](StepContext& c) -> absl::Status {
    TimeLayout layout = c.layout(0);
    SEQ_RETURN_IF_ERROR(RequireNoLead(c, layout));
    const Shape &from = c.whole_input(0).shape, &to = c.whole_output(0).shape;
    // Elements from one step to the next, in both.
    const int64_t stride = layout.inner * AxisExtents(from, layout.axis).inner;
    int axis = to.rank();
    int64_t behind = 1, extent = 1;
    while (axis > 0 && behind * extent <= stride) {
      behind *= extent;
      extent = to[--axis].size();
    }
    if (axis == 0 && behind * extent <= stride) return c.Refuse("its axes do not hold time");
    layout.axis = axis;
    layout.inner = stride / behind;
    if (stride % behind != 0 || extent % (layout.whole * layout.inner) != 0) {
      return c.Refuse(
          absl::StrCat("it cuts ", from.ToString(), " into ", to.ToString(), " across steps"));
    }
    Attributes attributes = c.attributes();
    std::vector<int64_t> shape;
    for (const Dim dim : to.dims()) shape.push_back(dim.size());
    shape[axis] = c.Extent(to, layout);
    attributes.Set("shape", std::move(shape));
    c.SetOutput(0, c.Emit({c.input(0)}, attributes)[0], layout);
    return absl::OkStatus();
  };
}

StepRule TransposeSteps() {
  return [](StepContext& c) -> absl::Status {
    TimeLayout layout = c.layout(0);
    const std::vector<int64_t>& permutation = c.attributes().GetInts("permutation");
    layout.axis = static_cast<int>(std::find(permutation.begin(), permutation.end(), layout.axis) -
                                   permutation.begin());
    c.SetOutput(0, c.Emit({c.input(0)})[0], layout);
    return absl::OkStatus();
  };
}

}  // namespace seqgraph::ops
