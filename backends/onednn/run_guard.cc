#include "backends/onednn/run_guard.h"

#include <omp.h>
#include <xmmintrin.h>

namespace seqgraph::onednn {
namespace {

constexpr unsigned kFlushToZero = 0x8000;
constexpr unsigned kDenormalsAreZero = 0x0040;
constexpr unsigned kFlush = kFlushToZero | kDenormalsAreZero;

// The team's threads belong to libgomp and are shared with the user's own parallel regions on this
// thread, so each gets its register restored. They start with the creator's bits, hence one value
// to restore is enough for all.
void SetOnTeam(int threads, unsigned mxcsr) {
  if (threads > 1) {
#pragma omp parallel num_threads(threads)
    _mm_setcsr(mxcsr);
  }
  _mm_setcsr(mxcsr);
}

}  // namespace

ThreadCountGuard::ThreadCountGuard(int threads) : previous_(omp_get_max_threads()) {
  if (previous_ != threads) omp_set_num_threads(threads);
}

ThreadCountGuard::~ThreadCountGuard() { omp_set_num_threads(previous_); }

FlushDenormalsGuard::FlushDenormalsGuard(int threads) : threads_(threads), previous_(_mm_getcsr()) {
  SetOnTeam(threads_, previous_ | kFlush);
}

FlushDenormalsGuard::~FlushDenormalsGuard() { SetOnTeam(threads_, previous_); }

}  // namespace seqgraph::onednn
