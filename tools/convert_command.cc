#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "layers/all_layers.h"
#include "nlohmann/json.hpp"
#include "tools/command.h"
#include "tools/convert/model_formats.h"
#include "tools/import_flags.h"
#include "training/model_builder.h"
#include "training/preprocessing.h"

namespace seqgraph::tools {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{64} << 20;
// Codes below: padding, start, unknown, and one that is never used; rank 1 has code 4.
constexpr int64_t kFirstCode = 4;

// How many codes the model has.
absl::StatusOr<int64_t> CountCodes(const Function& predict, Value tokens) {
  const std::optional<int64_t> limit = IndexLimit(predict, tokens);
  if (limit.has_value()) return *limit;
  return InvalidArgument(
      "the model takes no words: it begins neither with an embedding nor with one-hot words");
}

absl::Status ReadWords(const nlohmann::json& json, std::vector<std::string>* words) {
  if (!json.is_object()) return InvalidArgument("expected {\"word\": rank, ...}");
  std::vector<bool> seen(words->size());
  for (const auto& [word, rank] : json.items()) {
    if (!rank.is_number_integer() || rank.get<int64_t>() < 1) {
      return InvalidArgument("the rank of \"", word, "\" is no number from 1");
    }
    const auto index = static_cast<size_t>(rank.get<int64_t>() - 1);
    if (index >= words->size()) continue;
    if (seen[index]) {
      return InvalidArgument("two words have the rank ", index + 1, "; each rank is one word's");
    }
    seen[index] = true;
    (*words)[index] = word;
  }
  for (size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i]) {
      return InvalidArgument("no word has the rank ", i + 1, "; expected all ranks from 1 on");
    }
  }
  return absl::OkStatus();
}

// Sets the model's preprocessing to that of Keras's movie reviews, with the words of a JSON file
// {"word": rank from 1, ...} (imdb_word_index.json), and its labels if it has none. The number of
// words and the length of texts are those of its `predict`, which must begin with an embedding or
// one-hot words of tokens int32[batch, time]. Errors name the path: those of reading,
// InvalidArgument for what is no such file or has a rank missing.
absl::Status SetWordIndex(const std::string& path, Model& model) {
  SEQ_ASSIGN_OR_RETURN(const Function* predict, model.GetFunction(kPredict));
  const Value tokens = predict->inputs().empty() ? Value{} : predict->inputs()[0];
  if (!tokens.present() || predict->type(tokens).dtype != DType::kInt32 ||
      predict->type(tokens).shape.rank() != 2) {
    return InvalidArgument(
        "the model takes no tokens int32[batch, time]: one-hot words are given with --one_hot");
  }
  SEQ_ASSIGN_OR_RETURN(const int64_t codes, CountCodes(*predict, tokens));
  SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFileBytes));
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return InvalidArgument(
        path, ": is not JSON; expected {\"word\": rank, ...}, as imdb_word_index.json has it");
  }
  // More codes than words are there: all words.
  const int64_t most = static_cast<int64_t>(json.size());
  std::vector<std::string> words(std::max<int64_t>(0, std::min(codes - kFirstCode, most)));
  SEQ_RETURN_IF_ERROR(Annotate(ReadWords(json, &words), path));
  model.preprocessing = {.rule = kTextRule,
                         .num_words = codes,
                         .maxlen = predict->type(tokens).shape[1].size(),
                         .words = std::move(words)};
  if (model.labels.empty()) model.labels = {"negative", "positive"};
  return absl::OkStatus();
}

std::string Formats() {
  std::string text = "Formats, by the ending of a file's name:\n";
  for (const ModelFormatRow& row : ModelFormats()) {
    absl::StrAppendFormat(&text, "  %-12s %s%s\n", row.ending, row.what,
                          row.read == nullptr ? " (IN needs a whole model: see --weights)" : "");
  }
  std::vector<std::string> layers;
  for (const LayerDef& def : AllLayers().all()) {
    if (def.keras.exists) layers.push_back(def.class_name);
  }
  absl::StrAppend(&text, "Layers of Keras's files: ", absl::StrJoin(layers, ", "),
                  "\n\nExamples:\n"
                  "  seqgraph convert model.pb model.keras\n"
                  "  seqgraph convert torch.onnx model.pb --loss=binary_crossentropy\n"
                  "  seqgraph convert model.pb other.pb --weights=trained.weights.h5");
  return text;
}

class ConvertCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("IN", &in_, "The model to read").Required();
    flags.OutputFile("OUT", &out_, "The file to write").Required();
    flags.InputFile("--weights", &weights_, "Weights to put into the model before it is written");
    flags.Switch("--one_hot", &one_hot_,
                 "A Keras model of one-hot words: take tokens, by a one-hot layer in front");
    flags.InputFile("--words", &words_,
                    "The words of a Keras model, {\"word\": rank, ...}: imdb_word_index.json");
    flags.Switch("--no_training", &no_training_,
                 "Leave out a Keras file's loss, optimizer and its state");
    import_.Declare(flags);
    flags.Text("--loss", &loss_, "NAME",
               "What an ONNX model is to be trained on by, as Keras names it: binary_crossentropy");
    flags.Choice("--h5_layout", &layout_, {"keras3", "keras2"}, "Of a .h5 file that is written");
    flags.Footer(Formats());
  }

  absl::StatusOr<int> Run(Output& out) override {
    SEQ_ASSIGN_OR_RETURN(const ModelFormatRow* from, FormatOfPath(in_));
    SEQ_ASSIGN_OR_RETURN(const ModelFormatRow* to, FormatOfPath(out_));
    if (from->read == nullptr) {
      return InvalidArgument(in_, " holds weights alone; `seqgraph convert MODEL ", out_,
                             " --weights=", in_, "` puts them into a model");
    }
    SEQ_ASSIGN_OR_RETURN(FormatOptions options, import_.Options(in_));
    options.keras.one_hot = one_hot_;
    options.keras.read.training = !no_training_;
    if (layout_ == "keras2") options.layout = keras::Layout::kKeras2;
    options.onnx_loss = loss_;
    SEQ_ASSIGN_OR_RETURN(ConvertedModel converted, from->read(in_, options));
    if (absl::string_view(from->ending) == ".onnx" && loss_.empty()) {
      converted.notes.push_back(
          "the model can predict; --loss makes it one that can be trained on");
    }
    SEQ_RETURN_IF_ERROR(ReadWeights(converted));
    if (!words_.empty()) SEQ_RETURN_IF_ERROR(SetWordIndex(words_, converted.model));
    SEQ_ASSIGN_OR_RETURN(const std::string bytes, Annotate(to->write(converted, options),
                                                           absl::StrCat("cannot write ", out_)));
    for (const std::string& note : converted.notes) {
      std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
    }
    SEQ_RETURN_IF_ERROR(AtomicWriteFile(out_, bytes));
    out.Print("%s: %d bytes, %s\n", out_, bytes.size(), to->what);
    return 0;
  }

 private:
  absl::Status ReadWeights(ConvertedModel& converted) {
    if (weights_.empty()) return absl::OkStatus();
    SEQ_ASSIGN_OR_RETURN(const ModelFormatRow* format, FormatOfPath(weights_));
    if (format->read_weights == nullptr) {
      return InvalidArgument(
          "--weights=", weights_,
          ": weights are not taken out of such a file; "
          "expected a name that ends in .npz, .weights.h5, .h5, .hdf5 or .keras");
    }
    // They were answers of other weights.
    converted.self_tests.clear();
    return format->read_weights(weights_, converted);
  }

  std::string in_;
  std::string out_;
  std::string weights_;
  std::string words_;
  std::string loss_;
  ImportFlags import_;
  bool one_hot_ = false;
  bool no_training_ = false;
  std::string layout_ = "keras3";
};

}  // namespace

CommandDef DefineConvert() {
  return DefineCommand<ConvertCommand>(
      "convert", "A model between .pb, .textproto, .keras, .h5, .weights.h5, .onnx and .npz");
}

}  // namespace seqgraph::tools
