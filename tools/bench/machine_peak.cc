#include "tools/bench/machine_peak.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <functional>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// The loader picks a version for the machine; not under sanitizers, whose runtime is not set up
// when it does.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEQ_CLONES
#else
#define SEQ_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif

namespace seqgraph::bench {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The best rate, amount by second, of `work` in `seconds`. `work` does `amount`.
template <typename F>
double BestRate(double amount, double seconds, F work) {
  work();
  double best = 0;
  const Clock::time_point begin = Clock::now();
  do {
    const Clock::time_point start = Clock::now();
    work();
    best = std::max(best, amount / std::max(SecondsSince(start), 1e-9));
  } while (SecondsSince(begin) < seconds);
  return best;
}

// The sum of the rates of all threads, which run at once.
double SumOverThreads(int threads, const std::function<double()>& rate) {
  std::vector<double> rates(threads, 0);
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back([&, i] { rates[i] = rate(); });
  rates[0] = rate();
  double sum = 0;
  for (int i = 0; i < threads; ++i) {
    if (i > 0) others[i - 1].join();
    sum += rates[i];
  }
  return sum;
}

// Enough independent sums to hide the latency of a multiply-add (4 or 5 cycles, two a cycle), few
// enough for 16 registers.
constexpr int kSums = 12;
constexpr int64_t kRounds = 20'000;

// Keeps the compiler from dropping, or folding, what leads to x.
template <typename V>
inline __attribute__((always_inline)) void Keep(V& x) {
  asm volatile("" : "+x"(x));
}

#if defined(__x86_64__)
// Single variables: an array would live in memory.
#define SEQ_EACH_SUM(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define SEQ_DECLARE_SUM(i) auto sum##i = factor;
#define SEQ_ADVANCE_SUM(i)                    \
  sum##i = MultiplyAdd(sum##i, factor, term); \
  Keep(sum##i);
#define SEQ_FMA_LOOP(Set)                             \
  auto factor = Set(0.999f), term = Set(0.001f);      \
  Keep(factor);                                       \
  Keep(term);                                         \
  SEQ_EACH_SUM(SEQ_DECLARE_SUM)                       \
  for (int64_t round = 0; round < kRounds; ++round) { \
    SEQ_EACH_SUM(SEQ_ADVANCE_SUM)                     \
  }

inline __attribute__((always_inline)) __m128 MultiplyAdd(__m128 a, __m128 b, __m128 c) {
  return _mm_add_ps(_mm_mul_ps(a, b), c);
}

void LoopBaseline() { SEQ_FMA_LOOP(_mm_set1_ps) }

#define SEQ_AVX2 __attribute__((target("avx2,fma")))
inline SEQ_AVX2 __attribute__((always_inline)) __m256 MultiplyAdd(__m256 a, __m256 b, __m256 c) {
  return _mm256_fmadd_ps(a, b, c);
}
SEQ_AVX2 void LoopAvx2() { SEQ_FMA_LOOP(_mm256_set1_ps) }

#define SEQ_AVX512 __attribute__((target("avx512f")))
// "v", not "x": any of 32 registers.
template <>
inline SEQ_AVX512 __attribute__((always_inline)) void Keep<__m512>(__m512& x) {
  asm volatile("" : "+v"(x));
}
inline SEQ_AVX512 __attribute__((always_inline)) __m512 MultiplyAdd(__m512 a, __m512 b, __m512 c) {
  return _mm512_fmadd_ps(a, b, c);
}
SEQ_AVX512 void LoopAvx512() { SEQ_FMA_LOOP(_mm512_set1_ps) }

#undef SEQ_FMA_LOOP
#undef SEQ_ADVANCE_SUM
#undef SEQ_DECLARE_SUM
#undef SEQ_EACH_SUM

struct TargetLoop {
  const char* name;
  int lanes;
  bool there;
  void (*loop)();
};

std::vector<TargetLoop> TargetLoops() {
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return {{"baseline", 4, true, LoopBaseline},
          {"avx2", 8, avx2, LoopAvx2},
          {"avx512", 16, avx2 && __builtin_cpu_supports("avx512f") != 0, LoopAvx512}};
}
#else
#error "written for x86-64"
#endif

// 16 lanes, in as many registers as the instruction set needs; at any address of a float.
typedef float Lanes __attribute__((vector_size(64), aligned(4), may_alias));
constexpr int64_t kLanes = 16;

// `vectors` times 16 elements.
SEQ_CLONES void Triad(Lanes* a, const Lanes* b, const Lanes* c, int64_t vectors, float scale) {
  for (int64_t i = 0; i < vectors; ++i) a[i] = b[i] + scale * c[i];
}

// A share of the working set's three arrays for one thread.
double TriadRate(int64_t elements, double seconds) {
  const int64_t vectors = std::max<int64_t>(1, elements / kLanes);
  elements = vectors * kLanes;
  std::vector<float> a(elements, 1), b(elements, 2), c(elements, 3);
  // Small arrays are gone through several times, so that the clock does not count.
  const int64_t repeats = std::max<int64_t>(1, 100'000 / elements);
  const double bytes = 3.0 * sizeof(float) * static_cast<double>(elements * repeats);
  return BestRate(bytes, seconds, [&] {
    for (int64_t r = 0; r < repeats; ++r) {
      Triad(reinterpret_cast<Lanes*>(a.data()), reinterpret_cast<const Lanes*>(b.data()),
            reinterpret_cast<const Lanes*>(c.data()), vectors, 0.5f);
      asm volatile("" : : "r"(a.data()) : "memory");
    }
  });
}

}  // namespace

MachinePeak::MachinePeak(int threads, double seconds) : threads_(threads), seconds_(seconds) {
  for (const TargetLoop& target : TargetLoops()) {
    if (!target.there) continue;
    const double flops = 2.0 * target.lanes * kSums * kRounds;
    const double rate =
        SumOverThreads(threads_, [&] { return BestRate(flops, seconds_, target.loop); });
    targets_.push_back({target.name, rate * 1e-9});
  }
}

double MachinePeak::gflops() const {
  double best = 0;
  for (const TargetPeak& target : targets_) best = std::max(best, target.gflops);
  return best;
}

double MachinePeak::GigabytesPerSecond(int64_t working_set) {
  constexpr int64_t kLeast = int64_t{1} << 12, kMost = int64_t{1} << 28;
  const auto bytes = static_cast<uint64_t>(std::clamp(working_set, kLeast, kMost));
  const int log = std::bit_width(bytes - 1);
  const auto [found, is_new] = bandwidths_.try_emplace(log, 0);
  if (is_new) {
    const int64_t elements = (int64_t{1} << log) / (3 * sizeof(float)) / threads_;
    found->second = 1e-9 * SumOverThreads(threads_, [&] { return TriadRate(elements, seconds_); });
  }
  return found->second;
}

double MachinePeak::LeastSeconds(const OpCost& cost) {
  const double arithmetic = cost.flops / (gflops() * 1e9);
  if (cost.bytes() == 0) return arithmetic;
  const double traffic =
      static_cast<double>(cost.bytes()) / (GigabytesPerSecond(cost.bytes()) * 1e9);
  return std::max(arithmetic, traffic);
}

}  // namespace seqgraph::bench
