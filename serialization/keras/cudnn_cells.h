#pragma once

// CuDNNLSTM and CuDNNGRU of Keras 2: what LSTM and GRU (reset after) compute, with the arrays of
// NVIDIA's library as it reads them.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "graph/tensor.h"
#include "serialization/keras/config.h"

namespace seqgraph::keras {

/// "LSTM" for "CuDNNLSTM", "GRU" for "CuDNNGRU"; empty for any other class.
std::string ClassOfCuDnn(absl::string_view class_name);
/// The settings of such a layer as those of ClassOfCuDnn.
Json SettingsOfCuDnn(absl::string_view class_name, Json settings);

/// Whether that is the shape of the bias of such a layer, where its cell has one of `shape`.
bool IsCuDnnBias(const Shape& stored, const Shape& shape);

/// Turns kernel [features, gates units], recurrent kernel [units, gates units] and bias
/// [2 gates units] as such a layer stores them into those of its cell, the bias in `bias_shape`: in
/// a block of the kernel columns lie where rows are meant to, blocks of the recurrent kernel are
/// transposed, the bias has a half for the input and one for the state. Source: Keras 2,
/// saving/legacy/hdf5_format.py, _convert_rnn_weights.
void FromCuDnn(const Shape& bias_shape, Tensor& kernel, Tensor& recurrent_kernel, Tensor& bias);

}  // namespace seqgraph::keras
