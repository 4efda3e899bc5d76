#pragma once

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "data/text_source.h"
#include "distributed/communicator.h"
#include "distributed/same_facts.h"
#include "tools/output.h"
#include "tools/text_classifier.h"

namespace seqgraph::tools {

struct TextTableOptions {
  std::string data;    ///< A file of separated fields, or of JSON objects (data/text_rows.h).
  std::string output;  ///< Empty: standard output.
  data::CsvLayout columns;
  data::TextPolicy text_policy = data::TextPolicy::kRefuse;
  bool skip_bad_rows = false;
  const std::atomic<bool>* interrupt = nullptr;
};

/// Answers each row of a table of texts: all of its columns as they are, and behind them
/// `predicted_label` and `p_NAME`, the probability of each class; of objects the members
/// `predicted_label` and `probabilities`, an object. What is written is of the kind that is read,
/// with the separator of its own name. It streams, and the file is in its place once all is
/// answered.
///
/// Errors: InvalidArgument for an output of another kind, for columns that would have the names of
/// the answers, and for rows with problems, all at once; with skip_bad_rows these are left out, and
/// standard error says how many. Cancelled for an interrupt. Otherwise as ForEachTextRow().
absl::Status AnswerTextTable(TextClassifier& classifier, const TextTableOptions& options,
                             Output& out);

/// The same on all ranks, which all call it: AnswerInShards() (sharded_rows.h), with an output that
/// is a file. The bytes of the output are those of AnswerTextTable().
absl::Status AnswerTextTableInShards(TextClassifier& classifier, const TextTableOptions& options,
                                     Communicator& communicator, const Facts& facts, Output& out);

}  // namespace seqgraph::tools
