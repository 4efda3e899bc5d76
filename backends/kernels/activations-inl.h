// All activations of graph/activation.h with their slopes, on rows of whole vectors: for cells that
// have others than the three that products-inl.h keeps in registers.

#if defined(SEQGRAPH_BACKENDS_KERNELS_ACTIVATIONS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_ACTIVATIONS_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_ACTIVATIONS_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_ACTIVATIONS_INL_H_
#endif

#include <cstdint>

#include "backends/kernels/approximations.h"
#include "backends/kernels/math-inl.h"
#include "graph/activation.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Phi(x), the normal distribution, and its density.
template <class D, class V>
HWY_INLINE void Normal(D d, V x, V& below, V& density) {
  const V a = hn::Min(hn::Set(d, 14.0f), hn::Abs(x)), one = hn::Set(d, 1.0f);
  const V e = Exp(d, hn::Mul(hn::Set(d, -0.5f), hn::Mul(a, a)));
  const V t = hn::Div(one, hn::MulAdd(hn::Set(d, kErfcScale * 0.70710678118654752f), a, one));
  const V tail = hn::Mul(hn::Mul(hn::Set(d, 0.5f), e), hn::Mul(t, Polynomial(d, t, kErfc)));
  below = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail));
  density = hn::Mul(hn::Set(d, 0.39894228040143268f), e);
}

/// tanh(log(1 + e^x)) = e (e + 2) / (e (e + 2) + 2) with e = e^x, and 1 - its square, which is 0
/// where the former rounds to 1: so x times it is NaN for infinity, as in the definition.
template <class D, class V>
HWY_INLINE void TanhOfSoftplus(D d, V x, V& tanh, V& slope) {
  const V e = Exp(d, hn::Min(hn::Set(d, 20.0f), x)), two = hn::Set(d, 2.0f);
  const V product = hn::Mul(e, hn::Add(e, two));
  const V inverse = hn::Div(hn::Set(d, 1.0f), hn::Add(product, two));
  tanh = hn::Mul(product, inverse);
  slope = hn::Mul(hn::Mul(two, inverse), hn::Add(hn::Set(d, 1.0f), tanh));
  slope = hn::IfThenZeroElse(hn::Gt(x, hn::Set(d, 20.0f)), slope);
}

/// z[n] becomes act(z), of what is limited to [-clip, clip] unless clip is 0; slope[n] the
/// derivative, unless it is null. Whole vectors.
template <class D>
class ActivationRow {
 public:
  using V = hn::Vec<D>;

  ActivationRow(D d, const ActivationFunction& f, float clip, int64_t n, float* z, float* slope)
      : d_(d), f_(f), clip_(clip), n_(n), z_(z), slope_(slope) {}

  void Run() const {
    const V a = Set(f_.alpha), b = Set(f_.beta), zero = hn::Zero(d_), one = Set(1);
    const D d = d_;
    switch (f_.kind) {
      case Activation::kNone:
        return Each([=](V&, V& s) SEQ_INLINE { s = one; });
      case Activation::kTanh:
        return Each([=](V& z, V& s) SEQ_INLINE {
          z = TanhFast(d, z);
          s = hn::NegMulAdd(z, z, one);
        });
      case Activation::kRelu:
        return Each([=](V& z, V& s) SEQ_INLINE {
          s = hn::IfThenElseZero(hn::Gt(z, zero), one);  // 0 for NaN, as in the definition
          z = hn::IfThenZeroElse(hn::Le(z, zero), z);
        });
      case Activation::kSigmoid:
        return Each([=](V& z, V& s) SEQ_INLINE {
          z = Sigmoid(d, z);
          s = hn::NegMulAdd(z, z, z);
        });
      case Activation::kRelu6:
        return Each([=, this](V& z, V& s) SEQ_INLINE { Between(zero, Set(6), one, z, s); });
      case Activation::kHardSigmoid:
        return Each([=, this](V& z, V& s) SEQ_INLINE {
          z = hn::MulAdd(a, z, b);
          Between(zero, one, a, z, s);
        });
      case Activation::kHardTanh:
        return Each([=, this](V& z, V& s) SEQ_INLINE { Between(Set(-1), one, one, z, s); });
      case Activation::kElu:
        return Each([=, this](V& z, V& s) SEQ_INLINE { ExpBelow(one, a, one, z, s); });
      case Activation::kCelu:
        return Each([=, this](V& z, V& s) SEQ_INLINE { ExpBelow(one, a, a, z, s); });
      case Activation::kSelu:
        return Each([=, this](V& z, V& s) SEQ_INLINE {
          ExpBelow(Set(1.0507009873554805), Set(1.6732632423543772), one, z, s);
        });
      case Activation::kLeakyRelu:
        return Each([=](V& z, V& s) SEQ_INLINE {
          s = hn::IfThenElse(hn::Gt(z, zero), one, a);
          z = hn::Mul(z, s);
        });
      case Activation::kAffine:
        return Each([=](V& z, V& s) SEQ_INLINE {
          z = hn::MulAdd(a, z, b);
          s = a;
        });
      case Activation::kScaledTanh:
        return Each([=](V& z, V& s) SEQ_INLINE {
          const V t = TanhFast(d, hn::Mul(b, z));
          z = hn::Mul(a, t);
          s = hn::Mul(hn::Mul(a, b), hn::NegMulAdd(t, t, one));
        });
      case Activation::kThresholdedRelu:
        return Each([=](V& z, V& s) SEQ_INLINE { Cut(hn::Le(z, a), one, z, s); });
      case Activation::kHardShrink:
        return Each([=](V& z, V& s) SEQ_INLINE { Cut(hn::Le(hn::Abs(z), a), one, z, s); });
      case Activation::kSoftShrink:
        return Each([=](V& z, V& s) SEQ_INLINE {
          const auto inside = hn::Le(hn::Abs(z), a);
          s = hn::IfThenZeroElse(inside, one);
          z = hn::IfThenZeroElse(inside, hn::Sub(z, hn::CopySign(a, z)));
        });
      default:
        return RunCurved();
    }
  }

 private:
  static constexpr int64_t kLanes = hn::MaxLanes(D());

  V Set(double value) const { return hn::Set(d_, static_cast<float>(value)); }

  void RunCurved() const {
    const V a = Set(f_.alpha), zero = hn::Zero(d_), one = Set(1), half = Set(0.5);
    const D d = d_;
    switch (f_.kind) {
      case Activation::kSoftplus:
        return Each([=](V& z, V& s) SEQ_INLINE {
          s = Sigmoid(d, z);
          z = Softplus(d, z);
        });
      case Activation::kLogSigmoid:
        return Each([=](V& z, V& s) SEQ_INLINE {
          s = Sigmoid(d, hn::Neg(z));
          z = hn::Neg(Softplus(d, hn::Neg(z)));
        });
      case Activation::kSoftsign:
        return Each([=](V& z, V& s) SEQ_INLINE {
          const V inverse = hn::Div(one, hn::Add(one, hn::Abs(z)));
          s = hn::Mul(inverse, inverse);
          z = hn::Mul(z, inverse);
        });
      case Activation::kSilu:
        return Each([=](V& z, V& s) SEQ_INLINE {
          const V gate = Sigmoid(d, z);
          s = hn::Mul(gate, hn::MulAdd(z, hn::Sub(one, gate), one));
          z = hn::Mul(z, gate);
        });
      case Activation::kHardSilu:
        return Each([=, this](V& z, V& s) SEQ_INLINE {
          const auto low = hn::Le(z, Set(-3)), high = hn::Gt(z, Set(3));
          const V sixth = Set(1.0 / 6);
          s = hn::IfThenElse(high, one, hn::Mul(sixth, hn::Add(hn::Add(z, z), Set(3))));
          s = hn::IfThenZeroElse(low, s);
          const V middle = hn::Mul(hn::Mul(z, sixth), hn::Add(z, Set(3)));
          z = hn::IfThenZeroElse(low, hn::IfThenElse(high, z, middle));
        });
      case Activation::kGelu:
        return Each([=](V& z, V& s) SEQ_INLINE {
          V below, density;
          Normal(d, z, below, density);
          s = hn::MulAdd(z, density, below);
          z = hn::Mul(z, below);
        });
      case Activation::kGeluTanh:
        return Each([=, this](V& z, V& s) SEQ_INLINE {
          const V cubic = hn::Mul(Set(0.044715), hn::Mul(z, z)), root = Set(0.79788456080286536);
          const V t = TanhFast(d, hn::Mul(hn::Mul(root, z), hn::Add(one, cubic)));
          const V inner = hn::Mul(root, hn::MulAdd(Set(3), cubic, one));
          const V gate = hn::MulAdd(half, t, half);
          s = hn::MulAdd(hn::Mul(hn::Mul(half, z), hn::NegMulAdd(t, t, one)), inner, gate);
          z = hn::Mul(z, gate);
        });
      case Activation::kMish:
        return Each([=](V& z, V& s) SEQ_INLINE {
          V gate, slope;
          TanhOfSoftplus(d, z, gate, slope);
          s = hn::MulAdd(hn::Mul(z, slope), Sigmoid(d, z), gate);
          z = hn::Mul(z, gate);
        });
      case Activation::kExponential:
        return Each([=](V& z, V& s) SEQ_INLINE { s = z = Exp(d, z); });
      case Activation::kTanhShrink:
        return Each([=](V& z, V& s) SEQ_INLINE {
          const V t = Tanh(d, z);
          s = hn::Mul(t, t);
          z = hn::Sub(z, t);
        });
      case Activation::kSquareplus:
        return Each([=](V& z, V& s) SEQ_INLINE {
          const V root = hn::Sqrt(hn::MulAdd(z, z, a));
          s = hn::MulAdd(half, hn::Div(z, root), half);
          s = hn::IfThenZeroElse(hn::Eq(root, zero), s);
          z = hn::Mul(half, hn::Add(z, root));
        });
      case Activation::kSparsePlus:
        return Each([=](V& z, V& s) SEQ_INLINE {
          const auto low = hn::Le(z, hn::Neg(one)), high = hn::Gt(z, one);
          const V middle = hn::Mul(half, hn::Add(z, one));
          s = hn::IfThenZeroElse(low, hn::IfThenElse(high, one, middle));
          z = hn::IfThenZeroElse(low, hn::IfThenElse(high, z, hn::Mul(middle, middle)));
        });
      case Activation::kSparseSigmoid:
        return Each([=, this](V& z, V& s) SEQ_INLINE {
          z = hn::MulAdd(half, z, half);
          Between(zero, one, half, z, s);
        });
      default:
        return;
    }
  }

  // f(z, s) makes z the value and s the slope.
  template <class F>
  HWY_INLINE void Each(F&& f) const {
    const V limit = Set(clip_);
    for (int64_t j = 0; j < n_; j += kLanes) {
      V z = hn::Load(d_, z_ + j), s = z;
      auto limited = hn::Gt(hn::Zero(d_), hn::Zero(d_));
      if (clip_ > 0) {
        limited = hn::Gt(hn::Abs(z), limit);
        z = hn::IfThenElse(limited, hn::CopySign(limit, z), z);  // NaN stays NaN
      }
      f(z, s);
      hn::Store(z, d_, z_ + j);
      if (slope_ != nullptr) hn::Store(hn::IfThenZeroElse(limited, s), d_, slope_ + j);
    }
  }

  // z, but 0 where `below`. NaN stays NaN.
  template <class M>
  static HWY_INLINE void Cut(M below, V one, V& z, V& s) {
    s = hn::IfThenZeroElse(below, one);
    z = hn::IfThenZeroElse(below, z);
  }

  // z between the limits, with its slope there. NaN stays NaN.
  HWY_INLINE void Between(V low, V high, V slope, V& z, V& s) const {
    const auto below = hn::Le(z, low), above = hn::Gt(z, high);
    s = hn::IfThenZeroElse(hn::Or(below, above), slope);
    z = hn::IfThenElse(below, low, hn::IfThenElse(above, high, z));
  }

  // scale z where z > 0, else scale alpha (e^(z / width) - 1).
  HWY_INLINE void ExpBelow(V scale, V alpha, V width, V& z, V& s) const {
    const auto above = hn::Gt(z, hn::Zero(d_));
    const V negative = hn::IfThenZeroElse(above, hn::Div(z, width));
    const V below = hn::Mul(alpha, Expm1OfNegative(d_, negative));
    s = hn::Mul(scale,
                hn::IfThenElse(above, Set(1), hn::Mul(hn::Div(alpha, width), Exp(d_, negative))));
    z = hn::Mul(scale, hn::IfThenElse(above, z, below));
  }

  const D d_;
  const ActivationFunction& f_;
  const float clip_;
  const int64_t n_;
  float *const z_, *const slope_;
};

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_ACTIVATIONS_INL_H_
