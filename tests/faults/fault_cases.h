#pragma once

// The commands that write files, over small inputs.

#include <string>
#include <vector>

#include "tests/faults/faults.h"

namespace seqgraph {

/// A folder with what they read: texts, series, models of both, arrays.
std::string FolderForFaults();

/// Commands that write one file each: the same bytes every time.
std::vector<FaultCase> FileCases();
/// What writes a set of files, in a folder made by FolderForFaults().
FaultCase EncodeCase(const std::string& folder);
/// Trainings, of texts and of series: a model, and a history.
std::vector<FaultCase> TrainCases(const std::string& folder);
/// What writes no file.
std::vector<FaultCase> ReadingCases();

}  // namespace seqgraph
