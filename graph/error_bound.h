#pragma once

// How far a float32 backend may be from the float64 definition of an op: a bound that is derived
// from the op's formula, its sizes and machine epsilon, never picked by hand. Every op states its
// own (OpDef::Bound); tests, the conformance kit, `diff` and self-tests all ask there. Errors are
// norm-wise: the largest difference over a magnitude of the whole tensor.

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "graph/attributes.h"
#include "graph/tensor.h"

namespace seqgraph {

class OpDef;

inline constexpr double kFloatEpsilon = std::numeric_limits<float>::epsilon();

/// Roundings that stand for one elementary function (exp, tanh, log), which no library rounds
/// correctly.
inline constexpr double kElementaryRoundings = 8;

/// What one output of one node may be off by: `epsilons` eps times `scale`, and the smallest normal
/// float besides, because denormals are flushed.
struct ErrorBound {
  double epsilons = 0;  ///< 0: every bit must be right
  /// A magnitude in the output's own unit: of the output itself, or of what was added up to it, so
  /// that terms that cancel count in full.
  double scale = 0;
  std::string formula;  ///< for people: "32 eps for 64 terms, of the sum of magnitudes"

  double absolute() const {
    return epsilons * kFloatEpsilon * scale + std::numeric_limits<float>::min();
  }
};

/// What a bound rule sees: one use of an op, with its reals in float64.
class BoundContext {
 public:
  using Tensors = absl::Span<const Tensor* const>;
  /// `inputs`: one for each input of the op, null if absent. `exact`: what the definition gives for
  /// them, null for an output that is not wanted. `attributes` are complete.
  BoundContext(const OpDef& op, const Attributes& attributes, Tensors inputs, Tensors exact)
      : op_(op), attributes_(attributes), inputs_(inputs), exact_(exact) {}

  const OpDef& op() const { return op_; }
  const Attributes& attributes() const { return attributes_; }
  Tensors inputs() const { return inputs_; }
  Tensors exact() const { return exact_; }
  bool has_input(int i) const { return inputs_[i] != nullptr; }
  bool has_output(int o) const { return exact_[o] != nullptr; }
  /// Only for what is there.
  const Tensor& input(int i) const { return *inputs_[i]; }
  const Tensor& output(int o) const { return *exact_[o]; }
  const Shape& shape(int i) const { return inputs_[i]->shape(); }
  /// The elements of a real input; null if it is absent.
  const double* reals(int i) const {
    return has_input(i) ? inputs_[i]->Elements<double>().data() : nullptr;
  }
  /// The largest finite |x|; 0 for what is absent.
  double Largest(int input) const;
  double Largest(absl::string_view input) const;
  double LargestOutput(int o) const;
  /// Of the output and of all real inputs.
  double LargestOperand(int o) const;

 private:
  const OpDef& op_;
  const Attributes& attributes_;
  Tensors inputs_;
  Tensors exact_;
};

/// The bound of a real output that is wanted.
using BoundRule = std::function<absl::StatusOr<ErrorBound>(const BoundContext&, int output)>;

/// Results are moved, compared or counted: every bit must be right.
BoundRule ExactBound();

}  // namespace seqgraph
