#include "serialization/onnx/recurrent_activations.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "serialization/onnx/node_import.h"

namespace seqgraph::onnx {
namespace {

struct Row {
  const char* name;
  Activation kind;
  int numbers = 0;  // 1: alpha, 2: alpha and beta
  bool has_default = true;
  double alpha = 0, beta = 0;  // ONNX's defaults
};

// The defaults of ThresholdedRelu, Affine and ScaledTanh differ between the standard, where it has
// some, and ONNX Runtime.
constexpr Row kRows[] = {
    {"Tanh", Activation::kTanh},
    {"Relu", Activation::kRelu},
    {"Sigmoid", Activation::kSigmoid},
    {"Softsign", Activation::kSoftsign},
    {"Softplus", Activation::kSoftplus},
    {"Elu", Activation::kElu, 1, true, 1},
    {"LeakyRelu", Activation::kLeakyRelu, 1, true, 0.01},
    {"HardSigmoid", Activation::kHardSigmoid, 2, true, 0.2, 0.5},
    {"ThresholdedRelu", Activation::kThresholdedRelu, 1, false},
    {"Affine", Activation::kAffine, 2, false},
    {"ScaledTanh", Activation::kScaledTanh, 2, false},
};

// The shortest number that is the same float: so 0.2f is 0.2.
double Shortest(double value) {
  const std::string text = absl::StrCat(static_cast<float>(value));
  const double read = std::stod(text);
  return static_cast<float>(read) == static_cast<float>(value) ? read : value;
}

}  // namespace

absl::StatusOr<std::vector<ActivationFunction>> ReadActivations(const OnnxActivations& from) {
  std::vector<ActivationFunction> read;
  size_t alphas = 0, betas = 0;
  for (const std::string& name : from.names) {
    const auto* row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& candidate) {
      return absl::EqualsIgnoreCase(candidate.name, name);
    });
    if (row == std::end(kRows)) return Unimplemented("activation ", name);
    ActivationFunction f{row->kind, row->alpha, row->beta};
    const auto take = [&](const std::vector<double>& numbers, size_t& next, double* to) {
      if (next < numbers.size()) {
        *to = Shortest(numbers[next++]);
      } else if (!row->has_default) {
        return Unimplemented("activation ", row->name,
                             " without its number in activation_alpha or activation_beta");
      }
      if (std::isfinite(*to)) return absl::OkStatus();
      return InvalidArgument("activation ", row->name, " with a number that is not finite");
    };
    if (row->numbers > 0) SEQ_RETURN_IF_ERROR(take(from.alpha, alphas, &f.alpha));
    if (row->numbers > 1) SEQ_RETURN_IF_ERROR(take(from.beta, betas, &f.beta));
    read.push_back(f);
  }
  return read;
}

absl::StatusOr<OnnxActivations> WriteActivations(const std::vector<ActivationFunction>& from) {
  OnnxActivations to;
  for (ActivationFunction f : from) {
    // The identity has no name of its own.
    if (f.kind == Activation::kNone) f = {Activation::kAffine, 1, 0};
    const auto* row = std::find_if(std::begin(kRows), std::end(kRows),
                                   [&](const Row& candidate) { return candidate.kind == f.kind; });
    if (row == std::end(kRows)) {
      return Unimplemented("activation ", ActivationText(f),
                           ": ONNX's recurrent operators do not have it");
    }
    to.names.push_back(row->name);
    if (row->numbers > 0) to.alpha.push_back(f.alpha);
    if (row->numbers > 1) to.beta.push_back(f.beta);
  }
  return to;
}

}  // namespace seqgraph::onnx
