#include "serialization/series_proto.h"

#include <string>
#include <vector>

#include "base/status_macros.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace seqgraph {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

// Fields of the message by the names of the struct's.
struct SaveField {
  proto::SeriesPreprocessing& to;

  void operator()(const char* key, const std::string& value) const {
    to.GetReflection()->SetString(&to, Find(key), value);
  }
  void operator()(const char* key, int64_t value) const {
    to.GetReflection()->SetInt64(&to, Find(key), value);
  }
  void operator()(const char* key, bool value) const {
    to.GetReflection()->SetBool(&to, Find(key), value);
  }
  void operator()(const char* key, const std::vector<std::string>& values) const {
    for (const std::string& value : values) to.GetReflection()->AddString(&to, Find(key), value);
  }
  void operator()(const char* key, const std::vector<double>& values) const {
    for (const double value : values) to.GetReflection()->AddDouble(&to, Find(key), value);
  }
  static const FieldDescriptor* Find(const char* key) {
    const FieldDescriptor* field = proto::SeriesPreprocessing::descriptor()->FindFieldByName(key);
    SEQ_CHECK(field != nullptr);
    return field;
  }
};

struct ReadField {
  const proto::SeriesPreprocessing& from;

  void operator()(const char* key, std::string& value) const {
    value = from.GetReflection()->GetString(from, SaveField::Find(key));
  }
  void operator()(const char* key, int64_t& value) const {
    value = from.GetReflection()->GetInt64(from, SaveField::Find(key));
  }
  void operator()(const char* key, bool& value) const {
    value = from.GetReflection()->GetBool(from, SaveField::Find(key));
  }
  void operator()(const char* key, std::vector<std::string>& values) const {
    const FieldDescriptor* field = SaveField::Find(key);
    const Reflection& reflection = *from.GetReflection();
    for (int i = 0; i < reflection.FieldSize(from, field); ++i) {
      values.push_back(reflection.GetRepeatedString(from, field, i));
    }
  }
  void operator()(const char* key, std::vector<double>& values) const {
    const FieldDescriptor* field = SaveField::Find(key);
    const Reflection& reflection = *from.GetReflection();
    for (int i = 0; i < reflection.FieldSize(from, field); ++i) {
      values.push_back(reflection.GetRepeatedDouble(from, field, i));
    }
  }
};

}  // namespace

proto::SeriesPreprocessing SeriesToProto(const SeriesPreprocessing& series) {
  proto::SeriesPreprocessing to;
  SeriesPreprocessing::Fields(series, SaveField{to});
  return to;
}

absl::StatusOr<SeriesPreprocessing> SeriesFromProto(const proto::SeriesPreprocessing& from) {
  SeriesPreprocessing series;
  SeriesPreprocessing::Fields(series, ReadField{from});
  SEQ_RETURN_IF_ERROR(CheckSeries(series));
  return series;
}

}  // namespace seqgraph
