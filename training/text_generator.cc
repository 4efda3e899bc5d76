#include "training/text_generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/status_macros.h"
#include "data/plain_text.h"
#include "layers/all_layers.h"
#include "layers/stack_recognition.h"
#include "training/losses.h"
#include "training/preprocessing.h"
#include "training/sequential.h"

namespace seqgraph {
namespace {

constexpr char kStateful[] = "stateful", kGoBackwards[] = "go_backwards";

// What sees each step for itself.
constexpr std::array<absl::string_view, 9> kOfEachStep = {
    "Embedding",          "OneHot",           "Dense",
    "Activation",         "Dropout",          "LeakyReLU",
    "LayerNormalization", "SpatialDropout1D", "TimeDistributed"};

// The layer for rows of one step, the state of which is that of the row before.
absl::Status MakeStep(Layer& layer) {
  auto& settings = layer.kind.settings;
  const std::string& kind = layer.kind.class_name;
  if (FindRecurrentCell(kind) == nullptr) {
    if (std::find(kOfEachStep.begin(), kOfEachStep.end(), kind) != kOfEachStep.end()) {
      return absl::OkStatus();
    }
    return InvalidArgument("layer ", layer.name, " (", kind, ") ",
                           kind == BidirectionalLayer::kClass
                               ? "sees what comes later in a text, which is not there yet"
                               : "may see other tokens of a text than the last one");
  }
  const auto backwards = settings.find(kGoBackwards);
  if (backwards != settings.end() && backwards->second == LayerSetting(true)) {
    return InvalidArgument("layer ", layer.name, " reads a text from its end");
  }
  settings[kStateful] = true;
  return absl::OkStatus();
}

absl::StatusOr<Model> StepModel(const Model& model) {
  // Of what was read from ONNX the nodes tell the layers.
  SEQ_ASSIGN_OR_RETURN(const RecognizedStack known, RecognizeStack(model));
  LayerStack stack = known.stack;
  if (stack.is_graph()) {
    return InvalidArgument("the model is a graph of layers; only a stack goes on token by token");
  }
  stack.input.time = 1;
  stack.input.open_time = false;
  stack.input.batch = 1;
  for (Layer& layer : stack.layers) SEQ_RETURN_IF_ERROR(MakeStep(layer));
  SEQ_ASSIGN_OR_RETURN(Model step,
                       BuildModel(stack, {.trainable = false, .initialize_weights = false}));
  for (const Variable& variable : step.variables.all()) {
    const auto renamed = known.variable_of.find(variable.def.name);
    const Variable* weight = model.variables.Find(
        renamed == known.variable_of.end() ? variable.def.name : renamed->second);
    if (weight == nullptr) continue;  // A state, which begins with zeros.
    SEQ_RETURN_IF_ERROR(step.variables.Assign(variable.def.name, weight->value));
  }
  return step;
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
    if (!std::isfinite(p)) return DataLoss("the model's answer is not a number");
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
  SEQ_ASSIGN_OR_RETURN(generator->step_, StepModel(model));
  generator->runner_ = std::make_unique<ModelRunner>(&generator->step_, std::move(options));
  SEQ_ASSIGN_OR_RETURN(generator->predict_, generator->runner_->Compile(kPredict, 1));
  return generator;
}

absl::Status TextGenerator::Read(int32_t code) {
  *static_cast<int32_t*>(predict_->input(0)) = code;
  return predict_->Run();
}

absl::Status TextGenerator::Begin(absl::string_view prompt) {
  const std::vector<int32_t> codes = data::CodesOfText(prompt, vocabulary_);
  if (codes.empty()) return InvalidArgument("a text needs a token to begin with");
  SEQ_RETURN_IF_ERROR(ResetStates(step_));
  for (const int32_t code : codes) SEQ_RETURN_IF_ERROR(Read(code));
  begun_ = true;
  return absl::OkStatus();
}

absl::StatusOr<int32_t> TextGenerator::Next(double temperature, double uniform) {
  if (!begun_) return FailedPrecondition("no text was begun");
  const absl::Span<const float> told(static_cast<const float*>(predict_->result(0)),
                                     static_cast<size_t>(vocabulary_.num_words()));
  SEQ_ASSIGN_OR_RETURN(const int32_t code, DrawCode(told, vocabulary_, temperature, uniform));
  SEQ_RETURN_IF_ERROR(Read(code));
  return code;
}

}  // namespace seqgraph
