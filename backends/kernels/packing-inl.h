// Packs matrices of weights for products (packed_matrix.h), in any format.

#if defined(SEQGRAPH_BACKENDS_KERNELS_PACKING_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_PACKING_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_PACKING_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_PACKING_INL_H_
#endif

#include <cstdint>
#include <limits>

#include "backends/kernels/products-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The bits of RoundToBf16(x), in the upper halves; all of those that x has, if it is a bf16.
template <class D, class V>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> Bf16Bits(D, V x) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFFu)));
  return hn::And(rounded, hn::Set(du, 0xFFFF0000u));
}

/// Int8Scale of each lane's largest magnitude; `poison` is 0, or NaN where some element was not
/// finite.
template <class D, class V>
HWY_INLINE V Int8Scales(D d, V largest, V poison) {
  const hn::RebindToUnsigned<D> du;
  const V exact = hn::Div(largest, hn::Set(d, 127.0f));
  const auto up = hn::Add(hn::BitCast(du, exact), hn::Set(du, 0xFFu));  // 16 of 24 bits
  const V scale = hn::BitCast(d, hn::And(up, hn::Set(du, 0xFFFFFF00u)));
  const auto is_normal = hn::Ge(scale, hn::Set(d, std::numeric_limits<float>::min()));
  return hn::Add(hn::IfThenElseZero(is_normal, scale), poison);
}

/// The whole numbers of which x are that many times the scales.
template <class D, class V>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> Int8Steps(D d, V x, V scales) {
  return hn::NearestInt(hn::IfThenElseZero(hn::Gt(scales, hn::Zero(d)), hn::Div(x, scales)));
}

/// The rows of a panel that lie in turn.
template <WeightFormat format, class D, int vecs, int rows = RowsInTurn(format, vecs)>
HWY_INLINE void StorePanelRows(D d, const hn::Vec<D> (&from)[rows][vecs],
                               const hn::Vec<D> (&scales)[vecs], char* to) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const auto store = [&](int64_t j, V x)
                         SEQ_INLINE { hn::Store(x, d, reinterpret_cast<float*>(to) + j * kLanes); };
  if constexpr (format == WeightFormat::kFloat32) {
    for (int64_t j = 0; j < vecs; ++j) store(j, from[0][j]);
  } else if constexpr (format == WeightFormat::kBf16) {
    const hn::RebindToUnsigned<D> du;
    const auto upper = Bf16Bits(d, from[0][0]);
    if constexpr (vecs == 1) return store(0, hn::BitCast(d, upper));
    const auto lower = hn::ShiftRight<16>(Bf16Bits(d, from[0][vecs - 1]));
    hn::Store(hn::Or(upper, lower), du, reinterpret_cast<uint32_t*>(to));
  } else if constexpr (vecs == 1) {
    store(0, hn::ConvertTo(d, Int8Steps(d, from[0][0], scales[0])));
  } else {
    const hn::RebindToSigned<D> di;
    for (int64_t j = 0; j < vecs; ++j) {
      for (int64_t r = 0; r < rows; ++r) {
        HWY_ALIGN int32_t steps[kLanes];
        hn::Store(Int8Steps(d, from[r][j], scales[j]), di, steps);
        for (int64_t i = 0; i < kLanes; ++i) {
          to[(j * kLanes + i) * rows + r] = static_cast<char>(steps[i]);
        }
      }
    }
  }
}

template <WeightFormat format, class D>
void PackGatesAs(D d, const float* from, int64_t stride, int64_t inner, int64_t gates,
                 int64_t units, int64_t width, const PackedMatrix& to) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const int64_t each = width / kLanes, vectors = gates * each;
  char* packed = to.data;
  const auto panel = [&](int64_t v, auto vecs) SEQ_INLINE {
    constexpr int kVecs = decltype(vecs)::value;
    const auto load = [&](int64_t k, int64_t i) SEQ_INLINE {
      const int64_t j = i % each * kLanes;
      return LoadSome(d, from + k * stride + i / each * units + j, units - j);
    };
    V scales[kVecs];
    for (int64_t i = 0; i < kVecs && format == WeightFormat::kInt8; ++i) {
      V largest = hn::Zero(d), poison = hn::Zero(d);
      for (int64_t k = 0; k < inner; ++k) {
        const V x = load(k, v + i);
        largest = hn::Max(largest, hn::Abs(x));
        poison = hn::Add(poison, hn::Sub(x, x));
      }
      scales[i] = Int8Scales(d, largest, poison);
      hn::Store(scales[i], d, to.scales + (v + i) * kLanes);
    }
    constexpr int kInTurn = RowsInTurn(format, kVecs);
    for (int64_t k = 0; k < inner; k += kInTurn) {
      V rows[kInTurn][kVecs];
      for (int64_t r = 0; r < kInTurn; ++r) {
        for (int64_t i = 0; i < kVecs; ++i) {
          rows[r][i] = k + r < inner ? load(k + r, v + i) : hn::Zero(d);
        }
      }
      StorePanelRows<format>(d, rows, scales, packed);
      packed += kInTurn * PanelRowBytes(format, kVecs, kLanes);
    }
  };
  int64_t v = 0;
  for (; v + 2 <= vectors; v += 2) panel(v, std::integral_constant<int, 2>());
  if (v < vectors) panel(v, std::integral_constant<int, 1>());
}

/// Packs from[inner, gates units], rows a stride apart, for Product: gate after gate, each padded
/// to `width`, rounded to the format of `to`.
template <class D>
HWY_INLINE void PackGates(D d, const float* from, int64_t stride, int64_t inner, int64_t gates,
                          int64_t units, int64_t width, const PackedMatrix& to) {
  ByFormat(to.format, [&](auto format) SEQ_INLINE {
    PackGatesAs<decltype(format)::value>(d, from, stride, inner, gates, units, width, to);
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_PACKING_INL_H_
