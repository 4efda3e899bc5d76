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
void AbsLoop(const float* x, int64_t n, float* y);
void SqrtLoop(const float* x, int64_t n, float* y);
void ScaleLoop(const float* x, float factor, int64_t n, float* y);

/// y[r, c] = x[r, c] + row[c].
void AddRowLoop(const float* x, const float* row, int64_t rows, int64_t columns, float* y);

}  // namespace seqgraph::kernels
