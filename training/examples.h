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

struct Examples;
struct NamedExamples;  // training/named_examples.h

/// What a step that a row lacks has in all features: `Masking(mask_value = kMissingStep)` in front
/// of a model makes the mask of it.
inline constexpr float kMissingStep = -1e30f;

/// Makes rows when they are asked for: a generator, or a file that is larger than memory. It is
/// called by the thread that trains, evaluates or predicts, between batches; so passes in several
/// threads need a source each.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// A pass over all rows begins: the epoch's number from 0 in Fit, always 0 elsewhere.
  virtual absl::Status Begin(int /*epoch*/) { return absl::OkStatus(); }
  /// The rows of these numbers, each in [0, Examples::rows), as examples in memory: so many rows,
  /// no `source`. They stay as they are until the next call. Numbers rise by one from 0 to the end
  /// of the pass but in a Fit that shuffles, so that a source which can only go forward ignores
  /// them and is to be used without shuffle.
  virtual absl::StatusOr<Examples> Batch(absl::Span<const int64_t> rows) = 0;
};

/// Encoded rows with their labels, owned by somebody else. Passes only read them: threads may share
/// them, but for a `source`.
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
  /// steps] for an output per step (with label_begin [steps], as the labels); empty: ones.
  absl::Span<const float> weights;
  /// Sequences of real numbers, instead of tokens: [rows, maxlen, features]; of an input with more
  /// extents, all behind the second are the features.
  absl::Span<const float> features;
  /// What several inputs and outputs take, by their names: training/named_examples.h.
  absl::Span<const NamedExamples> more = {};
  /// What errors call a row: "line 17 of topics.csv"; null: "row 16 of the examples".
  std::function<std::string(int64_t row)> row_name = nullptr;

  /// With it `features` is one array [steps, num_features] of which row i has row_steps[i] steps
  /// from row_begin[i] on: windows and ragged rows without copies. Rows may overlap. Steps behind
  /// its last up to maxlen, and those of which a feature is NaN, are filled with kMissingStep.
  absl::Span<const int64_t> row_begin;
  absl::Span<const int64_t> row_steps;  ///< [rows], each from 0 to maxlen; empty: maxlen
  int64_t num_features = 0;             ///< of each step; only with row_begin
  /// With it, labels belong to steps: those of row i are label_steps steps from label_begin[i] on,
  /// of `targets` [steps], of `values` [steps, any], or where neither is given of `features`.
  absl::Span<const int64_t> label_begin;
  /// 0: as many as the row has, up to maxlen class 0 and 0.0, also where the features of the row's
  /// step are missing; for models that mask such steps.
  int64_t label_steps = 0;
  absl::Span<const int> label_columns;  ///< of values or features, in this order; empty: all

  /// Makes the rows instead of all these but `rows` and `maxlen`; null: they are in memory.
  BatchSource* source = nullptr;

  std::string NameOfRow(int64_t row) const;
  bool has_labels() const { return !targets.empty() || !values.empty() || !label_begin.empty(); }
  /// Steps of row i, with row_begin.
  int64_t StepsOf(int64_t row) const { return row_steps.empty() ? maxlen : row_steps[row]; }
  /// Steps of the array that row_begin counts in.
  int64_t num_steps() const {
    return num_features > 0 ? static_cast<int64_t>(features.size()) / num_features : 0;
  }
  /// InvalidArgument if the sizes do not agree.
  absl::Status Validate() const;
};

/// The rows of a data set, which must outlive them.
Examples ExamplesOf(const data::TokenSet& set);

/// The rows of these numbers from the source of `examples`, checked. They take the names that
/// `examples` has where they have none, and need `rows` to stay where it is.
absl::StatusOr<Examples> FetchRows(const Examples& examples, absl::Span<const int64_t> rows);

/// Fills one input of a function from rows of examples.
class InputFiller {
 public:
  /// For an input of a function that is bound to a batch: `labels` (float32; int32 [batch] or
  /// [batch, steps] for classes), `sample_weight` (float32 [batch] or [batch, steps]), and any
  /// other name for tokens (int32 [batch, maxlen]) or features (float32 [batch, maxlen, features];
  /// [batch, features]: of one step). InvalidArgument, naming the input, for another type.
  static absl::StatusOr<InputFiller> Create(const ValueInfo& input);

  bool is_labels() const { return kind_ == Kind::kLabels || kind_ == Kind::kClasses; }
  bool is_classes() const { return kind_ == Kind::kClasses; }
  bool is_weights() const { return kind_ == Kind::kWeights; }
  /// Elements of a row.
  int64_t width() const { return width_; }

  /// InvalidArgument if the examples, which are valid, lack what the input takes or have it in
  /// another size (of a source's, only what is known without its rows is checked); a class must be
  /// below the last extent where labels are to be one-hot.
  absl::Status CheckFits(const Examples& examples) const;
  /// Writes `rows` rows: those numbered order[begin], order[begin + 1], ... (begin, begin + 1, ...
  /// if `order` is empty). Only for examples that fit. Does not allocate.
  void Fill(const Examples& examples, absl::Span<const int64_t> order, int64_t begin, int64_t rows,
            void* content) const;

 private:
  enum class Kind { kTokens, kFeatures, kLabels, kClasses, kWeights };
  absl::Status CheckTokens(const Examples& examples) const;
  absl::Status CheckLabels(const Examples& examples) const;
  absl::Status CheckClasses(const Examples& examples) const;
  void FillRow(const Examples& examples, int64_t row, int64_t to, void* content) const;
  void FillClasses(const Examples& examples, int64_t row, float* labels) const;
  // Asks for a row that is soon to be filled in, where it is long.
  void FetchRow(const Examples& examples, int64_t row) const;

  Kind kind_ = Kind::kTokens;
  int64_t width_ = 1;
  int64_t depth_ = 1;   // of labels: the last extent, of one-hot rows
  int64_t maxlen_ = 0;  // of tokens and features
};

}  // namespace seqgraph
