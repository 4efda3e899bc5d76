#include "backends/kernels/optimizer_loops.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/optimizer_loops.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/loops-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

HWY_INLINE VF Constant(double value) { return hn::Set(F32(), static_cast<float>(value)); }

// Calls f(load, store) for all vectors; load(array) and store(v, array) read and write the i-th
// elements on, as many as there are.
template <class F>
HWY_INLINE void ForVectors(int64_t n, F f) {
  const F32 d;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    f([d, i](const float* from) { return hn::LoadU(d, from + i); },
      [d, i](VF v, float* to) { hn::StoreU(v, d, to + i); });
  }
  if (i == n) return;
  f([d, i, n](const float* from) { return LoadFirst(d, from + i, n - i); },
    [d, i, n](VF v, float* to) { StoreFirst(d, v, to + i, n - i); });
}

void SgdLoop(const float* w, const float* g, const float* m, float lr, double momentum,
             bool nesterov, int64_t n, float* new_w, float* new_m) {
  const VF rate = hn::Set(F32(), lr), inertia = Constant(momentum);
  ForVectors(n, [=](auto load, auto store) {
    const VF step = hn::Mul(rate, load(g));
    VF move = hn::Neg(step);
    if (m != nullptr) {
      const VF velocity = hn::Sub(hn::Mul(inertia, load(m)), step);
      move = nesterov ? hn::Sub(hn::Mul(inertia, velocity), step) : velocity;
      store(velocity, new_m);
    }
    store(hn::Add(load(w), move), new_w);
  });
}

void RmsPropLoop(const float* w, const float* g, const float* v, const float* m, const float* a,
                 float lr, double rho, double momentum, double epsilon, int64_t n, float* new_w,
                 float* new_v, float* new_m, float* new_a) {
  const VF rate = hn::Set(F32(), lr), decay = Constant(rho), rest = Constant(1.0 - rho);
  const VF small = Constant(epsilon), inertia = Constant(momentum);
  ForVectors(n, [=](auto load, auto store) {
    const VF gradient = load(g), weight = load(w);
    const VF square = hn::Add(hn::Mul(decay, load(v)), hn::Mul(rest, hn::Mul(gradient, gradient)));
    VF variance = square;
    if (a != nullptr) {
      const VF average = hn::Add(hn::Mul(decay, load(a)), hn::Mul(rest, gradient));
      variance = hn::Sub(square, hn::Mul(average, average));
      store(average, new_a);
    }
    VF step = hn::Div(hn::Mul(rate, gradient), hn::Sqrt(hn::Add(variance, small)));
    if (m != nullptr) {
      step = hn::Add(hn::Mul(inertia, load(m)), step);
      store(step, new_m);
    }
    store(square, new_v);
    store(hn::Sub(weight, step), new_w);
  });
}

void AdamLoop(const float* w, const float* g, const float* m, const float* v, float alpha,
              double beta1, double beta2, double epsilon, int64_t n, float* new_w, float* new_m,
              float* new_v) {
  const VF rest1 = Constant(1.0 - beta1), rest2 = Constant(1.0 - beta2);
  const VF size = hn::Set(F32(), alpha), small = Constant(epsilon);
  ForVectors(n, [=](auto load, auto store) {
    const VF gradient = load(g), old_mean = load(m), old_square = load(v);
    const VF mean = hn::Add(old_mean, hn::Mul(hn::Sub(gradient, old_mean), rest1));
    const VF square =
        hn::Add(old_square, hn::Mul(hn::Sub(hn::Mul(gradient, gradient), old_square), rest2));
    const VF step = hn::Div(hn::Mul(mean, size), hn::Add(hn::Sqrt(square), small));
    const VF result = hn::Sub(load(w), step);
    store(mean, new_m);
    store(square, new_v);
    store(result, new_w);
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {

HWY_EXPORT(SgdLoop);
void SgdLoop(const float* w, const float* g, const float* m, float lr, double momentum,
             bool nesterov, int64_t n, float* new_w, float* new_m) {
  HWY_DYNAMIC_DISPATCH(SgdLoop)(w, g, m, lr, momentum, nesterov, n, new_w, new_m);
}

HWY_EXPORT(RmsPropLoop);
void RmsPropLoop(const float* w, const float* g, const float* v, const float* m, const float* a,
                 float lr, double rho, double momentum, double epsilon, int64_t n, float* new_w,
                 float* new_v, float* new_m, float* new_a) {
  HWY_DYNAMIC_DISPATCH(RmsPropLoop)
  (w, g, v, m, a, lr, rho, momentum, epsilon, n, new_w, new_v, new_m, new_a);
}

HWY_EXPORT(AdamLoop);
void AdamLoop(const float* w, const float* g, const float* m, const float* v, float alpha,
              double beta1, double beta2, double epsilon, int64_t n, float* new_w, float* new_m,
              float* new_v) {
  HWY_DYNAMIC_DISPATCH(AdamLoop)
  (w, g, m, v, alpha, beta1, beta2, epsilon, n, new_w, new_m, new_v);
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
