#pragma once

// Python's compiled functions as data: the format of its `marshal` module, in which Keras's files
// have the code of Lambda layers. https://docs.python.org/3/library/marshal.html

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "serialization/keras/config.h"

namespace seqgraph::keras {

/// A function's code. Names and constants are JSON: null, truth values, numbers, texts, arrays for
/// tuples, {"class_name": "__ellipsis__"}.
struct PythonCode {
  /// Of the numbers of instructions: 36 to 310 (to 3.10), 311, 312 or 313.
  int version = 0;
  int arguments = 0;
  std::string instructions;
  Json constants = Json::array();
  Json names = Json::array();
  Json variables = Json::array();  ///< arguments first
  /// Those that the functions around it have, and by the number that instructions give a variable
  /// of these or of its own that others have.
  Json free = Json::array();
  Json cells = Json::array();
};

/// InvalidArgument for what is damaged, Unimplemented for what such a function does not need.
absl::StatusOr<PythonCode> ParsePythonCode(absl::string_view bytes);

}  // namespace seqgraph::keras
