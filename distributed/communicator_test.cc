#include "distributed/communicator.h"

#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "distributed/testing/on_ranks.h"
#include "distributed/tree_reduce.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(BlockTree, AddsInOneOrder) {
  // 5 blocks: ((0 1) (2 3)) 4
  EXPECT_EQ(BlockTree::Left({0, 5}), (IndexRange{0, 4}));
  EXPECT_EQ(BlockTree::Right({0, 5}), (IndexRange{4, 5}));
  EXPECT_EQ(BlockTree::Left({4, 6}), (IndexRange{4, 5}));
  EXPECT_THAT(BlockTree(5).NodesIn({1, 5}),
              ElementsAre(IndexRange{1, 2}, IndexRange{2, 4}, IndexRange{4, 5}));
  EXPECT_THAT(BlockTree(5).NodesIn({0, 5}), ElementsAre(IndexRange{0, 5}));
  EXPECT_TRUE(BlockTree(5).NodesIn({2, 2}).empty());
}

TEST(PartOf, CoversAllWithBordersAtUnits) {
  EXPECT_EQ(PartOf(10, 3, 0), (IndexRange{0, 4}));
  EXPECT_EQ(PartOf(10, 3, 2), (IndexRange{7, 10}));
  EXPECT_EQ(PartOf(100, 3, 0, 16), (IndexRange{0, 48}));
  EXPECT_EQ(PartOf(100, 3, 1, 16), (IndexRange{48, 80}));
  EXPECT_EQ(PartOf(100, 3, 2, 16), (IndexRange{80, 100}));
  EXPECT_EQ(PartOf(20, 4, 3, 16), (IndexRange{20, 20}));
}

TEST(GroupsFromTheLast, AreClosedWhenTheyAreFull) {
  EXPECT_THAT(GroupsFromTheLast({5, 1, 2, 9, 3}, 4),
              ElementsAre(IndexRange{3, 5}, IndexRange{0, 3}));
  EXPECT_THAT(GroupsFromTheLast({1, 1}, 100), ElementsAre(IndexRange{0, 2}));
  EXPECT_THAT(GroupsFromTheLast({4, 4}, 4), ElementsAre(IndexRange{1, 2}, IndexRange{0, 1}));
  EXPECT_TRUE(GroupsFromTheLast({}, 4).empty());
  EXPECT_EQ(RowsOfBlock(20), 20);
  EXPECT_EQ(RowsOfBlock(256), 32);
  EXPECT_EQ(RowsOfBlock(257), 64);
}

TEST(Communicator, GivesAllWhatTheRootHas) {
  for (int size = 1; size <= 9; ++size) {
    OnRanks(size, [&](Communicator& c) {
      std::string text = c.is_root() ? "of the root" : "something longer than that of the root";
      SEQ_ASSERT_OK(c.Broadcast(&text));
      EXPECT_EQ(text, "of the root");
      std::string none = c.is_root() ? "" : "x";
      SEQ_ASSERT_OK(c.Broadcast(&none));
      EXPECT_EQ(none, "");
      double value = c.is_root() ? 2.5 : 0;
      SEQ_ASSERT_OK(c.BroadcastValue(&value));
      EXPECT_EQ(value, 2.5);
    });
  }
}

TEST(Communicator, GathersInTheOrderOfRanks) {
  for (int size = 1; size <= 5; ++size) {
    std::vector<std::string> expected;
    for (int rank = 0; rank < size; ++rank) {
      expected.emplace_back(static_cast<size_t>(rank), static_cast<char>('a' + rank));
    }
    OnRanks(size, [&](Communicator& c) {
      const std::string& mine = expected[static_cast<size_t>(c.rank())];
      SEQ_ASSERT_OK_AND_ASSIGN(const auto at_root, c.Gather(mine));
      EXPECT_EQ(at_root, c.is_root() ? expected : std::vector<std::string>());
      SEQ_ASSERT_OK_AND_ASSIGN(const auto everywhere, c.AllGather(mine));
      EXPECT_EQ(everywhere, expected);
      SEQ_ASSERT_OK(c.Barrier());
    });
  }
}

TEST(Communicator, ScattersWhatTheRootHas) {
  for (int size = 1; size <= 4; ++size) {
    OnRanks(size, [&](Communicator& c) {
      std::vector<std::string> all;
      for (int rank = 0; c.is_root() && rank < size; ++rank) {
        all.emplace_back(static_cast<size_t>(2 * rank), static_cast<char>('a' + rank));
      }
      SEQ_ASSERT_OK_AND_ASSIGN(const std::string mine, c.Scatter(all));
      EXPECT_EQ(mine,
                std::string(static_cast<size_t>(2 * c.rank()), static_cast<char>('a' + c.rank())));
    });
  }
}

TEST(Communicator, AllGetEachShare) {
  for (int size = 1; size <= 5; ++size) {
    OnRanks(size, [&](Communicator& c) {
      std::vector<IndexRange> shares;
      for (int r = 0; r < size; ++r) shares.push_back(PartOf(50, size, r, 16));
      std::vector<float> data(50, -1);
      for (int64_t i = shares[c.rank()].begin; i < shares[c.rank()].end; ++i) data[i] = i;
      SEQ_ASSERT_OK(c.AllGather(absl::MakeSpan(data), shares));
      for (int i = 0; i < 50; ++i) EXPECT_EQ(data[i], i);
    });
  }
}

TEST(Communicator, WhoWaitsForARankThatIsGoneIsTold) {
  OnRanks(2, [&](Communicator& c) {
    if (c.rank() == 1) return;
    const absl::Status status = c.Gather("").status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("rank 1 is gone"));
  });
}

TEST(Communicator, AMessageOfAnotherLengthIsAnError) {
  OnRanks(2, [&](Communicator& c) {
    char bytes[8] = {};
    if (c.rank() == 0) {
      EXPECT_TRUE(c.transport().Send(1, 9, {bytes, 7}).ok());
      SEQ_ASSERT_OK(c.Barrier());
      return;
    }
    SEQ_ASSERT_OK_AND_ASSIGN(const auto request, c.transport().Receive(0, 9, {bytes, 8}));
    const absl::Status status = c.transport().Wait(request);
    EXPECT_THAT(std::string(status.message()), HasSubstr("rank 0 sent 7 bytes"));
    SEQ_ASSERT_OK(c.Barrier());
  });
}

// The order is the tree's: by hand for five numbers whose sum depends on it.
TEST(TreeReduceScatter, AddsInTheOrderOfTheTree) {
  const std::vector<float> values = {1e8F, 1, -1e8F, 1, 3};
  const float expected = ((1e8F + 1) + (-1e8F + 1)) + 3;
  OnRanks(3, [&](Communicator& c) {
    TreeReduceScatter reduce(&c, 5, 1);
    for (int64_t b = reduce.own_blocks().begin; b < reduce.own_blocks().end; ++b) {
      reduce.NextBlock()[0] = values[static_cast<size_t>(b)];
      reduce.AddBlock();
    }
    SEQ_ASSERT_OK(reduce.Finish());
    ASSERT_EQ(static_cast<int64_t>(reduce.share().size()), c.is_root() ? 1 : 0);
    if (c.is_root()) {
      EXPECT_EQ(reduce.share()[0], expected);
    }
  });
}

TEST(TreeReduceScatter, HasTheSameBitsOnAnyNumberOfRanks) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  constexpr int64_t kElements = 83;
  for (const int64_t blocks : {1, 2, 3, 7, 8, 13, 16}) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<std::vector<float>> values(static_cast<size_t>(blocks));
    for (auto& block : values) {
      for (int64_t i = 0; i < kElements; ++i) block.push_back(std::ldexp(normal(random), i % 20));
    }
    std::vector<float> first;
    for (int size = 1; size <= std::min<int64_t>(blocks, 6); ++size) {
      std::vector<float> sum(kElements);
      OnRanks(size, [&](Communicator& c) {
        TreeReduceScatter reduce(&c, blocks, kElements);
        for (int round = 0; round < 2; ++round) {
          reduce.Begin();
          for (int64_t b = reduce.own_blocks().begin; b < reduce.own_blocks().end; ++b) {
            const std::vector<float>& block = values[static_cast<size_t>(b)];
            std::copy(block.begin(), block.end(), reduce.NextBlock().begin());
            reduce.AddBlock();
          }
          SEQ_ASSERT_OK(reduce.Finish());
        }
        std::copy(reduce.share().begin(), reduce.share().end(),
                  sum.begin() + reduce.own_share().begin);
      });
      if (size == 1) {
        first = sum;
        for (int64_t i = 0; i < kElements; ++i) {
          double exact = 0, size_of_all = 0;
          for (const auto& block : values) {
            exact += block[i];
            size_of_all += std::abs(block[i]);
          }
          EXPECT_NEAR(sum[i], exact, 1e-6 * size_of_all);
        }
      }
      EXPECT_EQ(sum, first) << blocks << " blocks, " << size << " ranks";
    }
  }
}

}  // namespace
}  // namespace seqgraph
