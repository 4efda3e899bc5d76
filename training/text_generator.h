#pragma once

// Models that tell the next token of a text, at each of its tokens: how they are trained, and texts
// that go on by what they tell.
//
//   const std::vector<int32_t> codes = data::CodesOfText(text, vocabulary);
//   trainer.Fit(NextTokenExamples(codes, 50, 0, NumTokenWindows(codes, 50)), {}, {.epochs = 9});
//   SEQ_ASSIGN_OR_RETURN(const auto generator, TextGenerator::Create(model));
//   SEQ_RETURN_IF_ERROR(generator->Begin("Once upon a "));
//   CounterRandom random(/*seed=*/1, "text");
//   SEQ_ASSIGN_OR_RETURN(const int32_t code, generator->Next(0.7, random.NextUniform()));

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/vocabulary.h"
#include "graph/model.h"
#include "graph/tensor.h"
#include "training/examples.h"
#include "training/model_runner.h"

namespace seqgraph {

/// How many windows of `maxlen` codes, each with a code behind it, lie side by side in `codes`.
int64_t NumTokenWindows(absl::Span<const int32_t> codes, int64_t maxlen);

/// The windows from number `begin` to before `end`: tokens [end - begin, maxlen], and as targets of
/// the same shape the code behind each. Views of `codes`, nothing is copied.
Examples NextTokenExamples(absl::Span<const int32_t> codes, int64_t maxlen, int64_t begin,
                           int64_t end);

/// Whether the model takes text and tells of each of its tokens a probability for each code.
bool TellsNextToken(const Model& model);

/// The code that is drawn from probabilities p of all codes, of those that are words of the
/// vocabulary: code i in proportion to p_i^(1 / temperature), by `uniform` in [0, 1); at
/// temperature 0 the most probable one, the first of equals. DataLoss if none has a probability
/// above 0, or one has none that is finite.
absl::StatusOr<int32_t> DrawCode(absl::Span<const float> probabilities,
                                 const data::Vocabulary& vocabulary, double temperature,
                                 double uniform);

/// Goes on with texts, a token a step (StepsOf), so that each costs the same, however long the text
/// is.
class TextGenerator {
 public:
  /// Copies the weights. InvalidArgument for a model that TellsNextToken() refuses; Unimplemented,
  /// by node, for one that cannot go step by step: it looks at what comes later (bidirectional
  /// layers), or at a text as a whole.
  static absl::StatusOr<std::unique_ptr<TextGenerator>> Create(const Model& model,
                                                               RunnerOptions options = {});

  /// Forgets what was, and reads the tokens of `prompt`. InvalidArgument if it has none.
  absl::Status Begin(absl::string_view prompt);
  /// What DrawCode() draws behind all tokens so far, and reads it. FailedPrecondition before
  /// Begin().
  absl::StatusOr<int32_t> Next(double temperature, double uniform);

  const data::Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  struct State {
    void* now;
    const void* next;
    Tensor initial;
  };
  TextGenerator() = default;
  absl::Status Read(int32_t code);

  data::Vocabulary vocabulary_;
  Model step_;  // of one function, a step
  std::unique_ptr<ModelRunner> runner_;
  CompiledFunction* predict_ = nullptr;  // of the runner, as what follows
  int32_t* token_ = nullptr;
  const float* told_ = nullptr;
  std::vector<State> states_;
  bool begun_ = false;
};

}  // namespace seqgraph
