#include "training/tensorboard/summaries.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "data/well_formed_text.h"
#include "training/tensorboard/event.pb.h"

namespace seqgraph {
namespace {

std::string Serialized(const google::protobuf::MessageLite& message) {
  return message.SerializeAsString();
}

tensorboard::Event At(double time, int64_t step) {
  tensorboard::Event event;
  event.set_wall_time(time);
  event.set_step(step);
  return event;
}

// `content`: what the plug-in keeps beside the value; empty is version 0 of each.
tensorboard::SummaryValue& AddValue(tensorboard::Event& event, absl::string_view tag,
                                    const char* plugin, tensorboard::DataClass data_class,
                                    const std::string& content = "") {
  tensorboard::SummaryValue& value = *event.mutable_summary()->add_value();
  value.set_tag(data::WellFormedText(tag));
  value.mutable_metadata()->mutable_plugin_data()->set_plugin_name(plugin);
  value.mutable_metadata()->mutable_plugin_data()->set_content(content);
  value.mutable_metadata()->set_data_class(data_class);
  return value;
}

// The value is a tensor without elements that count: all is in the plug-in's content.
std::string SessionEvent(double time, const char* tag, const tensorboard::HParamsPluginData& data) {
  tensorboard::Event event = At(time, 0);
  tensorboard::TensorProto& tensor =
      *AddValue(event, tag, "hparams", tensorboard::DATA_CLASS_TENSOR, Serialized(data))
           .mutable_tensor();
  tensor.set_dtype(tensorboard::DT_FLOAT);
  tensor.mutable_tensor_shape()->add_dim()->set_size(0);
  return Serialized(event);
}

}  // namespace

std::string FileVersionEvent(double time) {
  tensorboard::Event event = At(time, 0);
  event.set_file_version("brain.Event:2");
  event.mutable_source_metadata()->set_writer("seqgraph");
  return Serialized(event);
}

std::string ScalarEvent(double time, int64_t step, absl::string_view tag, double value) {
  tensorboard::Event event = At(time, step);
  tensorboard::TensorProto& tensor =
      *AddValue(event, tag, "scalars", tensorboard::DATA_CLASS_SCALAR).mutable_tensor();
  tensor.set_dtype(tensorboard::DT_FLOAT);
  tensor.mutable_tensor_shape();
  tensor.add_float_val(static_cast<float>(value));
  return Serialized(event);
}

std::vector<double> HistogramBuckets(absl::Span<const float> values, int buckets) {
  std::vector<double> rows(static_cast<size_t>(buckets) * 3);
  double low = INFINITY, high = -INFINITY;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min<double>(low, value);
    high = std::max<double>(high, value);
  }
  if (low > high) return rows;
  const double width = (high - low) / buckets;
  for (int b = 0; b < buckets; ++b) {
    rows[3 * b] = low + width * b;
    rows[3 * b + 1] = b + 1 == buckets ? high : low + width * (b + 1);
  }
  const double scale = high > low ? buckets / (high - low) : 0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const int bucket =
        scale == 0 ? buckets - 1 : std::min(static_cast<int>((value - low) * scale), buckets - 1);
    ++rows[3 * bucket + 2];
  }
  return rows;
}

std::string HistogramEvent(double time, int64_t step, absl::string_view tag,
                           absl::Span<const double> buckets) {
  tensorboard::Event event = At(time, step);
  tensorboard::TensorProto& tensor =
      *AddValue(event, tag, "histograms", tensorboard::DATA_CLASS_TENSOR).mutable_tensor();
  tensor.set_dtype(tensorboard::DT_DOUBLE);
  tensor.mutable_tensor_shape()->add_dim()->set_size(static_cast<int64_t>(buckets.size() / 3));
  tensor.mutable_tensor_shape()->add_dim()->set_size(3);
  tensor.set_tensor_content(
      std::string(reinterpret_cast<const char*>(buckets.data()), buckets.size() * sizeof(double)));
  return Serialized(event);
}

std::string ImageEvent(double time, int64_t step, absl::string_view tag, int width, int height,
                       const std::string& png) {
  tensorboard::Event event = At(time, step);
  tensorboard::TensorProto& tensor =
      *AddValue(event, tag, "images", tensorboard::DATA_CLASS_BLOB_SEQUENCE).mutable_tensor();
  tensor.set_dtype(tensorboard::DT_STRING);
  tensor.mutable_tensor_shape()->add_dim()->set_size(3);
  tensor.add_string_val(std::to_string(width));
  tensor.add_string_val(std::to_string(height));
  tensor.add_string_val(png);
  return Serialized(event);
}

std::string GraphEvent(double time, std::string graph_def) {
  tensorboard::Event event = At(time, 0);
  event.set_graph_def(std::move(graph_def));
  return Serialized(event);
}

std::string SessionStartEvent(double time, const HyperParameters& parameters) {
  tensorboard::HParamsPluginData data;
  tensorboard::SessionStartInfo& start = *data.mutable_session_start_info();
  start.set_start_time_secs(time);
  std::set<std::string> seen;
  for (const auto& [name, value] : parameters) {
    std::string key = data::WellFormedText(name);
    if (!seen.insert(key).second) continue;
    tensorboard::HyperParameter& parameter = *start.add_hparams();
    parameter.set_key(std::move(key));
    tensorboard::HyperParameterValue& held = *parameter.mutable_value();
    if (const double* number = std::get_if<double>(&value)) held.set_number_value(*number);
    if (const bool* on = std::get_if<bool>(&value)) held.set_bool_value(*on);
    if (const std::string* text = std::get_if<std::string>(&value)) {
      held.set_string_value(data::WellFormedText(*text));
    }
  }
  return SessionEvent(time, "_hparams_/session_start_info", data);
}

std::string SessionEndEvent(double time, bool succeeded) {
  tensorboard::HParamsPluginData data;
  data.mutable_session_end_info()->set_status(succeeded ? tensorboard::STATUS_SUCCESS
                                                        : tensorboard::STATUS_FAILURE);
  data.mutable_session_end_info()->set_end_time_secs(time);
  return SessionEvent(time, "_hparams_/session_end_info", data);
}

}  // namespace seqgraph
