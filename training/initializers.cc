#include "training/initializers.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/counter_random.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// Sets element i of the variable to f(i), rounded to its type, in order of i.
template <typename F>
void Fill(Tensor& tensor, F f) {
  VisitElementType(tensor.dtype(), [&](auto zero) {
    int64_t i = 0;
    for (auto& x : tensor.Elements<decltype(zero)>()) x = static_cast<decltype(zero)>(f(i++));
  });
}

void FillUniform(double limit, CounterRandom random, Tensor& tensor) {
  Fill(tensor, [&](int64_t) { return limit * (2 * random.NextUniform() - 1); });
}

double GlorotLimit(const Shape& shape) {
  double fan_in = 1, fan_out = 1;
  if (shape.rank() == 1) {
    fan_in = fan_out = static_cast<double>(shape[0].size());
  } else if (shape.rank() >= 2) {
    double receptive_field = 1;
    for (int i = 0; i < shape.rank() - 2; ++i) receptive_field *= shape[i].size();
    fan_in = receptive_field * shape[shape.rank() - 2].size();
    fan_out = receptive_field * shape.back().size();
  }
  return std::sqrt(6 / std::max(1.0, fan_in + fan_out));
}

// `count` orthonormal vectors of `length` >= count elements: the columns of Q. Gram-Schmidt on
// vectors of normals, each orthogonalised twice, which keeps Q orthogonal to working precision
// (Giraud et al., Numer. Math. 101 (2005)). Dividing by the norm makes R's diagonal positive.
std::vector<std::vector<double>> OrthonormalVectors(int64_t count, int64_t length,
                                                    CounterRandom random) {
  const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  };
  std::vector<std::vector<double>> q;
  q.reserve(count);
  while (static_cast<int64_t>(q.size()) < count) {
    std::vector<double> v(length);
    for (double& x : v) x = random.NextNormal();
    for (int pass = 0; pass < 2; ++pass) {
      for (const std::vector<double>& earlier : q) {
        const double projection = dot(v, earlier);
        for (int64_t i = 0; i < length; ++i) v[i] -= projection * earlier[i];
      }
    }
    const double norm = std::sqrt(dot(v, v));
    if (norm < 1e-6) continue;  // Almost a combination of the earlier ones: draw another.
    for (double& x : v) x /= norm;
    q.push_back(std::move(v));
  }
  return q;
}

void FillOrthogonal(CounterRandom random, Tensor& tensor) {
  const int64_t columns = tensor.shape().back().size();
  if (tensor.num_elements() == 0) return;
  const int64_t rows = tensor.num_elements() / columns;
  const auto q = OrthonormalVectors(std::min(rows, columns), std::max(rows, columns), random);
  Fill(tensor, [&](int64_t i) {
    const int64_t row = i / columns, column = i % columns;
    return rows < columns ? q[row][column] : q[column][row];
  });
}

// Fills `value` as the variable starts.
absl::Status FillInitial(uint64_t seed, const VariableDef& def, Tensor& value) {
  const Initializer& initializer = def.initializer;
  const auto error = [&](absl::string_view what) {
    return InvalidArgument("variable '", def.name, "' of type ", def.type.ToString(), ": ", what);
  };
  if (!std::isfinite(initializer.value)) return error("its initializer's value is not finite");
  const CounterRandom random(seed, def.name);
  const bool is_real = IsReal(value.dtype());
  switch (initializer.kind) {
    case Initializer::Kind::kZeros:
      Fill(value, [](int64_t) { return 0.0; });
      break;
    case Initializer::Kind::kConstant:
      if (!is_real && (initializer.value != std::trunc(initializer.value) ||
                       std::abs(initializer.value) > 0x1p31 - 1)) {
        return error(absl::StrCat("cannot start at ", initializer.value, "; give a whole number"));
      }
      Fill(value, [&](int64_t) { return initializer.value; });
      break;
    case Initializer::Kind::kUniform:
      if (!is_real) return error("uniform initialization needs a float type");
      FillUniform(initializer.value, random, value);
      break;
    case Initializer::Kind::kGlorotUniform:
      if (!is_real) return error("Glorot initialization needs a float type");
      FillUniform(GlorotLimit(value.shape()), random, value);
      break;
    case Initializer::Kind::kOrthogonal:
      if (!is_real) return error("orthogonal initialization needs a float type");
      if (value.shape().rank() < 2) return error("orthogonal initialization needs rank 2 or more");
      FillOrthogonal(random, value);
      break;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status InitializeVariables(uint64_t seed, VariableStore& variables,
                                 std::optional<VariableRole> role) {
  for (const Variable& variable : variables.all()) {
    if (role.has_value() && variable.def.role != *role) continue;
    Tensor value = variable.value;
    SEQ_RETURN_IF_ERROR(FillInitial(seed, variable.def, value));
    SEQ_RETURN_IF_ERROR(variables.Assign(variable.def.name, value));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
