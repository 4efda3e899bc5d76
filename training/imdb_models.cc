#include "training/imdb_models.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/status_macros.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/one_hot.h"
#include "ops/rnn_cell.h"

namespace seqgraph {
namespace {

absl::Status CheckAtLeast(absl::string_view name, int64_t value, int64_t least) {
  // Far beyond any use, and small enough for every product of sizes.
  constexpr int64_t kMost = 1 << 24;
  if (value >= least && value <= kMost) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("IMDB model: ", name, " must be from ", least, " to ", kMost, ", got ", value));
}

absl::Status CheckOptions(const ImdbModelOptions& options) {
  // Codes 0 to 2 are padding, start and unknown; 3 is never used.
  SEQ_RETURN_IF_ERROR(CheckAtLeast("num_words", options.num_words, 4));
  SEQ_RETURN_IF_ERROR(CheckAtLeast("maxlen", options.maxlen, 1));
  SEQ_RETURN_IF_ERROR(CheckAtLeast("embedding_dim", options.embedding_dim, 1));
  return CheckAtLeast("units", options.units, 1);
}

}  // namespace

absl::StatusOr<ImdbInput> ParseImdbInput(absl::string_view name) {
  if (name == "onehot") return ImdbInput::kOneHot;
  if (name == "embedding") return ImdbInput::kEmbedding;
  return absl::InvalidArgumentError(
      absl::StrCat("unknown model \"", name, "\": expected embedding or onehot"));
}

FunctionBuilder ImdbPredict(const ImdbModelOptions& options) {
  const int64_t units = options.units;
  FunctionBuilder g(kPredict, AllOps());
  if (absl::Status status = CheckOptions(options); !status.ok()) {
    g.Fail(std::move(status));
    return g;
  }
  const Value tokens = g.Input("tokens", {DType::kInt32, {Dim::Batch(), options.maxlen}});
  Value words;
  int64_t features = options.num_words;
  if (options.input == ImdbInput::kOneHot) {
    words = ops::OneHot(g, tokens, options.num_words);
  } else {
    features = options.embedding_dim;
    words = ops::Embedding(g, tokens,
                           g.Variable("embedding/embeddings", {options.num_words, features},
                                      Initializer::Uniform(0.05)));
  }
  const Value w = g.Variable("simple_rnn/kernel", {features, units}, Initializer::GlorotUniform());
  const Value u =
      g.Variable("simple_rnn/recurrent_kernel", {units, units}, Initializer::Orthogonal());
  const Value b = g.Variable("simple_rnn/bias", {units}, Initializer::Zeros());
  const Value state =
      ops::RNNCell(g, words, w, u, {.bias = b, .activation = "tanh", .name = "simple_rnn"}).last;
  const Value kernel = g.Variable("dense/kernel", {units, 1}, Initializer::GlorotUniform());
  const Value bias = g.Variable("dense/bias", {1}, Initializer::Zeros());
  g.Result("probability", ops::Dense(g, state, kernel, {.bias = bias, .activation = "sigmoid"}));
  return g;
}

absl::StatusOr<Model> MakeImdbModel(const ImdbModelOptions& options,
                                    const TrainableOptions& trainable) {
  return MakeTrainable(ImdbPredict(options), trainable);
}

}  // namespace seqgraph
