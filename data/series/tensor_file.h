#pragma once

// A safetensors file: its header, and its arrays one by one.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"

namespace seqgraph::data {

template <typename T>
struct TensorTypeOf;
template <>
struct TensorTypeOf<float> {
  static constexpr absl::string_view kName = "F32";
};
template <>
struct TensorTypeOf<double> {
  static constexpr absl::string_view kName = "F64";
};
template <>
struct TensorTypeOf<int32_t> {
  static constexpr absl::string_view kName = "I32";
};
template <>
struct TensorTypeOf<int64_t> {
  static constexpr absl::string_view kName = "I64";
};

/// The check sums of an array's bytes, of each megabyte.
std::vector<int64_t> ChecksOf(absl::string_view bytes);

/// Gathers arrays, which stay where they are, and writes them.
class TensorFileWriter {
 public:
  template <typename T>
  void Add(const std::string& name, const std::vector<int64_t>& shape,
           absl::Span<const T> elements) {
    AddBytes(name, TensorTypeOf<T>::kName, shape,
             absl::string_view(reinterpret_cast<const char*>(elements.data()),
                               elements.size() * sizeof(T)));
  }
  /// With an array `checks` behind all others: ChecksOf() each of them, and the sum of all before
  /// the first. To be called once. The errors of AtomicFile.
  absl::Status Write(const std::string& metadata_name, const std::string& metadata,
                     const std::string& path);

 private:
  struct Tensor {
    std::string name;
    absl::string_view type;
    std::vector<int64_t> shape;
    absl::string_view bytes;
  };
  void AddBytes(const std::string& name, absl::string_view type, const std::vector<int64_t>& shape,
                absl::string_view bytes);

  std::vector<Tensor> tensors_;
};

class TensorFile {
 public:
  struct Tensor {
    std::string type;
    std::vector<int64_t> shape;
    int64_t begin = 0, bytes = 0;  ///< in the file
  };

  /// InvalidArgument for another kind of file, or one without that metadata; DataLoss for a header
  /// that cannot be right, or arrays that lie beyond the file's end; ResourceExhausted for a header
  /// beyond max_memory.
  static absl::StatusOr<TensorFile> Open(const std::string& path, const std::string& metadata_name,
                                         int64_t max_memory);

  const std::string& metadata() const { return metadata_; }
  bool Has(const std::string& name) const { return tensors_.contains(name); }
  /// DataLoss if there is none, of that type and rank.
  absl::StatusOr<Tensor> Find(const std::string& name, absl::string_view type, size_t rank) const;

  /// The elements of an array; DataLoss if its check sums are others.
  template <typename T>
  absl::StatusOr<std::vector<T>> Read(const std::string& name, size_t rank = 1) const {
    SEQ_ASSIGN_OR_RETURN(const Tensor tensor, Find(name, TensorTypeOf<T>::kName, rank));
    std::vector<T> elements(static_cast<size_t>(tensor.bytes) / sizeof(T));
    char* to = reinterpret_cast<char*>(elements.data());
    SEQ_RETURN_IF_ERROR(ForEachBlock(name, tensor, [&to](absl::string_view block) {
      to = std::copy(block.begin(), block.end(), to);
      return absl::OkStatus();
    }));
    return elements;
  }

  /// Calls `take` with the bytes of the array, a megabyte at a time, each checked before.
  absl::Status ForEachBlock(const std::string& name, const Tensor& tensor,
                            absl::FunctionRef<absl::Status(absl::string_view)> take) const;
  /// The array where it lies, as long as the owner lives; changes are not written.
  absl::StatusOr<std::pair<char*, std::shared_ptr<const void>>> Map(const Tensor& tensor) const;

  /// Reads all arrays; DataLoss for the first whose check sums are others.
  absl::Status CheckAll() const;

  absl::Status Damaged(absl::string_view what) const;

 private:
  TensorFile(std::string path, FileDescriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}

  absl::Status ReadHeader(const std::string& metadata_name, int64_t max_memory);
  absl::Status ReadAt(int64_t offset, char* to, size_t bytes) const;

  std::string path_;
  FileDescriptor file_;
  std::string metadata_;
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, std::vector<int64_t>> checks_;  // Of each array.
};

}  // namespace seqgraph::data
