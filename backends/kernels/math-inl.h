// Elementary functions on vectors. A file that is compiled once for each target includes this after
// hwy/foreach_target.h. Errors that are given hold for every float on every target (math_test).
//
// NaN gives NaN. On x86 Min(a, b) and Max(a, b) give b where either is NaN, so in a clamp of x the
// limit comes first and x second.

#if defined(SEQGRAPH_BACKENDS_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_MATH_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_MATH_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_MATH_INL_H_
#endif

#include <cstdint>
#include <type_traits>
#include <utility>

#include "backends/kernels/approximations.h"
#include "backends/kernels/unroll.h"
#include "hwy/highway.h"

#ifndef SEQ_INLINE
/// Behind the parameters of a lambda: the vectors it works on must stay in registers.
#define SEQ_INLINE __attribute__((always_inline))
#endif

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// f(std::integral_constant<int, 0>()), ..., f(n - 1): arrays that are only indexed by these live
/// in registers (GCC leaves arrays that a loop indexes in memory). Lambdas are SEQ_INLINE.
template <int n, class F>
HWY_INLINE void Unroll(F&& f) {
  [&]<int... i>(std::integer_sequence<int, i...>) SEQ_INLINE {
    (f(std::integral_constant<int, i>()), ...);
  }
  (std::make_integer_sequence<int, n>());
}

/// c[0] + c[1] x + ... + c[n - 1] x^(n - 1), by Horner's rule.
template <class D, class V, size_t n>
HWY_INLINE V Polynomial(D d, V x, const hn::TFromD<D> (&c)[n]) {
  V sum = hn::Set(d, c[n - 1]);
  SEQ_UNROLL
  for (size_t i = n - 1; i > 0; --i) sum = hn::MulAdd(sum, x, hn::Set(d, c[i - 1]));
  return sum;
}

/// e^x within 1.5 eps; overflows to Inf, underflows through the denormals to 0.
/// e^x = 2^n e^r with n = round(x / ln 2) and |r| <= ln(2) / 2.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
  const hn::RebindToSigned<D> di;
  x = hn::Max(hn::Set(d, -104.0f), hn::Min(hn::Set(d, 89.0f), x));
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  const V shift = hn::Set(d, 12582912.0f);
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.44269504088896341f), shift);
  const V n = hn::Sub(shifted, shift);
  V r = hn::NegMulAdd(n, hn::Set(d, kLn2High), x);
  r = hn::NegMulAdd(n, hn::Set(d, kLn2Low), r);
  const V p = hn::Add(hn::MulAdd(Polynomial(d, r, kExp), hn::Mul(r, r), r), hn::Set(d, 1.0f));
  // 2^n in two factors, for n reaches from -150 to 128.
  const auto bits = hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, shift));
  const auto half = hn::ShiftRight<1>(bits);
  const auto bias = hn::Set(di, 127);
  const V scale1 = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(half, bias)));
  const V scale2 = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::Sub(bits, half), bias)));
  return hn::Mul(hn::Mul(p, scale1), scale2);
}

/// e^x - 1 for x <= 0 within 1 eps, relative: 2^n (e^r - 1) + (2^n - 1), as in Exp.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Expm1OfNegative(D d, V x) {
  const hn::RebindToSigned<D> di;
  x = hn::Max(hn::Set(d, -30.0f), x);
  const V one = hn::Set(d, 1.0f), shift = hn::Set(d, 12582912.0f);
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.44269504088896341f), shift);
  const V n = hn::Sub(shifted, shift);
  V r = hn::NegMulAdd(n, hn::Set(d, kLn2High), x);
  r = hn::NegMulAdd(n, hn::Set(d, kLn2Low), r);
  const V p = hn::MulAdd(Polynomial(d, r, kExp), hn::Mul(r, r), r);
  const V scale =
      hn::BitCast(d, hn::Add(hn::ShiftLeft<23>(hn::BitCast(di, shifted)), hn::Set(di, 127 << 23)));
  return hn::MulAdd(p, scale, hn::Sub(scale, one));
}

/// The natural logarithm within 1 eps, relative; -Inf of 0 and NaN of what is negative.
/// log x = n log 2 + log m with m in [1 / sqrt 2, sqrt 2), and log m as in Softplus.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V zero = hn::Zero(d), infinity = hn::Inf(d);
  const auto denormal = hn::Lt(x, hn::Set(d, 1.17549435e-38f));
  const V y = hn::IfThenElse(denormal, hn::Mul(x, hn::Set(d, 8388608.0f)), x);
  const auto bits = hn::BitCast(di, y);
  const auto exponent = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(di, 0x3f3504f3)));
  const V m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent)));
  const V n = hn::Sub(hn::ConvertTo(d, exponent), hn::IfThenElseZero(denormal, hn::Set(d, 23.0f)));
  const V f = hn::Sub(m, hn::Set(d, 1.0f));
  const V s = hn::Div(f, hn::Add(f, hn::Set(d, 2.0f))), z = hn::Mul(s, s);
  constexpr float kC[] = {2.0f / 3, 2.0f / 5, 2.0f / 7, 2.0f / 9};
  // 2 s = f - f s: only what is small is rounded.
  const V rest = hn::MulAdd(hn::Mul(Polynomial(d, z, kC), z), s,
                            hn::NegMulAdd(f, s, hn::Mul(n, hn::Set(d, kLn2Low))));
  V log = hn::MulAdd(n, hn::Set(d, kLn2High), hn::Add(f, rest));
  log = hn::IfThenElse(hn::Eq(x, infinity), infinity, log);
  log = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), log);
  return hn::IfThenElse(hn::Ge(x, zero), log, hn::NaN(d));
}

/// log(1 + e^x) within 3 eps, relative: max(x, 0) + log(1 + e^-|x|), and log(1 + f) = 2 artanh(s) =
/// 2 (s + s^3 / 3 + s^5 / 5 + ...) with s = f / (2 + f) <= 1 / 3.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Softplus(D d, V x) {
  const V f = Exp(d, hn::Neg(hn::Abs(x)));
  const V s = hn::Div(f, hn::Add(f, hn::Set(d, 2.0f))), z = hn::Mul(s, s);
  constexpr float kC[] = {2.0f,     2.0f / 3,  2.0f / 5,  2.0f / 7,
                          2.0f / 9, 2.0f / 11, 2.0f / 13, 2.0f / 15};
  return hn::MulAdd(s, Polynomial(d, z, kC), hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x));
}

/// erf x within 4 eps, relative.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Erf(D d, V x) {
  const V one = hn::Set(d, 1.0f), limit = hn::Set(d, kErfLimit);
  const V a = hn::Min(limit, hn::Abs(x)), z = hn::Mul(a, a);
  const V quotient = hn::Div(hn::Mul(a, Polynomial(d, z, kErfP)), Polynomial(d, z, kErfQ));
  const V y = hn::IfThenElse(hn::Ge(a, limit), one, hn::Min(one, quotient));
  return hn::CopySign(y, x);
}

/// tanh x within 3 eps, relative. Below 0.625 the polynomial of tanhf in the Cephes library
/// (Moshier), above 1 - 2 / (e^2|x| + 1).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Tanh(D d, V x) {
  const V a = hn::Abs(x);
  const V z = hn::Mul(x, x);
  constexpr float kC[] = {-3.33332819422e-1f, 1.33314422036e-1f, -5.37397155531e-2f,
                          2.06390887954e-2f, -5.70498872745e-3f};
  const V small = hn::MulAdd(hn::Mul(Polynomial(d, z, kC), z), x, x);
  const V one = hn::Set(d, 1.0f);
  // Beyond 10 the result rounds to 1.
  const V twice = hn::Min(hn::Set(d, 20.0f), hn::Add(a, a));
  const V large = hn::Sub(one, hn::Div(hn::Set(d, 2.0f), hn::Add(Exp(d, twice), one)));
  return hn::CopySign(hn::IfThenElse(hn::Lt(a, hn::Set(d, 0.625f)), small, large), x);
}

/// x[i] = tanh x[i] within 2.5 eps, relative, for the inside of recurrences: an odd rational
/// function of degrees 9 and 8, constant beyond 8.6, where tanh is 1 - 1.1 2^-24. All vectors go
/// through each step together, so that one's latency is another's work.
template <class D, class V, int n>
HWY_INLINE void TanhFast(D d, V (&x)[n]) {
  V z[n], p[n], q[n];
  Unroll<n>([&](auto i) SEQ_INLINE {
    x[i] = hn::Max(hn::Set(d, -kTanhLimit), hn::Min(hn::Set(d, kTanhLimit), x[i]));
  });
  Unroll<n>([&](auto i) SEQ_INLINE {
    z[i] = hn::Mul(x[i], x[i]);
    p[i] = hn::Set(d, kTanhP[4]);
    q[i] = hn::Set(d, kTanhQ[4]);
  });
  Unroll<4>([&](auto k) SEQ_INLINE {
    Unroll<n>([&](auto i) SEQ_INLINE {
      p[i] = hn::MulAdd(p[i], z[i], hn::Set(d, kTanhP[3 - k]));
      q[i] = hn::MulAdd(q[i], z[i], hn::Set(d, kTanhQ[3 - k]));
    });
  });
  // What is clamped is exactly 1 or -1, so that its slope is exactly 0. With fused multiply-adds
  // the quotient is.
  Unroll<n>([&](auto i) SEQ_INLINE { q[i] = hn::Div(hn::Mul(p[i], x[i]), q[i]); });
  Unroll<n>([&](auto i) SEQ_INLINE {
#if HWY_TARGET == HWY_SSE4
    const auto clamped = hn::Ge(hn::Abs(x[i]), hn::Set(d, kTanhLimit));
    x[i] = hn::IfThenElse(clamped, hn::CopySign(hn::Set(d, 1.0f), x[i]), q[i]);
#else
    x[i] = q[i];
#endif
  });
}

/// The same for one vector.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V TanhFast(D d, V x) {
  V one[1] = {x};
  TanhFast(d, one);
  return one[0];
}

/// 1 / (1 + e^-x) within 3 eps, relative, down to the smallest normal float; 0 below, and 1
/// above 17. Where e^-x overflows it is infinite. All vectors go through each step together.
template <class D, class V, int n>
HWY_INLINE void Sigmoid(D d, V (&x)[n]) {
  const hn::RebindToSigned<D> di;
  const V one = hn::Set(d, 1.0f), shift = hn::Set(d, 12582912.0f);  // as in Exp
  V r[n], p[n], shifted[n];
  Unroll<n>([&](auto i) SEQ_INLINE {
    x[i] = hn::Max(hn::Set(d, -87.0f), hn::Min(hn::Set(d, 89.0f), hn::Neg(x[i])));
    shifted[i] = hn::MulAdd(x[i], hn::Set(d, 1.44269504088896341f), shift);
  });
  Unroll<n>([&](auto i) SEQ_INLINE {
    const V whole = hn::Sub(shifted[i], shift);
    r[i] = hn::NegMulAdd(whole, hn::Set(d, kLn2High), x[i]);
    r[i] = hn::NegMulAdd(whole, hn::Set(d, kLn2Low), r[i]);
    p[i] = hn::Set(d, kExp[5]);
  });
  Unroll<5>([&](auto k) SEQ_INLINE {
    Unroll<n>([&](auto i) SEQ_INLINE { p[i] = hn::MulAdd(p[i], r[i], hn::Set(d, kExp[4 - k])); });
  });
  Unroll<n>([&](auto i) SEQ_INLINE {
    p[i] = hn::Add(hn::MulAdd(p[i], hn::Mul(r[i], r[i]), r[i]), one);
    // 2^n, with the bits of n at the end of `shifted`; infinity for n = 128.
    const V scale = hn::BitCast(
        d, hn::Add(hn::ShiftLeft<23>(hn::BitCast(di, shifted[i])), hn::Set(di, 127 << 23)));
    x[i] = hn::Div(one, hn::MulAdd(p[i], scale, one));
  });
}

/// The same for one vector.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
  V sigmoid[1] = {x};
  Sigmoid(d, sigmoid);
  return sigmoid[0];
}

/// e^x in double for x <= 0, within 1e-15; 0 below -708. Taylor's series of degree 13 for
/// |r| <= ln(2) / 2.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpOfNegative64(D d, V x) {
  const hn::RebindToSigned<D> di;
  const auto vanishes = hn::Lt(x, hn::Set(d, -708.0));
  const V shift = hn::Set(d, 6755399441055744.0);  // 1.5 * 2^52
  const V shifted =
      hn::MulAdd(hn::Max(hn::Set(d, -708.0), x), hn::Set(d, 1.4426950408889634), shift);
  const V n = hn::Sub(shifted, shift);
  V r = hn::NegMulAdd(n, hn::Set(d, 6.93145751953125e-1), hn::Max(hn::Set(d, -708.0), x));
  r = hn::NegMulAdd(n, hn::Set(d, 1.42860682030941723212e-6), r);
  constexpr double kC[] = {1.0,
                           1.0,
                           1.0 / 2,
                           1.0 / 6,
                           1.0 / 24,
                           1.0 / 120,
                           1.0 / 720,
                           1.0 / 5040,
                           1.0 / 40320,
                           1.0 / 362880,
                           1.0 / 3628800,
                           1.0 / 39916800,
                           1.0 / 479001600,
                           1.0 / 6227020800};
  const auto bits = hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, shift));
  const V scale = hn::BitCast(d, hn::ShiftLeft<52>(hn::Add(bits, hn::Set(di, 1023))));
  return hn::IfThenZeroElse(vanishes, hn::Mul(Polynomial(d, r, kC), scale));
}

/// log(1 + x) in double for 0 <= x <= 1, within 1e-15, relative.
/// log(1 + x) = 2 artanh(s) = 2 (s + s^3 / 3 + s^5 / 5 + ...) with s = x / (2 + x) <= 1/3.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log1pOfUnit64(D d, V x) {
  const V s = hn::Div(x, hn::Add(x, hn::Set(d, 2.0)));
  constexpr double kC[] = {1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                           1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23,
                           1.0 / 25, 1.0 / 27, 1.0 / 29, 1.0 / 31};
  return hn::Mul(hn::Add(s, s), Polynomial(d, hn::Mul(s, s), kC));
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_MATH_INL_H_
