#pragma once

// Examples of models with several inputs and outputs.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "training/examples.h"

namespace seqgraph {

/// What one input takes (tokens or features), or one of several outputs (targets or values, and
/// weights), by the name that it has in the model:
///
///   const std::vector<NamedExamples> more = {
///       {"title", {.tokens = titles, .rows = rows, .maxlen = 20}},
///       {"topic", {.rows = rows, .targets = topics}},
///       {"stars", {.rows = rows, .values = stars}}};
///   trainer.Fit({.tokens = texts, .rows = rows, .maxlen = 200, .more = more}, {}, {.epochs = 9});
///
/// What is not named belongs to the one input that is not either, and to a single output.
struct NamedExamples {
  std::string name;
  Examples examples;
};

/// Those in `examples.more` of that name; null if there are none.
const Examples* FindNamed(const Examples& examples, absl::string_view name);

/// InvalidArgument if names come twice, or the rows of `examples.more` are not as many as those of
/// `examples`, or hold others, or are not valid themselves.
absl::Status ValidateNamed(const Examples& examples);

/// InputFiller for an input of a function that may have several of a kind: it takes what is named
/// like the input, or, for "labels_y" and "sample_weight_y" of its result y, like that.
class NamedFiller {
 public:
  /// As InputFiller::Create.
  static absl::StatusOr<NamedFiller> Create(const Function& function, const ValueInfo& input);

  const InputFiller& filler() const { return filler_; }
  /// Whether it takes tokens or features.
  bool is_sequence() const { return !filler_.is_labels() && !filler_.is_weights(); }
  /// The output whose labels or weights they are; empty: the only one.
  const std::string& output() const { return output_; }

  /// Whether it takes what is not named.
  bool TakesUnnamed(const Examples& examples) const {
    return FindNamed(examples, name_) == nullptr;
  }
  /// As InputFiller::CheckFits. Labels of one of several outputs must be named; weights need not:
  /// those of rows then count for all outputs.
  absl::Status CheckFits(const Examples& examples) const;
  /// As InputFiller::Fill.
  void Fill(const Examples& examples, absl::Span<const int64_t> order, int64_t begin, int64_t rows,
            void* content) const;

 private:
  const Examples& Source(const Examples& examples) const;

  std::string name_;    // in Examples::more
  std::string output_;  // the same for labels and weights of one of several outputs; else empty
  InputFiller filler_;
};

}  // namespace seqgraph
