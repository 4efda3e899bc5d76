#pragma once

// Operands in formulas, so that what a converter computes reads as mathematics:
//
//   const Term x = Real(node, 0);
//   return (x / (1 + Map("Abs", x))).Take();
//
// Operands broadcast as numpy's do; a number beside a term has the term's element type. The first
// error goes through to the end.

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "serialization/onnx/node_import.h"

namespace seqgraph::onnx {

class Term {
 public:
  Term(GraphImport& graph, absl::StatusOr<Operand> operand)
      : graph_(&graph), operand_(std::move(operand)) {}

  GraphImport& graph() const { return *graph_; }
  const absl::StatusOr<Operand>& operand() const { return operand_; }
  /// The operand, or the first error.
  absl::StatusOr<Operand> Take() const { return operand_; }
  /// As one of ONNX's booleans, which are 0 and 1 in int32.
  absl::StatusOr<Operand> TakeBoolean() const { return WithBoolean(operand_, true); }
  /// A scalar of the term's element type.
  Term Scalar(double value) const;
  /// The term in the shape that broadcasting with `other` gives.
  Term BroadcastWith(const Term& other) const;

 private:
  GraphImport* graph_;
  absl::StatusOr<Operand> operand_;
};

/// Input i of the node; of a real type, else Unimplemented.
Term Input(NodeImport& node, int i);
Term Real(NodeImport& node, int i);

/// One of our ops on one, two or three terms, which broadcast.
Term Map(absl::string_view op, const Term& x, const Attributes& attributes = {});
Term Map(absl::string_view op, const Term& a, const Term& b);
Term Where(const Term& condition, const Term& a, const Term& b);
/// One of the reductions, along `axes`, which stay with extent 1.
Term Reduce(absl::string_view op, const Term& x, std::vector<int64_t> axes);

inline Term operator+(const Term& a, const Term& b) { return Map("Add", a, b); }
inline Term operator-(const Term& a, const Term& b) { return Map("Subtract", a, b); }
inline Term operator*(const Term& a, const Term& b) { return Map("Multiply", a, b); }
inline Term operator/(const Term& a, const Term& b) { return Map("Divide", a, b); }
inline Term operator+(const Term& a, double b) { return a + a.Scalar(b); }
inline Term operator-(const Term& a, double b) { return a - a.Scalar(b); }
inline Term operator-(double a, const Term& b) { return b.Scalar(a) - b; }
Term operator*(double a, const Term& b);
inline Term operator/(const Term& a, double b) { return a / a.Scalar(b); }
inline Term Max(const Term& a, double b) { return Map("Maximum", a, a.Scalar(b)); }
inline Term Min(const Term& a, double b) { return Map("Minimum", a, a.Scalar(b)); }
inline Term Less(const Term& a, const Term& b) { return Map("Less", a, b); }
inline Term Equal(const Term& a, const Term& b) { return Map("Equal", a, b); }
inline Term Not(const Term& x) { return Equal(x, x.Scalar(0)); }

}  // namespace seqgraph::onnx
