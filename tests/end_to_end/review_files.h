#pragma once

#include <string>
#include <vector>

#include "data/testing/test_util.h"

namespace seqgraph {

/// The layout of the published archive, small: 40 reviews to train on, 20 to test on, half of them
/// pos with praise at their end, half neg with blame; a word that only the test split has.
data::Entries TinyReviews();

/// A new folder with "tiny.tar.gz", the archive of TinyReviews().
std::string FolderWithTinyArchive();

/// The flags of a training run on that archive that takes a fraction of a second, without --model
/// and --output.
std::vector<std::string> TinyTraining(const std::string& backend);

/// A new folder with the archive and with "m.pb", the model that one epoch on it gives; a failure
/// of the test where there is none.
std::string FolderWithTinyModel();

/// All of `a`, then all of `b`.
std::vector<std::string> With(std::vector<std::string> a, const std::vector<std::string>& b);

/// `arguments` with those `flags`, which take the place of others of the same name.
std::vector<std::string> WithFlags(std::vector<std::string> arguments,
                                   const std::vector<std::string>& flags);

/// Names in a folder, sorted.
std::vector<std::string> NamesIn(const std::string& folder);

}  // namespace seqgraph
