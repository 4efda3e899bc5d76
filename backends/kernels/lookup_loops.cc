#include "backends/kernels/lookup_loops.h"

#include <algorithm>
#include <cstring>

#include "backends/kernels/elementwise_loops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/lookup_loops.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/loops-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

// The largest id, a negative one counting as 2^31 and more.
uint32_t LargestId(const int32_t* ids, int64_t count) {
  const hn::ScalableTag<uint32_t> d;
  const hn::RebindToSigned<decltype(d)> di;
  const int64_t lanes = hn::Lanes(d);
  auto most = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    most = hn::Max(most, hn::BitCast(d, hn::LoadU(di, ids + i)));
  }
  uint32_t largest = hn::GetLane(hn::MaxOfLanes(d, most));
  for (; i < count; ++i) largest = std::max(largest, static_cast<uint32_t>(ids[i]));
  return largest;
}

void Gather(const float* table, int64_t width, const int32_t* ids, int64_t count, float* y,
            int64_t id_stride) {
  const F32 d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t i = 0; i < count; ++i, ids += id_stride, y += width) {
    const float* row = table + *ids * width;
    int64_t j = 0;
    for (; j + lanes <= width; j += lanes) hn::StoreU(hn::LoadU(d, row + j), d, y + j);
    if (j < width) StoreFirst(d, LoadFirst(d, row + j, width - j), y + j, width - j);
  }
}

// A run of one id is summed in registers: padding would else wait for its own stores.
void ScatterAdd(const float* dy, int64_t dy_stride, const int32_t* ids, int64_t id_stride,
                int64_t count, int64_t width, float* table) {
  const F32 d;
  const int64_t lanes = hn::Lanes(d);
  int64_t end = 0;
  for (int64_t i = 0; i < count; i = end) {
    const int32_t id = ids[i * id_stride];
    for (end = i + 1; end < count && ids[end * id_stride] == id;) ++end;
    float* row = table + id * width;
    for (int64_t j = 0; j < width; j += lanes) {
      const int64_t used = std::min(lanes, width - j);
      if (used == lanes) {
        VF sum = hn::LoadU(d, row + j);
        for (int64_t k = i; k < end; ++k) sum = hn::Add(sum, hn::LoadU(d, dy + k * dy_stride + j));
        hn::StoreU(sum, d, row + j);
      } else {
        VF sum = LoadFirst(d, row + j, used);
        for (int64_t k = i; k < end; ++k) {
          sum = hn::Add(sum, LoadFirst(d, dy + k * dy_stride + j, used));
        }
        StoreFirst(d, sum, row + j, used);
      }
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {
namespace {

HWY_EXPORT(LargestId);
HWY_EXPORT(Gather);
HWY_EXPORT(ScatterAdd);

constexpr int64_t kMaxParts = 16;
constexpr int64_t kLeastPart = 4096;        // ids
constexpr int64_t kLargestSplitRows = 512;  // so that clearing and adding tables is little work

int64_t PartsOf(int64_t count, int64_t rows) {
  return rows > kLargestSplitRows ? 1 : std::clamp<int64_t>(count / kLeastPart, 1, kMaxParts);
}

}  // namespace

int64_t FindBadId(const int32_t* ids, int64_t count, int64_t rows) {
  // No id reaches 2^31, so a larger table is as good as one of 2^31 rows.
  const uint32_t limit = static_cast<uint32_t>(std::min<int64_t>(rows, int64_t{1} << 31));
  if (count == 0 || HWY_DYNAMIC_DISPATCH(LargestId)(ids, count) < limit) return -1;
  return std::find_if(ids, ids + count,
                      [limit](int32_t id) { return static_cast<uint32_t>(id) >= limit; }) -
         ids;
}

void GatherRows(const float* table, int64_t width, const int32_t* ids, int64_t count, float* y,
                int64_t id_stride) {
  HWY_DYNAMIC_DISPATCH(Gather)(table, width, ids, count, y, id_stride);
}

void AddRows(const float* dy, int64_t dy_stride, const int32_t* ids, int64_t id_stride,
             int64_t count, int64_t width, float* table) {
  HWY_DYNAMIC_DISPATCH(ScatterAdd)(dy, dy_stride, ids, id_stride, count, width, table);
}

int64_t ScatterAddScratch(int64_t count, int64_t width, int64_t rows) {
  return (PartsOf(count, rows) - 1) * rows * width;
}

void ScatterAddRows(const float* dy, const int32_t* ids, int64_t count, int64_t width, int64_t rows,
                    float* table, float* scratch, ThreadPool& pool) {
  const int64_t parts = PartsOf(count, rows), size = rows * width;
  const auto table_of = [&](int64_t i) { return i == 0 ? table : scratch + (i - 1) * size; };
  pool.ParallelFor(parts, [&](int64_t i) {
    const int64_t begin = count * i / parts, end = count * (i + 1) / parts;
    std::memset(table_of(i), 0, size * sizeof(float));
    AddRows(dy + begin * width, width, ids + begin, /*id_stride=*/1, end - begin, width,
            table_of(i));
  });
  for (int64_t distance = 1; distance < parts; distance *= 2) {
    for (int64_t i = 0; i + distance < parts; i += 2 * distance) {
      AddLoop(table_of(i), table_of(i + distance), size, table_of(i));
    }
  }
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
