#include "tools/report/occlusion.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/status_macros.h"
#include "data/vocabulary.h"
#include "training/named_examples.h"
#include "training/preprocessing.h"

namespace seqgraph::tools {
namespace {

int64_t PartsOf(int64_t steps, int64_t per_part) { return (steps + per_part - 1) / per_part; }

// The row's own numbers, [steps, features] as the model gets them up to its end.
std::vector<float> ValuesOfRow(const Examples& examples, int64_t row, int64_t features) {
  const bool windows = !examples.row_begin.empty();
  const int64_t steps = windows ? examples.StepsOf(row) : examples.maxlen;
  const int64_t begin =
      windows ? examples.row_begin[static_cast<size_t>(row)] : row * examples.maxlen;
  const auto first = examples.features.begin() + begin * features;
  return {first, first + steps * features};
}

int64_t FeaturesOf(const Examples& examples) {
  if (examples.num_features > 0) return examples.num_features;
  const int64_t steps = examples.rows * examples.maxlen;
  return steps == 0 ? 0 : static_cast<int64_t>(examples.features.size()) / steps;
}

// A row many times over, to be changed: what holds examples.
struct Copies {
  std::vector<int32_t> tokens;
  std::vector<float> features;
  int64_t width = 0;  // features of a step

  Examples Of(const Examples& examples, int64_t row, int64_t count) {
    Examples copies;
    copies.rows = count;
    copies.maxlen = examples.maxlen;
    if (!examples.tokens.empty()) {
      const auto one = examples.tokens.subspan(static_cast<size_t>(row * examples.maxlen),
                                               static_cast<size_t>(examples.maxlen));
      for (int64_t i = 0; i < count; ++i) tokens.insert(tokens.end(), one.begin(), one.end());
      copies.tokens = tokens;
    } else if (!examples.features.empty()) {
      width = FeaturesOf(examples);
      std::vector<float> one = ValuesOfRow(examples, row, width);
      for (size_t step = 0; step < one.size(); step += static_cast<size_t>(width)) {
        const auto begin = one.begin() + static_cast<ptrdiff_t>(step);
        const bool missing =
            std::any_of(begin, begin + width, [](float x) { return std::isnan(x); });
        if (missing) std::fill(begin, begin + width, kMissingStep);
      }
      one.resize(static_cast<size_t>(examples.maxlen * width), kMissingStep);
      for (int64_t i = 0; i < count; ++i) features.insert(features.end(), one.begin(), one.end());
      copies.features = features;
    }
    return copies;
  }
};

// The mean of each feature over the steps that are there.
std::vector<float> MeansOf(const std::vector<float>& values, int64_t width) {
  std::vector<double> sums(static_cast<size_t>(width));
  std::vector<int64_t> counts(static_cast<size_t>(width));
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    sums[i % static_cast<size_t>(width)] += values[i];
    ++counts[i % static_cast<size_t>(width)];
  }
  std::vector<float> means;
  for (size_t f = 0; f < sums.size(); ++f) {
    means.push_back(counts[f] == 0 ? 0.0f
                                   : static_cast<float>(sums[f] / static_cast<double>(counts[f])));
  }
  return means;
}

void LeaveOut(const RowParts& parts, int64_t maxlen, Copies& copies) {
  const std::vector<float> means =
      copies.width == 0 ? std::vector<float>() : MeansOf(parts.values, copies.width);
  const int64_t steps = parts.tokens.empty() ? static_cast<int64_t>(parts.values.size()) /
                                                   std::max<int64_t>(1, copies.width)
                                             : static_cast<int64_t>(parts.tokens.size());
  for (int64_t part = 0; part < parts.size(); ++part) {
    // Copy 0 is the row as it is.
    const int64_t end = std::min(steps, (part + 1) * parts.steps_per_part);
    for (int64_t step = part * parts.steps_per_part; step < end; ++step) {
      const int64_t at = (part + 1) * maxlen + parts.first + step;
      if (copies.width == 0) {
        copies.tokens[static_cast<size_t>(at)] = data::kOovCode;
      } else if (copies.features[static_cast<size_t>(at * copies.width)] != kMissingStep) {
        std::copy(means.begin(), means.end(), copies.features.begin() + at * copies.width);
      }
    }
  }
}

}  // namespace

int64_t RowParts::size() const {
  const int64_t steps = tokens.empty()
                            ? static_cast<int64_t>(values.size()) /
                                  std::max<int64_t>(1, static_cast<int64_t>(features.size()))
                            : static_cast<int64_t>(tokens.size());
  return PartsOf(steps, steps_per_part);
}

absl::StatusOr<RowParts> PartsOfRow(const Model& model, const Examples& examples, int64_t row) {
  RowParts parts;
  if (examples.tokens.empty()) {
    parts.features = model.series.features;
    const int64_t width = FeaturesOf(examples);
    parts.features.resize(static_cast<size_t>(width));
    parts.values = ValuesOfRow(examples, row, width);
    const int64_t steps = static_cast<int64_t>(parts.values.size()) / std::max<int64_t>(1, width);
    parts.steps_per_part = std::max<int64_t>(1, PartsOf(steps, kMostParts));
    return parts;
  }
  SEQ_ASSIGN_OR_RETURN(const data::Vocabulary vocabulary, VocabularyOf(model));
  parts.spaces = data::TokensStandApart(vocabulary.rule());
  const auto codes = examples.tokens.subspan(static_cast<size_t>(row * examples.maxlen),
                                             static_cast<size_t>(examples.maxlen));
  while (parts.first < examples.maxlen &&
         codes[static_cast<size_t>(parts.first)] <= data::kStartCode) {
    ++parts.first;
  }
  for (const int32_t code : codes.subspan(static_cast<size_t>(parts.first))) {
    parts.tokens.emplace_back(code > data::kIndexFrom ? vocabulary.Word(code) : "");
  }
  parts.steps_per_part =
      std::max<int64_t>(1, PartsOf(static_cast<int64_t>(parts.tokens.size()), kMostParts));
  return parts;
}

absl::StatusOr<std::vector<double>> Occlude(ModelRunner& runner, const Examples& examples,
                                            int64_t row, const RowParts& parts, int64_t label) {
  const int64_t count = parts.size() + 1;
  Copies copies;
  Examples changed = copies.Of(examples, row, count);
  LeaveOut(parts, examples.maxlen, copies);
  std::vector<Copies> named(examples.more.size());
  std::vector<NamedExamples> more;
  for (size_t i = 0; i < named.size(); ++i) {
    const NamedExamples& each = examples.more[i];
    if (!each.examples.tokens.empty() || !each.examples.features.empty()) {
      more.push_back({each.name, named[i].Of(each.examples, row, count)});
    }
  }
  changed.more = more;
  SEQ_ASSIGN_OR_RETURN(const std::vector<float> told,
                       runner.Predict(changed, {.batch = std::min<int64_t>(count, 64)}));
  const auto width = static_cast<int64_t>(told.size()) / count;
  const auto probability = [&](int64_t copy) -> double {
    if (width == 1)
      return label == 1 ? told[static_cast<size_t>(copy)] : 1 - told[static_cast<size_t>(copy)];
    return told[static_cast<size_t>(copy * width + label)];
  };
  std::vector<double> moved;
  for (int64_t part = 0; part < parts.size(); ++part) {
    moved.push_back(probability(0) - probability(part + 1));
  }
  return moved;
}

}  // namespace seqgraph::tools
