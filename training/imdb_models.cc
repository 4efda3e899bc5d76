#include "training/imdb_models.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "training/sequential.h"
#include "training/text_models.h"

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

LayerStack ImdbStack(const ImdbModelOptions& options) {
  return TextStack({.one_hot = options.input == ImdbInput::kOneHot,
                    .num_words = options.num_words,
                    .maxlen = options.maxlen,
                    .embedding_dim = options.embedding_dim,
                    .units = options.units});
}

FunctionBuilder ImdbPredict(const ImdbModelOptions& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) {
    FunctionBuilder g(kPredict, AllOps());
    g.Fail(std::move(status));
    return g;
  }
  return StackPredict(ImdbStack(options));
}

absl::StatusOr<Model> MakeImdbModel(const ImdbModelOptions& options,
                                    const TrainableOptions& trainable) {
  SEQ_RETURN_IF_ERROR(CheckOptions(options));
  return BuildModel(ImdbStack(options), trainable);
}

}  // namespace seqgraph
