#include "tools/convert/onnx_extents.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "layers/layer_emission.h"
#include "ops/all_ops.h"
#include "serialization/onnx/onnx_reader.h"
#include "serialization/onnx/onnx_writer.h"
#include "serialization/onnx/open_extents.h"
#include "training/keras/keras_import.h"

namespace seqgraph::tools {
namespace {

// Integers of an array that may say what is computed rather than on what.
constexpr int64_t kMostSettings = Shape::kMaxRank;

// Which open extents ParseOnnx takes for the batch: the first ones and what is called as they are,
// or else the only name there is.
class BatchNames {
 public:
  BatchNames(const std::vector<OnnxInput>& inputs, const OnnxReadOptions& options) {
    std::set<std::string> others;
    for (const OnnxInput& input : inputs) {
      if (options.constants.contains(input.name)) continue;
      for (size_t i = 0; i < input.extents.size(); ++i) {
        if (IsGiven(input, i, options)) continue;
        first_ |= i == 0;
        (i == 0 ? names_ : others).insert(input.extents[i].symbol);
      }
    }
    if (first_) {
      names_.erase("");
    } else if (others.size() == 1) {
      names_ = others;
    }
  }

  bool Holds(const OnnxInput& input, size_t i) const {
    return (first_ && i == 0) || names_.contains(input.extents[i].symbol);
  }

  static bool IsGiven(const OnnxInput& input, size_t i, const OnnxReadOptions& options) {
    const OnnxInput::Extent& extent = input.extents[i];
    return extent.number.has_value() || options.dims.contains(absl::StrCat(input.name, ":", i)) ||
           (!extent.symbol.empty() && options.dims.contains(extent.symbol));
  }

 private:
  std::set<std::string> names_;
  bool first_ = false;
};

// What is a number besides the open extents that are not the batch.
enum class Bind { kNothing, kSmallIntegers, kAll };

// The options with these numbers: with kSmallIntegers those of the arrays as constants, with kAll
// the batch, too. `taken` lists what was assumed without an array.
OnnxReadOptions Bound(const std::vector<OnnxInput>& inputs,
                      const std::vector<const Tensor*>& arrays, const FormatOptions& options,
                      Bind bind, std::vector<std::string>* taken) {
  OnnxReadOptions bound = options.onnx;
  const BatchNames batch(inputs, options.onnx);
  for (size_t k = 0; k < inputs.size(); ++k) {
    const OnnxInput& input = inputs[k];
    if (bound.constants.contains(input.name)) continue;
    const Tensor* array = arrays.empty() ? nullptr : arrays[k];
    if (bind != Bind::kNothing && array != nullptr && input.is_integer &&
        array->num_elements() <= kMostSettings && array->shape().rank() <= 1) {
      bound.constants.emplace(input.name, *array);
      continue;
    }
    for (size_t i = 0; i < input.extents.size(); ++i) {
      if (BatchNames::IsGiven(input, i, options.onnx)) continue;
      const bool is_batch = batch.Holds(input, i);
      if (is_batch && bind != Bind::kAll) continue;
      const std::string place = absl::StrCat(input.name, ":", i);
      if (array != nullptr && array->shape().rank() == static_cast<int>(input.extents.size())) {
        bound.dims[place] = array->shape()[static_cast<int>(i)].size();
        continue;
      }
      bound.dims[place] = is_batch ? 1 : options.keras.read.time.value_or(kOpenExtent);
      const std::string& symbol = input.extents[i].symbol;
      taken->push_back(absl::StrCat(symbol.empty() ? place : symbol, "=", bound.dims[place]));
    }
  }
  return bound;
}

void NoteTaken(const std::vector<std::string>& taken, std::vector<std::string>* notes) {
  if (taken.empty()) return;
  const std::set<std::string> each(taken.begin(), taken.end());
  notes->push_back(absl::StrCat("the file leaves extents open; taken are ",
                                absl::StrJoin(each, ", "), ": --dim=NAME=NUMBER gives others"));
}

}  // namespace

absl::StatusOr<Model> LoadBoundOnnx(const std::string& path, const FormatOptions& options,
                                    std::vector<std::string>* notes) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<OnnxInput> inputs, OnnxInputs(path));
  std::vector<std::string> names;
  for (const OnnxInput& input : inputs) names.push_back(input.name);
  const std::vector<const Tensor*> arrays =
      options.arrays ? options.arrays(names) : std::vector<const Tensor*>();
  absl::Status general, last;
  for (const Bind bind : {Bind::kNothing, Bind::kSmallIntegers, Bind::kAll}) {
    std::vector<std::string> taken;
    absl::StatusOr<Model> model =
        LoadOnnx(path, AllOps(), Bound(inputs, arrays, options, bind, &taken));
    if (bind == Bind::kNothing) general = model.status();
    if (!model.ok()) {
      last = model.status();
      continue;
    }
    if (bind != Bind::kNothing) {
      notes->push_back(absl::StrCat("it cannot be read for any ",
                                    bind == Bind::kAll ? "batch" : "values of all inputs", " (",
                                    general.message(), "): it is read for ",
                                    bind != Bind::kAll ? "the small integers"
                                    : arrays.empty()   ? "a batch of 1"
                                                       : "the extents",
                                    arrays.empty() ? "" : " of the arrays"));
    }
    NoteTaken(taken, notes);
    return model;
  }
  // What is in the way of all of them.
  return last;
}

namespace {

// The file of a model, `bytes`, with its open lengths open: each by a symbol of its own, or all by
// one. None if a length is part of what is computed, or these cannot differ.
std::optional<std::string> OfAnyLength(const Model& model, const std::string& bytes,
                                       const std::vector<LayerInput>& open, bool one_length) {
  std::vector<OpenExtent> extents;
  std::map<std::string, int64_t> times;
  for (const LayerInput& input : open) {
    if (one_length && input.time != open[0].time) return std::nullopt;
    // Another for each, so that what depends on one is not taken for another's.
    const auto more = one_length ? 7 : 7 + static_cast<int64_t>(extents.size());
    times[input.name] = input.time + more;
    extents.push_back(
        {one_length ? "time" : absl::StrCat("time_", input.name), input.time, input.time + more});
  }
  const absl::StatusOr<Model> rebuilt = WithOpenLengths(times, model);
  if (!rebuilt.ok()) return std::nullopt;
  const absl::StatusOr<std::string> other = SerializeOnnx(*rebuilt);
  return other.ok() ? WithOpenExtents(bytes, *other, extents) : std::nullopt;
}

}  // namespace

absl::StatusOr<std::string> OnnxWithOpenLengths(const Model& model,
                                                std::vector<std::string>* notes) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, SerializeOnnx(model));
  if (!model.layers.has_value()) return bytes;
  std::vector<LayerInput> open = InputsOf(*model.layers);
  std::erase_if(open, [](const LayerInput& input) { return !input.open_time; });
  if (open.empty()) return bytes;
  std::optional<std::string> file;
  if (open.size() > 1) file = OfAnyLength(model, bytes, open, /*one_length=*/false);
  if (!file.has_value()) file = OfAnyLength(model, bytes, open, /*one_length=*/true);
  if (file.has_value()) return *std::move(file);
  notes->push_back(absl::StrCat("the ONNX file is for sequences of ", open[0].time,
                                " steps, as their length is part of what it computes: --time "
                                "where the model is read gives another"));
  return bytes;
}

}  // namespace seqgraph::tools
