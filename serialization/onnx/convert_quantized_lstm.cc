// DynamicQuantizeLSTM, which ONNX Runtime's dynamic quantization makes of LSTM: weights are
// integers of a scale, and both products of a step are of integers, into which X is brought by its
// range over all steps, and the state by its range in each step. So it is unrolled.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "serialization/onnx/quantization.h"

namespace seqgraph::onnx {
namespace {

constexpr int64_t kMostQuantizedSteps = 512;

class QuantizedLstm {
 public:
  explicit QuantizedLstm(NodeImport& node) : node_(node), g_(node.graph()) {}

  absl::StatusOr<Operand> Convert() {
    SEQ_RETURN_IF_ERROR(ReadAttributes());
    SEQ_RETURN_IF_ERROR(CheckShapes());
    std::vector<Operand> sequences, states, cells;
    for (size_t d = 0; d < reverse_.size(); ++d) {
      SEQ_RETURN_IF_ERROR(Direction(static_cast<int64_t>(d), sequences, states, cells));
    }
    for (const auto& [i, parts] : {std::pair{1, &states}, {2, &cells}}) {
      if (!node_.wants_output(i)) continue;
      SEQ_ASSIGN_OR_RETURN(Operand joined, g_.Concat(*parts, 0));
      node_.SetOutput(i, std::move(joined));
    }
    return node_.wants_output(0) ? g_.Concat(sequences, 1) : Absent();
  }

 private:
  enum Input {
    kX,
    kW,
    kR,
    kB,
    kLengths,
    kInitialH,
    kInitialC,
    kPeepholes,
    kScaleW,
    kZeroW,
    kScaleR,
    kZeroR
  };

  absl::Status ReadAttributes() {
    SEQ_ASSIGN_OR_RETURN(const std::string direction, node_.String("direction", "forward"));
    if (direction == "bidirectional") {
      reverse_ = {false, true};
    } else if (direction == "forward" || direction == "reverse") {
      reverse_ = {direction == "reverse"};
    } else {
      return InvalidArgument("direction \"", direction, "\"");
    }
    SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> names, node_.Strings("activations"));
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] != (i % 3 == 0 ? "Sigmoid" : "Tanh")) {
        return Unimplemented("an activation ", names[i], " of a quantized LSTM");
      }
    }
    SEQ_ASSIGN_OR_RETURN(units_, node_.Int("hidden_size", 0));
    SEQ_ASSIGN_OR_RETURN(const int64_t coupled, node_.Int("input_forget", 0));
    if (coupled != 0 || node_.has_input(kPeepholes)) {
      return Unimplemented("a quantized LSTM with coupled gates or peepholes");
    }
    return absl::OkStatus();
  }

  absl::Status CheckShapes() {
    SEQ_ASSIGN_OR_RETURN(x_, node_.input(kX));
    SEQ_ASSIGN_OR_RETURN(const Operand w, node_.input(kW));
    SEQ_ASSIGN_OR_RETURN(const Operand r, node_.input(kR));
    if (x_.rank() != 3 || x_.shape()[0].is_batch() || x_.shape()[2].is_batch() || r.rank() != 3 ||
        r.shape()[1].is_batch()) {
      return InvalidArgument("X, W and R must have three axes");
    }
    if (units_ == 0) units_ = r.shape()[1].size();
    const auto directions = static_cast<int64_t>(reverse_.size());
    // The first: four times an attribute may have no room.
    if (units_ < 1 || units_ != r.shape()[1].size() ||
        r.shape() != Shape{directions, units_, 4 * units_} ||
        w.shape() != Shape{directions, x_.shape()[2], 4 * units_}) {
      return InvalidArgument("W ", w.shape().ToString(), " and R ", r.shape().ToString(),
                             " do not fit together");
    }
    const Operand b = node_.optional_input(kB);
    if (b.present() && b.shape() != Shape{directions, 8 * units_}) {
      return InvalidArgument("B is ", b.shape().ToString());
    }
    const int64_t time = x_.shape()[0].size();
    if (time < 1 || time > kMostQuantizedSteps) {
      return Unimplemented("a quantized LSTM over ", time, " steps; at most ", kMostQuantizedSteps);
    }
    const Operand lengths = node_.optional_input(kLengths);
    if (lengths.present() && !HasOneValue(lengths, static_cast<double>(time))) {
      return Unimplemented("a quantized LSTM with lengths of rows");
    }
    return absl::OkStatus();
  }

  // Of an input with the directions first, the part of one, without that axis.
  absl::StatusOr<Operand> Part(int input, int64_t d) {
    SEQ_ASSIGN_OR_RETURN(const Operand all, node_.input(input));
    if (all.rank() == 0) return all;
    SEQ_ASSIGN_OR_RETURN(const Operand one, all.shape()[0] == 1 ? all : g_.Slice(all, 0, d, d + 1));
    return g_.Reshape(one, Shape(one.shape().dims().subspan(1)));
  }

  // Weights of one direction less their zero point, in float32.
  absl::StatusOr<Operand> Centered(int input, int zero, int64_t d) {
    const auto real = [&](int i) -> absl::StatusOr<Operand> {
      SEQ_ASSIGN_OR_RETURN(const Operand part, Part(i, d));
      return g_.Cast(part, DType::kFloat32);
    };
    if (!node_.has_input(zero)) return real(input);
    return (Term(g_, real(input)) - Term(g_, real(zero))).Take();
  }

  // x w in integers, as real numbers.
  Term Product(const Term& x, const Operand& w, const Term& scale) {
    const absl::StatusOr<Quantized> q = QuantizeByRange(x);
    if (!q.ok()) return {g_, q.status()};
    const Term centered =
        Term(g_, g_.Cast(q->q, DType::kFloat32)) - Term(g_, g_.Cast(q->zero, DType::kFloat32));
    const absl::StatusOr<Operand> left = centered.Take();
    if (!left.ok()) return centered;
    return Term(g_, MatrixProduct(node_, *left, w)) * (Term(g_, q->scale) * scale);
  }

  absl::StatusOr<Operand> Initial(int input, int64_t d) {
    if (!node_.has_input(input) || IsZero(node_.optional_input(input))) return Absent();
    SEQ_ASSIGN_OR_RETURN(const Operand part, Part(input, d));
    if (part.shape() == Shape{x_.shape()[1], units_}) return part;
    return InvalidArgument("an initial state is ", part.shape().ToString());
  }

  // Adds [time, 1, batch, units], and the last state and cell, [1, batch, units].
  absl::Status Direction(int64_t d, std::vector<Operand>& sequences, std::vector<Operand>& states,
                         std::vector<Operand>& cells) {
    const int64_t time = x_.shape()[0].size();
    const Dim batch = x_.shape()[1];
    SEQ_ASSIGN_OR_RETURN(const Operand w, Centered(kW, kZeroW, d));
    SEQ_ASSIGN_OR_RETURN(const Operand r, Centered(kR, kZeroR, d));
    const Term scale_w(g_, Part(kScaleW, d)), scale_r(g_, Part(kScaleR, d));
    Term all = Product(Term(g_, x_), w, scale_w);
    if (node_.has_input(kB)) {
      SEQ_ASSIGN_OR_RETURN(const Operand b, Part(kB, d));
      all = all + (Term(g_, g_.Slice(b, 0, 0, 4 * units_)) +
                   Term(g_, g_.Slice(b, 0, 4 * units_, 8 * units_)));
    }
    SEQ_ASSIGN_OR_RETURN(const Operand gates, all.Take());
    SEQ_ASSIGN_OR_RETURN(Operand h, Initial(kInitialH, d));
    SEQ_ASSIGN_OR_RETURN(Operand c, Initial(kInitialC, d));
    std::vector<Operand> steps(static_cast<size_t>(time));
    for (int64_t i = 0; i < time; ++i) {
      const int64_t t = reverse_[static_cast<size_t>(d)] ? time - 1 - i : i;
      SEQ_ASSIGN_OR_RETURN(Operand step, g_.Slice(gates, 0, t, t + 1));
      SEQ_ASSIGN_OR_RETURN(step, g_.Reshape(step, Shape{batch, 4 * units_}));
      Term sum(g_, step);
      if (h.present()) sum = sum + Product(Term(g_, h), r, scale_r);
      SEQ_RETURN_IF_ERROR(Step(sum, h, c));
      SEQ_ASSIGN_OR_RETURN(steps[static_cast<size_t>(t)],
                           g_.Reshape(h, Shape{1, 1, batch, units_}));
    }
    SEQ_ASSIGN_OR_RETURN(sequences.emplace_back(), g_.Concat(steps, 0));
    SEQ_ASSIGN_OR_RETURN(states.emplace_back(), g_.Reshape(h, Shape{1, batch, units_}));
    SEQ_ASSIGN_OR_RETURN(cells.emplace_back(), g_.Reshape(c, Shape{1, batch, units_}));
    return absl::OkStatus();
  }

  // c = f c + i tanh(z), h = o tanh(c), of gates in ONNX's order i, o, f, z.
  absl::Status Step(const Term& gates, Operand& h, Operand& c) {
    SEQ_ASSIGN_OR_RETURN(const Operand sum, gates.Take());
    const auto gate = [&](int64_t i, const char* op) {
      return Map(op, Term(g_, g_.Slice(sum, 1, i * units_, (i + 1) * units_)));
    };
    Term cell = gate(0, "Sigmoid") * gate(3, "Tanh");
    if (c.present()) cell = gate(2, "Sigmoid") * Term(g_, c) + cell;
    SEQ_ASSIGN_OR_RETURN(c, cell.Take());
    SEQ_ASSIGN_OR_RETURN(h, (gate(1, "Sigmoid") * Map("Tanh", cell)).Take());
    return absl::OkStatus();
  }

  NodeImport& node_;
  GraphImport& g_;
  std::vector<bool> reverse_;  // by direction
  int64_t units_ = 0;
  Operand x_;
};

absl::StatusOr<Operand> ConvertDynamicQuantizeLstm(NodeImport& node) {
  return QuantizedLstm(node).Convert();
}

constexpr ConverterRow kQuantizedLstmRows[] = {
    {"com.microsoft:DynamicQuantizeLSTM", ConvertDynamicQuantizeLstm},
};

}  // namespace

absl::Span<const ConverterRow> QuantizedLstmConverters() { return kQuantizedLstmRows; }

}  // namespace seqgraph::onnx
