#include "backends/kernels/elementwise_loops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/elementwise_loops.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/loops-inl.h"
#include "backends/kernels/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

void TanhLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return Tanh(F32(), v); });
}

void TanhFastLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return TanhFast(F32(), v); });
}

void SigmoidLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return Sigmoid(F32(), v); });
}

void ExpLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return Exp(F32(), v); });
}

void ReluLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return hn::IfThenZeroElse(hn::Lt(v, hn::Zero(F32())), v); });
}

void TanhGradLoop(const float* y, const float* dy, int64_t n, float* dx) {
  Map(y, dy, n, dx,
      [](VF v, VF dv) { return hn::Mul(dv, hn::NegMulAdd(v, v, hn::Set(F32(), 1.0f))); });
}

void ReluGradLoop(const float* y, const float* dy, int64_t n, float* dx) {
  Map(y, dy, n, dx, [](VF v, VF dv) { return hn::IfThenElseZero(hn::Gt(v, hn::Zero(F32())), dv); });
}

void SigmoidGradLoop(const float* y, const float* dy, int64_t n, float* dx) {
  Map(y, dy, n, dx,
      [](VF v, VF dv) { return hn::Mul(dv, hn::Mul(v, hn::Sub(hn::Set(F32(), 1.0f), v))); });
}

void AddLoop(const float* a, const float* b, int64_t n, float* y) {
  Map(a, b, n, y, [](VF u, VF v) { return hn::Add(u, v); });
}

void SubtractLoop(const float* a, const float* b, int64_t n, float* y) {
  Map(a, b, n, y, [](VF u, VF v) { return hn::Sub(u, v); });
}

void MultiplyLoop(const float* a, const float* b, int64_t n, float* y) {
  Map(a, b, n, y, [](VF u, VF v) { return hn::Mul(u, v); });
}

void DivideLoop(const float* a, const float* b, int64_t n, float* y) {
  Map(a, b, n, y, [](VF u, VF v) { return hn::Div(u, v); });
}

void MaximumLoop(const float* a, const float* b, int64_t n, float* y) {
  Map(a, b, n, y,
      [](VF u, VF v) { return hn::IfThenElse(hn::Or(hn::IsNaN(u), hn::Ge(u, v)), u, v); });
}

void MinimumLoop(const float* a, const float* b, int64_t n, float* y) {
  Map(a, b, n, y,
      [](VF u, VF v) { return hn::IfThenElse(hn::Or(hn::IsNaN(u), hn::Le(u, v)), u, v); });
}

// The bits of the integer 1 where the mask is set.
template <class M>
HWY_INLINE VF OneWhere(M mask) {
  return hn::IfThenElseZero(mask, hn::BitCast(F32(), hn::Set(hn::RebindToSigned<F32>(), 1)));
}

void EqualLoop(const float* a, const float* b, int64_t n, float* y) {
  Map(a, b, n, y, [](VF u, VF v) { return OneWhere(hn::Eq(u, v)); });
}

void LessLoop(const float* a, const float* b, int64_t n, float* y) {
  Map(a, b, n, y, [](VF u, VF v) { return OneWhere(hn::Lt(u, v)); });
}

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

void AbsLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return hn::Abs(v); });
}

void NegativeLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return hn::Neg(v); });
}

void SignLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) {
    const VF one = hn::CopySign(hn::Set(F32(), 1.0f), v);
    return hn::IfThenElse(hn::Or(hn::IsNaN(v), hn::Eq(v, hn::Zero(F32()))), v, one);
  });
}

void ReciprocalLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return hn::Div(hn::Set(F32(), 1.0f), v); });
}

void FloorLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return hn::Floor(v); });
}

void CeilLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return hn::Ceil(v); });
}

void RoundLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return hn::Round(v); });
}

void LogLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return Log(F32(), v); });
}

void SoftplusLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return Softplus(F32(), v); });
}

void ErfLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return Erf(F32(), v); });
}

void EluLoop(const float* x, float alpha, int64_t n, float* y) {
  Map(x, n, y, [alpha](VF v) {
    const VF below = hn::Mul(hn::Set(F32(), alpha), Expm1OfNegative(F32(), v));
    return hn::IfThenElse(hn::Gt(v, hn::Zero(F32())), v, below);
  });
}

void SqrtLoop(const float* x, int64_t n, float* y) {
  Map(x, n, y, [](VF v) { return hn::Sqrt(v); });
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

#define SEQ_UNARY(name) \
  HWY_EXPORT(name);     \
  void name(const float* x, int64_t n, float* y) { HWY_DYNAMIC_DISPATCH(name)(x, n, y); }
#define SEQ_BINARY(name)                                           \
  HWY_EXPORT(name);                                                \
  void name(const float* a, const float* b, int64_t n, float* y) { \
    HWY_DYNAMIC_DISPATCH(name)(a, b, n, y);                        \
  }

SEQ_UNARY(TanhLoop)
SEQ_UNARY(TanhFastLoop)
SEQ_UNARY(SigmoidLoop)
SEQ_UNARY(ExpLoop)
SEQ_UNARY(ReluLoop)
SEQ_BINARY(TanhGradLoop)
SEQ_BINARY(ReluGradLoop)
SEQ_BINARY(SigmoidGradLoop)
SEQ_BINARY(AddLoop)
SEQ_BINARY(SubtractLoop)
SEQ_BINARY(MultiplyLoop)
SEQ_BINARY(DivideLoop)
SEQ_BINARY(MaximumLoop)
SEQ_BINARY(MinimumLoop)
SEQ_BINARY(EqualLoop)
SEQ_BINARY(LessLoop)
SEQ_UNARY(AbsLoop)
SEQ_UNARY(NegativeLoop)
SEQ_UNARY(SignLoop)
SEQ_UNARY(SqrtLoop)
SEQ_UNARY(ReciprocalLoop)
SEQ_UNARY(FloorLoop)
SEQ_UNARY(CeilLoop)
SEQ_UNARY(RoundLoop)
SEQ_UNARY(LogLoop)
SEQ_UNARY(SoftplusLoop)
SEQ_UNARY(ErfLoop)

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
