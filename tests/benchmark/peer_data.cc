#include "tests/benchmark/peer_data.h"

#include <cmath>
#include <fstream>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "data/npy.h"
#include "data/text_dataset.h"
#include "layers/recurrent_cells.h"
#include "training/initializers.h"
#include "training/series/series_model.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

constexpr char kSeries[] = "series";

std::string ArrayPath(const PeerSpec& spec, const std::string& name) {
  return absl::StrCat(spec.data, "/", name, ".npy");
}

std::string WeightPath(const PeerSpec& spec, const std::string& weight) {
  return ArrayPath(spec, absl::StrReplaceAll(weight, {{"/", "."}}));
}

template <typename T>
absl::Status WriteArray(const std::string& path, absl::Span<const T> elements,
                        absl::Span<const int64_t> shape) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, data::NpyFile(elements, shape));
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat("cannot write ", path));
  return absl::OkStatus();
}

absl::Status WriteRows(const PeerSpec& spec, const std::string& prefix, const data::TokenSet& rows,
                       int64_t count) {
  if (rows.rows < count) {
    return absl::InternalError(absl::StrCat(rows.rows, " rows, expected at least ", count));
  }
  const auto tokens = absl::MakeConstSpan(rows.tokens).first(count * spec.time);
  SEQ_RETURN_IF_ERROR(WriteArray(ArrayPath(spec, prefix + "inputs"), tokens, {count, spec.time}));
  return WriteArray(ArrayPath(spec, prefix + "labels"),
                    absl::MakeConstSpan(rows.targets).first(count), {count});
}

// Two waves of each class in each feature, and noise of half their height.
absl::Status WriteSeries(const PeerSpec& spec, const std::string& prefix, int64_t rows) {
  std::mt19937 rng(prefix.empty() ? 1 : 2);
  std::normal_distribution<float> noise(0, 0.5f);
  std::vector<float> values;
  values.reserve(static_cast<size_t>(rows * spec.time * spec.features));
  std::vector<int32_t> targets;
  for (int64_t row = 0; row < rows; ++row) {
    targets.push_back(static_cast<int32_t>(rng() % 2));
    const float rate = targets.back() == 0 ? 0.11f : 0.17f, phase = noise(rng);
    for (int64_t t = 0; t < spec.time; ++t) {
      for (int64_t f = 0; f < spec.features; ++f) {
        const float at = rate * static_cast<float>(t * (1 + f % 2)) + phase;
        values.push_back(std::sin(at) + noise(rng));
      }
    }
  }
  SEQ_RETURN_IF_ERROR(WriteArray<float>(ArrayPath(spec, prefix + "inputs"), values,
                                        {rows, spec.time, spec.features}));
  return WriteArray<int32_t>(ArrayPath(spec, prefix + "labels"), targets, {rows});
}

absl::Status WriteWeights(const PeerSpec& spec) {
  SEQ_ASSIGN_OR_RETURN(Model model, MakePeerModel(spec));
  SEQ_RETURN_IF_ERROR(InitializeVariables(1, model.variables));
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.role != VariableRole::kWeight) continue;
    Tensor value = variable.value;
    const absl::Span<float> elements = value.Elements<float>();
    if (absl::EndsWith(variable.def.name, "bias")) {
      for (size_t i = 0; i < elements.size(); ++i) {
        const float size = 0.1f * static_cast<float>(i + 1) / static_cast<float>(elements.size());
        elements[i] = i % 2 == 0 ? size : -size;
      }
    }
    std::vector<int64_t> shape;
    for (int d = 0; d < variable.value.shape().rank(); ++d) {
      shape.push_back(variable.value.shape()[d].size());
    }
    SEQ_RETURN_IF_ERROR(WriteArray<float>(WeightPath(spec, variable.def.name), elements, shape));
  }
  return absl::OkStatus();
}

absl::StatusOr<PeerRows> ReadRows(const PeerSpec& spec, const std::string& prefix) {
  const std::string path = ArrayPath(spec, prefix + "inputs");
  SEQ_ASSIGN_OR_RETURN(const data::NpyArray inputs, data::ReadNpy(path));
  SEQ_ASSIGN_OR_RETURN(const data::NpyArray labels,
                       data::ReadNpy(ArrayPath(spec, prefix + "labels")));
  SEQ_ASSIGN_OR_RETURN(const auto label_values, labels.Values<int32_t>());
  std::vector<int64_t> shape = {labels.size(), spec.time};
  if (spec.model == kSeries) shape.push_back(spec.features);
  if (inputs.shape != shape) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": not [", absl::StrJoin(shape, ", "), "], a row for each label"));
  }
  PeerRows rows{.rows = labels.size(),
                .maxlen = spec.time,
                .targets = {label_values.begin(), label_values.end()}};
  if (spec.model == kSeries) {
    SEQ_ASSIGN_OR_RETURN(const auto values, inputs.Values<float>());
    rows.features.assign(values.begin(), values.end());
  } else {
    SEQ_ASSIGN_OR_RETURN(const auto values, inputs.Values<int32_t>());
    rows.tokens.assign(values.begin(), values.end());
  }
  return rows;
}

}  // namespace

absl::StatusOr<Model> MakePeerModel(const PeerSpec& spec) {
  if (spec.model != "onehot" && spec.model != "embedding" && spec.model != kSeries) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown model \"", spec.model, "\": expected embedding, onehot or series"));
  }
  if (FindRecurrentCell(spec.cell) == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown cell \"", spec.cell, "\": expected SimpleRNN, LSTM or GRU"));
  }
  const TrainableOptions training{
      .optimizer =
          RMSProp{.learning_rate = spec.learning_rate, .rho = spec.rho, .epsilon = spec.epsilon}};
  if (spec.model == kSeries) {
    return MakeSeriesModel({.features = spec.features,
                            .steps = spec.time,
                            .outputs = 2,
                            .layers = {.cell = spec.cell, .units = spec.units}},
                           training);
  }
  return MakeTextModel({.one_hot = spec.model == "onehot",
                        .num_words = spec.vocabulary,
                        .maxlen = spec.time,
                        .embedding_dim = spec.features,
                        .cell = spec.cell,
                        .units = spec.units},
                       training);
}

absl::Status WritePeerData(const PeerSpec& spec) {
  const int64_t rows = spec.steps * spec.batch, validation = rows / 4;
  if (spec.model == kSeries) {
    SEQ_RETURN_IF_ERROR(WriteSeries(spec, "", rows));
    SEQ_RETURN_IF_ERROR(WriteSeries(spec, "validation_", validation));
    return WriteWeights(spec);
  }
  data::DatasetOptions options{.num_words = static_cast<int>(spec.vocabulary),
                               .maxlen = static_cast<int>(spec.time),
                               .validation = 0.2,
                               .with_test = false};
  options.synthetic.train_reviews = rows + validation + 4;  // Rounding may go either way.
  SEQ_ASSIGN_OR_RETURN(const data::Dataset dataset,
                       data::LoadDataset(std::string(data::kSyntheticName), options));
  SEQ_RETURN_IF_ERROR(WriteRows(spec, "", dataset.train, rows));
  SEQ_RETURN_IF_ERROR(WriteRows(spec, "validation_", dataset.validation, validation));
  return WriteWeights(spec);
}

absl::StatusOr<PeerData> ReadPeerData(const PeerSpec& spec) {
  PeerData data;
  SEQ_ASSIGN_OR_RETURN(data.train, ReadRows(spec, ""));
  SEQ_ASSIGN_OR_RETURN(data.validation, ReadRows(spec, "validation_"));
  if (spec.task == "predict") return data;
  const int64_t rows = spec.steps * spec.batch;
  if (data.train.rows < rows) {
    return absl::InvalidArgumentError(
        absl::StrCat(spec.data, ": ", data.train.rows, " rows, expected at least ", rows));
  }
  data.train.rows = rows;
  if (spec.model == kSeries) {
    data.train.features.resize(rows * spec.time * spec.features);
  } else {
    data.train.tokens.resize(rows * spec.time);
  }
  data.train.targets.resize(rows);
  return data;
}

absl::Status ReadPeerWeights(const PeerSpec& spec, Model& model) {
  for (const Variable& variable : model.variables.all()) {
    const std::string& name = variable.def.name;
    if (name == "optimizer/learning_rate") continue;
    SEQ_ASSIGN_OR_RETURN(Tensor value, Tensor::Zeros(variable.value.type()));
    if (variable.def.role == VariableRole::kWeight) {
      SEQ_ASSIGN_OR_RETURN(const data::NpyArray array, data::ReadNpy(WeightPath(spec, name)));
      SEQ_ASSIGN_OR_RETURN(const auto elements, array.Values<float>());
      if (array.size() != value.num_elements()) {
        return absl::InvalidArgumentError(absl::StrCat(WeightPath(spec, name), ": ", array.size(),
                                                       " elements, expected ",
                                                       value.num_elements()));
      }
      value = Tensor::Of(value.shape(), elements);
    }
    SEQ_RETURN_IF_ERROR(model.variables.Assign(name, value));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
