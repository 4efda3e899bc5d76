#pragma once

// Loops that compute each element from the same element of their inputs. `n` counts floats; an
// output may be the very array of an input, never a part of one.

#include <cstdint>

#include "graph/activation.h"

namespace seqgraph::kernels {

using UnaryLoop = void (*)(const float* x, int64_t n, float* y);
using BinaryLoop = void (*)(const float* a, const float* b, int64_t n, float* y);

/// The loop of an activation; null for none.
UnaryLoop LoopOf(Activation activation);

void TanhLoop(const float* x, int64_t n, float* y);      ///< within 3 eps, relative
void TanhFastLoop(const float* x, int64_t n, float* y);  ///< as recurrences use it
void SigmoidLoop(const float* x, int64_t n, float* y);   ///< 1 / (1 + e^-x) within 3 eps
void ExpLoop(const float* x, int64_t n, float* y);
void ReluLoop(const float* x, int64_t n, float* y);  ///< NaN stays NaN

/// dx = dy * f'(x), from the output y = f(x).
void TanhGradLoop(const float* y, const float* dy, int64_t n, float* dx);
void ReluGradLoop(const float* y, const float* dy, int64_t n, float* dx);
void SigmoidGradLoop(const float* y, const float* dy, int64_t n, float* dx);

void AddLoop(const float* a, const float* b, int64_t n, float* y);
void SubtractLoop(const float* a, const float* b, int64_t n, float* y);
void MultiplyLoop(const float* a, const float* b, int64_t n, float* y);
void DivideLoop(const float* a, const float* b, int64_t n, float* y);
void MaximumLoop(const float* a, const float* b, int64_t n, float* y);  ///< NaN where one is
void MinimumLoop(const float* a, const float* b, int64_t n, float* y);  ///< NaN where one is
/// 1 where a = b or a < b, else 0: int32 in the memory of floats.
void EqualLoop(const float* a, const float* b, int64_t n, float* y);
void LessLoop(const float* a, const float* b, int64_t n, float* y);
/// y[i] = condition[i] != 0 ? a[i] : b[i], in words of any type.
void WhereLoop(const int32_t* condition, const float* a, const float* b, int64_t n, float* y);

void AbsLoop(const float* x, int64_t n, float* y);
void NegativeLoop(const float* x, int64_t n, float* y);
void SignLoop(const float* x, int64_t n, float* y);  ///< -1, 0, 1 or NaN
void SqrtLoop(const float* x, int64_t n, float* y);
void ReciprocalLoop(const float* x, int64_t n, float* y);
void FloorLoop(const float* x, int64_t n, float* y);
void CeilLoop(const float* x, int64_t n, float* y);
void RoundLoop(const float* x, int64_t n, float* y);  ///< ties to the even one
/// std::pow, a square exactly.
void PowerLoop(const float* a, const float* b, int64_t n, float* y);
void LogLoop(const float* x, int64_t n, float* y);       ///< within 1 eps, relative
void SoftplusLoop(const float* x, int64_t n, float* y);  ///< within 3 eps, relative
void ErfLoop(const float* x, int64_t n, float* y);       ///< within 4 eps, relative
/// x where x > 0, alpha (e^x - 1) elsewhere, within 2 eps, relative.
void EluLoop(const float* x, float alpha, int64_t n, float* y);
void ScaleLoop(const float* x, float factor, int64_t n, float* y);

/// y[r, c] = x[r, c] + row[c].
void AddRowLoop(const float* x, const float* row, int64_t rows, int64_t columns, float* y);

}  // namespace seqgraph::kernels
