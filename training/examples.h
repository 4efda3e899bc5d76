#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/text_dataset.h"
#include "graph/function.h"

namespace seqgraph {

/// Encoded rows with their labels, owned by somebody else.
struct Examples {
  absl::Span<const int32_t> tokens;  ///< [rows, maxlen], row-major
  int64_t rows = 0;
  int64_t maxlen = 0;
  /// Classes: [rows], or [rows, steps] for an output per step; empty where only predictions are
  /// made.
  absl::Span<const int32_t> targets;
  /// Labels that are no classes, instead of targets: [rows, width], as wide as the prediction.
  absl::Span<const float> values;
  /// Multiply the loss of each row, in functions with an input `sample_weight`: [rows], or [rows,
  /// steps] for an output per step; empty: ones.
  absl::Span<const float> weights;
  /// Sequences of real numbers, instead of tokens: [rows, maxlen, features].
  absl::Span<const float> features;
  /// What errors call a row: "line 17 of topics.csv"; null: "row 16 of the examples".
  std::function<std::string(int64_t row)> row_name = nullptr;

  std::string NameOfRow(int64_t row) const;
  bool has_labels() const { return !targets.empty() || !values.empty(); }
  /// InvalidArgument if the sizes do not agree.
  absl::Status Validate() const;
};

/// The rows of a data set, which must outlive them.
Examples ExamplesOf(const data::TokenSet& set);

/// Fills one input of a function from rows of examples.
class InputFiller {
 public:
  /// For an input of a function that is bound to a batch: `labels` (float32; int32 [batch] or
  /// [batch, steps] for classes), `sample_weight` (float32 [batch] or [batch, steps]), and any
  /// other name for tokens (int32 [batch, maxlen]) or features (float32 [batch, maxlen, features]).
  /// InvalidArgument, naming the input, for another type.
  static absl::StatusOr<InputFiller> Create(const ValueInfo& input);

  bool is_labels() const { return kind_ == Kind::kLabels || kind_ == Kind::kClasses; }
  bool is_classes() const { return kind_ == Kind::kClasses; }
  /// Elements of a row.
  int64_t width() const { return width_; }

  /// InvalidArgument if the examples, which are valid, lack what the input takes or have it in
  /// another size; a class must be below the last extent where labels are to be one-hot.
  absl::Status CheckFits(const Examples& examples) const;
  /// Writes `rows` rows: those numbered order[begin], order[begin + 1], ... (begin, begin + 1, ...
  /// if `order` is empty). Only for examples that fit. Does not allocate.
  void Fill(const Examples& examples, absl::Span<const int64_t> order, int64_t begin, int64_t rows,
            void* content) const;

 private:
  enum class Kind { kTokens, kFeatures, kLabels, kClasses, kWeights };
  void FillRow(const Examples& examples, int64_t row, int64_t to, void* content) const;
  // Asks for a row that is soon to be filled in, where it is long.
  void FetchRow(const Examples& examples, int64_t row) const;

  Kind kind_ = Kind::kTokens;
  int64_t width_ = 1;
  int64_t depth_ = 1;   // of labels: the last extent, of one-hot rows
  int64_t maxlen_ = 0;  // of tokens and features
};

}  // namespace seqgraph
