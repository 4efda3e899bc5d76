#include "training/examples.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/losses.h"
#include "training/named_examples.h"

namespace seqgraph {
namespace {

absl::Status BadInput(const ValueInfo& input, absl::string_view expected) {
  return InvalidArgument("input ", input.name, " is ", input.type.ToString(), "; expected ",
                         expected);
}

int64_t Size(const auto& span) { return static_cast<int64_t>(span.size()); }

// By division: a product of two that somebody gives could overflow.
bool Divides(int64_t elements, int64_t rows, int64_t each) {
  return elements % each == 0 && elements / each == rows;
}

// The labels of one row as the examples say it: an array of numbers or classes, its columns, and
// which of its steps.
int64_t LabelSteps(const Examples& e) { return e.label_steps > 0 ? e.label_steps : e.maxlen; }
absl::Span<const float> LabelValues(const Examples& e) {
  return e.values.empty() ? e.features : e.values;
}
int64_t ValueColumns(const Examples& e) {
  return e.num_steps() == 0 ? 0 : Size(LabelValues(e)) / e.num_steps();
}
int64_t LabelColumns(const Examples& e) {
  return e.label_columns.empty() ? ValueColumns(e) : Size(e.label_columns);
}
// Those of the steps that are there; behind them is padding.
int64_t LabelStepsOf(const Examples& e, int64_t row) {
  return e.label_steps > 0 ? e.label_steps : e.StepsOf(row);
}
bool WeightsBySteps(const Examples& e) {
  return !e.label_begin.empty() && Size(e.weights) == e.num_steps();
}

bool AnyNan(const float* values, int64_t count) {
  int nans = 0;
  for (int64_t i = 0; i < count; ++i) nans += values[i] != values[i];
  return nans > 0;
}

const float* StepOf(const Examples& e, int64_t step) {
  return e.features.data() + step * e.num_features;
}

// The row's window with what it lacks filled in.
void FillWindow(const Examples& e, int64_t row, float* to) {
  const int64_t width = e.num_features, steps = e.StepsOf(row);
  std::copy_n(StepOf(e, e.row_begin[row]), steps * width, to);
  std::fill_n(to + steps * width, (e.maxlen - steps) * width, kMissingStep);
  if (!AnyNan(to, steps * width)) return;
  for (int64_t step = 0; step < steps; ++step) {
    if (AnyNan(to + step * width, width)) std::fill_n(to + step * width, width, kMissingStep);
  }
}

// Whether the label of the row's step stands for nothing, as the features of that step do.
bool LabelIsMissing(const Examples& e, int64_t row, int64_t step) {
  return e.label_steps == 0 && AnyNan(StepOf(e, e.row_begin[row] + step), e.num_features);
}

// Calls visit(step, column, value) for the labels of a row but missing ones.
template <typename Visit>
void ForEachLabel(const Examples& e, int64_t row, Visit visit) {
  const int64_t columns = LabelColumns(e), given = ValueColumns(e);
  for (int64_t step = 0; step < LabelStepsOf(e, row); ++step) {
    if (LabelIsMissing(e, row, step)) continue;
    const float* const from = LabelValues(e).data() + (e.label_begin[row] + step) * given;
    for (int64_t i = 0; i < columns; ++i) {
      visit(step, i, from[e.label_columns.empty() ? i : e.label_columns[i]]);
    }
  }
}

// The classes of a row that takes `steps`: fewer where it is shorter.
absl::Span<const int32_t> TargetsOf(const Examples& e, int64_t row, int64_t steps) {
  return e.label_begin.empty() ? e.targets.subspan(row * steps, steps)
                               : e.targets.subspan(e.label_begin[row], LabelStepsOf(e, row));
}

absl::Status Error(absl::string_view problem) { return InvalidArgument("examples: ", problem); }

// The rows of `begin`, so many steps each, lie in the array.
absl::Status CheckBegin(const Examples& e, absl::Span<const int64_t> begin, bool labels) {
  const char* const what = labels ? "label" : "row";
  if (Size(begin) != e.rows) {
    return Error(absl::StrCat(begin.size(), " ", what, "_begin given for ", e.rows, " rows"));
  }
  for (int64_t row = 0; row < e.rows; ++row) {
    const int64_t steps = labels ? LabelStepsOf(e, row) : e.StepsOf(row);
    if (steps < 0 || (!labels && steps > e.maxlen)) {
      return Error(
          absl::StrCat(e.NameOfRow(row), " has ", steps, " steps, from 0 to ", e.maxlen, " go"));
    }
    if (begin[row] >= 0 && steps <= e.num_steps() && begin[row] <= e.num_steps() - steps) continue;
    return Error(absl::StrCat("the ", labels ? "labels of " : "", e.NameOfRow(row), " are ", steps,
                              " steps from ", begin[row], " on; there are ", e.num_steps()));
  }
  return absl::OkStatus();
}

// What row_begin and label_begin say.
absl::Status CheckViews(const Examples& e) {
  if (e.features.empty() || e.num_features < 1 || Size(e.features) % e.num_features != 0) {
    return Error(absl::StrCat("row_begin is given with ", e.features.size(), " features, ",
                              e.num_features, " a step"));
  }
  if (!e.row_steps.empty() && Size(e.row_steps) != e.rows) {
    return Error(absl::StrCat(e.row_steps.size(), " row_steps given for ", e.rows, " rows"));
  }
  SEQ_RETURN_IF_ERROR(CheckBegin(e, e.row_begin, /*labels=*/false));
  if (e.label_begin.empty()) return absl::OkStatus();
  if (e.label_steps < 0) return Error(absl::StrCat("label_steps is ", e.label_steps));
  const bool classes = !e.targets.empty();
  if (classes ? Size(e.targets) != e.num_steps() : Size(LabelValues(e)) % e.num_steps() != 0) {
    return Error(absl::StrCat(classes ? e.targets.size() : e.values.size(),
                              classes ? " targets" : " values", " given for ", e.num_steps(),
                              " steps"));
  }
  for (const int column : e.label_columns) {
    if (!classes && column >= 0 && column < ValueColumns(e)) continue;
    return Error(classes ? "label_columns are given for targets"
                         : absl::StrCat("label_columns has ", column, ", there are ",
                                        ValueColumns(e), " columns"));
  }
  return CheckBegin(e, e.label_begin, /*labels=*/true);
}

}  // namespace

std::string Examples::NameOfRow(int64_t row) const {
  return row_name ? row_name(row) : absl::StrCat("row ", row, " of the examples");
}

absl::Status Examples::Validate() const {
  SEQ_RETURN_IF_ERROR(ValidateNamed(*this));
  // Labels alone, or nothing beside what is named, have no steps.
  const bool no_input = maxlen == 0 && source == nullptr && tokens.empty() && features.empty() &&
                        (has_labels() || !more.empty());
  if (rows < 0 || (maxlen < 1 && !no_input)) {
    return Error(absl::StrCat(rows, " rows of ", maxlen, " tokens"));
  }
  if (source != nullptr) {
    const bool both = !tokens.empty() || !features.empty() || has_labels() || !weights.empty();
    return both ? Error("both rows and a source of rows are given") : absl::OkStatus();
  }
  if (!values.empty() && !targets.empty()) return Error("both targets and values are given");
  if (!row_begin.empty()) {
    SEQ_RETURN_IF_ERROR(CheckViews(*this));
  } else if (!row_steps.empty() || !label_begin.empty() || num_features != 0) {
    return Error("row_steps, label_begin and num_features go with row_begin");
  }
  if (!features.empty()) {
    if (!tokens.empty()) return Error("both tokens and features are given");
    if (row_begin.empty() &&
        (rows == 0 || Size(features) % rows != 0 || Size(features) / rows % maxlen != 0)) {
      return Error(absl::StrCat(features.size(), " features given for ", rows, " rows of ", maxlen,
                                " steps"));
    }
  } else if (!no_input && !Divides(Size(tokens), rows, maxlen)) {
    return Error(absl::StrCat(tokens.size(), " tokens given for ", rows, " rows of ", maxlen));
  }
  const bool by_row = label_begin.empty();
  for (const auto& [name, size, any] : {std::tuple("targets", targets.size(), !by_row),
                                        {"values", values.size(), !by_row},
                                        {"weights", weights.size(), WeightsBySteps(*this)}}) {
    if (any || size == 0 || (rows > 0 && size % rows == 0)) continue;
    return Error(absl::StrCat(size, " ", name, " given for ", rows, " rows"));
  }
  return absl::OkStatus();
}

Examples ExamplesOf(const data::TokenSet& set) {
  return {.tokens = set.tokens, .rows = set.rows, .maxlen = set.maxlen, .targets = set.targets};
}

absl::StatusOr<Examples> FetchRows(const Examples& examples, absl::Span<const int64_t> rows) {
  absl::StatusOr<Examples> made = examples.source->Batch(rows);
  if (!made.ok()) return Annotate(made.status(), "the source of rows");
  if (made->rows != Size(rows) || made->source != nullptr) {
    return InvalidArgument("the source of rows gave ", made->rows, " rows, ",
                           made->source != nullptr ? "which come from a source; " : "", "expected ",
                           rows.size(), " in memory");
  }
  if (made->row_name == nullptr) {
    made->row_name = [&examples, rows](int64_t row) { return examples.NameOfRow(rows[row]); };
  }
  if (absl::Status valid = made->Validate(); !valid.ok()) {
    return Annotate(valid, "the source of rows");
  }
  return made;
}

absl::StatusOr<InputFiller> InputFiller::Create(const ValueInfo& input) {
  const TensorType& type = input.type;
  const Shape& shape = type.shape;
  const bool real = type.dtype == DType::kFloat32;
  if (shape.rank() == 0 || (!real && type.dtype != DType::kInt32)) {
    return BadInput(input, "int32 or float32 of which the first extent is the batch");
  }
  InputFiller filler;
  for (int i = 1; i < shape.rank(); ++i) filler.width_ *= shape[i].size();
  if (input.name == kLabels) {
    filler.kind_ = real ? Kind::kLabels : Kind::kClasses;
    if (real && shape.rank() > 1) filler.depth_ = shape.back().size();
  } else if (input.name == kSampleWeight) {
    filler.kind_ = Kind::kWeights;
    if (!real) return BadInput(input, "float32");
  } else {
    filler.kind_ = real ? Kind::kFeatures : Kind::kTokens;
    if (real ? shape.rank() < 2 : shape.rank() != 2) {
      return BadInput(input, "tokens, int32[batch, maxlen], or float32[batch, maxlen, features]");
    }
    const bool one_step = real && shape.rank() == 2;
    filler.maxlen_ = one_step ? 1 : shape[1].size();
  }
  return filler;
}

absl::Status InputFiller::CheckFits(const Examples& examples) const {
  if (kind_ == Kind::kTokens || kind_ == Kind::kFeatures) return CheckTokens(examples);
  if (examples.source != nullptr) return absl::OkStatus();
  if (kind_ != Kind::kWeights) return CheckLabels(examples);
  const bool by_steps = WeightsBySteps(examples);
  if (examples.rows == 0 || (by_steps && width_ == LabelSteps(examples))) return absl::OkStatus();
  const int64_t given = by_steps ? LabelSteps(examples) : Size(examples.weights) / examples.rows;
  if (!by_steps && (given <= 1 || given == width_)) return absl::OkStatus();
  return InvalidArgument("it takes one weight a row",
                         width_ == 1 ? "" : absl::StrCat(" or ", width_), ", the examples have ",
                         given);
}

absl::Status InputFiller::CheckTokens(const Examples& examples) const {
  if (examples.maxlen != maxlen_) {
    return InvalidArgument("it takes rows of ", maxlen_, " tokens, the examples have ",
                           examples.maxlen);
  }
  if (examples.rows == 0 || examples.source != nullptr) return absl::OkStatus();
  if ((kind_ == Kind::kTokens) != examples.features.empty()) {
    return InvalidArgument("it takes ", kind_ == Kind::kTokens ? "tokens" : "features",
                           ", the examples have the other");
  }
  if (kind_ == Kind::kTokens) return absl::OkStatus();
  const int64_t given = examples.row_begin.empty()
                            ? Size(examples.features) / examples.rows / maxlen_
                            : examples.num_features;
  if (given == width_ / maxlen_) return absl::OkStatus();
  return InvalidArgument("it takes ", width_ / maxlen_, " features a step, the examples have ",
                         given);
}

absl::Status InputFiller::CheckLabels(const Examples& examples) const {
  const bool by_steps = !examples.label_begin.empty();
  if (examples.targets.empty() &&
      (kind_ == Kind::kClasses || (examples.values.empty() && !by_steps))) {
    return InvalidArgument("it needs labels, the examples have no targets");
  }
  if (!examples.targets.empty()) return CheckClasses(examples);
  const int64_t given = by_steps             ? LabelSteps(examples) * LabelColumns(examples)
                        : examples.rows == 0 ? 0
                                             : Size(examples.values) / examples.rows;
  if (given != width_) {
    return InvalidArgument("it takes ", width_, " label values a row, the examples have ", given);
  }
  for (int64_t row = 0; by_steps && row < examples.rows; ++row) {
    int64_t missing = -1;
    ForEachLabel(examples, row, [&](int64_t step, int64_t, float value) {
      if (value != value) missing = step;
    });
    if (missing < 0) continue;
    return InvalidArgument("the label of ", examples.NameOfRow(row), ", step ", missing,
                           " is missing");
  }
  return absl::OkStatus();
}

absl::Status InputFiller::CheckClasses(const Examples& examples) const {
  const int64_t steps = width_ / depth_;
  const int64_t given = !examples.label_begin.empty() ? LabelSteps(examples)
                        : examples.rows == 0          ? 0
                                                      : Size(examples.targets) / examples.rows;
  if (given != steps) {
    return InvalidArgument("it takes ", steps, steps == 1 ? " target" : " targets",
                           " a row, the examples have ", given);
  }
  if (kind_ == Kind::kClasses || depth_ == 1) return absl::OkStatus();
  for (int64_t row = 0; row < examples.rows; ++row) {
    const absl::Span<const int32_t> targets = TargetsOf(examples, row, steps);
    for (int64_t step = 0; step < Size(targets); ++step) {
      if (targets[step] >= 0 && targets[step] < depth_) continue;
      return InvalidArgument("the target of ", examples.NameOfRow(row),
                             steps == 1 ? "" : absl::StrCat(", step ", step), " is ", targets[step],
                             "; classes are from 0 to ", depth_ - 1);
    }
  }
  return absl::OkStatus();
}

void InputFiller::FillRow(const Examples& examples, int64_t row, int64_t to, void* content) const {
  const auto copy = [&](const auto& from) {
    using T = std::decay_t<decltype(from[0])>;
    std::memcpy(static_cast<T*>(content) + to * width_, from.data() + row * width_,
                width_ * sizeof(T));
  };
  // What is there of the row's steps, and zeros.
  const auto pad = [&](const auto& from) {
    using T = std::decay_t<decltype(from[0])>;
    T* const filled = std::copy(from.begin(), from.end(), static_cast<T*>(content) + to * width_);
    std::fill_n(filled, width_ - Size(from), T{0});
  };
  float* const reals = static_cast<float*>(content) + to * width_;
  switch (kind_) {
    case Kind::kTokens:
      return copy(examples.tokens);
    case Kind::kFeatures:
      return examples.row_begin.empty() ? copy(examples.features)
                                        : FillWindow(examples, row, reals);
    case Kind::kClasses:
      return pad(TargetsOf(examples, row, width_));
    case Kind::kWeights:
      if (WeightsBySteps(examples)) {
        return pad(
            examples.weights.subspan(examples.label_begin[row], LabelStepsOf(examples, row)));
      }
      if (Size(examples.weights) == examples.rows * width_) return copy(examples.weights);
      std::fill_n(reals, width_, examples.weights.empty() ? 1.0f : examples.weights[row]);
      return;
    case Kind::kLabels:
      break;
  }
  if (!examples.targets.empty()) return FillClasses(examples, row, reals);
  if (examples.label_begin.empty()) return copy(examples.values);
  std::fill_n(reals, width_, 0.0f);
  const int64_t columns = LabelColumns(examples);
  ForEachLabel(examples, row, [&](int64_t step, int64_t column, float value) {
    reals[step * columns + column] = value;
  });
}

void InputFiller::FillClasses(const Examples& examples, int64_t row, float* labels) const {
  const absl::Span<const int32_t> targets = TargetsOf(examples, row, width_ / depth_);
  std::fill_n(labels, width_, 0.0f);
  for (int64_t step = 0; step < Size(targets); ++step) {
    if (depth_ == 1) labels[step] = static_cast<float>(targets[step]);
    if (depth_ > 1) labels[step * depth_ + targets[step]] = 1;
  }
}

void InputFiller::FetchRow(const Examples& examples, int64_t row) const {
  constexpr int64_t kLine = 64 / sizeof(float), kMostLines = 32;
  if (kind_ != Kind::kTokens && kind_ != Kind::kFeatures) return;
  const void* const data = kind_ == Kind::kTokens ? static_cast<const void*>(examples.tokens.data())
                                                  : examples.features.data();
  const bool window = !examples.row_begin.empty();
  const int64_t first = window ? examples.row_begin[row] * examples.num_features : row * width_;
  const int64_t size = window ? examples.StepsOf(row) * examples.num_features : width_;
  const char* const begin = static_cast<const char*>(data) + first * int64_t{sizeof(float)};
  for (int64_t i = 0; i < std::min(size, kMostLines * kLine); i += kLine) {
    __builtin_prefetch(begin + i * int64_t{sizeof(float)});
  }
}

void InputFiller::Fill(const Examples& examples, absl::Span<const int64_t> order, int64_t begin,
                       int64_t rows, void* content) const {
  // Rows in an order that no hardware foresees come from memory, each one at a time, unless they
  // are asked for before.
  constexpr int64_t kAhead = 8;
  const auto ordered = static_cast<int64_t>(order.size());
  for (int64_t i = 0; i < rows; ++i) {
    if (begin + i + kAhead < ordered) FetchRow(examples, order[begin + i + kAhead]);
    FillRow(examples, order.empty() ? begin + i : order[begin + i], i, content);
  }
}

}  // namespace seqgraph
