#pragma once

// What coverage-guided fuzzing (libFuzzer) feeds with bytes: a reader each, with what must hold of
// whatever it makes of them. A target ends the process where something does not.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace seqgraph {

struct FuzzTarget {
  const char* name;
  /// True if the reader takes them for a whole file.
  bool (*run)(absl::string_view bytes);
  /// Whole files, made by our own writers or by hand: what the kept corpus (tests/fuzz/corpus)
  /// begins with.
  std::vector<std::string> (*seeds)();
  /// Of tools/test_fuzz on this row: each foreign format has a minute, which its rows share.
  int seconds = 10;
};

/// Of models, ours and others'.
const std::vector<FuzzTarget>& ModelTargets();
/// Of series, arrays, sound.
const std::vector<FuzzTarget>& DataTargets();
/// Of texts, from anywhere and encoded.
const std::vector<FuzzTarget>& TextTargets();
/// Of what runs and commands keep to go on from.
const std::vector<FuzzTarget>& RunTargets();
/// Of programs that have the runtime alone, and of plugins.
const std::vector<FuzzTarget>& RuntimeTargets();
/// All of them (all_targets.cc).
std::vector<FuzzTarget> AllTargets();

/// Ends the process with a line that says why, unless `holds`.
void FuzzCheck(bool holds, absl::string_view why);
/// status.ok(); an error must say why, and be no mistake of ours.
bool FuzzOk(const absl::Status& status);

/// A file for readers that want a path: its folder is the process's own, in memory where there is
/// such a place, and goes with it.
std::string FuzzFolder();
std::string FuzzFile(const std::string& name, absl::string_view bytes);

/// A file of records (serialization/records.h) whose sums are all right.
std::string SealedRecords(absl::string_view bytes);

/// Several files as one input: of each its number (a byte), its size (two, little-endian) and its
/// bytes.
std::string PackFiles(const std::vector<std::string>& files);
std::vector<std::string> UnpackFiles(absl::string_view bytes, size_t count);

}  // namespace seqgraph
