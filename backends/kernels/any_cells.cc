// Steps of cells with activations other than the three of cells-inl.h, limited sums, coupled gates
// or peepholes. Activations go over whole rows, one after the other. Forward keeps values and
// slopes, so that backward knows no activation: most are not known by their values, and to compute
// them anew would take as long as forward did.

#include <algorithm>
#include <cstdint>

#include "backends/kernels/recurrence_job.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/any_cells.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/activations-inl.h"
#include "backends/kernels/products-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

template <class D>
class AnyCell {
 public:
  AnyCell(D d, const RecurrenceSizes& sizes, int64_t rows, int64_t width)
      : d_(d),
        act_(sizes.functions),
        kept_(LayoutOf(sizes).kept * width),
        clip_(static_cast<float>(act_.clip)),
        rows_(rows),
        w_(width) {}

  void SimpleForward(const CellForward& s) const {
    for (int64_t r = 0; r < rows_; ++r) {
      float* z = s.z + r * w_;
      Activate(act_.state, w_, z, Kept(s, r));
      std::copy_n(z, w_, s.h + r * w_);
    }
  }

  void SimpleBackward(const CellBackward& s) const {
    ForRows([&](int64_t r, int64_t j) SEQ_INLINE {
      StoreUsed(d_, hn::Mul(At(s.dh, r, j), At(s.kept, r, j)), s.units - j,
                s.dz + r * s.dz_row + j);
    });
  }

  void LstmForward(const CellForward& s) const {
    for (int64_t r = 0; r < rows_; ++r) {
      float *z = s.z + r * 4 * w_, *kept = Kept(s, r), *cell = s.c + r * w_;
      float* slope = kept == nullptr ? nullptr : kept + 5 * w_;
      const float* before = s.c_before + r * w_;
      const float* p = s.peepholes;
      if (p != nullptr) AddProduct(p, before, z);
      if (p != nullptr && !act_.coupled) AddProduct(p + 2 * w_, before, z + w_);
      Activate(act_.gates, act_.coupled ? w_ : 2 * w_, z, slope);
      Activate(act_.state, w_, z + 2 * w_, Behind(slope, 2));
      if (act_.coupled) Couple(z, slope);
      ForRow([&](int64_t j) SEQ_INLINE {
        const V added = hn::Mul(Load(z + j), Load(z + 2 * w_ + j));
        hn::Store(hn::MulAdd(Load(z + w_ + j), Load(before + j), added), d_, cell + j);
      });
      if (p != nullptr) AddProduct(p + w_, cell, z + 3 * w_);
      Activate(act_.gates, w_, z + 3 * w_, Behind(slope, 3));
      if (kept != nullptr) std::copy_n(z, 4 * w_, kept);
      float* a = kept == nullptr ? z : kept + 4 * w_;  // act(c)
      std::copy_n(cell, w_, a);
      Activate(act_.output, w_, a, Behind(slope, 4), /*clip=*/0);
      ForRow([&](int64_t j) SEQ_INLINE {
        hn::Store(hn::Mul(Load(z + 3 * w_ + j), Load(a + j)), d_, s.h + r * w_ + j);
      });
    }
  }

  void LstmBackward(const CellBackward& s) const {
    ForRows([&](int64_t r, int64_t j) SEQ_INLINE {
      const float *kept = s.kept + r * kept_ + j, *slope = kept + 5 * w_, *p = s.peepholes;
      const V i = Load(kept), f = Load(kept + w_), g = Load(kept + 2 * w_);
      const V o = Load(kept + 3 * w_), a = Load(kept + 4 * w_);
      const V dh = At(s.dh, r, j), before = At(s.c_before, r, j);
      const V d_out = hn::Mul(hn::Mul(dh, a), Load(slope + 3 * w_));
      V dc = hn::MulAdd(hn::Mul(dh, o), Load(slope + 4 * w_), At(s.dc, r, j));
      if (p != nullptr) dc = hn::MulAdd(d_out, Load(p + w_ + j), dc);
      const V d_forget = hn::Mul(dc, before);
      V d_in = hn::Mul(dc, g), df = hn::Zero(d_);
      if (act_.coupled) {
        d_in = hn::Sub(d_in, d_forget);
      } else {
        df = hn::Mul(d_forget, Load(slope + w_));
      }
      d_in = hn::Mul(d_in, Load(slope));
      const V dg = hn::Mul(hn::Mul(dc, i), Load(slope + 2 * w_));
      V d_before = hn::Mul(dc, f);
      if (p != nullptr) {
        d_before = hn::MulAdd(d_in, Load(p + j), hn::MulAdd(df, Load(p + 2 * w_ + j), d_before));
        float* dp = s.d_peepholes + j;
        const V cell = hn::MulAdd(f, before, hn::Mul(i, g));
        hn::Store(hn::MulAdd(d_in, before, Load(dp)), d_, dp);
        hn::Store(hn::MulAdd(d_out, cell, Load(dp + w_)), d_, dp + w_);
        hn::Store(hn::MulAdd(df, before, Load(dp + 2 * w_)), d_, dp + 2 * w_);
      }
      hn::Store(d_before, d_, s.dc + r * w_ + j);
      float* dz = s.dz + r * s.dz_row + j;
      const V sums[4] = {d_in, df, dg, d_out};
      Unroll<4>([&](auto k) SEQ_INLINE { StoreUsed(d_, sums[k], s.units - j, dz + k * w_); });
    });
  }

  void GruAfterForward(const CellForward& s) const {
    for (int64_t r = 0; r < rows_; ++r) {
      float *z = s.z + r * 3 * w_, *kept = Kept(s, r), *n = z + 2 * w_;
      float* slope = kept == nullptr ? nullptr : kept + 4 * w_;
      const float* x = s.x + (r * 4 + 3) * w_;
      Activate(act_.gates, 2 * w_, z, slope);
      if (kept != nullptr) std::copy_n(n, w_, kept + 3 * w_);  // q
      ForRow([&](int64_t j) SEQ_INLINE {
        hn::Store(hn::MulAdd(Load(z + w_ + j), Load(n + j), Load(x + j)), d_, n + j);
      });
      GruState(s, r, slope);
      if (kept != nullptr) std::copy_n(z, 3 * w_, kept);
    }
  }

  void GruAfterBackward(const CellBackward& s) const {
    ForRows([&](int64_t row, int64_t j) SEQ_INLINE {
      const int64_t used = s.units - j;
      const float *kept = s.kept + row * kept_ + j, *slope = kept + 4 * w_;
      const V z = Load(kept), r = Load(kept + w_), n = Load(kept + 2 * w_), q = Load(kept + 3 * w_);
      const V dh = At(s.dh, row, j), h = At(s.before, row, j);
      const V dn = hn::Mul(hn::Mul(dh, OneMinus(z)), Load(slope + 2 * w_));
      float* dz = s.dz + row * s.dz_row + j;
      StoreUsed(d_, dn, used, dz);
      StoreUsed(d_, hn::Mul(hn::Mul(dh, hn::Sub(h, n)), Load(slope)), used, dz + w_);
      StoreUsed(d_, hn::Mul(hn::Mul(dn, q), Load(slope + w_)), used, dz + 2 * w_);
      StoreUsed(d_, hn::Mul(dn, r), used, dz + 3 * w_);
      hn::Store(hn::Mul(dh, z), d_, s.carry + row * w_ + j);
    });
  }

  void GruBeforeForwardReset(const CellForward& s) const {
    for (int64_t r = 0; r < rows_; ++r) {
      float *z = s.z + r * 3 * w_, *kept = Kept(s, r), *reset = s.reset + r * w_;
      Activate(act_.gates, 2 * w_, z, Behind(kept, 4));
      ForRow([&](int64_t j) SEQ_INLINE {
        hn::Store(hn::Mul(Load(z + w_ + j), At(s.before, r, j)), d_, reset + j);
      });
      if (kept != nullptr) std::copy_n(reset, w_, kept + 3 * w_);
    }
  }

  void GruBeforeForward(const CellForward& s) const {
    for (int64_t r = 0; r < rows_; ++r) {
      float *z = s.z + r * 3 * w_, *kept = Kept(s, r), *n = z + 2 * w_;
      const float* x = s.x + (r * 3 + 2) * w_;
      ForRow([&](int64_t j)
                 SEQ_INLINE { hn::Store(hn::Add(Load(x + j), At(s.product, r, j)), d_, n + j); });
      GruState(s, r, Behind(kept, 4));
      if (kept != nullptr) std::copy_n(z, 3 * w_, kept);
    }
  }

  void GruBeforeBackward(const CellBackward& s) const {
    ForRows([&](int64_t row, int64_t j) SEQ_INLINE {
      const int64_t used = s.units - j;
      const float *kept = s.kept + row * kept_ + j, *slope = kept + 4 * w_;
      const V z = Load(kept), n = Load(kept + 2 * w_);
      const V dh = At(s.dh, row, j), h = At(s.before, row, j);
      float* dz = s.dz + row * s.dz_row + j;
      StoreUsed(d_, hn::Mul(hn::Mul(dh, hn::Sub(h, n)), Load(slope)), used, dz);
      StoreUsed(d_, hn::Mul(hn::Mul(dh, OneMinus(z)), Load(slope + 2 * w_)), used, dz + 2 * w_);
      hn::Store(hn::Mul(dh, z), d_, s.carry + row * w_ + j);
    });
  }

  void GruBeforeBackwardReset(const CellBackward& s) const {
    ForRows([&](int64_t row, int64_t j) SEQ_INLINE {
      const float* kept = s.kept + row * kept_ + j;
      const V d_reset = At(s.d_reset, row, j), dr = hn::Mul(d_reset, At(s.before, row, j));
      StoreUsed(d_, hn::Mul(dr, Load(kept + 5 * w_)), s.units - j, s.dz + row * s.dz_row + w_ + j);
      float* carry = s.carry + row * w_ + j;
      hn::Store(hn::MulAdd(d_reset, Load(kept + w_), Load(carry)), d_, carry);
    });
  }

 private:
  using V = hn::Vec<D>;

  V Load(const float* from) const { return hn::Load(d_, from); }
  V At(const float* rows, int64_t r, int64_t j) const { return hn::Load(d_, rows + r * w_ + j); }
  V OneMinus(V x) const { return hn::Sub(hn::Set(d_, 1.0f), x); }
  float* Kept(const CellForward& s, int64_t r) const {
    return s.kept == nullptr ? nullptr : s.kept + r * kept_;
  }
  float* Behind(float* row, int64_t i) const { return row == nullptr ? nullptr : row + i * w_; }

  template <class F>
  HWY_INLINE void ForRow(F&& f) const {
    for (int64_t j = 0; j < w_; j += hn::MaxLanes(D())) f(j);
  }
  template <class F>
  HWY_INLINE void ForRows(F&& f) const {
    for (int64_t r = 0; r < rows_; ++r) ForRow([&](int64_t j) SEQ_INLINE { f(r, j); });
  }

  void Activate(const ActivationFunction& f, int64_t n, float* z, float* slope) const {
    Activate(f, n, z, slope, clip_);
  }
  void Activate(const ActivationFunction& f, int64_t n, float* z, float* slope, float clip) const {
    ActivationRow<D>(d_, f, clip, n, z, slope).Run();
  }

  // z += a b.
  void AddProduct(const float* a, const float* b, float* z) const {
    ForRow([&](int64_t j) SEQ_INLINE {
      hn::Store(hn::MulAdd(Load(a + j), Load(b + j), Load(z + j)), d_, z + j);
    });
  }

  // f = 1 - i.
  void Couple(float* z, float* slope) const {
    ForRow([&](int64_t j) SEQ_INLINE { hn::Store(OneMinus(Load(z + j)), d_, z + w_ + j); });
    if (slope != nullptr) std::fill_n(slope + w_, w_, 0.0f);
  }

  // The candidate from its sum, and h = z h_before + (1 - z) n.
  void GruState(const CellForward& s, int64_t r, float* slope) const {
    float *z = s.z + r * 3 * w_, *n = z + 2 * w_;
    Activate(act_.state, w_, n, Behind(slope, 2));
    ForRow([&](int64_t j) SEQ_INLINE {
      const V update = Load(z + j), fresh = hn::Mul(OneMinus(update), Load(n + j));
      hn::Store(hn::MulAdd(update, At(s.before, r, j), fresh), d_, s.h + r * w_ + j);
    });
  }

  const D d_;
  const CellFunctions& act_;
  const int64_t kept_;
  const float clip_;
  const int64_t rows_, w_;
};

// f(an AnyCell of the vectors that fill the rows).
template <class Step, class F>
HWY_INLINE void WithCell(const Step& s, F&& f) {
  const hn::ScalableTag<float> whole;
  const hn::CappedTag<float, 8> small;
  if (s.width % static_cast<int64_t>(hn::MaxLanes(whole)) == 0) {
    f(AnyCell(whole, *s.sizes, s.rows, s.width));
  } else {
    f(AnyCell(small, *s.sizes, s.rows, s.width));
  }
}

void AnyForward(const CellForward& s) {
  WithCell(s, [&s](const auto& cell) {
    switch (s.sizes->cell) {
      case CellKind::kSimple:
        return cell.SimpleForward(s);
      case CellKind::kLstm:
        return cell.LstmForward(s);
      case CellKind::kGruAfter:
        return cell.GruAfterForward(s);
      case CellKind::kGruBefore:
        return cell.GruBeforeForward(s);
    }
  });
}

void AnyForwardReset(const CellForward& s) {
  WithCell(s, [&s](const auto& cell) { cell.GruBeforeForwardReset(s); });
}

void AnyBackward(const CellBackward& s) {
  WithCell(s, [&s](const auto& cell) {
    switch (s.sizes->cell) {
      case CellKind::kSimple:
        return cell.SimpleBackward(s);
      case CellKind::kLstm:
        return cell.LstmBackward(s);
      case CellKind::kGruAfter:
        return cell.GruAfterBackward(s);
      case CellKind::kGruBefore:
        return cell.GruBeforeBackward(s);
    }
  });
}

void AnyBackwardReset(const CellBackward& s) {
  WithCell(s, [&s](const auto& cell) { cell.GruBeforeBackwardReset(s); });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {

HWY_EXPORT(AnyForward);
void AnyCellForward(const CellForward& s) { HWY_DYNAMIC_DISPATCH(AnyForward)(s); }

HWY_EXPORT(AnyForwardReset);
void AnyCellForwardReset(const CellForward& s) { HWY_DYNAMIC_DISPATCH(AnyForwardReset)(s); }

HWY_EXPORT(AnyBackward);
void AnyCellBackward(const CellBackward& s) { HWY_DYNAMIC_DISPATCH(AnyBackward)(s); }

HWY_EXPORT(AnyBackwardReset);
void AnyCellBackwardReset(const CellBackward& s) { HWY_DYNAMIC_DISPATCH(AnyBackwardReset)(s); }

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
