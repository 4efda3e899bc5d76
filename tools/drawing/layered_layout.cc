#include "tools/drawing/layered_layout.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace seqgraph::tools {
namespace {

// How much an edge that only goes through a place pulls, beside one of a node: long edges bend
// last.
constexpr double kPullOfPlace = 4;

// A node, or a place that an edge goes through.
struct Place {
  double width = 0;
  int layer = 0;
  int node = -1;           // -1: an edge's
  std::vector<int> above;  // neighbours, one layer up
  std::vector<int> below;  // and down
  double x = 0;            // center
  double order = 0;        // among those of its layer
};

class Layering {
 public:
  Layering(const std::vector<LayoutSize>& nodes, const std::vector<LayoutEdge>& edges,
           const LayoutOptions& options)
      : nodes_(nodes), edges_(edges), options_(options) {}

  LayeredLayout Run() {
    AssignLayers();
    MakePlaces();
    ReduceCrossings();
    AssignX();
    return Collect();
  }

 private:
  void AssignLayers() {
    layers_.assign(nodes_.size(), 0);
    std::vector<std::vector<int>> from(nodes_.size()), to(nodes_.size());
    for (const LayoutEdge& edge : edges_) {
      from[edge.to].push_back(edge.from);
      to[edge.from].push_back(edge.to);
    }
    for (size_t v = 0; v < nodes_.size(); ++v) {
      for (int u : from[v]) layers_[v] = std::max(layers_[v], layers_[u] + 1);
    }
    for (size_t v = 0; v < nodes_.size(); ++v) {
      if (!from[v].empty() || to[v].empty()) continue;
      int first = layers_[to[v][0]];
      for (int w : to[v]) first = std::min(first, layers_[w]);
      layers_[v] = first - 1;
    }
  }

  // The longest span that all edges together can afford.
  int LongestSpan() const {
    const int deepest = layers_.empty() ? 0 : *std::max_element(layers_.begin(), layers_.end());
    std::vector<int64_t> of_span(static_cast<size_t>(deepest) + 1);
    for (const LayoutEdge& edge : edges_) ++of_span[layers_[edge.to] - layers_[edge.from]];
    int64_t left = static_cast<int64_t>(nodes_.size()) * options_.places_a_node;
    int span = 1;
    while (span < deepest && (left -= of_span[span + 1] * span) >= 0) ++span;
    return span;
  }

  void MakePlaces() {
    for (size_t v = 0; v < nodes_.size(); ++v) {
      places_.push_back(
          {.width = nodes_[v].width, .layer = layers_[v], .node = static_cast<int>(v)});
    }
    const int longest = LongestSpan();
    through_.resize(edges_.size());
    for (size_t e = 0; e < edges_.size(); ++e) {
      const LayoutEdge& edge = edges_[e];
      if (layers_[edge.to] - layers_[edge.from] > longest) continue;
      int last = edge.from;
      through_[e].push_back(last);
      for (int layer = layers_[edge.from] + 1; layer < layers_[edge.to]; ++layer) {
        places_.push_back({.width = 0, .layer = layer});
        Connect(last, static_cast<int>(places_.size()) - 1);
        last = static_cast<int>(places_.size()) - 1;
        through_[e].push_back(last);
      }
      Connect(last, edge.to);
      through_[e].push_back(edge.to);
    }
    for (size_t p = 0; p < places_.size(); ++p) {
      if (static_cast<size_t>(places_[p].layer) >= rows_.size()) rows_.resize(places_[p].layer + 1);
      rows_[places_[p].layer].push_back(static_cast<int>(p));
    }
    for (const std::vector<int>& row : rows_) Number(row);
  }

  void Connect(int above, int below) {
    places_[above].below.push_back(below);
    places_[below].above.push_back(above);
  }

  void Number(const std::vector<int>& row) {
    for (size_t i = 0; i < row.size(); ++i) places_[row[i]].order = static_cast<double>(i);
  }

  // Sorts a layer by the means of its neighbours' orders; who has none stays about where it is.
  void SortByBarycenter(std::vector<int>& row, std::vector<int> Place::*side) {
    std::vector<std::pair<double, int>> keyed;
    for (int p : row) {
      const std::vector<int>& neighbours = places_[p].*side;
      double sum = 0;
      for (int q : neighbours) sum += places_[q].order;
      keyed.push_back(
          {neighbours.empty() ? places_[p].order : sum / static_cast<double>(neighbours.size()),
           p});
    }
    std::stable_sort(keyed.begin(), keyed.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (size_t i = 0; i < row.size(); ++i) row[i] = keyed[i].second;
    Number(row);
  }

  // Pairs of edges between neighbouring layers that cross: inversions, counted with a tree of sums.
  int64_t CountCrossings() const {
    int64_t crossings = 0;
    for (size_t l = 0; l + 1 < rows_.size(); ++l) {
      std::vector<int64_t> sums(rows_[l + 1].size() + 1);
      int64_t seen = 0;
      for (int p : rows_[l]) {
        for (int q : places_[p].below) {
          crossings += seen;
          for (auto i = static_cast<size_t>(places_[q].order) + 1; i > 0; i &= i - 1) {
            crossings -= sums[i];
          }
        }
        for (int q : places_[p].below) {
          ++seen;
          for (auto i = static_cast<size_t>(places_[q].order) + 1; i < sums.size(); i += i & -i) {
            ++sums[i];
          }
        }
      }
    }
    return crossings;
  }

  void ReduceCrossings() {
    std::vector<std::vector<int>> best = rows_;
    crossings_ = CountCrossings();
    for (int sweep = 0; sweep < options_.sweeps && crossings_ > 0; ++sweep) {
      if (sweep % 2 == 0) {
        for (size_t l = 1; l < rows_.size(); ++l) SortByBarycenter(rows_[l], &Place::above);
      } else {
        for (size_t l = rows_.size() - 1; l-- > 0;) SortByBarycenter(rows_[l], &Place::below);
      }
      const int64_t crossings = CountCrossings();
      if (crossings >= crossings_) continue;
      crossings_ = crossings;
      best = rows_;
    }
    rows_ = std::move(best);
    for (const std::vector<int>& row : rows_) Number(row);
  }

  double Apart(int left, int right) const {
    const double gap =
        places_[left].node < 0 && places_[right].node < 0 ? options_.gap_x / 2 : options_.gap_x;
    return (places_[left].width + places_[right].width) / 2 + gap;
  }

  // min sum w_i (x_i - wanted_i)^2 with x_{i+1} >= x_i + apart_i: monotone regression of what is
  // left without the distances, by pooling adjacent violators.
  void PlaceRow(const std::vector<int>& row, std::vector<int> Place::*side) {
    struct Pool {
      double sum, weight;
      size_t count;
      double mean() const { return sum / weight; }
    };
    std::vector<Pool> pools;
    std::vector<double> offsets(row.size());
    for (size_t i = 0; i < row.size(); ++i) {
      const Place& place = places_[row[i]];
      if (i > 0) offsets[i] = offsets[i - 1] + Apart(row[i - 1], row[i]);
      const std::vector<int>& neighbours = place.*side;
      double wanted = place.x, weight = 0.1;
      if (!neighbours.empty()) {
        wanted = 0;
        for (int q : neighbours) wanted += places_[q].x;
        wanted /= static_cast<double>(neighbours.size());
        weight = place.node < 0 ? kPullOfPlace : 1;
      }
      pools.push_back({(wanted - offsets[i]) * weight, weight, 1});
      while (pools.size() > 1 && pools[pools.size() - 2].mean() >= pools.back().mean()) {
        const Pool last = pools.back();
        pools.pop_back();
        pools.back().sum += last.sum;
        pools.back().weight += last.weight;
        pools.back().count += last.count;
      }
    }
    size_t i = 0;
    for (const Pool& pool : pools) {
      for (size_t k = 0; k < pool.count; ++k, ++i) places_[row[i]].x = pool.mean() + offsets[i];
    }
  }

  void AssignX() {
    for (const std::vector<int>& row : rows_) {
      for (size_t i = 1; i < row.size(); ++i) {
        places_[row[i]].x = places_[row[i - 1]].x + Apart(row[i - 1], row[i]);
      }
    }
    for (int sweep = 0; sweep < options_.sweeps; ++sweep) {
      for (size_t l = 1; l < rows_.size(); ++l) PlaceRow(rows_[l], &Place::above);
      for (size_t l = rows_.size(); l-- > 1;) PlaceRow(rows_[l - 1], &Place::below);
    }
  }

  LayeredLayout Collect() const {
    LayeredLayout layout{.layers = layers_, .crossings = crossings_};
    double left = places_.empty() ? 0 : std::numeric_limits<double>::infinity(), right = -left;
    for (const Place& place : places_) {
      left = std::min(left, place.x - place.width / 2);
      right = std::max(right, place.x + place.width / 2);
    }
    std::vector<double> tops(rows_.size()), heights(rows_.size());
    double y = 0;
    for (size_t l = 0; l < rows_.size(); ++l) {
      for (int p : rows_[l]) {
        if (places_[p].node >= 0) heights[l] = std::max(heights[l], nodes_[places_[p].node].height);
      }
      tops[l] = y;
      y += heights[l] + options_.gap_y;
    }
    layout.size = {right - left, rows_.empty() ? 0 : y - options_.gap_y};
    const auto center = [&](int p) {
      const Place& place = places_[p];
      return LayoutPoint{place.x - left, tops[place.layer] + heights[place.layer] / 2};
    };
    for (size_t v = 0; v < nodes_.size(); ++v)
      layout.centers.push_back(center(static_cast<int>(v)));
    layout.lines.resize(edges_.size());
    for (size_t e = 0; e < edges_.size(); ++e) {
      for (int p : through_[e]) {
        const LayoutPoint at = center(p);
        const double half =
            (places_[p].node < 0 ? heights[places_[p].layer] : nodes_[places_[p].node].height) / 2;
        if (p != edges_[e].from) layout.lines[e].push_back({at.x, at.y - half});
        if (p != edges_[e].to) layout.lines[e].push_back({at.x, at.y + half});
      }
    }
    return layout;
  }

  const std::vector<LayoutSize>& nodes_;
  const std::vector<LayoutEdge>& edges_;
  const LayoutOptions options_;
  std::vector<int> layers_;
  std::vector<Place> places_;              // the nodes first
  std::vector<std::vector<int>> rows_;     // places by layer, from left to right
  std::vector<std::vector<int>> through_;  // of each edge the places, both nodes included
  int64_t crossings_ = 0;
};

}  // namespace

LayeredLayout LayOutInLayers(const std::vector<LayoutSize>& nodes,
                             const std::vector<LayoutEdge>& edges, const LayoutOptions& options) {
  return Layering(nodes, edges, options).Run();
}

}  // namespace seqgraph::tools
