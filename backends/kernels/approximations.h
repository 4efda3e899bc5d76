#pragma once

// Coefficients of the elementary functions that backends compute in vectors of their own making:
//   e^r = 1 + r + r^2 (kExp[0] + kExp[1] r + ...) for |r| <= ln(2) / 2
//   tanh x = x P(x^2) / Q(x^2) for |x| <= kTanhLimit, beyond which it is 1 - 1.1 2^-24
//   erf x = x P(x^2) / Q(x^2) for |x| <= kErfLimit, beyond which it rounds to 1
//   erfc x = e^(-x^2) t (kErfc[0] + kErfc[1] t + ...) with t = 1 / (1 + kErfcScale x) for x >= 0

namespace seqgraph::kernels {

/// That of expf in the Cephes library (Moshier).
inline constexpr float kExp[] = {5.0000001201e-1f, 1.6666665459e-1f, 4.1665795894e-2f,
                                 8.3334519073e-3f, 1.3981999507e-3f, 1.9875691500e-4f};
/// ln 2 in two parts, of which the first has few bits: n times it is exact.
inline constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;

/// Minimax in relative error on (0, kTanhLimit] (0.11 eps), by Lawson's iteratively reweighted
/// least squares on the linearized quotient.
inline constexpr float kTanhLimit = 8.6f;
inline constexpr float kTanhP[] = {9.9999998756414104e-1f, 1.3408561247113473e-1f,
                                   3.5284108159587865e-3f, 2.115591953965991e-5f,
                                   1.4130428598829713e-8f};
inline constexpr float kTanhQ[] = {1.0f, 4.6741883329487323e-1f, 2.6001524196155694e-2f,
                                   3.3395735325819571e-4f, 8.0899131002465956e-7f};

/// The same for erf (0.16 eps).
inline constexpr float kErfLimit = 3.92f;
inline constexpr float kErfP[] = {1.1283791461162427f,    1.9040965273124580e-1f,
                                  5.2749100784578730e-2f, 3.7657412867531472e-3f,
                                  2.8488336699283867e-4f, 2.0500346780713690e-6f};
inline constexpr float kErfQ[] = {1.0f,
                                  5.0207890171582960e-1f,
                                  1.1411038881216432e-1f,
                                  1.4969467774419397e-2f,
                                  1.1625616152917797e-3f,
                                  3.8091203268134150e-5f};
/// Minimax in relative error on [0, 10.5] (0.55 eps), by the same method.
inline constexpr float kErfcScale = 0.4f;
inline constexpr float kErfc[] = {2.2564064e-1f, 2.2633424e-1f,  2.0266153e-1f,
                                  1.9038156e-1f, 8.6790584e-2f,  7.7837400e-2f,
                                  9.2789695e-2f, -1.4455482e-1f, 4.2119224e-2f};

}  // namespace seqgraph::kernels
