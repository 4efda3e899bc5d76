#include "backends/kernels/reduction_loops.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/reduction_loops.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/loops-inl.h"
#include "backends/kernels/math-inl.h"
#include "backends/kernels/unroll.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

using F64 = hn::ScalableTag<double>;
using VD = hn::Vec<F64>;
// As many floats as a vector has doubles.
using HalfF32 = hn::Rebind<float, F64>;

// The two halves of a vector of floats, as doubles.
HWY_INLINE VD LowerDoubles(VF x) { return hn::PromoteTo(F64(), hn::LowerHalf(HalfF32(), x)); }
HWY_INLINE VD UpperDoubles(VF x) { return hn::PromoteTo(F64(), hn::UpperHalf(HalfF32(), x)); }
HWY_INLINE VF ToFloats(VD lower, VD upper) {
  const HalfF32 half;
  return hn::Combine(F32(), hn::DemoteTo(half, upper), hn::DemoteTo(half, lower));
}

double SumLoop(const float* x, int64_t n) {
  const F32 d;
  const int64_t lanes = hn::Lanes(d);
  VD sum0 = hn::Zero(F64()), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const VF a = hn::LoadU(d, x + i), b = hn::LoadU(d, x + i + lanes);
    sum0 = hn::Add(sum0, LowerDoubles(a));
    sum1 = hn::Add(sum1, UpperDoubles(a));
    sum2 = hn::Add(sum2, LowerDoubles(b));
    sum3 = hn::Add(sum3, UpperDoubles(b));
  }
  for (; i < n; i += lanes) {
    const VF a = LoadFirst(d, x + i, std::min(lanes, n - i));
    sum0 = hn::Add(sum0, LowerDoubles(a));
    sum1 = hn::Add(sum1, UpperDoubles(a));
  }
  const VD sum = hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3));
  return hn::GetLane(hn::SumOfLanes(F64(), sum));
}

// The columns of one vector, `load` giving a row's. Four rows at a time, so that no addition waits
// for the one before.
template <class Load>
HWY_INLINE VF SumColumns(int64_t rows, Load load) {
  VD lower[4], upper[4];
  SEQ_UNROLL
  for (int k = 0; k < 4; ++k) lower[k] = upper[k] = hn::Zero(F64());
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    SEQ_UNROLL
    for (int k = 0; k < 4; ++k) {
      const VF row = load(r + k);
      lower[k] = hn::Add(lower[k], LowerDoubles(row));
      upper[k] = hn::Add(upper[k], UpperDoubles(row));
    }
  }
  for (; r < rows; ++r) {
    const VF row = load(r);
    lower[0] = hn::Add(lower[0], LowerDoubles(row));
    upper[0] = hn::Add(upper[0], UpperDoubles(row));
  }
  return ToFloats(hn::Add(hn::Add(lower[0], lower[1]), hn::Add(lower[2], lower[3])),
                  hn::Add(hn::Add(upper[0], upper[1]), hn::Add(upper[2], upper[3])));
}

void SumRowsLoop(const float* x, int64_t rows, int64_t columns, float* y) {
  const F32 d;
  const int64_t lanes = hn::Lanes(d);
  int64_t c = 0;
  for (; c + lanes <= columns; c += lanes) {
    const auto load = [=](int64_t r) { return hn::LoadU(d, x + r * columns + c); };
    hn::StoreU(SumColumns(rows, load), d, y + c);
  }
  if (c == columns) return;
  const int64_t rest = columns - c;
  const auto load = [=](int64_t r) { return LoadFirst(d, x + r * columns + c, rest); };
  StoreFirst(d, SumColumns(rows, load), y + c, rest);
}

// As integers the magnitudes of floats keep their order, with NaN above Inf.
float MaxAbsLoop(const float* x, int64_t n) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const int64_t lanes = hn::Lanes(d);
  auto most = hn::Zero(di);
  for (int64_t i = 0; i < n; i += lanes) {
    const VF v = i + lanes <= n ? hn::LoadU(d, x + i) : LoadFirst(d, x + i, n - i);
    most = hn::Max(most, hn::BitCast(di, hn::Abs(v)));
  }
  return hn::GetLane(hn::BitCast(d, hn::MaxOfLanes(di, most)));
}

// max(z, 0) - z y + log(1 + e^-|z|).
HWY_INLINE VD LogitLoss(VD z, VD y) {
  const F64 d;
  const VD log = Log1pOfUnit64(d, ExpOfNegative64(d, hn::Neg(hn::Abs(z))));
  // A NaN logit must reach the loss: not Max.
  const VD positive = hn::IfThenZeroElse(hn::Lt(z, hn::Zero(d)), z);
  return hn::Add(hn::Sub(positive, hn::Mul(z, y)), log);
}

float BceOnLogitsLoop(const float* z, const float* y, int64_t n) {
  const F32 d;
  const int64_t lanes = hn::Lanes(d);
  VD lower = hn::Zero(F64()), upper = lower;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const VF vz = hn::LoadU(d, z + i), vy = hn::LoadU(d, y + i);
    lower = hn::Add(lower, LogitLoss(LowerDoubles(vz), LowerDoubles(vy)));
    upper = hn::Add(upper, LogitLoss(UpperDoubles(vz), UpperDoubles(vy)));
  }
  if (i < n) {
    // The other lanes' logits are 0, whose loss log 2 must not count.
    const VF vz = LoadFirst(d, z + i, n - i), vy = LoadFirst(d, y + i, n - i);
    HWY_ALIGN double terms[hn::MaxLanes(d)];
    const int64_t half = lanes / 2;
    hn::Store(LogitLoss(LowerDoubles(vz), LowerDoubles(vy)), F64(), terms);
    hn::Store(LogitLoss(UpperDoubles(vz), UpperDoubles(vy)), F64(), terms + half);
    std::fill(terms + (n - i), terms + lanes, 0.0);
    lower = hn::Add(lower, hn::Load(F64(), terms));
    upper = hn::Add(upper, hn::Load(F64(), terms + half));
  }
  const double sum = hn::GetLane(hn::SumOfLanes(F64(), hn::Add(lower, upper)));
  return static_cast<float>(sum / static_cast<double>(n));
}

// factor (sigmoid(z) - y), sigmoid as 1 / (1 + e) or e / (1 + e) with e = e^-|z|.
HWY_INLINE VD LogitSlope(VD z, VD y, VD factor) {
  const F64 d;
  const VD one = hn::Set(d, 1.0);
  const VD e = ExpOfNegative64(d, hn::Neg(hn::Abs(z)));
  const VD sigmoid = hn::Div(hn::IfThenElse(hn::Lt(z, hn::Zero(d)), e, one), hn::Add(one, e));
  return hn::Mul(factor, hn::Sub(sigmoid, y));
}

void BceOnLogitsGradLoop(const float* z, const float* y, float scale, int64_t n, float* dz) {
  const VD factor = hn::Set(F64(), static_cast<double>(scale) / static_cast<double>(n));
  Map(z, y, n, dz, [factor](VF vz, VF vy) {
    return ToFloats(LogitSlope(LowerDoubles(vz), LowerDoubles(vy), factor),
                    LogitSlope(UpperDoubles(vz), UpperDoubles(vy), factor));
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {

HWY_EXPORT(SumLoop);
double SumLoop(const float* x, int64_t n) { return HWY_DYNAMIC_DISPATCH(SumLoop)(x, n); }

HWY_EXPORT(SumRowsLoop);
void SumRowsLoop(const float* x, int64_t rows, int64_t columns, float* y) {
  HWY_DYNAMIC_DISPATCH(SumRowsLoop)(x, rows, columns, y);
}

HWY_EXPORT(MaxAbsLoop);
float MaxAbsLoop(const float* x, int64_t n) { return HWY_DYNAMIC_DISPATCH(MaxAbsLoop)(x, n); }

HWY_EXPORT(BceOnLogitsLoop);
float BceOnLogitsLoop(const float* z, const float* y, int64_t n) {
  return HWY_DYNAMIC_DISPATCH(BceOnLogitsLoop)(z, y, n);
}

HWY_EXPORT(BceOnLogitsGradLoop);
void BceOnLogitsGradLoop(const float* z, const float* y, float scale, int64_t n, float* dz) {
  HWY_DYNAMIC_DISPATCH(BceOnLogitsGradLoop)(z, y, scale, n, dz);
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
