// Ensembles of trees of the domain ai.onnx.ml.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "serialization/onnx/ml.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;
using Reals = std::vector<double>;

constexpr int64_t kMostNodes = 1 << 22, kDeepest = 256;

// Nodes of all trees, one behind the other; a leaf leads to itself.
struct Forest {
  std::vector<int32_t> features, yes, no, roots;
  std::vector<int32_t> missing;  ///< 1 where NaN goes the way of yes
  Reals thresholds;
  std::string mode;  ///< of all branches; empty: there are none
  int64_t depth = 0;
  std::map<std::pair<int64_t, int64_t>, int32_t> places;  ///< by tree and node
};

// Levels below the roots; no node may be reached twice.
absl::Status SetDepth(Forest& forest) {
  std::vector<bool> seen(forest.yes.size(), false);
  std::vector<int32_t> level = forest.roots;
  while (!level.empty()) {
    std::vector<int32_t> next;
    for (const int32_t node : level) {
      if (seen[node]) return InvalidArgument("its trees share nodes, or go round");
      seen[node] = true;
      if (forest.yes[node] == node) continue;
      next.push_back(forest.yes[node]);
      next.push_back(forest.no[node]);
    }
    if (!next.empty() && ++forest.depth > kDeepest) return Unimplemented("trees of many levels");
    level = std::move(next);
  }
  return absl::OkStatus();
}

absl::StatusOr<Forest> ReadForest(NodeImport& node, int64_t features) {
  SEQ_ASSIGN_OR_RETURN(const Ints trees, IntsOf(node, "nodes_treeids"));
  SEQ_ASSIGN_OR_RETURN(const Ints ids, IntsOf(node, "nodes_nodeids"));
  SEQ_ASSIGN_OR_RETURN(const Ints of_feature, IntsOf(node, "nodes_featureids"));
  SEQ_ASSIGN_OR_RETURN(const Ints yes, IntsOf(node, "nodes_truenodeids"));
  SEQ_ASSIGN_OR_RETURN(const Ints no, IntsOf(node, "nodes_falsenodeids"));
  SEQ_ASSIGN_OR_RETURN(const Ints missing, IntsOf(node, "nodes_missing_value_tracks_true"));
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> modes, node.Strings("nodes_modes"));
  SEQ_RETURN_IF_ERROR(node.Floats("nodes_hitrates").status());
  Forest forest;
  SEQ_ASSIGN_OR_RETURN(forest.thresholds, RealsOf(node, "nodes_values"));
  const size_t n = trees.size();
  if (n < 1 || n > kMostNodes || ids.size() != n || of_feature.size() != n || yes.size() != n ||
      no.size() != n || modes.size() != n || forest.thresholds.size() != n ||
      (!missing.empty() && missing.size() != n)) {
    return InvalidArgument("its nodes differ in number");
  }
  SEQ_RETURN_IF_ERROR(node.graph().Charge(static_cast<int64_t>(n) * 128));
  std::set<int64_t> known;  // trees, whose first node is the root
  for (size_t i = 0; i < n; ++i) forest.places[{trees[i], ids[i]}] = static_cast<int32_t>(i);
  for (size_t i = 0; i < n; ++i) {
    const auto self = static_cast<int32_t>(i);
    const bool leaf = modes[i] == "LEAF";
    if (!leaf && forest.mode.empty()) forest.mode = modes[i];
    if (!leaf && modes[i] != forest.mode) return Unimplemented("branches of several modes");
    const auto to_yes = forest.places.find({trees[i], yes[i]});
    const auto to_no = forest.places.find({trees[i], no[i]});
    const bool leads = to_yes != forest.places.end() && to_no != forest.places.end();
    if (!leaf && (!leads || of_feature[i] < 0 || of_feature[i] >= features)) {
      return InvalidArgument("node ", i, " leads nowhere, or has no feature");
    }
    forest.yes.push_back(leaf ? self : to_yes->second);
    forest.no.push_back(leaf ? self : to_no->second);
    forest.features.push_back(leaf ? 0 : static_cast<int32_t>(of_feature[i]));
    forest.missing.push_back(!missing.empty() && missing[i] != 0);
    if (known.insert(trees[i]).second) forest.roots.push_back(self);
  }
  SEQ_RETURN_IF_ERROR(SetDepth(forest));
  return forest;
}

// Whether a value goes the way of yes.
absl::StatusOr<Term> Decision(const std::string& mode, const Term& x, const Term& threshold) {
  if (mode == "BRANCH_LT") return Less(x, threshold);
  if (mode == "BRANCH_GT") return Less(threshold, x);
  if (mode == "BRANCH_LEQ") return Map("Maximum", Less(x, threshold), Equal(x, threshold));
  if (mode == "BRANCH_GTE") return Map("Maximum", Less(threshold, x), Equal(x, threshold));
  if (mode == "BRANCH_EQ") return Equal(x, threshold);
  if (mode == "BRANCH_NEQ") return Not(Equal(x, threshold));
  return Unimplemented("branches of mode \"", mode, "\"");
}

// The leaf that each row of x reaches in each tree, int32 [batch, trees]: level by level.
absl::StatusOr<Operand> LeavesOf(GraphImport& g, const Forest& forest, const Operand& x) {
  const int64_t features = x.shape()[1].size();
  const auto trees = static_cast<int64_t>(forest.roots.size());
  SEQ_RETURN_IF_ERROR(g.Charge(features * 8));
  const Term columns(g, Numbers(features));
  const Term row(g, g.Reshape(x, Shape{x.shape()[0], 1, features}));
  const auto look_up = [&g](const Operand& table, const Operand& nodes) {
    return Term(g, g.Emit("Gather", {table, nodes}, {{"axis", int64_t{0}}}));
  };
  const bool any_missing = std::count(forest.missing.begin(), forest.missing.end(), 1) > 0;
  const Operand of_feature = Indices(forest.features), of_yes = Indices(forest.yes),
                of_no = Indices(forest.no), thresholds = Vector(forest.thresholds);
  SEQ_ASSIGN_OR_RETURN(const Operand one, g.Slice(x, 1, 0, 1));
  const Term none(g, g.Emit("FillLike", {one}, {{"value", 0.0}}));
  const Term no_node(g, g.Cast(*none.operand(), DType::kInt32));
  SEQ_ASSIGN_OR_RETURN(Operand nodes, (no_node + Term(g, Indices(forest.roots))).Take());
  for (int64_t level = 0; level < forest.depth; ++level) {
    SEQ_ASSIGN_OR_RETURN(const Operand feature, look_up(of_feature, nodes).Take());
    const Term hot = Equal(Term(g, g.Reshape(feature, Shape{x.shape()[0], trees, 1})), columns);
    const Term value = Map("ReduceSum", Where(hot, row, row.Scalar(0)), {{"axes", Ints{2}}});
    SEQ_ASSIGN_OR_RETURN(Term yes, Decision(forest.mode, value, look_up(thresholds, nodes)));
    if (any_missing) {
      const Term tracks = look_up(Indices(forest.missing), nodes);
      yes = Map("Maximum", yes, Map("Minimum", Not(Equal(value, value)), tracks));
    }
    SEQ_ASSIGN_OR_RETURN(nodes, Where(yes, look_up(of_yes, nodes), look_up(of_no, nodes)).Take());
  }
  return nodes;
}

// What the leaves of all trees give to each of `count` sums, of the attributes PREFIX_treeids and
// so on, and the attribute base_values: [batch, count].
absl::StatusOr<Operand> SumsOf(NodeImport& node, const std::string& prefix, int64_t count) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, Features(node));
  SEQ_ASSIGN_OR_RETURN(const Forest forest, ReadForest(node, x.shape()[1].size()));
  SEQ_ASSIGN_OR_RETURN(const Ints trees, IntsOf(node, prefix + "_treeids"));
  SEQ_ASSIGN_OR_RETURN(const Ints nodes, IntsOf(node, prefix + "_nodeids"));
  SEQ_ASSIGN_OR_RETURN(const Ints targets, IntsOf(node, prefix + "_ids"));
  SEQ_ASSIGN_OR_RETURN(const Reals weights, RealsOf(node, prefix + "_weights"));
  if (nodes.size() != trees.size() || targets.size() != trees.size() ||
      weights.size() != trees.size()) {
    return InvalidArgument("what its leaves give differs in number");
  }
  const auto size = static_cast<int64_t>(forest.yes.size());
  SEQ_RETURN_IF_ERROR(g.Charge(size * count * 16));
  Reals table(size * count, 0);
  for (size_t i = 0; i < trees.size(); ++i) {
    const auto leaf = forest.places.find({trees[i], nodes[i]});
    if (leaf == forest.places.end() || targets[i] < 0 || targets[i] >= count) {
      return InvalidArgument(prefix, " ", i, " is for no leaf or no result");
    }
    table[leaf->second * count + targets[i]] += weights[i];
  }
  SEQ_ASSIGN_OR_RETURN(const Operand leaves, LeavesOf(g, forest, x));
  SEQ_ASSIGN_OR_RETURN(
      const Operand given,
      g.Emit("Gather", {Table(Shape{size, count}, table), leaves}, {{"axis", int64_t{0}}}));
  Term sum = Map("ReduceSum", Term(g, given), {{"axes", Ints{1}}});
  SEQ_ASSIGN_OR_RETURN(const std::string aggregate, node.String("aggregate_function", "SUM"));
  if (aggregate == "AVERAGE") sum = sum / static_cast<double>(forest.roots.size());
  if (aggregate != "SUM" && aggregate != "AVERAGE") return Unimplemented("of kind ", aggregate);
  return sum.Take();
}

absl::StatusOr<Operand> WithBase(NodeImport& node, const Operand& sums) {
  SEQ_ASSIGN_OR_RETURN(const Reals base, RealsOf(node, "base_values"));
  if (base.empty()) return sums;
  if (base.size() != 1 && sums.shape()[1] != static_cast<int64_t>(base.size())) {
    return InvalidArgument("it has ", base.size(), " base_values");
  }
  return node.graph().Pair("Add", sums, Vector(base));
}

absl::StatusOr<Operand> ConvertTreeEnsembleRegressor(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const int64_t count, node.Int("n_targets", 1));
  if (count < 1 || count > kMostNodes) return InvalidArgument("n_targets is ", count);
  SEQ_ASSIGN_OR_RETURN(const Operand sums, SumsOf(node, "target", count));
  SEQ_ASSIGN_OR_RETURN(const Operand y, WithBase(node, sums));
  return Transformed(node, y);
}

// The one score of the second of two classes as scores [batch, 2] of both, as ONNX Runtime does:
// without negative weights it is a probability.
absl::StatusOr<Operand> BothScores(NodeImport& node, const Operand& score, bool is_probability) {
  GraphImport& g = node.graph();
  const Term s(g, score);
  SEQ_ASSIGN_OR_RETURN(const std::string transform, node.String("post_transform", "NONE"));
  Term first = is_probability ? 1 - s : -1 * s, second = s;
  if (!is_probability && transform == "LOGISTIC") {
    first = Map("Sigmoid", first);
    second = Map("Sigmoid", second);
  } else if (transform != "NONE" && !is_probability) {
    return Unimplemented("post_transform \"", transform, "\" of one score");
  }
  SEQ_ASSIGN_OR_RETURN(const Operand a, first.Take());
  SEQ_ASSIGN_OR_RETURN(const Operand b, second.Take());
  return g.Concat({a, b}, 1);
}

// int64 [batch]: the second of two classes where its score [batch, 1] is above a number.
absl::StatusOr<Operand> SecondAbove(NodeImport& node, const Operand& score, double number,
                                    const Ints& classes) {
  GraphImport& g = node.graph();
  const Term s(g, g.Reshape(score, Shape{score.shape()[0]}));
  SEQ_ASSIGN_OR_RETURN(const Operand wins, Less(s.Scalar(number), s).Take());
  const Operand names = Operand::Of(Tensor::Of<int64_t>(Shape{2}, classes));
  return g.Emit("Gather", {names, wins}, {{"axis", int64_t{0}}});
}

absl::StatusOr<Operand> ConvertTreeEnsembleClassifier(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Ints classes, ClassesOf(node));
  SEQ_ASSIGN_OR_RETURN(const Ints ids, IntsOf(node, "class_ids"));
  SEQ_ASSIGN_OR_RETURN(const Reals weights, RealsOf(node, "class_weights"));
  SEQ_ASSIGN_OR_RETURN(const Reals base, RealsOf(node, "base_values"));
  SEQ_ASSIGN_OR_RETURN(Operand sums, SumsOf(node, "class", static_cast<int64_t>(classes.size())));
  const bool one_score =
      classes.size() == 2 && !ids.empty() &&
      std::all_of(ids.begin(), ids.end(), [&](int64_t id) { return id == ids[0]; });
  if (one_score) {
    if (base.size() > 1) return Unimplemented("base_values of two classes with one score");
    const bool probability =
        std::all_of(weights.begin(), weights.end(), [](double w) { return w >= 0; });
    SEQ_ASSIGN_OR_RETURN(Operand score, g.Slice(sums, 1, ids[0], ids[0] + 1));
    SEQ_ASSIGN_OR_RETURN(score, WithBase(node, score));
    SEQ_ASSIGN_OR_RETURN(Operand scores, BothScores(node, score, probability));
    node.SetOutput(1, std::move(scores));
    return SecondAbove(node, score, probability ? 0.5 : 0, classes);
  }
  SEQ_ASSIGN_OR_RETURN(sums, WithBase(node, sums));
  SEQ_ASSIGN_OR_RETURN(Operand scores, Transformed(node, sums));
  node.SetOutput(1, std::move(scores));
  if (classes.size() > 2) return LabelOf(node, sums, classes);
  // Of two classes ONNX Runtime takes the second wherever its score is above 0.
  SEQ_ASSIGN_OR_RETURN(const Operand second, g.Slice(sums, 1, 1, 2));
  return SecondAbove(node, second, 0, classes);
}

constexpr ConverterRow kTreeRows[] = {
    {"ai.onnx.ml:TreeEnsembleClassifier", ConvertTreeEnsembleClassifier},
    {"ai.onnx.ml:TreeEnsembleRegressor", ConvertTreeEnsembleRegressor},
};

}  // namespace

absl::Span<const ConverterRow> TreeConverters() { return kTreeRows; }

}  // namespace seqgraph::onnx
