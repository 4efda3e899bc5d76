#include "tools/drawing/layered_layout.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<LayoutSize> Boxes(size_t count) { return std::vector<LayoutSize>(count, {40, 20}); }

TEST(LayeredLayoutTest, AChainIsStraight) {
  const LayeredLayout layout =
      LayOutInLayers(Boxes(3), {{0, 1}, {1, 2}}, {.gap_x = 10, .gap_y = 30});
  EXPECT_THAT(layout.layers, ElementsAre(0, 1, 2));
  EXPECT_EQ(layout.size.width, 40);
  EXPECT_EQ(layout.size.height, 3 * 20 + 2 * 30);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(layout.centers[i].x, 20);
    EXPECT_EQ(layout.centers[i].y, 10 + 50 * i);
  }
  ASSERT_THAT(layout.lines[0], SizeIs(2));
  EXPECT_EQ(layout.lines[0][0].y, 20);
  EXPECT_EQ(layout.lines[0][1].y, 50);
}

TEST(LayeredLayoutTest, LayersAreLongestPathsAndLongEdgesGoThrough) {
  // 0 - 1 - 2 - 3, and 0 - 3 beside it; 4 is a source that 3 alone reads.
  const LayeredLayout layout = LayOutInLayers(Boxes(5), {{0, 1}, {1, 2}, {2, 3}, {0, 3}, {4, 3}});
  EXPECT_EQ(layout.layers[3], 3);
  EXPECT_EQ(layout.layers[4], 2);
  EXPECT_THAT(layout.lines[3], SizeIs(6));  // both ends, and two places of two points
  EXPECT_EQ(layout.crossings, 0);
}

TEST(LayeredLayoutTest, CrossingsThatNeedNotBeAreTakenAway) {
  EXPECT_EQ(LayOutInLayers(Boxes(4), {{0, 3}, {1, 2}}).crossings, 0);
  // Each of two with each of two: one must be.
  EXPECT_EQ(LayOutInLayers(Boxes(4), {{0, 2}, {0, 3}, {1, 2}, {1, 3}}).crossings, 1);
  // Of three with three: nine, as C(3, 2)^2 pairs of pairs.
  std::vector<LayoutEdge> all;
  for (int u = 0; u < 3; ++u) {
    for (int v = 3; v < 6; ++v) all.push_back({u, v});
  }
  EXPECT_EQ(LayOutInLayers(Boxes(6), all).crossings, 9);
}

TEST(LayeredLayoutTest, EdgesThatTakeTooManyPlacesAreCut) {
  const std::vector<LayoutEdge> edges = {{0, 1}, {1, 2}, {2, 3}, {0, 3}};
  const LayeredLayout layout = LayOutInLayers(Boxes(4), edges, {.places_a_node = 0});
  EXPECT_THAT(layout.lines[3], IsEmpty());
  EXPECT_THAT(layout.lines[2], SizeIs(2));
}

TEST(LayeredLayoutTest, NothingIsLaidOutAsNothing) {
  const LayeredLayout layout = LayOutInLayers({}, {});
  EXPECT_EQ(layout.size.width, 0);
  EXPECT_EQ(layout.size.height, 0);
  EXPECT_THAT(LayOutInLayers(Boxes(1), {}).centers, SizeIs(1));
}

TEST(LayeredLayoutTest, RandomGraphs) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const int nodes = 2 + static_cast<int>(random() % 40);
    std::vector<LayoutSize> sizes;
    std::vector<LayoutEdge> edges;
    for (int v = 0; v < nodes; ++v) {
      sizes.push_back({20.0 + random() % 100, 10.0 + random() % 30});
      std::set<int> from;
      for (int i = 0; v > 0 && i < 1 + static_cast<int>(random() % 3); ++i)
        from.insert(random() % v);
      for (const int u : from) edges.push_back({u, v});
    }
    const LayoutOptions options = {.gap_x = 8, .gap_y = 20, .places_a_node = 1000};
    const LayeredLayout layout = LayOutInLayers(sizes, edges, options);
    // Boxes of a layer are apart, and all lie within the picture.
    for (int v = 0; v < nodes; ++v) {
      EXPECT_GE(layout.centers[v].x - sizes[v].width / 2, -1e-9);
      EXPECT_LE(layout.centers[v].x + sizes[v].width / 2, layout.size.width + 1e-9);
      EXPECT_GE(layout.centers[v].y - sizes[v].height / 2, -1e-9);
      EXPECT_LE(layout.centers[v].y + sizes[v].height / 2, layout.size.height + 1e-9);
      for (int u = 0; u < v; ++u) {
        if (layout.layers[u] != layout.layers[v]) continue;
        EXPECT_GE(std::abs(layout.centers[u].x - layout.centers[v].x) + 1e-6,
                  (sizes[u].width + sizes[v].width) / 2 + options.gap_x);
      }
    }
    // Lines lead downwards from box to box.
    for (size_t e = 0; e < edges.size(); ++e) {
      const LayoutEdge edge = edges[e];
      const std::vector<LayoutPoint>& line = layout.lines[e];
      EXPECT_LT(layout.layers[edge.from], layout.layers[edge.to]);
      ASSERT_EQ(line.size(), 2u * (layout.layers[edge.to] - layout.layers[edge.from]));
      EXPECT_EQ(line.front().x, layout.centers[edge.from].x);
      EXPECT_EQ(line.back().x, layout.centers[edge.to].x);
      EXPECT_NEAR(line.front().y, layout.centers[edge.from].y + sizes[edge.from].height / 2, 1e-9);
      EXPECT_NEAR(line.back().y, layout.centers[edge.to].y - sizes[edge.to].height / 2, 1e-9);
      for (size_t i = 1; i < line.size(); ++i) {
        EXPECT_GE(line[i].y, line[i - 1].y);
        EXPECT_TRUE(i % 2 == 1 || line[i].x == line[i - 1].x);
      }
    }
    // As counted from the picture: parts of all lines by the layer that they begin in.
    int64_t drawn = 0;
    for (size_t a = 0; a < edges.size(); ++a) {
      for (size_t b = 0; b < a; ++b) {
        const int above_a = layout.layers[edges[a].from], above_b = layout.layers[edges[b].from];
        for (size_t i = 0; i + 1 < layout.lines[a].size(); i += 2) {
          const int layer = above_a + static_cast<int>(i) / 2;
          if (layer < above_b) continue;
          const auto j = static_cast<size_t>(2 * (layer - above_b));
          if (j + 1 >= layout.lines[b].size()) continue;
          const double above = layout.lines[a][i].x - layout.lines[b][j].x;
          const double below = layout.lines[a][i + 1].x - layout.lines[b][j + 1].x;
          drawn += (above < 0 && below > 0) || (above > 0 && below < 0);
        }
      }
    }
    EXPECT_EQ(layout.crossings, drawn);
  }
}

TEST(LayeredLayoutTest, LargeGraphsAreLaidOut) {
  constexpr int kNodes = 4000;
  std::vector<LayoutEdge> edges;
  for (int v = 1; v < kNodes; ++v) {
    edges.push_back({v - 1, v});                  // as deep as it is large,
    if (v % 7 == 0) edges.push_back({v / 7, v});  // and most of these edges through all of it
  }
  const LayeredLayout layout = LayOutInLayers(Boxes(kNodes), edges);
  EXPECT_EQ(layout.layers.back(), kNodes - 1);
  EXPECT_TRUE(std::any_of(layout.lines.begin(), layout.lines.end(),
                          [](const auto& line) { return line.empty(); }));
}

}  // namespace
}  // namespace seqgraph::tools
