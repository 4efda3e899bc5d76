#include "tools/array_files.h"

#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/atomic_file.h"
#include "base/memory_limit.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "data/csv.h"
#include "graph/compare.h"

namespace seqgraph::tools {
namespace {

constexpr int kMaxColumns = 1'000'000;
constexpr int64_t kMaxNumbers = data::kMaxNpyBytes / 8;

DType DTypeOfNpy(data::NpyType type) {
  switch (type) {
    case data::NpyType::kInt32:
      return DType::kInt32;
    case data::NpyType::kInt64:
      return DType::kInt64;
    case data::NpyType::kFloat32:
      return DType::kFloat32;
    case data::NpyType::kFloat64:
      return DType::kFloat64;
  }
  return DType::kFloat32;
}

// The numbers of a line; none where no field is one. Otherwise *wrong is the first that is none.
std::vector<double> NumbersOf(absl::Span<const absl::string_view> fields, int* wrong) {
  std::vector<double> numbers(fields.size());
  int failed = 0;
  *wrong = -1;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (absl::SimpleAtod(fields[i], &numbers[i])) continue;
    ++failed;
    if (*wrong < 0) *wrong = static_cast<int>(i);
  }
  if (failed == static_cast<int>(fields.size())) numbers.clear();
  return numbers;
}

absl::StatusOr<FileArray> ReadCsv(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(
      const std::unique_ptr<data::CsvReader> reader,
      data::CsvReader::Open(path, {.separator = absl::EndsWith(path, ".tsv") ? '\t' : ',',
                                   .max_fields = kMaxColumns,
                                   .max_bytes = data::kMaxNpyBytes}));
  std::vector<double> elements;
  int64_t lines = 0, columns = 0;
  for (bool first = true;; first = false) {
    SEQ_ASSIGN_OR_RETURN(const absl::Span<const absl::string_view> fields, reader->Next());
    if (fields.empty()) break;
    int wrong = -1;
    const std::vector<double> numbers = NumbersOf(fields, &wrong);
    if (first && numbers.empty()) continue;  // A header.
    if (wrong >= 0) {
      return InvalidArgument("'", path, "', line ", reader->line(), ", field ", wrong + 1,
                             ": expected a number, found '", fields[wrong].substr(0, 40), "'");
    }
    elements.insert(elements.end(), numbers.begin(), numbers.end());
    if (static_cast<int64_t>(elements.size()) > kMaxNumbers) {
      return ResourceExhausted("'", path, "' has more than ", kMaxNumbers, " numbers");
    }
    // The tensor is a copy of them.
    SEQ_RETURN_IF_ERROR(CheckMemory(2 * static_cast<int64_t>(elements.size() * sizeof(double)),
                                    absl::StrCat("'", path, "'")));
    columns = static_cast<int64_t>(numbers.size());
    ++lines;
  }
  return FileArray{
      .name = "", .tensor = Tensor::Of<double>({lines, columns}, elements), .is_lines = true};
}

// The first element that is not the same; -1: none. NaN is the same as NaN.
int64_t FirstDifference(const Tensor& a, const Tensor& b) {
  return VisitElementType(a.dtype(), [&](auto zero) -> int64_t {
    using T = decltype(zero);
    const auto x = a.Elements<T>(), y = b.Elements<T>();
    for (size_t i = 0; i < x.size(); ++i) {
      if (x[i] != y[i] && (x[i] == x[i] || y[i] == y[i])) return static_cast<int64_t>(i);
    }
    return -1;
  });
}

std::string ElementText(const Tensor& tensor, int64_t element) {
  return VisitElementType(tensor.dtype(), [&](auto zero) {
    return absl::StrCat(tensor.Elements<decltype(zero)>()[element]);
  });
}

// What lines of CSV are taken for; see FitOf.
std::optional<Shape> ShapeOfLines(const Shape& lines, const Shape& wanted) {
  const bool has_batch = BatchAxis(wanted) == 0;
  if (!has_batch && !wanted.is_static()) return std::nullopt;
  const Shape sample(wanted.dims().subspan(has_batch ? 1 : 0));
  const int64_t numbers = sample.num_elements(), all = lines.num_elements();
  const int64_t columns = lines[1].size(), last = sample.rank() == 0 ? 1 : sample.back().size();
  if (numbers == 0 || all % numbers != 0 || (columns != numbers && columns != last)) {
    return std::nullopt;
  }
  if (has_batch) return wanted.Bind(all / numbers);
  return all == numbers ? std::optional(sample) : std::nullopt;
}

}  // namespace

absl::StatusOr<Tensor> TensorOf(const data::NpyArray& array) {
  Shape shape;
  for (const int64_t extent : array.shape) shape.Append(extent);
  SEQ_RETURN_IF_ERROR(shape.Validate());
  return Tensor::CopyOf({DTypeOfNpy(array.type), shape}, array.bytes.data());
}

absl::StatusOr<std::string> NpyOf(const Tensor& tensor) {
  std::vector<int64_t> extents;
  for (const Dim dim : tensor.shape().dims()) extents.push_back(dim.size());
  return VisitElementType(tensor.dtype(), [&](auto zero) {
    return data::NpyFile(tensor.Elements<decltype(zero)>(), extents);
  });
}

absl::StatusOr<std::vector<FileArray>> ReadArrayFile(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const std::string start, ReadFileStart(path, 6));
  std::vector<FileArray> arrays;
  if (absl::StartsWith(start, "PK\x05\x06")) {  // the end of an archive at its beginning
    return InvalidArgument(path, ": it has no arrays");
  }
  if (LooksLikeZip(start)) {
    SEQ_ASSIGN_OR_RETURN(const auto named, data::ReadNpz(path));
    for (const auto& [name, array] : named) {
      arrays.push_back({.name = name, .tensor = {}});
      SEQ_ASSIGN_OR_RETURN(arrays.back().tensor,
                           Annotate(TensorOf(array), absl::StrCat(path, ": array ", name)));
    }
  } else if (absl::StartsWith(start, "\x93NUMPY")) {
    SEQ_ASSIGN_OR_RETURN(const data::NpyArray array, data::ReadNpy(path));
    arrays.emplace_back();
    SEQ_ASSIGN_OR_RETURN(arrays.back().tensor, Annotate(TensorOf(array), path));
  } else {
    SEQ_ASSIGN_OR_RETURN(FileArray lines, ReadCsv(path));
    arrays.push_back(std::move(lines));
  }
  return arrays;
}

absl::StatusOr<Tensor> ConvertElements(Tensor tensor, DType dtype, std::string* note) {
  if (tensor.dtype() == dtype) return tensor;
  Tensor converted = tensor.Cast(dtype);
  const int64_t lost = FirstDifference(tensor, converted.Cast(tensor.dtype()));
  if (lost < 0) return converted;
  if (!IsReal(dtype)) {
    return InvalidArgument(IndexText(lost, tensor.shape()), " is ", ElementText(tensor, lost),
                           ", which is no ", DTypeName(dtype));
  }
  *note = absl::StrCat(DTypeName(tensor.dtype()), " is rounded to ", DTypeName(dtype));
  return converted;
}

ArrayFit FitOf(const FileArray& array, const TensorType& type) {
  ArrayFit fit{.shape = std::nullopt, .batch_axis = BatchAxis(type.shape)};
  std::optional<Shape> shape = array.tensor.shape();
  if (array.is_lines) shape = ShapeOfLines(*shape, type.shape);
  if (!shape.has_value() || shape->rank() != type.shape.rank()) return fit;
  for (int d = 0; d < shape->rank(); ++d) {
    if (type.shape[d].is_batch()) {
      if (fit.batch == 0) fit.batch = (*shape)[d].size();
      if (fit.batch != (*shape)[d].size()) return fit;
    } else if (type.shape[d] != (*shape)[d]) {
      return fit;
    }
  }
  fit.shape = shape;
  return fit;
}

int BatchAxis(const Shape& shape) {
  for (int d = 0; d < shape.rank(); ++d) {
    if (shape[d].is_batch()) return d;
  }
  return -1;
}

}  // namespace seqgraph::tools
