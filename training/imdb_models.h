#ifndef SEQGRAPH_TRAINING_IMDB_MODELS_H_
#define SEQGRAPH_TRAINING_IMDB_MODELS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/function_builder.h"
#include "graph/layer_stack.h"
#include "graph/model.h"
#include "training/model_builder.h"

namespace seqgraph {

/// How words enter the network.
enum class ImdbInput {
  kOneHot,     ///< as one-hot vectors of num_words
  kEmbedding,  ///< as rows of a trained table of width embedding_dim
};

/// "onehot" or "embedding"; InvalidArgument for any other text.
absl::StatusOr<ImdbInput> ParseImdbInput(absl::string_view name);

/// The defaults are those of the tutorial.
struct ImdbModelOptions {
  ImdbInput input = ImdbInput::kEmbedding;
  int64_t num_words = 500;  ///< codes are in [0, num_words)
  int64_t maxlen = 100;     ///< codes of a review
  int64_t embedding_dim = 16;
  int64_t units = 8;
};

/// The layers of the tutorial's review classifiers: tokens int32[batch, maxlen] -> words (one-hot
/// or embedded) -> simple RNN of `units` tanh units -> its last state -> Dense(1, sigmoid) ->
/// probability float32[batch, 1]. With the defaults 4,081 parameters for one-hot, 8,209 for
/// embedding; the variables are named and initialized as Keras does it.
LayerStack ImdbStack(const ImdbModelOptions& options);

/// Their function `predict`.
FunctionBuilder ImdbPredict(const ImdbModelOptions& options);

/// The whole model, ready to be trained. InvalidArgument for sizes below 1 (num_words below 4).
absl::StatusOr<Model> MakeImdbModel(const ImdbModelOptions& options,
                                    const TrainableOptions& trainable = {
                                        .optimizer = RMSProp{.learning_rate = 1e-4}});

}  // namespace seqgraph

#endif  // SEQGRAPH_TRAINING_IMDB_MODELS_H_
