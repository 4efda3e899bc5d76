#include <algorithm>
#include <cmath>
#include <vector>

#include "base/status_macros.h"
#include "graph/cell_functions.h"
#include "graph/node_bounds.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

// About so many multiplications are spent on one estimate; with large layers fewer rows are looked
// at.
constexpr double kWork = 5e8;

// Largest singular value by power iteration on uT u, from a start that no symmetry of u makes
// orthogonal to the answer.
double SpectralNorm(absl::Span<const double> u, int64_t units) {
  std::vector<double> v(units), w(units);
  for (int64_t i = 0; i < units; ++i) v[i] = 1 + 0.37 * std::sin(1.7 * static_cast<double>(i) + 1);
  double norm = 0;
  for (int step = 0; step < 200; ++step) {
    double length = 0;
    for (double x : v) length += x * x;
    length = std::sqrt(length);
    if (length == 0) return 0;
    for (double& x : v) x /= length;
    std::fill(w.begin(), w.end(), 0);
    for (int64_t i = 0; i < units; ++i) {
      for (int64_t j = 0; j < units; ++j) w[i] += u[i * units + j] * v[j];
    }
    norm = 0;
    for (double x : w) norm += x * x;
    norm = std::sqrt(norm);
    std::fill(v.begin(), v.end(), 0);
    for (int64_t i = 0; i < units; ++i) {
      for (int64_t j = 0; j < units; ++j) v[j] += u[i * units + j] * w[i];
    }
  }
  return norm;
}

// E <- J E JT + I with J = diag(slope) uT, in `units`^2 numbers; `half` is scratch.
void Propagate(absl::Span<const double> u, const std::vector<double>& slope, std::vector<double>& e,
               std::vector<double>& half) {
  const int64_t units = static_cast<int64_t>(slope.size());
  std::fill(half.begin(), half.end(), 0);  // half = E u
  for (int64_t i = 0; i < units; ++i) {
    for (int64_t k = 0; k < units; ++k) {
      const double x = e[i * units + k];
      for (int64_t j = 0; j < units; ++j) half[i * units + j] += x * u[k * units + j];
    }
  }
  std::fill(e.begin(), e.end(), 0);  // e = uT half
  for (int64_t k = 0; k < units; ++k) {
    for (int64_t i = 0; i < units; ++i) {
      const double x = u[k * units + i];
      for (int64_t j = 0; j < units; ++j) e[i * units + j] += x * half[k * units + j];
    }
  }
  for (int64_t i = 0; i < units; ++i) {
    for (int64_t j = 0; j < units; ++j) e[i * units + j] *= slope[i] * slope[j];
    e[i * units + i] += 1;
  }
}

}  // namespace

absl::StatusOr<std::optional<RecurrenceGrowth>> GrowthOf(const Node& node,
                                                         const OptionalTensors& inputs) {
  const std::optional<RecurrenceFacts>& facts = node.op->recurrence();
  if (!facts.has_value() || facts->cell != RecurrenceFacts::Cell::kSimple) return std::nullopt;
  OptionalTensors states;
  if (!facts->is_gradient()) {
    SEQ_ASSIGN_OR_RETURN(states, EvaluateInDouble(node, inputs, {true, false}));
  }
  const Tensor& sequence =
      facts->is_gradient() ? *inputs[node.op->FindInput("sequence")] : *states[0];
  const Tensor& recurrent_weights = *inputs[node.op->FindInput("u")];
  RecurrenceGrowth growth;
  SEQ_ASSIGN_OR_RETURN(const CellFunctions functions,
                       CellFunctionsOf(facts->cell, node.attributes));
  const Activation activation = functions.state.kind;
  const double steepest = SteepestSlope(functions.state);  // infinity: that of e^z is its value
  const auto u = recurrent_weights.Elements<double>();
  const int64_t units = recurrent_weights.shape()[0].size();
  growth.spectral_norm = SpectralNorm(u, units);
  const int64_t batch = sequence.shape()[0].size(), time = sequence.shape()[1].size();
  const double row_work = 2.0 * static_cast<double>(time) * std::pow(units, 3);
  const int64_t rows = std::clamp<int64_t>(static_cast<int64_t>(kWork / std::max(row_work, 1.0)),
                                           std::min<int64_t>(batch, 1), batch);
  const auto h = sequence.Elements<double>();
  const AttributeValue* reverse_value = node.attributes.Find("reverse");
  const bool reverse = reverse_value != nullptr && std::get<bool>(*reverse_value);
  const int mask_input = node.op->FindInput("mask");
  const int32_t* mask = nullptr;
  if (mask_input >= 0 && mask_input < static_cast<int>(inputs.size()) &&
      inputs[mask_input].has_value()) {
    mask = inputs[mask_input]->Elements<int32_t>().data();
  }
  std::vector<double> e(units * units), half(units * units), slope(units);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t n = r * batch / rows;
    std::fill(e.begin(), e.end(), 0);
    int64_t steps = 0;
    for (int64_t k = 0; k < time; ++k) {
      const int64_t t = reverse ? time - 1 - k : k;
      if (mask != nullptr && mask[n * time + t] == 0) continue;  // keeps the state as it is
      ++steps;
      for (int64_t j = 0; j < units; ++j) {
        const double y = h[(n * time + t) * units + j];
        slope[j] = IsKnownByOutput(activation) ? SlopeFromOutput(activation, y)
                   : std::isfinite(steepest)   ? steepest
                                               : std::abs(y);
      }
      Propagate(u, slope, e, half);
      for (int64_t j = 0; j < units; ++j) {
        const double ratio = std::sqrt(e[j * units + j] / static_cast<double>(steps));
        if (ratio > growth.amplification) growth.amplification = ratio;
      }
    }
  }
  return growth;
}

}  // namespace seqgraph
