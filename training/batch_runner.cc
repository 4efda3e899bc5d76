#include "training/batch_runner.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "training/losses.h"

namespace seqgraph {
namespace {

absl::Status Misfit(const Function& function, absl::string_view what) {
  return InvalidArgument("function ", function.name(), ": ", what);
}

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> OutputsToRead(const Function& function,
                                                       const std::string& prediction) {
  std::vector<std::string> found;
  if (prediction.empty()) found = JudgedOutputs(function);
  if (!found.empty()) return found;
  for (const NamedValue& result : function.results()) {
    const bool of_loss = result.name == kLossResult || result.name == kLossMask;
    if (prediction.empty() ? !of_loss : result.name == prediction) found.push_back(result.name);
  }
  if (found.empty()) {
    return Misfit(function, prediction.empty()
                                ? "it has no result that could be the prediction"
                                : absl::StrCat("it has no result \"", prediction, "\""));
  }
  if (found.size() > 1 && function.FindValue(kLabels).present()) {
    return Misfit(function, absl::StrCat("it has several results (", absl::StrJoin(found, ", "),
                                         "); say which one is the prediction"));
  }
  return found;
}

absl::StatusOr<BatchRunner> BatchRunner::Create(CompiledFunction* compiled,
                                                const std::string& prediction) {
  const Function& function = compiled->function();
  BatchRunner runner;
  runner.function_ = compiled;
  runner.batch_ = compiled->batch();
  SEQ_RETURN_IF_ERROR(runner.MakeFillers());
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> outputs, OutputsToRead(function, prediction));
  const std::vector<std::string> judged = JudgedOutputs(function);
  for (const std::string& name : outputs) {
    SEQ_ASSIGN_OR_RETURN(Output output, runner.MakeOutput(name, Has(judged, name)));
    runner.outputs_.push_back(std::move(output));
  }
  SEQ_ASSIGN_OR_RETURN(runner.loss_, runner.LossResult(kLossResult));
  return runner;
}

absl::Status BatchRunner::MakeFillers() {
  const Function& function = function_->function();
  int sequences = 0;
  for (Value input : function.inputs()) {
    const ValueInfo& info = function.info(input);
    absl::StatusOr<NamedFiller> filler = NamedFiller::Create(function, info);
    if (!filler.ok()) return Misfit(function, filler.status().message());
    if (info.type.shape[0] != batch_) {
      return Misfit(function,
                    absl::StrCat("input ", info.name, " is ", info.type.ToString(),
                                 "; its first extent must be the batch, which is ", batch_));
    }
    sequences += filler->is_sequence();
    fillers_.push_back(*std::move(filler));
  }
  return sequences > 0 ? absl::OkStatus()
                       : Misfit(function, "expected an input of tokens or features, it has none");
}

absl::StatusOr<BatchRunner::Output> BatchRunner::MakeOutput(const std::string& name,
                                                            bool judged) const {
  const Function& function = function_->function();
  const int result = function_->FindResult(name);
  const TensorType& type = function.type(function.results()[result].value);
  if (type.dtype != DType::kFloat32) {
    return Misfit(function,
                  absl::StrCat("the prediction is ", type.ToString(), ", expected float32"));
  }
  const std::string own = judged ? name : "";
  Output output{.name = name};
  output.predictions = static_cast<const float*>(function_->result(result));
  output.num_predictions = static_cast<size_t>(type.shape.num_elements());
  output.rows = type.shape.num_elements() / (type.shape.rank() > 1 ? type.shape.back().size() : 1);
  for (size_t i = 0; i < fillers_.size(); ++i) {
    if (fillers_[i].output() != own) continue;
    if (fillers_[i].filler().is_labels()) output.labels_input = static_cast<int>(i);
    if (fillers_[i].filler().is_weights()) output.weights_input = static_cast<int>(i);
  }
  if (output.labels_input < 0) return output;
  if (const int mask = function_->FindResult(NameForOutput(kLossMask, own)); mask >= 0) {
    output.mask = static_cast<const float*>(function_->result(mask));
  }
  SEQ_RETURN_IF_ERROR(PrepareLabels(type, output));
  SEQ_ASSIGN_OR_RETURN(output.loss, LossResult(NameForOutput(kLossResult, own)));
  return output;
}

absl::StatusOr<const float*> BatchRunner::LossResult(const std::string& name) const {
  const int loss = function_->FindResult(name);
  if (loss < 0) return nullptr;
  const Function& function = function_->function();
  const TensorType& type = function.type(function.results()[loss].value);
  if (type == TensorType{DType::kFloat32, {}}) {
    return static_cast<const float*>(function_->result(loss));
  }
  return Misfit(function,
                absl::StrCat("the ", name, " is ", type.ToString(), ", expected a float32 scalar"));
}

absl::Status BatchRunner::PrepareLabels(const TensorType& prediction, Output& output) const {
  const InputFiller& labels = fillers_[output.labels_input].filler();
  if (output.weights_input >= 0) output.weights.resize(output.rows);
  const int64_t elements = batch_ * labels.width();
  if (labels.is_classes()) {
    output.classes.resize(elements);
    if (elements == output.rows) return absl::OkStatus();
  } else {
    output.labels.resize(elements);
    if (output.labels.size() == output.num_predictions) return absl::OkStatus();
    const std::vector<double> quantiles =
        QuantilesOf(function_->function(), fillers_[output.labels_input].output());
    if (output.labels.size() * quantiles.size() == output.num_predictions) {
      const auto nearest = std::min_element(
          quantiles.begin(), quantiles.end(),
          [](double a, double b) { return std::abs(a - 0.5) < std::abs(b - 0.5); });
      output.median_place = nearest - quantiles.begin();
      output.median.resize(output.labels.size());
      return absl::OkStatus();
    }
  }
  const Function& function = function_->function();
  return Misfit(function, absl::StrCat("the prediction is ", prediction.ToString(), "; expected ",
                                       labels.width(), labels.is_classes() ? " rows" : " numbers",
                                       " a row, as in ",
                                       function.info(function.inputs()[output.labels_input]).name));
}

// Before a run.
void BatchRunner::KeepLabels(Output& output) const {
  if (output.labels_input < 0) return;
  const void* labels = function_->input(output.labels_input);
  std::memcpy(output.labels.data(), labels, output.labels.size() * sizeof(float));
  std::memcpy(output.classes.data(), labels, output.classes.size() * sizeof(int32_t));
  if (output.weights.empty()) return;
  // A function of somebody else's may take one weight for all steps of a row.
  const float* weights = static_cast<const float*>(function_->input(output.weights_input));
  const int64_t given = batch_ * fillers_[output.weights_input].filler().width();
  for (int64_t row = 0; row < output.rows; ++row) {
    output.weights[row] = weights[row * given / output.rows];
  }
}

// The last axis of the predictions is [quantile, element].
void BatchRunner::TakeMedian(Output& output) {
  if (output.median_place < 0) return;
  const int64_t width = static_cast<int64_t>(output.median.size()) / output.rows;
  const int64_t stride = static_cast<int64_t>(output.num_predictions) / output.rows;
  for (int64_t row = 0; row < output.rows; ++row) {
    std::copy_n(output.predictions + row * stride + output.median_place * width, width,
                output.median.data() + row * width);
  }
}

MetricBatch BatchRunner::metric_batch(bool weighted, size_t of) const {
  const Output& output = outputs_[of];
  MetricBatch batch{.rows = output.rows,
                    .predictions = predictions(of),
                    .labels = output.labels,
                    .classes = output.classes};
  if (output.median_place >= 0) batch.predictions = output.median;
  if (weighted && !output.weights.empty()) {
    batch.weights = output.weights;
  } else if (output.mask != nullptr) {
    batch.weights = {output.mask, static_cast<size_t>(output.rows)};
  }
  return batch;
}

void BatchRunner::SetProfile(Profile* profile) {
  profile_ = profile;
  if (profile != nullptr) profile_number_ = profile->AddFunction(*function_);
}

absl::Status BatchRunner::CheckFits(const Examples& examples) const {
  const Function& function = function_->function();
  std::vector<std::string> unnamed;
  for (size_t i = 0; i < fillers_.size(); ++i) {
    if (absl::Status fits = fillers_[i].CheckFits(examples); !fits.ok()) {
      return Misfit(function, fits.message());
    }
    if (fillers_[i].is_sequence() && fillers_[i].TakesUnnamed(examples)) {
      unnamed.push_back(function.info(function.inputs()[i]).name);
    }
  }
  if (unnamed.size() > 1 && examples.source == nullptr) {
    return Misfit(function, absl::StrCat("it has the inputs ", absl::StrJoin(unnamed, ", "),
                                         ": name what they take in Examples::more"));
  }
  for (const Output& output : outputs_) {
    const Examples* named = FindNamed(examples, output.name);
    const bool weighted =
        !examples.weights.empty() || (named != nullptr && !named->weights.empty());
    if (output.labels_input < 0 || !weighted || output.weights_input >= 0) continue;
    return Misfit(function,
                  absl::StrCat("the examples have weights, but it has no input ", kSampleWeight,
                               ": build the model with TrainableOptions::sample_weight"));
  }
  return absl::OkStatus();
}

absl::Status BatchRunner::Run(const Examples& examples, absl::Span<const int64_t> order,
                              int64_t begin, RunObserver* observer) {
  for (size_t i = 0; i < fillers_.size(); ++i) {
    fillers_[i].Fill(examples, order, begin, batch_, function_->input(static_cast<int>(i)));
  }
  for (Output& output : outputs_) KeepLabels(output);
  SEQ_RETURN_IF_ERROR(profile_ == nullptr ? function_->Run(observer)
                                          : profile_->Run(profile_number_, *function_));
  for (Output& output : outputs_) {
    TakeMedian(output);
    if (output.mask == nullptr) continue;
    for (size_t row = 0; row < output.weights.size(); ++row) {
      output.weights[row] *= output.mask[row];
    }
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
