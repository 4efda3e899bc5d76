#include "absl/strings/str_cat.h"
#include "data/npy.h"
#include "tests/fuzz/targets/targets.h"
#include "tools/encoded_texts.h"

namespace seqgraph {
namespace {

// A set without checksums, as the first version had it.
const std::vector<std::string>& EncodedNames() {
  static const auto* const names = new std::vector<std::string>{"texts.json",
                                                                "train_tokens.npy",
                                                                "train_targets.npy",
                                                                "validation_tokens.npy",
                                                                "validation_targets.npy",
                                                                "test_tokens.npy",
                                                                "test_targets.npy"};
  return *names;
}

bool EncodedTexts(absl::string_view bytes) {
  const std::vector<std::string> files = UnpackFiles(bytes, EncodedNames().size());
  for (size_t i = 0; i < files.size(); ++i) FuzzFile(EncodedNames()[i], files[i]);
  const auto texts = tools::ReadEncodedTexts(FuzzFolder());
  if (!FuzzOk(texts.status())) return false;
  FuzzCheck(texts->dataset.train.rows > 0, "there are rows to train on");
  return true;
}

std::vector<std::string> EncodedSeeds() {
  const std::vector<int32_t> tokens = {1, 2, 0, 3}, targets = {0, 1};
  const std::string t = *data::NpyFile(absl::MakeConstSpan(tokens), {2, 2}),
                    y = *data::NpyFile(absl::MakeConstSpan(targets), {2});
  const std::string json =
      "{\"rule\": \"imdb\", \"num_words\": 7, \"maxlen\": 2, \"words\": [\"good\", \"bad\"], "
      "\"labels\": [\"negative\", \"positive\"]}";
  return {PackFiles({json, t, y, t, y, t, y})};
}

}  // namespace

const std::vector<FuzzTarget>& TextTargets() {
  static const auto* const targets =
      new std::vector<FuzzTarget>{{"encoded_texts", EncodedTexts, EncodedSeeds}};
  return *targets;
}

}  // namespace seqgraph
