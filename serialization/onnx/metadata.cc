#include "serialization/onnx/metadata.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "graph/attributes.h"

namespace seqgraph::onnx {
namespace {

constexpr char kRule[] = "seqgraph.preprocessing.rule";
constexpr char kNumWords[] = "seqgraph.preprocessing.num_words";
constexpr char kMaxlen[] = "seqgraph.preprocessing.maxlen";
constexpr char kTextColumn[] = "seqgraph.preprocessing.text_column";
constexpr char kLabelColumn[] = "seqgraph.preprocessing.label_column";
constexpr char kWords[] = "seqgraph.preprocessing.words";
constexpr char kSeries[] = "seqgraph.series.";  // and a field
constexpr char kLabels[] = "seqgraph.labels";
constexpr int64_t kMaxNumber = INT32_MAX;

void Add(onnx_proto::ModelProto* proto, const std::string& key, std::string value) {
  onnx_proto::StringStringEntryProto* entry = proto->add_metadata_props();
  entry->set_key(key);
  entry->set_value(std::move(value));
}

// One a line.
std::string Escaped(const std::vector<std::string>& texts) {
  return absl::StrJoin(
      texts, "\n", [](std::string* out, const std::string& text) { *out += absl::CEscape(text); });
}

absl::StatusOr<std::vector<std::string>> Unescaped(absl::string_view lines) {
  std::vector<std::string> texts;
  for (absl::string_view line : absl::StrSplit(lines, '\n')) {
    std::string error;
    if (!absl::CUnescape(line, &texts.emplace_back(), &error)) return InvalidArgument(error);
  }
  return texts;
}

// A field that says something becomes an entry: a text escaped, a list with one a line.
struct WriteSeriesField {
  onnx_proto::ModelProto* proto;

  void Put(const char* key, std::string value) const {
    Add(proto, absl::StrCat(kSeries, key), std::move(value));
  }
  void operator()(const char* key, const std::string& text) const {
    if (!text.empty()) Put(key, absl::CEscape(text));
  }
  void operator()(const char* key, int64_t number) const {
    if (number != 0) Put(key, absl::StrCat(number));
  }
  void operator()(const char* key, bool value) const {
    if (value) Put(key, "1");
  }
  void operator()(const char* key, const std::vector<std::string>& texts) const {
    if (!texts.empty()) Put(key, Escaped(texts));
  }
  void operator()(const char* key, const std::vector<double>& numbers) const {
    if (numbers.empty()) return;
    Put(key, absl::StrJoin(numbers, "\n", [](std::string* out, double number) {
          *out += AttributeToString(number);
        }));
  }
};

// Sets the field of that key.
struct ReadSeriesField {
  absl::string_view wanted;
  const std::string& value;
  absl::Status& status;

  template <typename T>
  void operator()(const char* key, T& field) const {
    if (key == wanted) status = Read(field);
  }
  absl::Status Read(std::string& text) const {
    std::string error;
    return absl::CUnescape(value, &text, &error) ? absl::OkStatus() : InvalidArgument(error);
  }
  absl::Status Read(int64_t& number) const {
    return absl::SimpleAtoi(value, &number) ? absl::OkStatus() : InvalidArgument("no number");
  }
  absl::Status Read(bool& is) const {
    is = value == "1";
    return absl::OkStatus();
  }
  absl::Status Read(std::vector<std::string>& texts) const {
    SEQ_ASSIGN_OR_RETURN(texts, Unescaped(value));
    return absl::OkStatus();
  }
  absl::Status Read(std::vector<double>& numbers) const {
    for (const absl::string_view line : absl::StrSplit(value, '\n')) {
      if (!absl::SimpleAtod(line, &numbers.emplace_back())) return InvalidArgument("no number");
    }
    return absl::OkStatus();
  }
};

absl::Status ReadEntry(const std::string& key, const std::string& value, Model* model) {
  TextPreprocessing& text = model->preprocessing;
  if (key == kRule) text.rule = value;
  if (key == kNumWords || key == kMaxlen) {
    int64_t& number = key == kNumWords ? text.num_words : text.maxlen;
    if (!absl::SimpleAtoi(value, &number) || number < 0 || number > kMaxNumber) {
      return InvalidArgument("it must be a number of at least 0");
    }
  }
  if (absl::string_view field = key; absl::ConsumePrefix(&field, kSeries)) {
    absl::Status status;
    SeriesPreprocessing::Fields(model->series, ReadSeriesField{field, value, status});
    SEQ_RETURN_IF_ERROR(status);
    return CheckSeries(model->series);
  }
  if (key == kTextColumn || key == kLabelColumn) {
    std::string error;
    std::string& column = key == kTextColumn ? text.text_column : text.label_column;
    return absl::CUnescape(value, &column, &error) ? absl::OkStatus() : InvalidArgument(error);
  }
  if (key == kWords || key == kLabels) {
    SEQ_ASSIGN_OR_RETURN(std::vector<std::string> texts, Unescaped(value));
    (key == kWords ? text.words : model->labels) = std::move(texts);
  }
  return absl::OkStatus();
}

}  // namespace

void WriteMetadata(const Model& model, onnx_proto::ModelProto* proto) {
  const TextPreprocessing& text = model.preprocessing;
  if (!text.rule.empty()) Add(proto, kRule, text.rule);
  if (text.num_words != 0) Add(proto, kNumWords, absl::StrCat(text.num_words));
  if (text.maxlen != 0) Add(proto, kMaxlen, absl::StrCat(text.maxlen));
  if (!text.words.empty()) Add(proto, kWords, Escaped(text.words));
  if (!text.text_column.empty()) Add(proto, kTextColumn, absl::CEscape(text.text_column));
  if (!text.label_column.empty()) Add(proto, kLabelColumn, absl::CEscape(text.label_column));
  if (!model.labels.empty()) Add(proto, kLabels, Escaped(model.labels));
  SeriesPreprocessing::Fields(model.series, WriteSeriesField{proto});
}

absl::Status ReadMetadata(const onnx_proto::ModelProto& proto, Model* model) {
  for (const auto& entry : proto.metadata_props()) {
    SEQ_RETURN_IF_ERROR(Annotate(ReadEntry(entry.key(), entry.value(), model),
                                 absl::StrCat("metadata ", absl::CEscape(entry.key()))));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::onnx
