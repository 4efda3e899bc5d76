#include "backends/onednn/run_guard.h"

#include <omp.h>
#include <xmmintrin.h>

namespace seqgraph::onednn {
namespace {

constexpr unsigned kFlushToZero = FlushDenormals::kFlushToZero;
constexpr unsigned kDenormalsAreZero = FlushDenormals::kDenormalsAreZero;
constexpr unsigned kFlush = kFlushToZero | kDenormalsAreZero;

// Nothing is shared with the team's threads: ThreadSanitizer cannot see libgomp wait for them and
// would call every shared variable a race.
template <unsigned kBits>
void SetOnTeam(int threads) {
#pragma omp parallel num_threads(threads)
  _mm_setcsr((_mm_getcsr() & ~kFlush) | kBits);
}

// The team's threads are libgomp's and serve the user's own parallel regions on this thread too, so
// they get the two bits back that this thread had.
void RestoreOnTeam(int threads, unsigned previous) {
  switch (previous & kFlush) {
    case 0:
      return SetOnTeam<0>(threads);
    case kFlushToZero:
      return SetOnTeam<kFlushToZero>(threads);
    case kDenormalsAreZero:
      return SetOnTeam<kDenormalsAreZero>(threads);
  }
}

}  // namespace

ThreadCountGuard::ThreadCountGuard(int threads) : previous_(omp_get_max_threads()) {
  if (previous_ != threads) omp_set_num_threads(threads);
}

ThreadCountGuard::~ThreadCountGuard() { omp_set_num_threads(previous_); }

FlushDenormalsGuard::FlushDenormalsGuard(int threads) : threads_(threads), previous_(_mm_getcsr()) {
  if (threads_ > 1) SetOnTeam<kFlush>(threads_);
}

FlushDenormalsGuard::~FlushDenormalsGuard() {
  if (threads_ > 1) RestoreOnTeam(threads_, previous_);
}

}  // namespace seqgraph::onednn
