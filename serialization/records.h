#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "graph/tensor.h"

namespace seqgraph {

/// Values by name, and the file that holds them: what a training run keeps of itself.
///
/// The file is a mark of eight bytes ("SEQREC1\n"), one record a value, and a last record with the
/// number of records and the SHA-256 of what guards each. A record is its kind (1 byte), the sizes
/// of name (4) and content (8), both, and the CRC-32C of all that; numbers are little-endian,
/// doubles and tensors their very bytes. So a flipped bit, a cut end and a record too many, too few
/// or out of another file are all noticed, and those before the damage can still be told.
class Records {
 public:
  using Value = std::variant<int64_t, double, std::string, std::vector<int64_t>,
                             std::vector<double>, std::vector<std::string>, Tensor>;

  /// Replaces what has that name.
  void Set(std::string name, Value value) { values_[std::move(name)] = std::move(value); }
  /// Null if there is none.
  const Value* Find(absl::string_view name) const;
  /// NotFound or InvalidArgument (of another type) name it.
  template <typename T>
  absl::Status Get(absl::string_view name, T* value) const {
    const Value* found = Find(name);
    if (found == nullptr) return NotFound("there is no '", name, "' in it");
    const T* typed = std::get_if<T>(found);
    if (typed == nullptr) return InvalidArgument("'", name, "' in it is of another type");
    *value = *typed;
    return absl::OkStatus();
  }
  void Erase(absl::string_view name);

  /// In the order of the names.
  const std::map<std::string, Value, std::less<>>& all() const { return values_; }

 private:
  std::map<std::string, Value, std::less<>> values_;
};

/// Whether two values are the same in every bit (NaN is itself, -0 is not +0).
bool SameBits(const Records::Value& a, const Records::Value& b);

/// Replaces the file as a whole (AtomicWriteFile).
absl::Status WriteRecords(const Records& records, const std::string& path);

/// What is in a file of records, damaged or not.
struct RecordsRead {
  Records records;      ///< those that are whole
  absl::Status status;  ///< DataLoss says what is damaged where; OK: nothing
};
/// Never fails for what the bytes are, nor takes more than twice their memory.
RecordsRead DecodeRecords(absl::string_view bytes);

/// The values, all of them. Errors name the path: those of ReadFile, DataLoss for a damaged file.
absl::StatusOr<Records> ReadRecords(const std::string& path);

}  // namespace seqgraph
