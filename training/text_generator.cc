#include "training/text_generator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "data/plain_text.h"
#include "graph/rewrite.h"
#include "graph/stepping.h"
#include "ops/all_ops.h"
#include "training/model_builder.h"
#include "training/preprocessing.h"

namespace seqgraph {
namespace {

// The model's function of a whole text as one of a token, and the weights that it reads.
absl::StatusOr<StepFunction> StepsOfText(const Model& model, const OpRegistry& ops) {
  SEQ_ASSIGN_OR_RETURN(const Function whole, BindBatch(*model.FindFunction(kPredict), ops, 1));
  const std::string& input = whole.info(whole.inputs()[0]).name;
  SEQ_ASSIGN_OR_RETURN(StepFunction step,
                       StepsOf(whole, ops, model.variables, {.time_axes = {{input, 1}}}));
  if (step.steps != 1 || step.results[0].time_axis != 1 || step.results[0].delay != 0) {
    return InvalidArgument("function ", kPredict, " does not tell of each token what follows it");
  }
  return step;
}

absl::StatusOr<Model> ModelOf(const Function& function, const VariableStore& from) {
  Model model;
  SEQ_RETURN_IF_ERROR(model.AddFunction(function));
  for (const VariableRead& read : function.variables()) {
    SEQ_ASSIGN_OR_RETURN(const Variable* variable, from.Get(read.def.name));
    SEQ_RETURN_IF_ERROR(model.variables.Assign(read.def.name, variable->value));
  }
  return model;
}

}  // namespace

int64_t NumTokenWindows(absl::Span<const int32_t> codes, int64_t maxlen) {
  return std::max<int64_t>(static_cast<int64_t>(codes.size()) - 1, 0) / maxlen;
}

// Of windows side by side all are one stretch of the text, and so are their targets, one further.
Examples NextTokenExamples(absl::Span<const int32_t> codes, int64_t maxlen, int64_t begin,
                           int64_t end) {
  const auto first = static_cast<size_t>(begin * maxlen);
  const auto size = static_cast<size_t>((end - begin) * maxlen);
  return {.tokens = codes.subspan(first, size),
          .rows = end - begin,
          .maxlen = maxlen,
          .targets = codes.subspan(size > 0 ? first + 1 : first, size)};
}

bool TellsNextToken(const Model& model) {
  const TextPreprocessing& text = model.preprocessing;
  const Function* predict = model.FindFunction(kPredict);
  if (text.rule.empty() || predict == nullptr || predict->inputs().size() != 1 ||
      predict->results().size() != 1) {
    return false;
  }
  return predict->type(predict->inputs()[0]) ==
             TensorType{DType::kInt32, {Dim::Batch(), text.maxlen}} &&
         predict->type(predict->results()[0].value) ==
             TensorType{DType::kFloat32, {Dim::Batch(), text.maxlen, text.num_words}};
}

absl::StatusOr<int32_t> DrawCode(absl::Span<const float> probabilities,
                                 const data::Vocabulary& vocabulary, double temperature,
                                 double uniform) {
  const int32_t first = data::kIndexFrom + 1;
  const auto end =
      std::min<int32_t>(first + vocabulary.size(), static_cast<int32_t>(probabilities.size()));
  int32_t best = first;
  for (int32_t code = first; code < end; ++code) {
    const float p = probabilities[static_cast<size_t>(code)];
    if (!std::isfinite(p)) {
      return DataLoss("the model's answer is not a number: its weights are damaged");
    }
    if (p > probabilities[static_cast<size_t>(best)]) best = code;
  }
  if (best >= end || !(probabilities[static_cast<size_t>(best)] > 0)) {
    return DataLoss("the model tells no token that could follow");
  }
  if (temperature == 0) return best;
  // Relative to the best one, so that no power is too small for all.
  const double most = std::log(probabilities[static_cast<size_t>(best)]);
  std::vector<double> below = {0};  // the sum of the weights of those before
  for (int32_t code = first; code < end; ++code) {
    const double p = probabilities[static_cast<size_t>(code)];
    below.push_back(below.back() + (p > 0 ? std::exp((std::log(p) - most) / temperature) : 0));
  }
  // The first of which the sum including it is above: one without a weight is never that.
  const auto drawn = std::upper_bound(below.begin() + 1, below.end() - 1, uniform * below.back());
  return first + static_cast<int32_t>(drawn - below.begin()) - 1;
}

absl::StatusOr<std::unique_ptr<TextGenerator>> TextGenerator::Create(const Model& model,
                                                                     RunnerOptions options) {
  if (!TellsNextToken(model)) {
    return InvalidArgument("the model does not tell the next token of a text");
  }
  std::unique_ptr<TextGenerator> generator(new TextGenerator);
  SEQ_ASSIGN_OR_RETURN(generator->vocabulary_, VocabularyOf(model));
  SEQ_ASSIGN_OR_RETURN(StepFunction step,
                       StepsOfText(model, options.ops != nullptr ? *options.ops : AllOps()));
  SEQ_ASSIGN_OR_RETURN(generator->step_, ModelOf(step.function, model.variables));
  generator->runner_ = std::make_unique<ModelRunner>(&generator->step_, std::move(options));
  SEQ_ASSIGN_OR_RETURN(CompiledFunction* const predict, generator->runner_->Compile(kPredict, 1));
  generator->token_ =
      static_cast<int32_t*>(predict->input(predict->FindInput(step.inputs[0].name)));
  generator->told_ =
      static_cast<const float*>(predict->result(predict->FindResult(step.results[0].name)));
  for (StepState& state : step.states) {
    generator->states_.push_back({predict->input(predict->FindInput(state.name)),
                                  predict->result(predict->FindResult(state.next)),
                                  std::move(state.initial)});
  }
  generator->predict_ = predict;
  return generator;
}

absl::Status TextGenerator::Read(int32_t code) {
  *token_ = code;
  SEQ_RETURN_IF_ERROR(predict_->Run());
  for (const State& state : states_) {
    std::memcpy(state.now, state.next, static_cast<size_t>(state.initial.num_bytes()));
  }
  return absl::OkStatus();
}

absl::Status TextGenerator::Begin(absl::string_view prompt) {
  const std::vector<int32_t> codes = data::CodesOfText(prompt, vocabulary_);
  if (codes.empty()) return InvalidArgument("a text needs a token to begin with");
  for (const State& state : states_) {
    std::memcpy(state.now, state.initial.data(), static_cast<size_t>(state.initial.num_bytes()));
  }
  for (const int32_t code : codes) SEQ_RETURN_IF_ERROR(Read(code));
  begun_ = true;
  return absl::OkStatus();
}

absl::StatusOr<int32_t> TextGenerator::Next(double temperature, double uniform) {
  if (!begun_) return FailedPrecondition("no text was begun: call Begin before Next");
  const absl::Span<const float> told(told_, static_cast<size_t>(vocabulary_.num_words()));
  SEQ_ASSIGN_OR_RETURN(const int32_t code, DrawCode(told, vocabulary_, temperature, uniform));
  SEQ_RETURN_IF_ERROR(Read(code));
  return code;
}

}  // namespace seqgraph
