#pragma once

// How text becomes the input of a model: what a data set knows of it travels in the model.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/text_dataset.h"
#include "data/vocabulary.h"
#include "graph/model.h"

namespace seqgraph {

/// The rule of the published reviews: lower-cased ASCII words. A model names its rule, one of
/// data::TokenRuleNames(); of all of them word i (from 0) has code i + 4; the codes below num_words
/// are used, and the last maxlen of a text. See data/vocabulary.h.
inline constexpr char kTextRule[] = "imdb";

/// Puts the vocabulary, the length of rows and the names of the classes into a model that is to be
/// trained on the data set, so that it, saved or not, takes text.
void SetPreprocessing(const data::Dataset& dataset, Model& model);

/// The columns of numbers that a model takes beside a text, in the order of its input; empty: none.
/// They are Model::series.features of a model without a task of series, which has the kind of their
/// scale beside them.
const std::vector<std::string>& NumericColumnsOf(const Model& model);

/// The vocabulary that travels in a model, with its rule. InvalidArgument for a model without one,
/// or with a rule that this program does not know.
absl::StatusOr<data::Vocabulary> VocabularyOf(const Model& model);

}  // namespace seqgraph
