#include "runtime/memory_plan.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

TEST(PlanMemory, NothingTakesNothing) {
  const MemoryPlan plan = PlanMemory({});
  EXPECT_EQ(plan.bytes, 0);
  EXPECT_EQ(plan.live_bound, 0);
}

TEST(PlanMemory, PlacesTheLargestFirstEachIntoTheLowestGap) {
  // By size: 0 (256 bytes) at 0; 1 (192, alive with 0) at 256; 2 (128, only with 1) at 0, in the
  // room of 0; 3 (64, with 1 and 2) at 128, behind 2; 4 (10, rounded to 64, with 2 only) behind 2.
  const std::vector<Lifetime> buffers = {
      {256, 0, 1}, {192, 1, 3}, {128, 2, 4}, {64, 3, 3}, {10, 4, 4}};
  const MemoryPlan plan = PlanMemory(buffers);
  EXPECT_THAT(plan.offsets, ElementsAre(0, 256, 0, 128, 128));
  EXPECT_EQ(plan.bytes, 448);
  EXPECT_EQ(plan.live_bound, 448);  // step 1: 256 + 192
}

TEST(PlanMemory, FirstAndLastStepBothCount) {
  const MemoryPlan plan = PlanMemory(std::vector<Lifetime>{{64, 0, 1}, {64, 1, 2}});
  EXPECT_THAT(plan.offsets, ElementsAre(0, 64));
  const MemoryPlan apart = PlanMemory(std::vector<Lifetime>{{64, 0, 1}, {64, 2, 3}});
  EXPECT_THAT(apart.offsets, ElementsAre(0, 0));
}

TEST(PlanMemory, LiveBuffersNeverOverlap) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 rng(seed);
    std::vector<Lifetime> buffers(rng() % 40 + 1);
    for (Lifetime& buffer : buffers) {
      buffer.bytes = static_cast<int64_t>(rng() % 1000);
      buffer.first = static_cast<int>(rng() % 20);
      buffer.last = buffer.first + static_cast<int>(rng() % 8);
    }
    const MemoryPlan plan = PlanMemory(buffers);
    ASSERT_EQ(plan.offsets.size(), buffers.size());
    int64_t bound = 0, end = 0;
    for (int step = 0; step < 30; ++step) {
      int64_t live = 0;
      for (size_t i = 0; i < buffers.size(); ++i) {
        if (step < buffers[i].first || step > buffers[i].last) continue;
        live += buffers[i].bytes;
        for (size_t j = 0; j < i; ++j) {
          if (step < buffers[j].first || step > buffers[j].last) continue;
          EXPECT_TRUE(plan.offsets[i] + buffers[i].bytes <= plan.offsets[j] ||
                      plan.offsets[j] + buffers[j].bytes <= plan.offsets[i])
              << "buffers " << i << " and " << j << " at step " << step;
        }
      }
      bound = std::max(bound, live);
    }
    for (size_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % kBufferAlignment, 0) << i;
      EXPECT_GE(plan.offsets[i], 0) << i;
      end = std::max(end, plan.offsets[i] + buffers[i].bytes);
    }
    EXPECT_EQ(plan.live_bound, bound);
    EXPECT_GE(plan.bytes, end);
    EXPECT_LT(plan.bytes, end + kBufferAlignment);
  }
}

// So many that no pairs of them are compared: no two that live at one time overlap, and the arena
// is still near what lives at one time.
TEST(PlanMemory, VeryManyBuffersArePlacedInTime) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 rng(seed);
    constexpr int kSteps = 40'000;
    std::vector<Lifetime> buffers(kSteps);
    std::vector<std::vector<int>> begins(kSteps + 1), ends(kSteps + 200);
    for (int i = 0; i < kSteps; ++i) {
      buffers[i].bytes = static_cast<int64_t>(rng() % 10'000);
      buffers[i].first = static_cast<int>(rng() % kSteps);
      buffers[i].last = buffers[i].first + static_cast<int>(rng() % 100);
      begins[buffers[i].first].push_back(i);
      ends[buffers[i].last + 1].push_back(i);
    }
    const MemoryPlan plan = PlanMemory(buffers);
    std::map<int64_t, int64_t> live;  // where each begins and ends
    int64_t bytes = 0, bound = 0, overlaps = 0, end = 0;
    for (int step = 0; step < kSteps; ++step) {
      for (const int i : ends[step]) {
        if (buffers[i].bytes > 0) live.erase(plan.offsets[i]);
        bytes -= buffers[i].bytes;
      }
      for (const int i : begins[step]) {
        if (buffers[i].bytes == 0) continue;
        const auto [at, is_new] = live.emplace(plan.offsets[i], plan.offsets[i] + buffers[i].bytes);
        const auto next = std::next(at);
        overlaps += !is_new || (next != live.end() && next->first < at->second) ||
                    (at != live.begin() && std::prev(at)->second > at->first);
        bytes += buffers[i].bytes;
        end = std::max(end, at->second);
      }
      bound = std::max(bound, bytes);
    }
    EXPECT_EQ(overlaps, 0);
    EXPECT_EQ(plan.live_bound, bound);
    EXPECT_GE(plan.bytes, end);
    EXPECT_LE(static_cast<double>(plan.bytes), 1.25 * static_cast<double>(bound));
  }
}

// Buffers of random sizes and lives, as many as functions have: how far the plan is from what lives
// at one time. That may be out of reach for any plan, so this holds what was seen.
TEST(PlanMemory, OfRandomBuffersIsNearWhatLivesAtOneTime) {
  double worst = 1, sum = 0;
  uint64_t worst_seed = 0;
  constexpr int kGraphs = 300;
  for (uint64_t seed = 1; seed <= kGraphs; ++seed) {
    std::mt19937_64 rng(seed);
    std::vector<Lifetime> buffers(rng() % 80 + 2);
    for (Lifetime& buffer : buffers) {
      buffer.bytes = static_cast<int64_t>(rng() % 200 + 1) * kBufferAlignment;
      buffer.first = static_cast<int>(rng() % 50);
      buffer.last = buffer.first + static_cast<int>(rng() % (seed % 2 == 0 ? 6 : 40));
    }
    const MemoryPlan plan = PlanMemory(buffers);
    const double ratio = static_cast<double>(plan.bytes) / static_cast<double>(plan.live_bound);
    EXPECT_GE(ratio, 1) << "seed " << seed;
    sum += ratio;
    if (ratio > worst) worst = ratio, worst_seed = seed;
  }
  RecordProperty("worst_ratio", absl::StrCat(worst));
  std::cout << "worst ratio " << worst << " (seed " << worst_seed << "), mean " << sum / kGraphs
            << "\n";
  // Seen: 1.047 and 1.0032 (largest first alone: 1.22 and 1.03).
  EXPECT_LE(worst, 1.05);
  EXPECT_LE(sum / kGraphs, 1.005);
}

TEST(PlanMemory, PlacesInAnotherOrderWhereTheLargestFirstIsNotBest) {
  // Largest first: 2 and 3 (256) at 0, 0 (192, alive with 3) at 256, and 1 (128, alive with 0 and
  // with 2) at 448: 576 bytes. With 1 in front, or 0 at the bottom, 448 are enough.
  const std::vector<Lifetime> buffers = {{192, 0, 2}, {128, 2, 3}, {256, 3, 3}, {256, 1, 1}};
  const MemoryPlan plan = PlanMemory(buffers);
  EXPECT_EQ(plan.live_bound, 448);  // step 1: 192 + 256
  EXPECT_EQ(plan.bytes, 448);
}

TEST(MemoryRegion, IsZeroedAndPageAligned) {
  for (int64_t bytes : {int64_t{1}, int64_t{5000}, int64_t{3} << 20}) {
    MemoryRegion region;
    ASSERT_TRUE(region.Allocate(bytes));
    EXPECT_GE(region.bytes(), bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(region.data()) % 4096, 0u);
    EXPECT_TRUE(std::all_of(region.data(), region.data() + bytes,
                            [](std::byte b) { return b == std::byte{0}; }));
    region.data()[bytes - 1] = std::byte{1};
  }
}

TEST(MemoryRegion, OfNoBytesIsEmpty) {
  MemoryRegion region;
  EXPECT_TRUE(region.Allocate(0));
  EXPECT_EQ(region.data(), nullptr);
  EXPECT_EQ(region.bytes(), 0);
}

TEST(MemoryRegion, SaysWhenThereIsNoMemory) {
  MemoryRegion region;
  EXPECT_FALSE(region.Allocate(int64_t{1} << 60));
  EXPECT_EQ(region.data(), nullptr);
}

TEST(MemoryRegion, AMoveKeepsTheMemory) {
  MemoryRegion a;
  ASSERT_TRUE(a.Allocate(100));
  std::byte* memory = a.data();
  memory[5] = std::byte{7};
  MemoryRegion b = std::move(a);
  EXPECT_EQ(b.data(), memory);
  EXPECT_EQ(a.data(), nullptr);
  MemoryRegion c;
  c = std::move(b);
  EXPECT_EQ(c.data(), memory);
  EXPECT_EQ(c.data()[5], std::byte{7});
}

}  // namespace
}  // namespace seqgraph
