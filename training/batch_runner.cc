#include "training/batch_runner.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/losses.h"

namespace seqgraph {
namespace {

absl::Status Misfit(const Function& function, absl::string_view what) {
  return InvalidArgument("function ", function.name(), ": ", what);
}

absl::StatusOr<int> FindPrediction(const Function& function, const std::string& name) {
  int found = -1;
  for (size_t i = 0; i < function.results().size(); ++i) {
    const std::string& result = function.results()[i].name;
    const bool of_loss = result == kLossResult || result == kLossMask;
    if (name.empty() ? of_loss : result != name) continue;
    if (found >= 0) {
      return Misfit(function,
                    absl::StrCat("it has several results (", function.results()[found].name, ", ",
                                 result, "); say which one is the prediction"));
    }
    found = static_cast<int>(i);
  }
  if (found < 0) {
    return Misfit(function, name.empty() ? "it has no result that could be the prediction"
                                         : absl::StrCat("it has no result \"", name, "\""));
  }
  return found;
}

}  // namespace

absl::StatusOr<BatchRunner> BatchRunner::Create(CompiledFunction* compiled,
                                                const std::string& prediction) {
  const Function& function = compiled->function();
  BatchRunner runner;
  runner.function_ = compiled;
  runner.batch_ = compiled->batch();
  int sequences = 0;
  for (Value input : function.inputs()) {
    const ValueInfo& info = function.info(input);
    absl::StatusOr<InputFiller> filler = InputFiller::Create(info);
    if (!filler.ok()) return Misfit(function, filler.status().message());
    if (info.type.shape[0] != runner.batch_) {
      return Misfit(function,
                    absl::StrCat("input ", info.name, " is ", info.type.ToString(),
                                 "; its first extent must be the batch, which is ", runner.batch_));
    }
    if (filler->is_labels()) runner.labels_input_ = static_cast<int>(runner.fillers_.size());
    if (info.name == kSampleWeight) {
      runner.weights_input_ = static_cast<int>(runner.fillers_.size());
    }
    sequences += !filler->is_labels() && info.name != kSampleWeight;
    runner.fillers_.push_back(*filler);
  }
  if (sequences != 1) {
    return Misfit(function,
                  absl::StrCat("expected one input of tokens or features, it has ", sequences));
  }

  SEQ_ASSIGN_OR_RETURN(const int result, FindPrediction(function, prediction));
  const TensorType& type = function.type(function.results()[result].value);
  if (type.dtype != DType::kFloat32) {
    return Misfit(function,
                  absl::StrCat("the prediction is ", type.ToString(), ", expected float32"));
  }
  runner.predictions_ = static_cast<const float*>(compiled->result(result));
  runner.num_predictions_ = type.shape.num_elements();
  runner.metric_rows_ =
      runner.num_predictions_ / (type.shape.rank() > 1 ? type.shape.back().size() : 1);
  SEQ_RETURN_IF_ERROR(runner.PrepareLabels(type));
  const int loss = compiled->FindResult(kLossResult);
  if (loss >= 0) {
    const TensorType& loss_type = function.type(function.results()[loss].value);
    if (loss_type != TensorType{DType::kFloat32, {}}) {
      return Misfit(function, absl::StrCat("the loss is ", loss_type.ToString(),
                                           ", expected a float32 scalar"));
    }
    runner.loss_ = static_cast<const float*>(compiled->result(loss));
  }
  return runner;
}

absl::Status BatchRunner::PrepareLabels(const TensorType& prediction) {
  if (labels_input_ < 0) return absl::OkStatus();
  const InputFiller& labels = fillers_[labels_input_];
  if (const int mask = function_->FindResult(kLossMask); mask >= 0) {
    mask_ = static_cast<const float*>(function_->result(mask));
  }
  if (weights_input_ >= 0) weights_.resize(metric_rows_);
  const int64_t elements = batch_ * labels.width();
  if (labels.is_classes()) {
    classes_.resize(elements);
    if (elements == metric_rows_) return absl::OkStatus();
  } else {
    labels_.resize(elements);
    if (labels_.size() == num_predictions_) return absl::OkStatus();
    const std::vector<double> quantiles = QuantilesOf(function_->function());
    if (labels_.size() * quantiles.size() == num_predictions_) {
      const auto nearest = std::min_element(
          quantiles.begin(), quantiles.end(),
          [](double a, double b) { return std::abs(a - 0.5) < std::abs(b - 0.5); });
      median_place_ = nearest - quantiles.begin();
      median_.resize(labels_.size());
      return absl::OkStatus();
    }
  }
  return Misfit(
      function_->function(),
      absl::StrCat("the prediction is ", prediction.ToString(), "; expected ", labels.width(),
                   labels.is_classes() ? " rows" : " numbers", " a row, as in ", kLabels));
}

// Before a run.
void BatchRunner::KeepLabels() {
  const void* labels = function_->input(labels_input_);
  std::memcpy(labels_.data(), labels, labels_.size() * sizeof(float));
  std::memcpy(classes_.data(), labels, classes_.size() * sizeof(int32_t));
  if (weights_.empty()) return;
  // A function of somebody else's may take one weight for all steps of a row.
  const float* weights = static_cast<const float*>(function_->input(weights_input_));
  const int64_t given = batch_ * fillers_[weights_input_].width();
  for (int64_t row = 0; row < metric_rows_; ++row) {
    weights_[row] = weights[row * given / metric_rows_];
  }
}

// The last axis of the predictions is [quantile, element].
void BatchRunner::TakeMedian() {
  const int64_t width = static_cast<int64_t>(median_.size()) / metric_rows_;
  const int64_t stride = static_cast<int64_t>(num_predictions_) / metric_rows_;
  for (int64_t row = 0; row < metric_rows_; ++row) {
    std::copy_n(predictions_ + row * stride + median_place_ * width, width,
                median_.data() + row * width);
  }
}

MetricBatch BatchRunner::metric_batch(bool weighted) const {
  MetricBatch batch{
      .rows = metric_rows_, .predictions = predictions(), .labels = labels_, .classes = classes_};
  if (median_place_ >= 0) batch.predictions = median_;
  if (weighted && !weights_.empty()) {
    batch.weights = weights_;
  } else if (mask_ != nullptr) {
    batch.weights = {mask_, static_cast<size_t>(metric_rows_)};
  }
  return batch;
}

void BatchRunner::SetProfile(Profile* profile) {
  profile_ = profile;
  if (profile != nullptr) profile_number_ = profile->AddFunction(*function_);
}

absl::Status BatchRunner::CheckFits(const Examples& examples) const {
  const Function& function = function_->function();
  for (const InputFiller& filler : fillers_) {
    if (absl::Status fits = filler.CheckFits(examples); !fits.ok()) {
      return Misfit(function, fits.message());
    }
  }
  if (labels_input_ < 0 || examples.weights.empty() || weights_input_ >= 0) return absl::OkStatus();
  return Misfit(function,
                absl::StrCat("the examples have weights, but it has no input ", kSampleWeight,
                             ": build the model with TrainableOptions::sample_weight"));
}

absl::Status BatchRunner::Run(const Examples& examples, absl::Span<const int64_t> order,
                              int64_t begin) {
  for (size_t i = 0; i < fillers_.size(); ++i) {
    fillers_[i].Fill(examples, order, begin, batch_, function_->input(static_cast<int>(i)));
  }
  if (labels_input_ >= 0) KeepLabels();
  SEQ_RETURN_IF_ERROR(profile_ == nullptr ? function_->Run()
                                          : profile_->Run(profile_number_, *function_));
  if (median_place_ >= 0) TakeMedian();
  if (mask_ != nullptr) {
    for (size_t row = 0; row < weights_.size(); ++row) weights_[row] *= mask_[row];
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
