// Softmax, the cross-entropies and the mean squared error, inside in double.
// ops/{softmax,cross_entropy,bce,mse}.h have the formulas.

#include <algorithm>
#include <cmath>

#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/reduction_loops.h"

namespace seqgraph::kernels {
namespace {

// Inputs of losses; gradients have dloss before the weights.
enum { kPredictions, kLabels, kWeights, kDLoss = 2, kGradWeights = 3 };

// [rows, width]: all axes but the last, and the last.
struct RowExtents {
  explicit RowExtents(const Shape& shape)
      : width(shape.rank() == 0 ? 1 : shape.back().size()),
        rows(width == 0 ? 0 : shape.num_elements() / width) {}
  int64_t width, rows;
};

double WeightOf(const float* weights, int64_t row) {
  return weights == nullptr ? 1.0 : double{weights[row]};
}

// Of e^(x - max x), which the caller takes in `e` unless that is null.
struct Exponentials {
  Exponentials(const float* x, int64_t n, double* e) : largest(x[0]) {
    for (int64_t k = 1; k < n; ++k) largest = std::max(largest, double{x[k]});
    for (int64_t k = 0; k < n; ++k) {
      const double value = std::exp(x[k] - largest);
      if (e != nullptr) e[k] = value;
      sum += value;
    }
  }
  double largest, sum = 0;
};

// The mean over rows of weight * row_loss(predictions, labels).
template <typename F>
std::unique_ptr<Kernel> MakeRowLoss(const NodeContext& context, F row_loss) {
  return MakeLoop([e = RowExtents(context.input_shape(0)), row_loss](const KernelArgs& args) {
    float* loss = Out<float>(args, 0);
    if (loss == nullptr) return;
    double sum = 0;
    for (int64_t r = 0; r < e.rows; ++r) {
      sum += WeightOf(In<float>(args, kWeights), r) *
             row_loss(In<float>(args, kPredictions) + r * e.width,
                      In<float>(args, kLabels) + r * e.width, e.width);
    }
    *loss = static_cast<float>(sum / static_cast<double>(e.rows));
  });
}

// row_gradient(scale, predictions, labels, n, scratch of n doubles, d) with scale = weight dloss /
// rows.
template <typename F>
std::unique_ptr<Kernel> MakeRowLossGrad(const NodeContext& context, F row_gradient) {
  const RowExtents e(context.input_shape(0));
  const auto loop = [e, row_gradient](const KernelArgs& args) {
    float* d = Out<float>(args, 0);
    const double dloss = *In<float>(args, kDLoss);
    for (int64_t r = 0; r < e.rows && d != nullptr; ++r) {
      const double scale =
          WeightOf(In<float>(args, kGradWeights), r) * dloss / static_cast<double>(e.rows);
      row_gradient(scale, In<float>(args, kPredictions) + r * e.width,
                   In<float>(args, kLabels) + r * e.width, e.width,
                   static_cast<double*>(args.scratch), d + r * e.width);
    }
  };
  return MakeLoop(loop, e.width * static_cast<int64_t>(sizeof(double)));
}

// A class whose label is 0 adds 0 whatever its prediction.
double LogitsLoss(const float* z, const float* y, int64_t n) {
  const Exponentials e(z, n, nullptr);
  const double normalizer = e.largest + std::log(e.sum);
  double entropy = 0;
  for (int64_t k = 0; k < n; ++k) {
    if (y[k] != 0) entropy += y[k] * (normalizer - z[k]);
  }
  return entropy;
}

void LogitsLossGrad(double scale, const float* z, const float* y, int64_t n, double* p, float* dz) {
  const Exponentials e(z, n, p);
  double total = 0;
  for (int64_t k = 0; k < n; ++k) total += y[k];
  for (int64_t k = 0; k < n; ++k) {
    dz[k] = static_cast<float>(scale * (p[k] / e.sum * total - y[k]));
  }
}

double SumOf(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) sum += x[k];
  return sum;
}

double ProbabilitiesLoss(double epsilon, const float* p, const float* y, int64_t n) {
  const double total = SumOf(p, n);
  double entropy = 0;
  for (int64_t k = 0; k < n; ++k) {
    if (y[k] != 0) entropy -= y[k] * std::log(std::clamp(p[k] / total, epsilon, 1 - epsilon));
  }
  return entropy;
}

void ProbabilitiesLossGrad(double epsilon, double scale, const float* p, const float* y, int64_t n,
                           float* dp) {
  const double total = SumOf(p, n);
  const auto is_clipped = [&](int64_t k) {
    return p[k] / total < epsilon || p[k] / total > 1 - epsilon;
  };
  double open = 0;  // the labels of the classes that are not clipped
  for (int64_t k = 0; k < n; ++k) open += is_clipped(k) ? 0.0 : double{y[k]};
  for (int64_t k = 0; k < n; ++k) {
    const double own = is_clipped(k) || y[k] == 0 ? 0.0 : y[k] / double{p[k]};
    dp[k] = static_cast<float>(scale * (open / total - own));
  }
}

}  // namespace

MadeKernel MakeSoftmax(const KernelContext& context) {
  const RowExtents extents(context.input_shape(0));
  const auto loop = [extents](const KernelArgs& args) {
    const float* x = In<float>(args, 0);
    float* y = Out<float>(args, 0);
    auto* p = static_cast<double*>(args.scratch);
    for (int64_t r = 0; r < extents.rows && y != nullptr; ++r) {
      const Exponentials e(x, extents.width, p);
      for (int64_t k = 0; k < extents.width; ++k) y[k] = static_cast<float>(p[k] / e.sum);
      x += extents.width, y += extents.width;
    }
  };
  return MakeLoop(loop, extents.width * static_cast<int64_t>(sizeof(double)));
}

MadeKernel MakeSoftmaxGrad(const KernelContext& context) {
  return MakeLoop([e = RowExtents(context.input_shape(0))](const KernelArgs& args) {
    const float *y = In<float>(args, 0), *dy = In<float>(args, 1);
    float* dx = Out<float>(args, 0);
    for (int64_t r = 0; r < e.rows && dx != nullptr; ++r) {
      double sum = 0;
      for (int64_t k = 0; k < e.width; ++k) sum += double{y[k]} * dy[k];
      for (int64_t k = 0; k < e.width; ++k) dx[k] = static_cast<float>(y[k] * (dy[k] - sum));
      y += e.width, dy += e.width, dx += e.width;
    }
  });
}

MadeKernel MakeSoftmaxCrossEntropy(const KernelContext& context) {
  return MakeRowLoss(context, LogitsLoss);
}

MadeKernel MakeSoftmaxCrossEntropyGrad(const KernelContext& context) {
  return MakeRowLossGrad(context, LogitsLossGrad);
}

MadeKernel MakeCategoricalCrossEntropy(const KernelContext& context) {
  const double epsilon = context.attributes().GetFloat("epsilon");
  return MakeRowLoss(context, [epsilon](const float* p, const float* y, int64_t n) {
    return ProbabilitiesLoss(epsilon, p, y, n);
  });
}

MadeKernel MakeCategoricalCrossEntropyGrad(const KernelContext& context) {
  const double epsilon = context.attributes().GetFloat("epsilon");
  return MakeRowLossGrad(
      context, [epsilon](double scale, const float* p, const float* y, int64_t n, double*,
                         float* dp) { ProbabilitiesLossGrad(epsilon, scale, p, y, n, dp); });
}

MadeKernel MakeBce(const KernelContext& context) {
  const double low = context.attributes().GetFloat("epsilon"), high = 1 - low;
  return MakeRowLoss(context, [low, high](const float* p, const float* y, int64_t n) {
    double sum = 0;
    for (int64_t k = 0; k < n; ++k) {
      // 1 - p is clipped on its own: 1 - (1 - epsilon) would lose half of epsilon's digits.
      sum -= y[k] * std::log(std::clamp(double{p[k]}, low, high)) +
             (1.0 - y[k]) * std::log(std::clamp(1.0 - p[k], low, high));
    }
    return sum / static_cast<double>(n);
  });
}

MadeKernel MakeBceGrad(const KernelContext& context) {
  const double low = context.attributes().GetFloat("epsilon"), high = 1 - low;
  return MakeRowLossGrad(context, [low, high](double scale, const float* p, const float* y,
                                              int64_t n, double*, float* dp) {
    const double factor = scale / static_cast<double>(n);
    for (int64_t k = 0; k < n; ++k) {
      const double q = p[k];
      const bool clipped = q < low || q > high;
      dp[k] = clipped ? 0.0f : static_cast<float>(factor * (q - y[k]) / (q * (1.0 - q)));
    }
  });
}

MadeKernel MakeBceWithLogits(const KernelContext& context) {
  return MakeLoop([n = context.input_size(0)](const KernelArgs& args) {
    float* loss = Out<float>(args, 0);
    if (loss != nullptr) *loss = BceOnLogitsLoop(In<float>(args, 0), In<float>(args, 1), n);
  });
}

MadeKernel MakeBceWithLogitsGrad(const KernelContext& context) {
  return MakeLoop([n = context.input_size(0)](const KernelArgs& args) {
    float* dz = Out<float>(args, 0);
    if (dz == nullptr) return;
    BceOnLogitsGradLoop(In<float>(args, 0), In<float>(args, 1), *In<float>(args, 2), n, dz);
  });
}

MadeKernel MakeWeightedBceWithLogits(const KernelContext& context) {
  return MakeRowLoss(context, [](const float* z, const float* y, int64_t n) {
    double sum = 0;
    for (int64_t k = 0; k < n; ++k) {
      const double logit = z[k];
      // The comparison leaves NaN as it is.
      sum += (logit < 0 ? 0.0 : logit) - logit * y[k] + std::log1p(std::exp(-std::abs(logit)));
    }
    return sum / static_cast<double>(n);
  });
}

MadeKernel MakeWeightedBceWithLogitsGrad(const KernelContext& context) {
  return MakeRowLossGrad(
      context, [](double scale, const float* z, const float* y, int64_t n, double*, float* dz) {
        const double factor = scale / static_cast<double>(n);
        for (int64_t k = 0; k < n; ++k) {
          const double e = std::exp(-std::abs(double{z[k]}));  // never overflows
          const double sigmoid = (z[k] < 0 ? e : 1.0) / (1.0 + e);
          dz[k] = static_cast<float>(factor * (sigmoid - y[k]));
        }
      });
}

MadeKernel MakeMse(const KernelContext& context) {
  return MakeRowLoss(context, [](const float* x, const float* y, int64_t n) {
    double sum = 0;
    for (int64_t k = 0; k < n; ++k) sum += (double{x[k]} - y[k]) * (double{x[k]} - y[k]);
    return sum / static_cast<double>(n);
  });
}

MadeKernel MakeMseGrad(const KernelContext& context) {
  return MakeRowLossGrad(
      context, [](double scale, const float* x, const float* y, int64_t n, double*, float* dx) {
        const double factor = 2 * scale / static_cast<double>(n);
        for (int64_t k = 0; k < n; ++k) dx[k] = static_cast<float>(factor * (double{x[k]} - y[k]));
      });
}

}  // namespace seqgraph::kernels
