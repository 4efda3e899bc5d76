#pragma once

#include <string>
#include <vector>

#include "data/text_dataset.h"

namespace seqgraph::tools {

/// A line for people: what a run learns from.
std::string DataLine(const data::Dataset& dataset);

/// What a model of these data is called: "topics" for "data/topics.csv.gz" and the folder
/// "topics/". `archives`: what has no other look is one, and that is "imdb".
std::string StemOf(const std::string& data, bool archives = true);

/// The arguments of a command that uses a model of texts: `predict m.pb "A text of your own"`.
std::string TextExampleUse(const std::string& model, const std::vector<std::string>& labels);

/// As a shell takes it.
std::string Quoted(const std::string& text);

/// Two lines for people: where a model was saved, and the arguments of a command that uses it.
std::string SavedText(const std::string& path, const std::string& example_use);

}  // namespace seqgraph::tools
