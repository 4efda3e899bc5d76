#include "backends/kernels/elementwise_loops.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/elementwise_loops.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/loops-inl.h"
#include "backends/kernels/math-inl.h"
#include "hwy/highway.h"

// The loops of one or two arrays: their names, and what they make of vectors v, or u and v.
#ifndef SEQ_UNARY_LOOPS
#define SEQ_UNARY_LOOPS(LOOP)                                                              \
  LOOP(AbsLoop, hn::Abs(v))                                                                \
  LOOP(CeilLoop, hn::Ceil(v))                                                              \
  LOOP(ErfLoop, Erf(F32(), v))                                                             \
  LOOP(ExpLoop, Exp(F32(), v))                                                             \
  LOOP(FloorLoop, hn::Floor(v))                                                            \
  LOOP(LogLoop, Log(F32(), v))                                                             \
  LOOP(NegativeLoop, hn::Neg(v))                                                           \
  LOOP(ReciprocalLoop, hn::Div(One(), v))                                                  \
  LOOP(ReluLoop, hn::IfThenZeroElse(hn::Lt(v, Zero()), v))                                 \
  LOOP(RoundLoop, hn::Round(v))                                                            \
  LOOP(SigmoidLoop, Sigmoid(F32(), v))                                                     \
  LOOP(SignLoop,                                                                           \
       hn::IfThenElse(hn::Or(hn::IsNaN(v), hn::Eq(v, Zero())), v, hn::CopySign(One(), v))) \
  LOOP(SoftplusLoop, Softplus(F32(), v))                                                   \
  LOOP(SqrtLoop, hn::Sqrt(v))                                                              \
  LOOP(TanhFastLoop, TanhFast(F32(), v))                                                   \
  LOOP(TanhLoop, Tanh(F32(), v))
#define SEQ_BINARY_LOOPS(LOOP)                                                \
  LOOP(AddLoop, hn::Add(u, v))                                                \
  LOOP(DivideLoop, hn::Div(u, v))                                             \
  LOOP(EqualLoop, OneWhere(hn::Eq(u, v)))                                     \
  LOOP(LessLoop, OneWhere(hn::Lt(u, v)))                                      \
  LOOP(MaximumLoop, hn::IfThenElse(hn::Or(hn::IsNaN(u), hn::Ge(u, v)), u, v)) \
  LOOP(MinimumLoop, hn::IfThenElse(hn::Or(hn::IsNaN(u), hn::Le(u, v)), u, v)) \
  LOOP(MultiplyLoop, hn::Mul(u, v))                                           \
  LOOP(ReluGradLoop, hn::IfThenElseZero(hn::Gt(u, Zero()), v))                \
  LOOP(SigmoidGradLoop, hn::Mul(v, hn::Mul(u, hn::Sub(One(), u))))            \
  LOOP(SubtractLoop, hn::Sub(u, v))                                           \
  LOOP(TanhGradLoop, hn::Mul(v, hn::NegMulAdd(u, u, One())))
#endif

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

HWY_INLINE VF Zero() { return hn::Zero(F32()); }
HWY_INLINE VF One() { return hn::Set(F32(), 1.0f); }

// The bits of the integer 1 where the mask is set.
template <class M>
HWY_INLINE VF OneWhere(M mask) {
  return hn::IfThenElseZero(mask, hn::BitCast(F32(), hn::Set(hn::RebindToSigned<F32>(), 1)));
}

#define SEQ_LOOP(name, value)                      \
  void name(const float* x, int64_t n, float* y) { \
    Map(x, n, y, [](VF v) { return value; });      \
  }
SEQ_UNARY_LOOPS(SEQ_LOOP)
#undef SEQ_LOOP

#define SEQ_LOOP(name, value)                                      \
  void name(const float* a, const float* b, int64_t n, float* y) { \
    Map(a, b, n, y, [](VF u, VF v) { return value; });             \
  }
SEQ_BINARY_LOOPS(SEQ_LOOP)
#undef SEQ_LOOP

void WhereLoop(const int32_t* condition, const float* a, const float* b, int64_t n, float* y) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const auto choose = [](VF c, VF u, VF v) {
    const auto is_zero =
        hn::Eq(hn::BitCast(hn::RebindToSigned<F32>(), c), hn::Zero(hn::RebindToSigned<F32>()));
    return hn::IfThenElse(hn::RebindMask(F32(), is_zero), v, u);
  };
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const VF c = hn::BitCast(d, hn::LoadU(di, condition + i));
    hn::StoreU(choose(c, hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  }
  const auto rest = [=](const void* from) {
    return LoadFirst(F32(), static_cast<const float*>(from) + i, n - i);
  };
  if (i < n) StoreFirst(d, choose(rest(condition), rest(a), rest(b)), y + i, n - i);
}

void EluLoop(const float* x, float alpha, int64_t n, float* y) {
  Map(x, n, y, [alpha](VF v) {
    const VF below = hn::Mul(hn::Set(F32(), alpha), Expm1OfNegative(F32(), v));
    return hn::IfThenElse(hn::Gt(v, hn::Zero(F32())), v, below);
  });
}

void ScaleLoop(const float* x, float factor, int64_t n, float* y) {
  const VF f = hn::Set(F32(), factor);
  Map(x, n, y, [f](VF v) { return hn::Mul(f, v); });
}

void AddRowLoop(const float* x, const float* row, int64_t rows, int64_t columns, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += columns, y += columns) AddLoop(x, row, columns, y);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {

#define SEQ_LOOP(name, value) \
  HWY_EXPORT(name);           \
  void name(const float* x, int64_t n, float* y) { HWY_DYNAMIC_DISPATCH(name)(x, n, y); }
SEQ_UNARY_LOOPS(SEQ_LOOP)
#undef SEQ_LOOP

#define SEQ_LOOP(name, value)                                      \
  HWY_EXPORT(name);                                                \
  void name(const float* a, const float* b, int64_t n, float* y) { \
    HWY_DYNAMIC_DISPATCH(name)(a, b, n, y);                        \
  }
SEQ_BINARY_LOOPS(SEQ_LOOP)
#undef SEQ_LOOP

HWY_EXPORT(WhereLoop);
void WhereLoop(const int32_t* condition, const float* a, const float* b, int64_t n, float* y) {
  HWY_DYNAMIC_DISPATCH(WhereLoop)(condition, a, b, n, y);
}

HWY_EXPORT(EluLoop);
void EluLoop(const float* x, float alpha, int64_t n, float* y) {
  HWY_DYNAMIC_DISPATCH(EluLoop)(x, alpha, n, y);
}

HWY_EXPORT(ScaleLoop);
void ScaleLoop(const float* x, float factor, int64_t n, float* y) {
  HWY_DYNAMIC_DISPATCH(ScaleLoop)(x, factor, n, y);
}

HWY_EXPORT(AddRowLoop);
void AddRowLoop(const float* x, const float* row, int64_t rows, int64_t columns, float* y) {
  HWY_DYNAMIC_DISPATCH(AddRowLoop)(x, row, rows, columns, y);
}

// By a logarithm in float32 it would be far from it: ln a^b loses what b multiplies.
void PowerLoop(const float* a, const float* b, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = b[i] == 2 ? a[i] * a[i] : std::pow(a[i], b[i]);
}

UnaryLoop LoopOf(Activation activation) {
  switch (activation) {
    case Activation::kTanh:
      return TanhLoop;
    case Activation::kRelu:
      return ReluLoop;
    case Activation::kSigmoid:
      return SigmoidLoop;
    default:
      break;
  }
  return nullptr;
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
