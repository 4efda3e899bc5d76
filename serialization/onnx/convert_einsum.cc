// Einsum: products summed over the axes whose letters the result does not have, as transpositions,
// sums and products of matrices.

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "serialization/onnx/node_import.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

// An operand with a letter for each axis.
struct Labelled {
  Operand x;
  std::string axes;

  Dim extent(char letter) const { return x.shape()[static_cast<int>(axes.find(letter))]; }
};

bool Has(const std::string& letters, char letter) {
  return letters.find(letter) != std::string::npos;
}

// The letters of `a` for which `wanted` holds, in their order.
template <typename Wanted>
std::string Filter(const std::string& a, Wanted wanted) {
  std::string kept;
  std::copy_if(a.begin(), a.end(), std::back_inserter(kept), wanted);
  return kept;
}

absl::StatusOr<Labelled> SumAllBut(GraphImport& g, const Labelled& a, const std::string& kept) {
  Ints axes;
  for (size_t i = 0; i < a.axes.size(); ++i) {
    if (!Has(kept, a.axes[i])) axes.push_back(static_cast<int64_t>(i));
  }
  if (axes.empty()) return a;
  SEQ_ASSIGN_OR_RETURN(Operand y, g.Emit("ReduceSum", {a.x}, {{"axes", axes}}));
  return Labelled{std::move(y), Filter(a.axes, [&](char c) { return Has(kept, c); })};
}

absl::StatusOr<Labelled> Ordered(GraphImport& g, const Labelled& a, const std::string& order) {
  Ints permutation;
  for (char letter : order) permutation.push_back(static_cast<int64_t>(a.axes.find(letter)));
  SEQ_ASSIGN_OR_RETURN(Operand y, g.Transpose(a.x, permutation));
  return Labelled{std::move(y), order};
}

// The extents of these axes as one; the batch only alone.
absl::StatusOr<Dim> Together(const Labelled& a, const std::string& letters) {
  if (letters.size() == 1) return a.extent(letters[0]);
  int64_t product = 1;
  for (char letter : letters) {
    if (a.extent(letter).is_batch()) return Unimplemented("the batch and other axes together");
    product *= a.extent(letter).size();
  }
  return Dim(product);
}

// The product of two, in which the letters of `kept` stay: [both.., of a.., of b..].
absl::StatusOr<Labelled> Product(GraphImport& g, const Labelled& left, const Labelled& right,
                                 const std::string& kept) {
  SEQ_ASSIGN_OR_RETURN(Labelled a, SumAllBut(g, left, kept + right.axes));
  SEQ_ASSIGN_OR_RETURN(Labelled b, SumAllBut(g, right, kept + left.axes));
  for (char letter : a.axes) {
    if (Has(b.axes, letter) && a.extent(letter) != b.extent(letter)) {
      return Unimplemented("axis ", std::string(1, letter), " of ", a.x.shape().ToString(), " and ",
                           b.x.shape().ToString());
    }
  }
  const auto both = [&](char c) { return Has(a.axes, c) && Has(b.axes, c); };
  const std::string rows = Filter(a.axes, [&](char c) { return both(c) && Has(kept, c); });
  const std::string summed = Filter(a.axes, [&](char c) { return both(c) && !Has(kept, c); });
  const std::string of_a = Filter(a.axes, [&](char c) { return !both(c); });
  const std::string of_b = Filter(b.axes, [&](char c) { return !both(c); });
  const auto is_batch = [](const Labelled& of) {
    return [&of](char c) { return of.extent(c).is_batch(); };
  };
  const bool weights = rows.empty();  // take the rows of a as they are
  if (weights && std::any_of(of_b.begin(), of_b.end(), is_batch(b))) {
    if (std::none_of(of_a.begin(), of_a.end(), is_batch(a))) return Product(g, right, left, kept);
  }
  SEQ_ASSIGN_OR_RETURN(a, Ordered(g, a, rows + of_a + summed));
  SEQ_ASSIGN_OR_RETURN(b, Ordered(g, b, rows + summed + of_b));
  SEQ_ASSIGN_OR_RETURN(const Dim k, Together(a, summed));
  SEQ_ASSIGN_OR_RETURN(const Dim n, Together(b, of_b));
  Shape lead, result;
  for (char letter : rows) lead.Append(a.extent(letter));
  for (char letter : rows + of_a) result.Append(a.extent(letter));
  for (char letter : of_b) result.Append(b.extent(letter));
  Shape shape_a = lead, shape_b = lead;
  if (weights) {
    for (char letter : of_a) shape_a.Append(a.extent(letter));
  } else {
    SEQ_ASSIGN_OR_RETURN(const Dim m, Together(a, of_a));
    shape_a.Append(m);
  }
  shape_a.Append(k);
  for (Dim dim : {k, n}) shape_b.Append(dim);
  if (std::max(shape_a.rank(), result.rank()) > Shape::kMaxRank) {
    return Unimplemented("more than ", Shape::kMaxRank, " axes");
  }
  SEQ_ASSIGN_OR_RETURN(const Operand matrix_a, g.Reshape(a.x, shape_a));
  SEQ_ASSIGN_OR_RETURN(const Operand matrix_b, g.Reshape(b.x, shape_b));
  SEQ_ASSIGN_OR_RETURN(const Operand y, g.Emit(weights ? "Dense" : "MatMul", {matrix_a, matrix_b}));
  SEQ_ASSIGN_OR_RETURN(Operand shaped, g.Reshape(y, result));
  return Labelled{std::move(shaped), rows + of_a + of_b};
}

// Without a result, that of all letters that are there once, in their order.
std::string ImplicitResult(const std::string& letters) {
  std::string once =
      Filter(letters, [&](char c) { return std::count(letters.begin(), letters.end(), c) == 1; });
  std::sort(once.begin(), once.end());
  return once;
}

absl::StatusOr<Operand> ConvertEinsum(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(std::string equation, node.String("equation", ""));
  equation.erase(std::remove(equation.begin(), equation.end(), ' '), equation.end());
  if (Has(equation, '.')) return Unimplemented("an equation with \"...\"");
  const std::vector<std::string> sides = absl::StrSplit(equation, "->");
  const std::vector<std::string> terms = absl::StrSplit(sides[0], ',');
  if (sides.size() > 2 || terms.size() != static_cast<size_t>(node.num_inputs())) {
    return InvalidArgument("equation \"", equation, "\" for ", node.num_inputs(), " inputs");
  }
  std::string all;
  for (const std::string& term : terms) all += term;
  const std::string result = sides.size() == 2 ? sides[1] : ImplicitResult(all);
  std::vector<Labelled> operands;
  for (size_t i = 0; i < terms.size(); ++i) {
    SEQ_ASSIGN_OR_RETURN(Operand x, node.input(static_cast<int>(i)));
    if (!IsReal(x.type.dtype)) return Unimplemented("of ", DTypeName(x.type.dtype));
    if (static_cast<size_t>(x.rank()) != terms[i].size()) {
      return InvalidArgument("\"", terms[i], "\" for ", x.shape().ToString());
    }
    operands.push_back({std::move(x), terms[i]});
  }
  for (const std::string* letters : {&result, &terms[0], &terms.back()}) {
    for (char letter : *letters) {
      if (std::count(letters->begin(), letters->end(), letter) > 1) {
        return Unimplemented("an equation with an axis twice in one term");
      }
      if (!Has(all, letter)) return InvalidArgument("equation \"", equation, "\"");
    }
  }
  if (operands.size() > 2) return Unimplemented("an equation of more than two terms");
  Labelled y = operands[0];
  if (operands.size() == 2) {
    SEQ_ASSIGN_OR_RETURN(y, Product(g, operands[0], operands[1], result));
  } else {
    SEQ_ASSIGN_OR_RETURN(y, SumAllBut(g, y, result));
  }
  SEQ_ASSIGN_OR_RETURN(y, Ordered(g, y, result));
  return y.x;
}

constexpr ConverterRow kEinsumRows[] = {{"Einsum", ConvertEinsum}};

}  // namespace

absl::Span<const ConverterRow> EinsumConverters() { return kEinsumRows; }

}  // namespace seqgraph::onnx
