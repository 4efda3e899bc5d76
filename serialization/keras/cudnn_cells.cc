#include "serialization/keras/cudnn_cells.h"

#include <algorithm>
#include <utility>

#include "absl/strings/strip.h"

namespace seqgraph::keras {
namespace {

// Blocks of `units` columns. to(i, j): where element i, j of a block of rows x units comes from in
// its block, row after row.
template <typename F>
Tensor Rearranged(const Tensor& from, int64_t units, F source) {
  Tensor to = from;
  const int64_t rows = from.shape()[0].size(), columns = from.shape()[1].size();
  const absl::Span<const float> in = from.Elements<float>();
  const absl::Span<float> out = to.Elements<float>();
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t c = 0; c < columns; ++c) {
      const int64_t j = c % units, at = source(rows, i, j);
      out[i * columns + c] = in[at / units * columns + c - j + at % units];
    }
  }
  return to;
}

}  // namespace

std::string ClassOfCuDnn(absl::string_view class_name) {
  const bool known = class_name == "CuDNNLSTM" || class_name == "CuDNNGRU";
  return known ? std::string(absl::StripPrefix(class_name, "CuDNN")) : "";
}

Json SettingsOfCuDnn(absl::string_view class_name, Json settings) {
  settings["activation"] = "tanh";
  settings["recurrent_activation"] = "sigmoid";
  settings["use_bias"] = true;
  if (class_name == "CuDNNGRU") settings["reset_after"] = true;
  return settings;
}

bool IsCuDnnBias(const Shape& stored, const Shape& shape) {
  // An LSTM's is [4 units], a GRU's [2, 3 units].
  const int64_t both = shape.rank() == 1 ? 2 * shape[0].size() : shape.num_elements();
  return stored.rank() == 1 && shape.rank() > 0 && stored[0].size() == both;
}

void FromCuDnn(const Shape& bias_shape, Tensor& kernel, Tensor& recurrent_kernel, Tensor& bias) {
  const int64_t units = recurrent_kernel.shape()[0].size();
  kernel =
      Rearranged(kernel, units, [](int64_t rows, int64_t i, int64_t j) { return j * rows + i; });
  recurrent_kernel = Rearranged(recurrent_kernel, units,
                                [units](int64_t, int64_t i, int64_t j) { return j * units + i; });
  const absl::Span<const float> in = bias.Elements<float>();
  Tensor both = *Tensor::Zeros({DType::kFloat32, bias_shape});
  const absl::Span<float> out = both.Elements<float>();
  for (size_t i = 0; i < in.size(); ++i) out[i % out.size()] += in[i];
  bias = std::move(both);
}

}  // namespace seqgraph::keras
