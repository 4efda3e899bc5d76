#pragma once

// Arrays as files have them (.npz, .npy, CSV), as tensors of the types that a function wants.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/npy.h"
#include "graph/tensor.h"

namespace seqgraph::tools {

/// An array of a file.
struct FileArray {
  std::string name;  ///< in its file; empty where the file is one array
  Tensor tensor;
  /// Read from CSV: [lines, columns], whatever the shape that is meant.
  bool is_lines = false;
};

/// InvalidArgument for a rank or an extent beyond Shape's limits.
absl::StatusOr<Tensor> TensorOf(const data::NpyArray& array);
/// The bytes of a .npy file.
absl::StatusOr<std::string> NpyOf(const Tensor& tensor);

/// The arrays of a file, by its content: those of a .npz file; one of a .npy file; or one of
/// numbers in CSV, float64[lines, columns], whose first line is left out if none of its fields is a
/// number. For untrusted bytes. Errors name the path, and of CSV line and column.
absl::StatusOr<std::vector<FileArray>> ReadArrayFile(const std::string& path);

/// The tensor with elements of `dtype`, if no value is lost but by rounding a number to a real
/// type, which *note tells (a sentence without an end; else it stays). InvalidArgument names the
/// first element that is no `dtype`.
absl::StatusOr<Tensor> ConvertElements(Tensor tensor, DType dtype, std::string* note);

/// Whether an array fits a value whose batch may be any number.
struct ArrayFit {
  std::optional<Shape> shape;  ///< the array's own, or of lines what they are taken for; none: no
  int batch_axis = -1;         ///< of the value; -1: it has none
  int64_t batch = 0;           ///< what the array has there
};

/// Lines of CSV are samples where they have as many columns as a sample has numbers; otherwise,
/// with as many columns as the last axis, a sample is as many lines as its other axes have
/// elements: [time, features] for one, and for more one behind the other. The batch must be the
/// first axis then.
ArrayFit FitOf(const FileArray& array, const TensorType& type);

/// The axis that is the batch; -1: none.
int BatchAxis(const Shape& shape);

}  // namespace seqgraph::tools
