#pragma once

// Which arrays of files are meant for the inputs or results of a function, and whether they fit.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "tools/array_files.h"

namespace seqgraph::tools {

/// What arrays are called by order, as by Keras's and PyTorch's people and by numpy.savez.
inline constexpr const char* kInputPrefixes[] = {"x", "in", "arr_"};
inline constexpr const char* kResultPrefixes[] = {"y", "out"};

/// An input or a result of a function, and the array that is meant for it.
struct ArrayUse {
  std::string name;
  TensorType type;
  const FileArray* array = nullptr;  ///< null: none
  std::string file;                  ///< where it is from
};

/// The length of sequences in the first of the arrays that has one, its axis 1.
std::optional<int64_t> LengthOf(absl::Span<const FileArray> arrays);

/// In the order of the function's.
std::vector<ArrayUse> InputsOf(const Function& function);
std::vector<ArrayUse> ResultsOf(const Function& function);

/// Gives each of `uses` without an array the one of its name. Where the file has an array for none
/// of all uses, it goes by order: use i takes PREFIXi for the first of the prefixes with which
/// there is one for 0, and a use that is alone also PREFIX. A file that is one array goes to the
/// first use that has none. The arrays, at `file`, must outlive the uses.
void MatchArrays(const std::vector<FileArray>& arrays, const std::string& file,
                 absl::Span<const char* const> prefixes, std::vector<ArrayUse>& uses);

/// The names of the arrays that no use takes.
std::vector<std::string> UnusedArrays(const std::vector<FileArray>& arrays,
                                      absl::Span<const ArrayUse> uses);

/// What the batch of the uses is: 1 if none has one. InvalidArgument names the first use that has
/// no array, or one of another shape or with another number of rows than those before it.
absl::StatusOr<int64_t> CheckShapes(absl::Span<const ArrayUse> uses);

/// A line for each use, with what is expected and what was given; `what` they are: "input".
std::string ArrayTable(const std::string& what, absl::Span<const ArrayUse> uses);

/// The array of a use that fits, with the shape that is meant and elements of `dtype`: errors and a
/// note as ConvertElements, with the use in front.
absl::StatusOr<Tensor> FittedTensor(const ArrayUse& use, DType dtype,
                                    std::vector<std::string>* notes);

}  // namespace seqgraph::tools
