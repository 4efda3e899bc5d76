#include "graph/bound_rules.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "graph/op_def.h"

namespace seqgraph {

double SumRoundings(int64_t k) {
  constexpr int64_t kMostGuaranteed = 8192;
  const auto terms = static_cast<double>(std::max<int64_t>(k, 1));
  return std::max(4 * std::sqrt(terms), static_cast<double>(std::min(k, kMostGuaranteed)) / 2);
}

ErrorBound SumOfTerms(int64_t k, double sum_of_magnitudes) {
  const double roundings = SumRoundings(k);
  return {roundings, sum_of_magnitudes,
          absl::StrCat(roundings, " eps for ", k, " terms, of the sum of magnitudes")};
}

double RecurrenceBound(int64_t gates, int64_t units, int64_t batch, int64_t time, bool backward) {
  const int64_t k = (2 * gates + 1) * (backward ? std::max(gates * units, batch) : 1);
  return 4.0 * (backward ? 2 : 1) * std::ceil(std::log2(static_cast<double>(k * time))) *
         kFloatEpsilon;
}

ErrorBound Roundings(double count, double scale, absl::string_view of) {
  return {count, scale, absl::StrCat(count, " eps of the largest ", of)};
}

BoundRule OutputBound(BoundCount count) {
  return [count = std::move(count)](const BoundContext& c, int o) {
    return Roundings(count(c, o), c.LargestOutput(o), "output");
  };
}

BoundRule OutputBound(double count) {
  return OutputBound([count](const BoundContext&, int) { return count; });
}

BoundRule ElementaryBound() { return OutputBound(kElementaryRoundings); }

BoundRule OperandBound(double count) {
  return [count](const BoundContext& c, int o) {
    return Roundings(count, c.LargestOperand(o), "operand");
  };
}

BoundRule UpdateBound(double count) {
  return [count](const BoundContext& c, int o) {
    double scale = c.LargestOutput(o);
    for (const InPlacePair& pair : c.op().in_place()) {
      if (pair.output == o) scale = std::max(scale, c.Largest(pair.input));
    }
    return Roundings(count, scale, "of old and new content");
  };
}

absl::StatusOr<double> SumOfMagnitudes(const BoundContext& c, int o) {
  OptionalTensors magnitudes(c.inputs().size());
  for (size_t i = 0; i < magnitudes.size(); ++i) {
    if (c.inputs()[i] == nullptr) continue;
    magnitudes[i] = *c.inputs()[i];
    if (magnitudes[i]->dtype() != DType::kFloat64) continue;
    for (double& x : magnitudes[i]->Elements<double>()) x = std::isfinite(x) ? std::fabs(x) : 0;
  }
  Attributes attributes = c.attributes();
  if (attributes.Find("activation") != nullptr) attributes.Set("activation", std::string("none"));
  EvaluationOptions options;
  options.wanted.assign(c.exact().size(), false);
  options.wanted[o] = true;
  SEQ_ASSIGN_OR_RETURN(const OptionalTensors sums,
                       Evaluate(c.op(), attributes, magnitudes, options));
  return LargestFiniteMagnitude(*sums[o]);
}

BoundRule SumBound(BoundCount terms) {
  return [terms = std::move(terms)](const BoundContext& c, int o) -> absl::StatusOr<ErrorBound> {
    SEQ_ASSIGN_OR_RETURN(const double scale, SumOfMagnitudes(c, o));
    return SumOfTerms(static_cast<int64_t>(terms(c, o)), scale);
  };
}

BoundRule ReductionBound(int input) {
  return SumBound([input](const BoundContext& c, int o) {
    const int64_t outputs = std::max<int64_t>(c.output(o).num_elements(), 1);
    return static_cast<double>(1 + c.input(input).num_elements() / outputs);
  });
}

int64_t MostRepeats(absl::Span<const int32_t> indices) {
  std::vector<int32_t> sorted(indices.begin(), indices.end());
  std::sort(sorted.begin(), sorted.end());
  int64_t most = 0, run = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
    most = std::max(most, run);
  }
  return most;
}

}  // namespace seqgraph
