#ifndef SEQGRAPH_BACKENDS_ONEDNN_RECURRENT_PRODUCTS_H_
#define SEQGRAPH_BACKENDS_ONEDNN_RECURRENT_PRODUCTS_H_

// The products of a recurrence with u: z += (h d)·u_g, dh += (dz·u_gᵀ) d and du_g = sum of
// (h d)ᵀ·dz, for a range of gates g, with the factors d of recurrent dropout where there are any.

#include <cstdint>

#include "absl/status/status.h"
#include "backends/onednn/matrix_product.h"
#include "backends/onednn/recurrence.h"

namespace seqgraph::onednn {

/// Which rows have a step where. Step k of the recurrence is at place
/// t = Place(k), and place t has step Place(t).
class StepRows {
 public:
  /// `first`: memory for batch numbers.
  StepRows(const RecurrenceConfig& config, const RecurrenceInputs& in, int64_t* first);

  int64_t Place(int64_t k) const { return c_.reverse ? c_.time - 1 - k : k; }
  /// Row b is not masked at place t.
  bool Counts(int64_t b, int64_t t) const { return !c_.masked || mask_[b * c_.time + t] != 0; }
  /// Row b has had an unmasked step by step k.
  bool HasBegun(int64_t b, int64_t k) const { return k >= First(b); }
  /// Row b has a state before its step at place t: the first step has none without h0. (A GRU
  /// multiplies by the zeros there.)
  bool HasBefore(int64_t b, int64_t t) const { return has_h0_ || Place(t) != First(b); }

 private:
  int64_t First(int64_t b) const { return c_.masked ? first_[b] : 0; }

  const RecurrenceConfig& c_;
  const int32_t* const mask_;
  const bool has_h0_;
  int64_t* const first_;
};

/// Where something is not finite, rows that have nothing to multiply are left out one by one: zero
/// times infinity is NaN.
class RecurrentProducts {
 public:
  /// `anew`: the first steps have no state before them, rather than zeros. Scratch: [batch, units]
  /// and [time, batch, units].
  RecurrentProducts(const RecurrenceConfig& config, const RecurrenceInputs& in,
                    const StepRows& rows, bool anew, float* gate_scratch, float* scaled_scratch);

  /// For the gates [first, last) at place t: z [batch, gates units] with rows `stride` apart is
  /// overwritten, or added to.
  absl::Status Add(int64_t t, const float* h, int first, int last, bool add, float* z,
                   int64_t stride) const;
  absl::Status AddBack(int64_t t, const float* dz, int64_t stride, int first, int last,
                       float* dh) const;
  /// Overwrites the columns of these gates in du; h and dz are those of all steps.
  absl::Status Weights(const float* h, const float* dz, int64_t stride, int first, int last,
                       float* du) const;

 private:
  template <typename Skip>
  absl::Status StepProduct(int64_t inner, int64_t cols, Matrix a, Matrix b, bool add, float* c,
                           int64_t stride, Skip skip) const;
  const float* Scaled(const float* h, int64_t steps, int gate) const;
  bool IsFinite(const float* u, int64_t cols) const;

  const RecurrenceConfig& c_;
  const RecurrenceInputs& in_;
  const StepRows& rows_;
  const bool anew_;
  float* const gate_;
  float* const scaled_;
  const bool factors_are_finite_;
};

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_RECURRENT_PRODUCTS_H_
