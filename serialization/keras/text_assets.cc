#include "serialization/keras/text_assets.h"

#include <climits>
#include <vector>

#include "base/status_macros.h"
#include "serialization/keras/config.h"

namespace seqgraph::keras {
namespace {

// Bytes as characters of Latin-1, in UTF-8.
std::string Latin1ToUtf8(absl::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    if (b < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | (b >> 6));
      text += static_cast<char>(0x80 | (b & 0x3F));
    }
  }
  return text;
}

// The way back. The JSON parser lets only UTF-8 through; false for a character above U+00FF.
bool Utf8ToLatin1(absl::string_view text, std::string* bytes) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto b = static_cast<unsigned char>(text[i]);
    if (b < 0x80) {
      *bytes += text[i];
    } else if ((b == 0xC2 || b == 0xC3) && i + 1 < text.size()) {
      *bytes += static_cast<char>((b & 0x03) << 6 | (text[++i] & 0x3F));
    } else {
      return false;
    }
  }
  return true;
}

OrderedJson TextsJson(const std::vector<std::string>& texts) {
  OrderedJson json = OrderedJson::array();
  for (const std::string& text : texts) json.push_back(Latin1ToUtf8(text));
  return json;
}

void ReadText(Config& config, const char* key, std::string* text) {
  std::string read;
  config.Text(key, &read);
  if (!Utf8ToLatin1(read, text)) {
    config.Fail(InvalidArgument(key, " must have characters up to U+00FF"));
  }
}

void ReadTexts(Config& config, const char* key, std::vector<std::string>* texts) {
  const Json* list = config.Take(key);
  if (list == nullptr) return;
  if (!list->is_array() || list->size() > kMaxVocabularyWords) {
    config.Fail(InvalidArgument(key, " must be a list of at most ", kMaxVocabularyWords, " texts"));
    return;
  }
  for (const Json& text : *list) {
    if (!text.is_string() ||
        !Utf8ToLatin1(text.get_ref<const std::string&>(), &texts->emplace_back())) {
      config.Fail(InvalidArgument(key, " has ", Shown(text), ": expected characters up to U+00FF"));
      return;
    }
  }
}

struct SeriesFieldJson {
  OrderedJson& to;

  void operator()(const char* key, const std::string& text) const { to[key] = Latin1ToUtf8(text); }
  void operator()(const char* key, const std::vector<std::string>& texts) const {
    to[key] = TextsJson(texts);
  }
  template <typename T>
  void operator()(const char* key, const T& value) const {
    to[key] = value;
  }
};

struct ReadSeriesField {
  Config& config;

  void operator()(const char* key, std::string& text) const { ReadText(config, key, &text); }
  void operator()(const char* key, std::vector<std::string>& texts) const {
    ReadTexts(config, key, &texts);
  }
  void operator()(const char* key, int64_t& number) const { config.Int(key, 0, INT_MAX, &number); }
  void operator()(const char* key, bool& value) const { config.Bool(key, &value); }
  void operator()(const char* key, std::vector<double>& numbers) const {
    const Json* list = config.Take(key);
    if (list == nullptr) return;
    for (const Json& number : *list) {
      if (!number.is_number()) return config.Refuse(key, *list, "it must be a list of numbers");
      numbers.push_back(number.get<double>());
    }
  }
};

}  // namespace

bool HasTextAssets(const KerasModel& model) {
  const TextPreprocessing& text = model.preprocessing;
  return !text.rule.empty() || !text.words.empty() || text.num_words != 0 || text.maxlen != 0 ||
         !model.labels.empty() || model.series != SeriesPreprocessing();
}

std::string TextAssetsJson(const KerasModel& model) {
  const TextPreprocessing& text = model.preprocessing;
  OrderedJson json = {{"rule", Latin1ToUtf8(text.rule)},
                      {"num_words", text.num_words},
                      {"maxlen", text.maxlen},
                      {"words", TextsJson(text.words)},
                      {"labels", TextsJson(model.labels)}};
  if (!text.text_column.empty()) json["text_column"] = Latin1ToUtf8(text.text_column);
  if (!text.label_column.empty()) json["label_column"] = Latin1ToUtf8(text.label_column);
  if (model.series != SeriesPreprocessing()) {
    SeriesPreprocessing::Fields(model.series, SeriesFieldJson{json["series"]});
  }
  return JsonText(json);
}

absl::Status ReadTextAssets(absl::string_view json, KerasModel& model) {
  SEQ_ASSIGN_OR_RETURN(const Json parsed, ParseJson(json));
  Config config(parsed, "text");
  TextPreprocessing& text = model.preprocessing;
  ReadText(config, "rule", &text.rule);
  config.Int("num_words", 0, INT_MAX, &text.num_words);
  config.Int("maxlen", 0, INT_MAX, &text.maxlen);
  ReadTexts(config, "words", &text.words);
  ReadTexts(config, "labels", &model.labels);
  ReadText(config, "text_column", &text.text_column);
  ReadText(config, "label_column", &text.label_column);
  if (const Json* series = config.Take("series")) {
    Config fields(*series, "series");
    SeriesPreprocessing::Fields(model.series, ReadSeriesField{fields});
    SEQ_RETURN_IF_ERROR(fields.Finish());
    SEQ_RETURN_IF_ERROR(CheckSeries(model.series));
  }
  return config.Finish();
}

}  // namespace seqgraph::keras
