#pragma once

#include <string>
#include <vector>

#include "data/text_dataset.h"

namespace seqgraph::tools {

/// A line for people: what a run learns from.
std::string DataLine(const data::Dataset& dataset);

/// What a model of these data is called: "topics" for "data/topics.csv.gz" and the folder
/// "topics/".
std::string StemOf(const std::string& data);

/// Two lines for people: where a model was saved, and a command that uses it.
std::string SavedText(const std::string& path, const std::vector<std::string>& labels);

}  // namespace seqgraph::tools
