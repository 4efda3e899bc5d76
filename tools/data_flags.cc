#include "tools/data_flags.h"

#include <cstdio>

#include "absl/strings/str_cat.h"

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
  flags.Text("--data_cache", &data_cache, "FOLDER|off",
             "Where an archive's integers are kept, to be found again by its content and all\n"
             "settings; by default $XDG_CACHE_HOME/seqgraph or ~/.cache/seqgraph");
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

std::optional<DataCache> DataFlags::Cache() const {
  if (data_cache == "off") return std::nullopt;
  std::string folder = data_cache.empty() ? DataCache::DefaultFolder() : data_cache;
  if (folder.empty()) return std::nullopt;
  return DataCache(std::move(folder));
}

std::string OriginLine(const DataOrigin& origin) {
  for (const std::string& note : origin.notes) {
    std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
  }
  const std::string key = origin.key.substr(0, 12);
  switch (origin.kind) {
    case DataOrigin::kCached:
      return absl::StrCat("Integers: from the cache (key ", key, ")\n");
    case DataOrigin::kStored:
      return absl::StrCat("Integers: made from the reviews, now in the cache (key ", key, ")\n");
    case DataOrigin::kComputed:
      return "";
  }
  return "";
}

}  // namespace seqgraph::tools
