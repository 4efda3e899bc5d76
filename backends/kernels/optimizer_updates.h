#ifndef SEQGRAPH_BACKENDS_KERNELS_OPTIMIZER_UPDATES_H_
#define SEQGRAPH_BACKENDS_KERNELS_OPTIMIZER_UPDATES_H_

#include <cstdint>
#include <memory>

#include "backends/kernels/loop_kernel.h"

namespace seqgraph::kernels {

/// A backend's loops over n floats. Each new state may be the memory of the old one.
struct OptimizerLoops {
  /// w = w - lr g.
  void (*sgd)(const float* w, const float* g, float lr, int64_t n, float* new_w);
  /// m = momentum m - lr g;  w = w + m, or w + (momentum m - lr g) with Nesterov's look-ahead.
  void (*sgd_momentum)(const float* w, const float* g, const float* m, float lr, double momentum,
                       bool nesterov, int64_t n, float* new_w, float* new_m);
  /// v = rho v + (1 - rho) g^2;  w = w - lr g / sqrt(v + epsilon).
  void (*rmsprop)(const float* w, const float* g, const float* v, float lr, double rho,
                  double epsilon, int64_t n, float* new_w, float* new_v);
  /// With momentum and centring, each left out by a null m or a: a = rho a + (1 - rho) g;
  /// d = v - a^2 + epsilon;  m = momentum m + lr g / sqrt(d);  w = w - m.
  void (*rmsprop_general)(const float* w, const float* g, const float* v, const float* m,
                          const float* a, float lr, double rho, double momentum, double epsilon,
                          int64_t n, float* new_w, float* new_v, float* new_m, float* new_a);
  /// m = m + (1 - beta1)(g - m);  v = v + (1 - beta2)(g^2 - v);
  /// w = w - alpha m / (sqrt(v) + epsilon).
  void (*adam)(const float* w, const float* g, const float* m, const float* v, float alpha,
               double beta1, double beta2, double epsilon, int64_t n, float* new_w, float* new_m,
               float* new_v);
};

/// Kernels of SGDUpdate, RMSPropUpdate and AdamUpdate. A state that the attributes do not use keeps
/// its content.
std::unique_ptr<Kernel> MakeSgdUpdate(const NodeContext& context, const OptimizerLoops& loops,
                                      BlockLoop for_blocks);
std::unique_ptr<Kernel> MakeRmsPropUpdate(const NodeContext& context, const OptimizerLoops& loops,
                                          BlockLoop for_blocks);
std::unique_ptr<Kernel> MakeAdamUpdate(const NodeContext& context, const OptimizerLoops& loops,
                                       BlockLoop for_blocks);

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_OPTIMIZER_UPDATES_H_
