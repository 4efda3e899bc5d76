#include "runtime/numeric_bounds.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "graph/elementwise_program.h"

namespace seqgraph {
namespace {

// A node as the rules see it.
struct Judged {
  const OpDef& op;
  const Attributes& attributes;
  absl::Span<const Tensor* const> inputs;
  absl::Span<const Tensor* const> exact;

  bool has(int i) const { return inputs[i] != nullptr; }
  const Shape& shape(int i) const { return inputs[i]->shape(); }
  double Largest(int i) const { return has(i) ? LargestFiniteMagnitude(*inputs[i]) : 0; }
  double LargestOutput(int o) const { return LargestFiniteMagnitude(*exact[o]); }
  double LargestInput() const {
    double largest = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (has(i) && IsReal(inputs[i]->dtype())) largest = std::max(largest, Largest(i));
    }
    return largest;
  }
};

using Rule = absl::StatusOr<ErrorBound> (*)(const Judged& node, int output);

ErrorBound Roundings(double count, double scale, absl::string_view of) {
  return {count, scale, absl::StrCat(count, " eps of the largest ", of)};
}

absl::StatusOr<ErrorBound> Exact(const Judged&, int) { return ErrorBound{0, 0, "exact"}; }

template <int count>
absl::StatusOr<ErrorBound> OfOutputs(const Judged& node, int o) {
  return Roundings(count, node.LargestOutput(o), "output");
}

template <int count>
absl::StatusOr<ErrorBound> OfOperands(const Judged& node, int o) {
  return Roundings(count, std::max(node.LargestOutput(o), node.LargestInput()), "operand");
}

absl::StatusOr<ErrorBound> Elementary(const Judged& node, int o) {
  return Roundings(kElementaryRoundings, node.LargestOutput(o), "output");
}

// The node's own formula over the magnitudes of its inputs, without an activation: what the terms
// of a sum add up to before they cancel. Activations have slopes of at most 1.
absl::StatusOr<double> SumOfMagnitudes(const Judged& node, int o) {
  std::vector<Tensor> magnitudes(node.inputs.size());
  std::vector<ReferenceContext::Operand> operands(node.inputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.has(i)) continue;
    magnitudes[i] = *node.inputs[i];
    if (magnitudes[i].dtype() == DType::kFloat64) {
      for (double& x : magnitudes[i].Elements<double>()) x = std::isfinite(x) ? std::fabs(x) : 0;
    }
    operands[i] = {magnitudes[i].data(), &magnitudes[i].type()};
  }
  Attributes attributes = node.attributes;
  if (attributes.Find("activation") != nullptr) attributes.Set("activation", std::string("none"));
  std::vector<ReferenceContext::Operand> outputs(node.exact.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.exact[i] != nullptr) outputs[i].type = &node.exact[i]->type();
  }
  SEQ_ASSIGN_OR_RETURN(Tensor sum, Tensor::Zeros(node.exact[o]->type()));
  outputs[o].data = sum.data();
  SEQ_RETURN_IF_ERROR(
      node.op.reference(DType::kFloat64)(ReferenceContext(operands, outputs, attributes)));
  return LargestFiniteMagnitude(sum);
}

absl::StatusOr<ErrorBound> Sum(const Judged& node, int o, int64_t terms) {
  SEQ_ASSIGN_OR_RETURN(const double scale, SumOfMagnitudes(node, o));
  terms = std::max<int64_t>(terms, 1);
  return ErrorBound{DotBound(terms) / kFloatEpsilon, scale,
                    absl::StrCat("4 k eps, k = ", terms, " terms, of the sum of magnitudes")};
}

int64_t Ratio(int64_t elements, int64_t parts) { return parts == 0 ? 0 : elements / parts; }

absl::StatusOr<ErrorBound> Reduction(const Judged& node, int o) {
  return Sum(node, o, 1 + Ratio(node.inputs[0]->num_elements(), node.exact[o]->num_elements()));
}

// Each row of the table sums the rows of dy that have its id.
absl::StatusOr<ErrorBound> EmbeddingGradRule(const Judged& node, int o) {
  std::vector<int32_t> ids(node.inputs[0]->Elements<int32_t>().begin(),
                           node.inputs[0]->Elements<int32_t>().end());
  std::sort(ids.begin(), ids.end());
  int64_t most = 0, run = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    run = i > 0 && ids[i] == ids[i - 1] ? run + 1 : 1;
    most = std::max(most, run);
  }
  return Sum(node, o, most);
}

absl::StatusOr<ErrorBound> Dense(const Judged& node, int o) {
  return Sum(node, o, node.shape(0).back().size() + 1);  // and the bias
}

// dx sums over units, dw and db over rows.
absl::StatusOr<ErrorBound> DenseGrad(const Judged& node, int o) {
  const int64_t features = node.shape(0).back().size(), units = node.shape(1)[1].size();
  return Sum(node, o, o == 0 ? units : Ratio(node.inputs[0]->num_elements(), features));
}

// The first inputs of every recurrent op.
enum RecurrentInput { kX, kW, kU, kB, kH0 };

double LargestOf(const Judged& node, std::initializer_list<absl::string_view> inputs) {
  double largest = 0;
  for (absl::string_view name : inputs) {
    const int i = node.op.FindInput(name);
    if (i >= 0) largest = std::max(largest, node.Largest(i));
  }
  return largest;
}

// RNNCell, LSTMCell and GRUCell have 1, 4 and 3 gates.
ErrorBound Recurrence(const Judged& node, double scale, bool backward, absl::string_view of) {
  const Shape& x = node.shape(kX);  // or ids
  const int64_t units = std::max<int64_t>(node.shape(kU)[0].size(), 1);
  const int64_t gates = std::max<int64_t>(node.shape(kU)[1].size() / units, 1);
  const int64_t batch = std::max<int64_t>(x[0].size(), 1), time = x[1].size();
  // benchdnn multiplies the terms of a GRU by its features.
  const int64_t wider = gates == 3 ? std::max<int64_t>(x[2].size(), 1) : 1;
  const double bound = RecurrenceBound(gates, units, batch, time * wider, backward) / kFloatEpsilon;
  const std::string wide =
      gates == 1 ? "max(units, batch)" : absl::StrCat("max(", gates, " units, batch)");
  const std::string extra = wider > 1 ? absl::StrCat(" ", wider, " features") : "";
  return {bound, scale,
          absl::StrCat(backward ? absl::StrCat("8 ceil(log2(", 2 * gates + 1, " ", wide, " time",
                                               extra, "))")
                                : absl::StrCat("4 ceil(log2(", 2 * gates + 1, " time", extra, "))"),
                       " eps = ", bound, " eps of the largest ", of, ", units = ", units,
                       ", batch = ", batch, ", time = ", time)};
}

absl::StatusOr<ErrorBound> RecurrentCell(const Judged& node, int o) {
  const double scale = std::max(node.LargestOutput(o), LargestOf(node, {"x", "b", "h0", "c0"}));
  return Recurrence(node, scale, /*backward=*/false, "of output, x, b, initial state");
}

ErrorBound RecurrenceGrad(const Judged& node, int o) {
  const double scale =
      std::max(node.LargestOutput(o), LargestOf(node, {"d_sequence", "d_last", "d_last_cell"}));
  return Recurrence(node, scale, /*backward=*/true, "of output and incoming gradient");
}

absl::StatusOr<ErrorBound> RecurrentCellGrad(const Judged& node, int o) {
  return RecurrenceGrad(node, o);
}

// Here input kX is ids and input kW is table, which x is made of.
absl::StatusOr<ErrorBound> LookupRnnCell(const Judged& node, int o) {
  const double scale = std::max(node.LargestOutput(o), LargestOf(node, {"table", "b", "h0"}));
  return Recurrence(node, scale, /*backward=*/false, "of output, table, b, h0");
}

// dz of LookupRNNCellGrad, a row for each id: what its definition gives for a table in which each
// id has a row of its own.
absl::StatusOr<Tensor> GradientsOfRows(const Judged& node) {
  const Shape& ids_shape = node.shape(kX);
  const int64_t n = ids_shape.num_elements();
  Tensor own_ids = *node.inputs[kX];
  for (int64_t i = 0; i < n; ++i) own_ids.Elements<int32_t>()[i] = static_cast<int32_t>(i);
  const TensorType rows{DType::kFloat64, Shape{n, node.shape(kU)[0]}};
  SEQ_ASSIGN_OR_RETURN(Tensor table, Tensor::Zeros(rows));
  SEQ_ASSIGN_OR_RETURN(Tensor dz, Tensor::Zeros(rows));
  std::vector<ReferenceContext::Operand> operands(node.inputs.size());
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!node.has(i)) continue;
    operands[i] = {const_cast<void*>(node.inputs[i]->data()), &node.inputs[i]->type()};
  }
  operands[kX].data = own_ids.data();
  operands[kW] = {table.data(), &rows};
  std::vector<ReferenceContext::Operand> outputs(node.exact.size());
  outputs[0] = {dz.data(), &rows};
  SEQ_RETURN_IF_ERROR(
      node.op.reference(DType::kFloat64)(ReferenceContext(operands, outputs, node.attributes)));
  return dz;
}

// Of dtable: each of up to `most` terms is off by the recurrence's bound R of the largest dz, L,
// and adding them by DotBound of their sum of magnitudes, S: most L (R + 4 S / L eps).
absl::StatusOr<ErrorBound> LookupRnnCellGrad(const Judged& node, int o) {
  if (o != 0) return RecurrenceGrad(node, o);
  SEQ_ASSIGN_OR_RETURN(const Tensor dz, GradientsOfRows(node));
  const auto ids = node.inputs[kX]->Elements<int32_t>();
  const auto terms = dz.Elements<double>();
  const int64_t units = node.shape(kU)[0].size();
  std::vector<double> sums(node.shape(kW).num_elements());
  std::vector<int64_t> counts(node.shape(kW)[0].size());
  for (size_t i = 0; i < ids.size(); ++i) {
    ++counts[ids[i]];
    for (int64_t j = 0; j < units; ++j) {
      const double term = std::fabs(terms[i * units + j]);
      if (std::isfinite(term)) sums[ids[i] * units + j] += term;
    }
  }
  const double largest =
      std::max(LargestFiniteMagnitude(dz), LargestOf(node, {"d_sequence", "d_last"}));
  const double sum = sums.empty() ? 0 : *std::max_element(sums.begin(), sums.end());
  const int64_t most = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
  ErrorBound bound = Recurrence(node, largest * static_cast<double>(std::max<int64_t>(most, 1)),
                                /*backward=*/true, "of dz, d_sequence, d_last");
  if (largest > 0) bound.epsilons += 4 * sum / largest;
  absl::StrAppend(&bound.formula, ", for each of ", most,
                  " terms, and 4 eps of their sum of magnitudes for each");
  return bound;
}

// dz = dloss weight / n (sigmoid(z) - y), where the difference may cancel.
absl::StatusOr<ErrorBound> LogitsGrad(const Judged& node, int o) {
  const double weight = node.has(3) ? node.Largest(3) : 1.0;
  const double each =
      node.Largest(2) / std::max<double>(1, static_cast<double>(node.inputs[0]->num_elements()));
  return Roundings(kElementaryRoundings, std::max(node.LargestOutput(o), each * weight),
                   "of output and dloss / n");
}

// y (dy - s), s = the sum of y dy over the row: at most max|y| (max|dy| + k max|y| max|dy|).
absl::StatusOr<ErrorBound> SoftmaxGrad(const Judged& node, int) {
  const double y = node.Largest(0), dy = node.Largest(1);
  const auto k = static_cast<double>(node.shape(0).back().size());
  const double count = DotBound(node.shape(0).back().size() + 1) / kFloatEpsilon;
  return ErrorBound{count, y * dy * (1 + k * y),
                    absl::StrCat("4 k eps, k = ", k + 1, " terms, of the sum of magnitudes")};
}

// A softmax along k classes: exponential functions of differences, and their sum.
absl::StatusOr<ErrorBound> SoftmaxRule(const Judged& node, int o) {
  const auto k = static_cast<double>(node.shape(0).back().size());
  return Roundings(kElementaryRoundings + k, node.LargestOutput(o), "output");
}

// Losses of rows, added up: terms of one row cancel down from predictions and labels.
absl::StatusOr<ErrorBound> RowLoss(const Judged& node, int o) {
  const double count = kElementaryRoundings + static_cast<double>(node.inputs[0]->num_elements());
  const double weight = node.has(2) ? std::max(1.0, node.Largest(2)) : 1.0;
  const double x = std::max({1.0, node.Largest(0), node.Largest(1)});
  return Roundings(count, std::max(node.LargestOutput(o), weight * x * x),
                   "of output and weighted operands");
}

// dloss weight / rows (prediction - label), where the difference may cancel.
absl::StatusOr<ErrorBound> RowLossGrad(const Judged& node, int o) {
  const auto width = static_cast<double>(
      node.shape(0).rank() == 0 ? 1 : std::max<int64_t>(node.shape(0).back().size(), 1));
  const double rows = std::max(1.0, static_cast<double>(node.inputs[0]->num_elements()) / width);
  const double weight = node.has(3) ? node.Largest(3) : 1.0;
  const double x = std::max({1.0, node.Largest(0), node.Largest(1)});
  return Roundings(kElementaryRoundings + width,
                   std::max(node.LargestOutput(o), 2 * node.Largest(2) * weight / rows * width * x),
                   "of output and terms");
}

// The larger of old and new content: what is added to the old one is at most their sum.
template <int count>
absl::StatusOr<ErrorBound> Update(const Judged& node, int o) {
  double scale = node.LargestOutput(o);
  for (const InPlacePair& pair : node.op.in_place()) {
    if (pair.output == o) scale = std::max(scale, node.Largest(pair.input));
  }
  return Roundings(count, scale, "of old and new content");
}

// Centered, the root is taken of v' - a'^2, whose relative error is v' / (v' - a'^2) times that of
// v'.
absl::StatusOr<ErrorBound> RmsProp(const Judged& node, int o) {
  SEQ_ASSIGN_OR_RETURN(ErrorBound bound, Update<12>(node, o));
  const bool centered = node.attributes.GetBool("centered");
  if (!centered || node.exact[1] == nullptr || node.exact[3] == nullptr) return bound;
  const auto v = node.exact[1]->Elements<double>(), a = node.exact[3]->Elements<double>();
  const double epsilon = node.attributes.GetFloat("epsilon");
  double condition = 1;
  for (size_t i = 0; i < v.size(); ++i) {
    const double difference = v[i] - a[i] * a[i] + epsilon;
    if (difference > 0) condition = std::max(condition, v[i] / difference);
  }
  bound.epsilons *= condition;
  absl::StrAppend(&bound.formula, ", times the condition ", condition, " of v' - a'^2");
  return bound;
}

// A value in double, and how far a float one may be from it.
struct Bounded {
  double value = 0;
  double error = 0;
};

// What one instruction gives: the errors of its operands by its slopes (first order), and a
// rounding of its own for each operation.
Bounded Execute(const ElementwiseInstruction& instruction, const Bounded& a, const Bounded& b) {
  constexpr double eps = kFloatEpsilon;
  const auto result = [](double value, double inherited, double roundings, double of) {
    return Bounded{value, inherited + roundings * eps * std::fabs(of)};
  };
  const double c = instruction.constant;
  const double through = std::fabs(a.value) * b.error + std::fabs(b.value) * a.error;
  const double x = a.value, dy = b.value;
  switch (instruction.op) {
    case ElementwiseOp::kAdd:
      return result(x + dy, a.error + b.error, 1, x + dy);
    case ElementwiseOp::kSubtract:
      return result(x - dy, a.error + b.error, 1, x - dy);
    case ElementwiseOp::kMultiply:
      return result(x * dy, through + a.error * b.error, 1, x * dy);
    case ElementwiseOp::kScale:  // the factor is rounded too
      return result(c * x, std::fabs(c) * a.error, 2, c * x);
    case ElementwiseOp::kFillLike:
      return result(c, 0, 1, c);
    case ElementwiseOp::kRelu:
      return result(x < 0 ? 0 : x, a.error, 0, 0);
    case ElementwiseOp::kSigmoid: {
      const double y = 1 / (1 + std::exp(-x));
      return result(y, a.error / 4, kElementaryRoundings, y);
    }
    case ElementwiseOp::kTanh:
      return result(std::tanh(x), a.error, kElementaryRoundings, std::tanh(x));
    case ElementwiseOp::kReluGrad:  // which side of the kink x lies on may be uncertain
      return result(x > 0 ? dy : 0, std::fabs(x) > a.error ? b.error : b.error + std::fabs(dy),
                    a.error > 0 ? 1 : 0, dy);
    case ElementwiseOp::kSigmoidGrad:
      return result(dy * x * (1 - x),
                    std::fabs(x * (1 - x)) * b.error + std::fabs(dy * (1 - 2 * x)) * a.error, 3,
                    std::max(std::fabs(dy * x), std::fabs(dy * x * (1 - x))));
    case ElementwiseOp::kTanhGrad:
      return result(dy * (1 - x * x),
                    std::fabs(1 - x * x) * b.error + std::fabs(2 * dy * x) * a.error, 3,
                    std::max(std::fabs(dy), std::fabs(dy * x * x)));
  }
  return {};
}

// The largest error over all elements, instruction by instruction.
absl::StatusOr<ErrorBound> FusedElementwise(const Judged& node, int) {
  std::vector<absl::Span<const double>> inputs;
  for (size_t i = 0; i < node.inputs.size() && node.has(static_cast<int>(i)); ++i) {
    inputs.push_back(node.inputs[i]->Elements<double>());
  }
  SEQ_ASSIGN_OR_RETURN(const ElementwiseProgram program,
                       ElementwiseProgram::Parse(node.attributes.GetString("program"),
                                                 static_cast<int>(inputs.size())));
  double largest = 0;
  std::vector<Bounded> registers(program.num_registers());
  for (size_t e = 0; e < inputs[0].size(); ++e) {
    for (size_t i = 0; i < inputs.size(); ++i) registers[i] = {inputs[i][e], 0};
    for (size_t i = 0; i < program.code.size(); ++i) {
      const ElementwiseInstruction& code = program.code[i];
      registers[inputs.size() + i] = Execute(code, code.a >= 0 ? registers[code.a] : Bounded(),
                                             code.b >= 0 ? registers[code.b] : Bounded());
    }
    if (std::isfinite(registers.back().error)) largest = std::max(largest, registers.back().error);
  }
  const double scale = node.LargestOutput(0);
  // In eps of the output where it has a magnitude: what nodes behind it can add to.
  return ErrorBound{largest / kFloatEpsilon / (scale > 0 ? scale : 1), scale > 0 ? scale : 1,
                    absl::StrCat("roundings through ", program.code.size(), " instructions")};
}

absl::StatusOr<ErrorBound> AnyOp(const Judged& node, int o) {
  double count = kElementaryRoundings;
  for (const auto& operands : {node.inputs, node.exact}) {
    for (const Tensor* tensor : operands) {
      if (tensor != nullptr) count += static_cast<double>(tensor->num_elements());
    }
  }
  return Roundings(count, std::max(node.LargestOutput(o), node.LargestInput()), "operand");
}

struct RuleRow {
  const char* op;
  Rule rule;
};

constexpr RuleRow kRules[] = {
    {"Embedding", Exact},
    {"OneHot", Exact},
    {"BroadcastLike", Exact},
    {"Relu", Exact},
    {"ReluGrad", Exact},
    {"Increment", Exact},
    {"TakeStep", Exact},
    {"TakeStepGrad", Exact},
    {"Constant", OfOutputs<1>},
    {"FusedElementwise", FusedElementwise},
    {"Clip", OfOutputs<1>},  // the limit is rounded
    {"ClipByNorm", OfOutputs<4>},
    {"Concat", Exact},
    {"Reshape", Exact},
    {"Reverse", Exact},
    {"Slice", Exact},
    {"SliceGrad", Exact},
    {"Transpose", Exact},
    {"BroadcastTo", Exact},
    {"Gather", Exact},
    {"Where", Exact},
    {"Equal", Exact},
    {"Less", Exact},
    {"Abs", Exact},
    {"Negative", Exact},
    {"Sign", Exact},
    {"Floor", Exact},
    {"Ceil", Exact},
    {"Round", Exact},
    {"Maximum", Exact},
    {"Minimum", Exact},
    {"ReduceMax", Exact},
    {"ReduceMin", Exact},
    {"DropoutMask", OfOutputs<1>},
    {"SequenceMask", Exact},
    {"ZeroMasked", Exact},
    {"GlobalMaxPooling1D", Exact},
    {"GlobalMaxPooling1DGrad", OfOutputs<2>},
    {"GlobalAveragePooling1DGrad", OfOutputs<2>},
    {"GlobalAveragePooling1D", Reduction},
    {"Softmax", SoftmaxRule},
    {"SoftmaxGrad", SoftmaxGrad},
    {"SoftmaxCrossEntropyWithLogits", RowLoss},
    {"SoftmaxCrossEntropyWithLogitsGrad", RowLossGrad},
    {"CategoricalCrossEntropy", RowLoss},
    {"MSE", RowLoss},
    {"MSEGrad", RowLossGrad},
    {"FillLike", OfOutputs<1>},
    {"Add", OfOutputs<1>},
    {"Subtract", OfOutputs<1>},
    {"Multiply", OfOutputs<1>},
    {"Scale", OfOutputs<2>},  // the factor is rounded too
    {"Cast", OfOutputs<1>},
    {"Divide", OfOutputs<1>},
    {"Sqrt", OfOutputs<1>},
    {"Reciprocal", OfOutputs<1>},
    {"ReduceMeanGrad", OfOutputs<2>},
    {"Exp", Elementary},
    {"Log", Elementary},
    {"Erf", Elementary},
    {"Power", Elementary},
    {"Sigmoid", Elementary},
    {"Tanh", Elementary},
    {"SigmoidGrad", OfOperands<3>},
    {"TanhGrad", OfOperands<3>},
    {"ReduceSum", Reduction},
    {"ReduceMean", Reduction},
    {"EmbeddingGrad", EmbeddingGradRule},
    {"Dense", Dense},
    {"DenseGrad", DenseGrad},
    {"RNNCell", RecurrentCell},
    {"RNNCellGrad", RecurrentCellGrad},
    {"LSTMCell", RecurrentCell},
    {"LSTMCellGrad", RecurrentCellGrad},
    {"GRUCell", RecurrentCell},
    {"GRUCellGrad", RecurrentCellGrad},
    {"LookupRNNCell", LookupRnnCell},
    {"LookupRNNCellGrad", LookupRnnCellGrad},
    {"BCE", Elementary},
    {"BCEGrad", Elementary},
    {"BCEWithLogits", Elementary},
    {"BCEWithLogitsGrad", LogitsGrad},
    {"SGDUpdate", Update<4>},
    {"RMSPropUpdate", RmsProp},
    {"AdamUpdate", Update<12>},
};

Rule RuleOf(absl::string_view op) {
  for (const RuleRow& row : kRules) {
    if (op == row.op) return row.rule;
  }
  return AnyOp;
}

}  // namespace

absl::StatusOr<std::vector<ErrorBound>> NodeErrorBounds(const OpDef& op,
                                                        const Attributes& attributes,
                                                        absl::Span<const Tensor* const> inputs,
                                                        absl::Span<const Tensor* const> exact) {
  const Judged node{op, attributes, inputs, exact};
  const Rule rule = RuleOf(op.name());
  std::vector<ErrorBound> bounds(exact.size());
  for (size_t o = 0; o < exact.size(); ++o) {
    if (exact[o] == nullptr) continue;
    SEQ_ASSIGN_OR_RETURN(bounds[o], rule(node, static_cast<int>(o)));
  }
  return bounds;
}

double GraphErrorBound(const Function& function, double scale, DType real) {
  double count = 0;
  for (const Node& node : function.nodes()) {
    count += kElementaryRoundings;
    for (const std::vector<Value>* operands : {&node.inputs, &node.outputs}) {
      for (const Value value : *operands) {
        if (value.present()) {
          count += static_cast<double>(function.type(value).shape.num_elements());
        }
      }
    }
  }
  const double unit_roundoff = real == DType::kFloat64 ? std::numeric_limits<double>::epsilon() / 2
                                                       : std::numeric_limits<float>::epsilon() / 2;
  return count * unit_roundoff * scale;
}

double LargestFiniteMagnitude(const Tensor& tensor) {
  const Tensor real = tensor.dtype() == DType::kFloat64 ? tensor : tensor.Cast(DType::kFloat64);
  double largest = 0;
  for (const double x : real.Elements<double>()) {
    if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
  }
  return largest;
}

}  // namespace seqgraph
