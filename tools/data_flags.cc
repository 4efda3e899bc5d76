#include "tools/data_flags.h"

namespace seqgraph::tools {

void DeclareAnyBytes(Flags& flags, bool* value) {
  flags.Switch("--any_bytes", value,
               "Take, not refuse, reviews with invalid UTF-8, NUL or no words");
}

void DataFlags::DeclareSource(Flags& flags) {
  Flag source = flags.Text("--data", &data, "PATH",
                           "aclImdb_v1.tar.gz as published, its unpacked folder, or 'synthetic'");
  if (data.empty()) source.Required();
  DeclareAnyBytes(flags, &any_bytes);
}

void DataFlags::DeclareEncoding(Flags& flags) {
  flags.Int("--num_words", &num_words, data::kMinNumWords, 1'000'000,
            "Codes: three special ones, one unused, then the most frequent words");
  flags.Int("--maxlen", &maxlen, 1, 100'000, "Codes a review: its last ones");
  flags.Real("--validation", &validation, 0, 1, "Share of the training half to validate on");
}

data::DatasetOptions DataFlags::Options() const {
  data::DatasetOptions options;
  options.num_words = static_cast<int>(num_words);
  options.maxlen = static_cast<int>(maxlen);
  options.validation = validation;
  if (any_bytes) options.text_policy = data::TextPolicy::kAnyBytes;
  return options;
}

}  // namespace seqgraph::tools
