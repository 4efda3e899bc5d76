#pragma once

// Bits flipped at random places of a file, and cuts at random lengths.

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "tests/fuzz/mutator.h"

namespace seqgraph {

/// What loading gives for damaged bytes: an error, which says where, or OK where all is as it was.
using Loads = std::function<absl::Status(const std::string& bytes)>;

/// Of a format: SEQGRAPH_FUZZ_COUNT.
int NumFlips();

/// Gives `load` the bytes with one bit flipped, `flips` times, at places in [begin, end), 0: to the
/// end; and a fifth as often cut there. The test fails where it is OK and `may_pass` is false, and
/// where the error does not name `path`. How many were refused.
int ExpectDamageIsNoticed(const std::string& bytes, const std::string& path, bool may_pass,
                          const Loads& load, int flips = NumFlips(), size_t begin = 0,
                          size_t end = 0);

/// Makes that the content of the file, where it lies: what is truncated and written anew waits for
/// the disk.
void Overwrite(const std::string& path, const std::string& bytes);

}  // namespace seqgraph
