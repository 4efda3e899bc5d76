#pragma once

// What our models keep of text and series and Keras's files have no place for, as JSON: a file
// below "assets/" in ".keras", an attribute of the root in ".h5". Keras passes both over.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "serialization/keras/keras_model.h"

namespace seqgraph::keras {

inline constexpr char kTextAssetsFile[] = "assets/seqgraph_text.json";
inline constexpr char kTextAssetsAttribute[] = "seqgraph_text";

/// Whether the model has a rule, words or labels, or knows of series.
bool HasTextAssets(const KerasModel& model);

/// {"rule", "num_words", "maxlen", "words", "labels"} and, where it takes series, {"series": {...}}
/// with the fields of SeriesPreprocessing, in ASCII. Texts are bytes of any
/// kind: byte b stands there as the character U+00b.
std::string TextAssetsJson(const KerasModel& model);

/// Puts them into the model. For untrusted bytes: InvalidArgument for what is not such a text, for
/// numbers beyond 2^31 - 1 and for more than kMaxVocabularyWords words; as CheckSeries().
absl::Status ReadTextAssets(absl::string_view json, KerasModel& model);

}  // namespace seqgraph::keras
