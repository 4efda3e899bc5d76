#include "training/batch_runner.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "graph/status_macros.h"
#include "training/model_builder.h"

namespace seqgraph {
namespace {

absl::Status Misfit(const Function& function, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("function ", function.name(), ": ", what));
}

// The index of the input that takes the tokens.
absl::StatusOr<int> FindTokens(const Function& function) {
  int found = -1;
  for (size_t i = 0; i < function.inputs().size(); ++i) {
    const ValueInfo& info = function.info(function.inputs()[i]);
    if (info.name == kLabels) continue;
    if (found >= 0 || info.type.dtype != DType::kInt32 || info.type.shape.rank() != 2) {
      return Misfit(function,
                    absl::StrCat("expected one input of tokens, int32[batch, maxlen]; input ",
                                 info.name, " is ", info.type.ToString()));
    }
    found = static_cast<int>(i);
  }
  if (found < 0) return Misfit(function, "it has no input for tokens");
  return found;
}

absl::StatusOr<int> FindPrediction(const Function& function, const std::string& name) {
  int found = -1;
  for (size_t i = 0; i < function.results().size(); ++i) {
    const std::string& result = function.results()[i].name;
    if (name.empty() ? result == kLossResult : result != name) continue;
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

absl::Status Examples::Validate() const {
  const auto error = [&](absl::string_view problem) {
    return absl::InvalidArgumentError(absl::StrCat("examples: ", problem));
  };
  if (rows < 0 || maxlen < 1) {
    return error(absl::StrCat(rows, " rows of ", maxlen, " tokens"));
  }
  // By division: the product could overflow.
  const int64_t num_tokens = static_cast<int64_t>(tokens.size());
  if (num_tokens % maxlen != 0 || num_tokens / maxlen != rows) {
    return error(absl::StrCat(num_tokens, " tokens given for ", rows, " rows of ", maxlen));
  }
  if (!targets.empty() && static_cast<int64_t>(targets.size()) != rows) {
    return error(absl::StrCat(targets.size(), " targets given for ", rows, " rows"));
  }
  return absl::OkStatus();
}

absl::StatusOr<BatchRunner> BatchRunner::Create(CompiledFunction* compiled,
                                                const std::string& prediction) {
  const Function& function = compiled->function();
  BatchRunner runner;
  runner.function_ = compiled;
  runner.batch_ = compiled->batch();
  SEQ_ASSIGN_OR_RETURN(runner.tokens_input_, FindTokens(function));
  const TensorType& tokens = function.type(function.inputs()[runner.tokens_input_]);
  if (tokens.shape[0] != runner.batch_) {
    return Misfit(function, absl::StrCat("the tokens are ", tokens.ToString(),
                                         "; their first extent must be the batch"));
  }
  runner.maxlen_ = tokens.shape[1].size();

  SEQ_ASSIGN_OR_RETURN(const int result, FindPrediction(function, prediction));
  const TensorType& type = function.type(function.results()[result].value);
  if (type.dtype != DType::kFloat32) {
    return Misfit(function,
                  absl::StrCat("the prediction is ", type.ToString(), ", expected float32"));
  }
  runner.predictions_ = static_cast<const float*>(compiled->result(result));
  runner.num_predictions_ = type.shape.num_elements();

  runner.labels_input_ = compiled->FindInput(kLabels);
  if (runner.labels_input_ >= 0) {
    const TensorType& labels = function.type(function.inputs()[runner.labels_input_]);
    if (labels.dtype != DType::kFloat32 || labels.shape.num_elements() != runner.batch_) {
      return Misfit(function, absl::StrCat("input ", kLabels, " is ", labels.ToString(),
                                           "; expected one float32 a row"));
    }
    if (static_cast<int64_t>(runner.num_predictions_) != runner.batch_) {
      return Misfit(function, absl::StrCat("the prediction is ", type.ToString(),
                                           "; expected one number a row, as in ", kLabels));
    }
    runner.labels_.resize(runner.batch_);
  }
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

void BatchRunner::SetProfile(Profile* profile) {
  profile_ = profile;
  if (profile != nullptr) profile_number_ = profile->AddFunction(*function_);
}

absl::Status BatchRunner::CheckFits(const Examples& examples) const {
  const Function& function = function_->function();
  if (examples.maxlen != maxlen_) {
    return Misfit(function, absl::StrCat("it takes rows of ", maxlen_,
                                         " tokens, the examples have ", examples.maxlen));
  }
  if (labels_input_ >= 0 && examples.targets.empty()) {
    return Misfit(function, "it needs labels, the examples have no targets");
  }
  return absl::OkStatus();
}

absl::Status BatchRunner::Run(const Examples& examples, absl::Span<const int64_t> order,
                              int64_t begin) {
  int32_t* tokens = static_cast<int32_t*>(function_->input(tokens_input_));
  for (int64_t i = 0; i < batch_; ++i) {
    const int64_t row = order.empty() ? begin + i : order[begin + i];
    std::memcpy(tokens + i * maxlen_, examples.tokens.data() + row * maxlen_,
                maxlen_ * sizeof(int32_t));
    if (labels_input_ >= 0) labels_[i] = static_cast<float>(examples.targets[row]);
  }
  if (labels_input_ >= 0) {
    std::memcpy(function_->input(labels_input_), labels_.data(), batch_ * sizeof(float));
  }
  return profile_ == nullptr ? function_->Run() : profile_->Run(profile_number_, *function_);
}

}  // namespace seqgraph
