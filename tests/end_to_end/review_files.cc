#include "tests/end_to_end/review_files.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/end_to_end/process.h"
#include "tests/testing.h"

namespace seqgraph {

data::Entries TinyReviews() {
  constexpr const char* kPraise[] = {"good", "great", "lovely", "superb"};
  constexpr const char* kBlame[] = {"bad", "awful", "dull", "poor"};
  data::Entries entries = {{"aclImdb/README", "not a review"},
                           {"aclImdb/train/unsup/0_0.txt", "a review without a label"}};
  for (int i = 0; i < 60; ++i) {
    const bool test = i >= 40;
    const bool positive = i % 2 == 0;
    const char* word = (positive ? kPraise : kBlame)[(i / 2) % 4];
    entries.emplace_back(
        absl::StrCat("aclImdb/", test ? "test" : "train", positive ? "/pos/" : "/neg/", i, "_",
                     positive ? 9 : 2, ".txt"),
        absl::StrCat("This film was number ", i, test ? ", unseenword" : "",
                     ".<br />I thought it was ", word, ", ", word, "!"));
  }
  return entries;
}

std::string FolderWithTinyArchive() {
  const std::string folder = MakeTempDir();
  data::WriteFileOrDie(folder + "/tiny.tar.gz",
                       data::MakeArchive(TinyReviews(), data::Packing::kTarGz));
  return folder;
}

std::vector<std::string> TinyTraining(const std::string& backend) {
  return {"train",          "--data=tiny.tar.gz", "--backend=" + backend,
          "--num_words=30", "--maxlen=6",         "--units=4",
          "--batch=8",      "--epochs=12",        "--learning_rate=0.01"};
}

std::string FolderWithTinyModel() {
  const std::string folder = FolderWithTinyArchive();
  const ProcessResult train = RunSeqgraph(
      WithFlags(TinyTraining("reference"), {"--epochs=1", "--output=m.pb"}), {.folder = folder});
  EXPECT_EQ(train.status, 0) << train.err;
  return folder;
}

std::vector<std::string> With(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<std::string> WithFlags(std::vector<std::string> arguments,
                                   const std::vector<std::string>& flags) {
  for (const std::string& flag : flags) {
    const std::string name = flag.substr(0, flag.find('='));
    const auto same = std::find_if(
        arguments.begin(), arguments.end(),
        [&name](const std::string& given) { return absl::StartsWith(given, name + "="); });
    if (same != arguments.end()) arguments.erase(same);
    arguments.push_back(flag);
  }
  return arguments;
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace seqgraph
