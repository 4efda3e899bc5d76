#include "training/examples.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/losses.h"

namespace seqgraph {
namespace {

absl::Status BadInput(const ValueInfo& input, absl::string_view expected) {
  return InvalidArgument("input ", input.name, " is ", input.type.ToString(), "; expected ",
                         expected);
}

}  // namespace

std::string Examples::NameOfRow(int64_t row) const {
  return row_name ? row_name(row) : absl::StrCat("row ", row, " of the examples");
}

absl::Status Examples::Validate() const {
  const auto error = [&](absl::string_view problem) {
    return InvalidArgument("examples: ", problem);
  };
  if (rows < 0 || maxlen < 1) {
    return error(absl::StrCat(rows, " rows of ", maxlen, " tokens"));
  }
  // By division: the product could overflow.
  const auto divides = [&](size_t elements, int64_t rows, int64_t each) {
    const int64_t size = static_cast<int64_t>(elements);
    return size % each == 0 && size / each == rows;
  };
  if (!features.empty()) {
    if (!tokens.empty()) return error("both tokens and features are given");
    if (rows == 0 || features.size() % rows != 0 || features.size() / rows % maxlen != 0) {
      return error(absl::StrCat(features.size(), " features given for ", rows, " rows of ", maxlen,
                                " steps"));
    }
  } else if (!divides(tokens.size(), rows, maxlen)) {
    return error(absl::StrCat(tokens.size(), " tokens given for ", rows, " rows of ", maxlen));
  }
  if (!values.empty() && !targets.empty()) return error("both targets and values are given");
  for (const auto& [name, size] : {std::pair("targets", targets.size()),
                                   {"values", values.size()},
                                   {"weights", weights.size()}}) {
    if (size == 0 || (rows > 0 && size % rows == 0)) continue;
    return error(absl::StrCat(size, " ", name, " given for ", rows, " rows"));
  }
  return absl::OkStatus();
}

Examples ExamplesOf(const data::TokenSet& set) {
  return {.tokens = set.tokens, .rows = set.rows, .maxlen = set.maxlen, .targets = set.targets};
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
    if (shape.rank() != (real ? 3 : 2)) {
      return BadInput(input, "tokens, int32[batch, maxlen], or float32[batch, maxlen, features]");
    }
    filler.maxlen_ = shape[1].size();
  }
  return filler;
}

absl::Status InputFiller::CheckFits(const Examples& examples) const {
  const auto wrong = [](auto... parts) { return InvalidArgument(parts...); };
  if (kind_ == Kind::kTokens || kind_ == Kind::kFeatures) {
    if (examples.maxlen != maxlen_) {
      return wrong("it takes rows of ", maxlen_, " tokens, the examples have ", examples.maxlen);
    }
    if (examples.rows == 0) return absl::OkStatus();
    if ((kind_ == Kind::kTokens) != examples.features.empty()) {
      return wrong("it takes ", kind_ == Kind::kTokens ? "tokens" : "features",
                   ", the examples have the other");
    }
    if (kind_ == Kind::kTokens) return absl::OkStatus();
    const int64_t given = static_cast<int64_t>(examples.features.size()) / examples.rows;
    if (given == width_) return absl::OkStatus();
    return wrong("it takes ", width_ / maxlen_, " features a step, the examples have ",
                 given / maxlen_);
  }
  const auto each = [&](const auto& content) {
    return examples.rows == 0 ? 0 : static_cast<int64_t>(content.size()) / examples.rows;
  };
  if (kind_ == Kind::kWeights) {
    const int64_t given = each(examples.weights);
    if (given <= 1 || given == width_) return absl::OkStatus();
    return wrong("it takes one weight a row", width_ == 1 ? "" : absl::StrCat(" or ", width_),
                 ", the examples have ", given);
  }
  if (examples.targets.empty() && (kind_ == Kind::kClasses || examples.values.empty())) {
    return wrong("it needs labels, the examples have no targets");
  }
  if (!examples.values.empty()) {
    const int64_t given = each(examples.values);
    if (given == width_) return absl::OkStatus();
    return wrong("it takes ", width_, " label values a row, the examples have ", given);
  }
  const int64_t steps = width_ / depth_;
  if (each(examples.targets) != steps) {
    return wrong("it takes ", steps, steps == 1 ? " target" : " targets",
                 " a row, the examples have ", each(examples.targets));
  }
  if (kind_ == Kind::kClasses || depth_ == 1) return absl::OkStatus();
  for (int64_t i = 0; i < examples.rows * steps; ++i) {
    const int32_t target = examples.targets[i];
    if (target >= 0 && target < depth_) continue;
    return wrong("the target of ", examples.NameOfRow(i / steps),
                 steps == 1 ? "" : absl::StrCat(", step ", i % steps), " is ", target,
                 "; classes are from 0 to ", depth_ - 1);
  }
  return absl::OkStatus();
}

void InputFiller::FillRow(const Examples& examples, int64_t row, int64_t to, void* content) const {
  const auto copy = [&](const auto& from) {
    using T = std::decay_t<decltype(from[0])>;
    std::memcpy(static_cast<T*>(content) + to * width_, from.data() + row * width_,
                width_ * sizeof(T));
  };
  switch (kind_) {
    case Kind::kTokens:
      return copy(examples.tokens);
    case Kind::kFeatures:
      return copy(examples.features);
    case Kind::kClasses:
      return copy(examples.targets);
    case Kind::kWeights:
      if (static_cast<int64_t>(examples.weights.size()) == examples.rows * width_) {
        return copy(examples.weights);
      }
      std::fill_n(static_cast<float*>(content) + to * width_, width_,
                  examples.weights.empty() ? 1.0f : examples.weights[row]);
      return;
    case Kind::kLabels:
      break;
  }
  if (!examples.values.empty()) return copy(examples.values);
  float* labels = static_cast<float*>(content) + to * width_;
  const int64_t steps = width_ / depth_;
  const absl::Span<const int32_t> targets = examples.targets.subspan(row * steps, steps);
  if (depth_ == 1) {
    std::copy(targets.begin(), targets.end(), labels);
    return;
  }
  std::fill_n(labels, width_, 0.0f);
  for (int64_t step = 0; step < steps; ++step) labels[step * depth_ + targets[step]] = 1;
}

void InputFiller::FetchRow(const Examples& examples, int64_t row) const {
  constexpr int64_t kLine = 64 / sizeof(float), kMostLines = 32;
  if (kind_ != Kind::kTokens && kind_ != Kind::kFeatures) return;
  const void* const data = kind_ == Kind::kTokens ? static_cast<const void*>(examples.tokens.data())
                                                  : examples.features.data();
  const char* const begin = static_cast<const char*>(data) + row * width_ * int64_t{sizeof(float)};
  for (int64_t i = 0; i < std::min(width_, kMostLines * kLine); i += kLine) {
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
