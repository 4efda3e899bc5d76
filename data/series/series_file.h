#pragma once

// Series as `encode` writes them, to be read at once, however many they are: a safetensors file,
// whose numbers are mapped into memory where they lie.
//
//   values F32 [steps, features]; begin I64 [series + 1]; where there are some: times F64,
//   gaps I64, classes I32, targets F32, weights F32, lines I64 [n, 3]; checks I64, the CRC-32C of
//   each megabyte of each array before it, and of all before the first (the first version had not
//   that one). What else a SeriesSet has, and how it was read, is JSON
//   in the member "seqgraph.series" of its metadata, texts in C escapes.
//
// Format: safetensors 0.4 (8 bytes of length, a JSON header of names, types, shapes and offsets,
// then the arrays, little-endian).

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/series/series_set.h"

namespace seqgraph::data {

/// Writes a set that was read by these options. The errors of AtomicFile.
absl::Status WriteSeries(const SeriesSet& set, const SeriesSourceOptions& source,
                         const std::string& path);

/// The file of WriteSeries() that the path names: itself, or one of the name kSeriesFile in that
/// folder; empty for all others.
inline constexpr char kSeriesFile[] = "series.safetensors";
std::string SeriesFileOf(const std::string& path);

/// Whether all of such a file is as it was written. Errors: those of ReadSeriesFile().
absl::Status CheckSeriesFile(const std::string& path);

/// Sets what the options leave open to what such a file was read by: columns of parts, per_step,
/// the rule for missing values; so that a model knows them as if it had been trained on the file
/// that they came from. Other files and folders, whatever they are, change nothing.
absl::Status CompleteFromSeriesFile(const std::string& path, SeriesSourceOptions* options);

/// For ReadSeries(). Features are those of the options, in their order. InvalidArgument if they
/// name other columns or parts than the file has; DataLoss, naming the array, for what is damaged
/// or cut off; ResourceExhausted beyond max_memory, of which values that lie in the file are no
/// part.
absl::StatusOr<SeriesSet> ReadSeriesFile(const std::string& path,
                                         const SeriesSourceOptions& options);

}  // namespace seqgraph::data
