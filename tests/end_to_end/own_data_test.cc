// Labelled texts of a user's own: a CSV file, a folder a class, more than two classes.

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "data/synthetic_topics.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int kTopics = 3;

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

// The number behind "name: " or "name ".
double Measured(const std::string& text, const std::string& name) {
  const size_t at = text.find(name);
  double value = -1;
  if (at == std::string::npos) return value;
  const std::string rest = text.substr(at + name.size());
  const size_t begin = rest.find_first_of("0123456789");
  const size_t end = rest.find_first_not_of("0123456789.", begin);
  EXPECT_TRUE(absl::SimpleAtod(rest.substr(begin, end - begin), &value)) << text;
  return value;
}

// Made-up notes, record i of topic i % topics. The label is the second column, with a separator, a
// quote and a line feed in each text.
std::string TopicsCsv(uint64_t seed, int records, int topics = kTopics) {
  std::string csv = "id,topic,\"the \"\"text\"\"\"\r\n";
  for (int i = 0; i < records; ++i) {
    absl::StrAppend(&csv, i, ",", data::SyntheticTopicName(i % topics), ",\"\"\"Note\"\", no. ", i,
                    "\n", data::SyntheticTopicText(seed, i % topics, i), "\"\r\n");
  }
  return csv;
}

data::Entries TopicsTree() {
  data::Entries entries;
  for (int i = 0; i < 300; ++i) {
    const int topic = i % kTopics;
    entries.push_back({absl::StrCat(i < 240 ? "topics/train/" : "topics/test/",
                                    data::SyntheticTopicName(topic), "/", i, ".txt"),
                       data::SyntheticTopicText(1, topic, i)});
  }
  return entries;
}

const std::vector<std::string>& CsvFlags() {
  static const auto& flags =
      *new std::vector<std::string>{"--text_column=the \"text\"", "--label_column=topic"};
  return flags;
}

std::vector<std::string> Training(const std::string& data, const std::string& backend) {
  return {"train",
          "--data=" + data,
          "--backend=" + backend,
          "--num_words=150",
          "--maxlen=40",
          "--units=8",
          "--batch=16",
          "--epochs=30",
          "--patience=5",
          "--learning_rate=0.01",
          "--pooling=average",
          "--output=m.pb"};
}

class OwnDataTest : public ::testing::TestWithParam<const char*> {
 protected:
  ProcessResult Run(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), more.begin(), more.end());
    return RunSeqgraph(all, {.folder = folder_});
  }
  std::string backend() const { return absl::StrCat("--backend=", GetParam()); }

  // What the model m.pb answers to unseen notes: at most one in ten is wrong.
  void ExpectRightAnswers(int topics) const {
    std::vector<std::string> arguments = {"predict", "m.pb", backend(), "--format=json"};
    for (int i = 0; i < 60; ++i) {
      arguments.push_back(data::SyntheticTopicText(3, i % topics, i));
    }
    const ProcessResult answers = Run(arguments);
    ASSERT_EQ(answers.status, 0) << answers.err;
    const std::vector<std::string> lines = Lines(answers.out);
    ASSERT_THAT(lines, SizeIs(60));
    int right = 0;
    for (int i = 0; i < 60; ++i) {
      const nlohmann::json line = nlohmann::json::parse(lines[static_cast<size_t>(i)]);
      right += line["label"] == std::string(data::SyntheticTopicName(i % topics));
      ASSERT_THAT(line["probabilities"], SizeIs(topics));
      double sum = 0, most = 0;
      for (const auto& [label, p] : line["probabilities"].items()) {
        sum += p.get<double>();
        most = std::max(most, p.get<double>());
      }
      EXPECT_NEAR(sum, 1, 1e-5);
      EXPECT_EQ(line["probabilities"][line["label"].get<std::string>()].get<double>(), most);
    }
    EXPECT_GE(right, 54);
  }

  const std::string folder_ = MakeTempDir();
};

TEST_P(OwnDataTest, ACsvFileOfThreeClassesFromTextToAnswers) {
  data::WriteFileOrDie(folder_ + "/train.csv", TopicsCsv(1, 300));
  data::WriteFileOrDie(folder_ + "/test.csv", TopicsCsv(2, 90));
  const ProcessResult train = Run(Training("train.csv", GetParam()), CsvFlags());
  ASSERT_EQ(train.status, 0) << train.err;
  EXPECT_THAT(train.out,
              AllOf(HasSubstr("Data: train.csv: 240 reviews to train on, 60 to validate on"),
                    HasSubstr("3 classes: cooking, music, sport"), HasSubstr("Best epoch ")));

  const std::vector<std::string> evaluate = {"evaluate", "m.pb", "--data=test.csv", backend(),
                                             "--confusion"};
  const ProcessResult test = Run(evaluate, CsvFlags());
  ASSERT_EQ(test.status, 0) << test.err;
  EXPECT_THAT(test.out, HasSubstr("test: 90 reviews, 30 cooking, 30 music, 30 sport"));
  EXPECT_GE(Measured(test.out, "accuracy"), 0.9) << test.out;
  EXPECT_THAT(test.out, AllOf(ContainsRegex("\nclass +precision +recall +f1 +reviews\n"),
                              ContainsRegex("\nmusic +[01]\\.[0-9]+ +[01]\\.[0-9]+ +[01]\\.[0-9]+ "
                                            "+30\n"),
                              ContainsRegex("\nis . taken for +cooking +music +sport\n")));

  // The rows that training validated on, found again.
  const ProcessResult validation =
      Run({"evaluate", "m.pb", "--data=train.csv", backend(), "--part=validation", "--batch=16"},
          CsvFlags());
  ASSERT_EQ(validation.status, 0) << validation.err;
  const size_t best = train.out.find("Best epoch");
  ASSERT_NE(best, std::string::npos);
  EXPECT_NEAR(Measured(validation.out, "loss"), Measured(train.out.substr(best), "val_loss"), 1e-4);
  ExpectRightAnswers(kTopics);

  const std::string note = data::SyntheticTopicText(3, 2, 2);  // One of those that are right.
  const ProcessResult text = Run({"predict", "m.pb", backend(), note});
  EXPECT_THAT(text.out,
              StartsWith(absl::StrCat(text.out.substr(0, 6), "\tsport\t", note.substr(0, 50))));
}

TEST_P(OwnDataTest, AFolderAClassInHalvesAlsoInAnArchive) {
  data::WriteTree(folder_, TopicsTree());
  data::WriteFileOrDie(folder_ + "/topics.tar.gz",
                       data::MakeArchive(TopicsTree(), data::Packing::kTarGz));
  const ProcessResult train = Run(Training("topics", GetParam()));
  ASSERT_EQ(train.status, 0) << train.err;
  const std::string model = data::ReadFileOrDie(folder_ + "/m.pb");
  const ProcessResult test = Run({"evaluate", "m.pb", "--data=topics", backend()});
  ASSERT_EQ(test.status, 0) << test.err;
  EXPECT_THAT(test.out, HasSubstr("test: 60 reviews, 20 cooking, 20 music, 20 sport"));
  EXPECT_GE(Measured(test.out, "accuracy"), 0.9) << test.out;
  ExpectRightAnswers(kTopics);

  std::filesystem::remove(folder_ + "/m.pb");
  const ProcessResult archived = Run(Training("topics.tar.gz", GetParam()));
  ASSERT_EQ(archived.status, 0) << archived.err;
  EXPECT_TRUE(data::ReadFileOrDie(folder_ + "/m.pb") == model) << "the same texts in an archive";
}

TEST_P(OwnDataTest, OtherLayersOptimizersWeightsAndMetrics) {
  data::WriteFileOrDie(folder_ + "/train.csv", TopicsCsv(1, 300));
  const ProcessResult train =
      Run(WithFlags(Training("train.csv", GetParam()),
                    {"--cell=gru", "--layers=2", "--bidirectional", "--mask_zero", "--units=6",
                     "--pooling=max", "--dropout=0.1", "--optimizer=adam", "--clipnorm=1",
                     "--class_weight=balanced", "--metrics=precision,recall,auc", "--stratify",
                     "--history=h.csv"}),
          CsvFlags());
  ASSERT_EQ(train.status, 0) << train.err;
  EXPECT_THAT(train.out, AllOf(HasSubstr("bidirectional_1"), HasSubstr("Best epoch ")));
  for (const char* column : {"accuracy", "auc", "precision", "recall", "val_auc"}) {
    EXPECT_THAT(data::ReadFileOrDie(folder_ + "/h.csv"), HasSubstr(column));
  }
  ExpectRightAnswers(kTopics);
  const ProcessResult summary = Run({"summary", "m.pb"});
  EXPECT_THAT(summary.out, AllOf(HasSubstr("bidirectional"), HasSubstr("Total params: ")));
}

TEST_P(OwnDataTest, TwoClassesGetOneSigmoid) {
  data::WriteFileOrDie(folder_ + "/two.csv", TopicsCsv(1, 300, 2));
  const ProcessResult train = Run(Training("two.csv", GetParam()), CsvFlags());
  ASSERT_EQ(train.status, 0) << train.err;
  ExpectRightAnswers(2);
  // The probability is that of the second label.
  const ProcessResult text = Run({"predict", "m.pb", backend(), data::SyntheticTopicText(3, 0, 0),
                                  data::SyntheticTopicText(3, 1, 1)});
  const std::vector<std::string> lines = Lines(text.out);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], ContainsRegex("^0\\.[0-4][0-9]*\tcooking\t"));
  EXPECT_THAT(lines[1], ContainsRegex("^(1\\.0|0\\.[5-9])[0-9]*\tmusic\t"));
}

INSTANTIATE_TEST_SUITE_P(Backends, OwnDataTest,
                         ::testing::Values("reference", "simd,onednn,reference"),
                         [](const auto& param_info) {
                           return absl::StrReplaceAll(param_info.param, {{",", "_"}});
                         });

class HostileDataTest : public ::testing::Test {
 protected:
  // One line on standard error that has all of `parts`, and no model.
  void ExpectError(const std::string& csv, const std::vector<std::string>& parts,
                   const std::vector<std::string>& flags = {}) const {
    data::WriteFileOrDie(folder_ + "/bad.csv", csv);
    std::vector<std::string> arguments = Training("bad.csv", "reference");
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const ProcessResult result = RunSeqgraph(arguments, {.folder = folder_});
    EXPECT_EQ(result.status, 1) << result.out << result.err;
    EXPECT_THAT(result.err, StartsWith("seqgraph: "));
    EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << result.err;
    for (const std::string& part : parts) EXPECT_THAT(result.err, HasSubstr(part));
    EXPECT_THAT(NamesIn(folder_), ::testing::ElementsAre("bad.csv"));
  }

  const std::string folder_ = MakeTempDir();
};

TEST_F(HostileDataTest, OneLineSaysWhatIsWrongAndWhere) {
  ExpectError("", {"holds no records"});
  ExpectError("text,label\n", {"holds no records"});
  ExpectError("review,label\na,b\n", {"names no column 'text'", "--text_column"});
  ExpectError("text,label\na,b\nc\n", {"'bad.csv', line 3, column 1", "1 fields"});
  ExpectError("text,label\n\"a,b\nc,d\n", {"line 2, column 1", "nothing closes the quote"});
  ExpectError("text,label\na \"b\",c\n", {"line 2, column 3", "a quote inside a field"});
  ExpectError("text,label\na,x\nb\xFF,y\n", {"line 3", "UTF-8"});
  ExpectError("text,label\na,x\n,y\n", {"line 3", "at least one word"});
  ExpectError("text,label\na,x\nb,\n", {"line 3", "the label is empty"});
  ExpectError("text,label\na,x\nb,x\n", {"of one class, 'x'"});
  ExpectError("text,label\na,x\nb,y\n", {"bad.csv"}, {"--text_column=3"});
  ExpectError(std::string("PK\x03\x04", 4) + std::string(1000, '\0'), {"bad.csv"});
  ExpectError(std::string("\x1f\x8b\x08", 3) + "nonsense", {"bad.csv", "gzip"});
  std::string many = "text,label\n";
  for (int i = 0; i < 1100; ++i) absl::StrAppend(&many, "word,label number ", i, "\n");
  ExpectError(many, {"line 1002", "1000 different ones"});
}

TEST_F(HostileDataTest, AnUnknownClassInTestDataIsNamed) {
  data::WriteFileOrDie(folder_ + "/two.csv", TopicsCsv(1, 60, 2));
  data::WriteFileOrDie(folder_ + "/four.csv", TopicsCsv(1, 60, 4));
  std::vector<std::string> arguments =
      WithFlags(Training("two.csv", "reference"), {"--epochs=1", CsvFlags()[0], CsvFlags()[1]});
  ASSERT_EQ(RunSeqgraph(arguments, {.folder = folder_}).status, 0);
  const ProcessResult test = RunSeqgraph(
      {"evaluate", "m.pb", "--data=four.csv", "--backend=reference", CsvFlags()[0], CsvFlags()[1]},
      {.folder = folder_});
  EXPECT_EQ(test.status, 1);
  EXPECT_THAT(test.err, HasSubstr("'four.csv': line 6 has the label 'sport'; expected one of 2 "
                                  "known classes: cooking, music"));
}

TEST_F(HostileDataTest, AnInterruptedRunKeepsAModelWithItsLabels) {
  data::WriteFileOrDie(folder_ + "/train.csv", TopicsCsv(1, 90));
  Process train(WithFlags(Training("train.csv", "reference"),
                          {"--epochs=1000000", "--patience=1000000", CsvFlags()[0], CsvFlags()[1]}),
                {.folder = folder_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 3/")) << train.out() << train.err();
  train.Signal(SIGINT);
  EXPECT_EQ(train.Wait(), 130);
  const ProcessResult answer =
      RunSeqgraph({"predict", "m.pb", "--backend=reference", "a goal"}, {.folder = folder_});
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_THAT(answer.out, ContainsRegex("^[01]\\.[0-9]{4}\t(cooking|music|sport)\ta goal\n$"));
}

TEST_F(HostileDataTest, AResumedRunGoesOnWhereTheOtherEnded) {
  data::WriteFileOrDie(folder_ + "/train.csv", TopicsCsv(1, 120));
  const auto train = [this](const std::vector<std::string>& flags) {
    std::vector<std::string> arguments =
        WithFlags(Training("train.csv", "reference"), {CsvFlags()[0], CsvFlags()[1]});
    arguments = WithFlags(arguments, {"--learning_rate=0.0005"});
    arguments = WithFlags(arguments, flags);
    return RunSeqgraph(arguments, {.folder = folder_});
  };
  // The validation loss falls in each of so few epochs, so the saved model is the last one.
  const ProcessResult whole = train({"--epochs=6", "--output=whole.pb"});
  ASSERT_EQ(whole.status, 0) << whole.err;
  ASSERT_THAT(whole.out, HasSubstr("Best epoch 6: "));
  ASSERT_EQ(train({"--epochs=3", "--output=half.pb"}).status, 0);
  const std::vector<std::string> resumed = {
      "train",         "--data=train.csv",    CsvFlags()[0], CsvFlags()[1],
      "--batch=16",    "--backend=reference", "--epochs=6",  "--first_epoch=3",
      "--output=m.pb", "--resume=half.pb"};
  const ProcessResult rest = RunSeqgraph(resumed, {.folder = folder_});
  ASSERT_EQ(rest.status, 0) << rest.err;
  EXPECT_THAT(rest.out, HasSubstr("Best epoch 6: "));
  const std::vector<std::string> texts = {"predict",
                                          "",
                                          "--format=json",
                                          "--backend=reference",
                                          data::SyntheticTopicText(9, 0, 1),
                                          data::SyntheticTopicText(9, 2, 1)};
  std::vector<std::string> answers;
  for (const char* model : {"whole.pb", "m.pb", "half.pb"}) {
    std::vector<std::string> arguments = texts;
    arguments[1] = model;
    answers.push_back(RunSeqgraph(arguments, {.folder = folder_}).out);
  }
  EXPECT_EQ(answers[1], answers[0]);  // To the last bit: the optimizer's state is in the model.
  EXPECT_NE(answers[2], answers[0]);

  data::WriteFileOrDie(folder_ + "/train.csv", TopicsCsv(2, 120));
  const ProcessResult other = RunSeqgraph(resumed, {.folder = folder_});
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("half.pb: it knows other words than the texts of train.csv"));
  EXPECT_EQ(RunSeqgraph(WithFlags(resumed, {"--units=4"}), {.folder = folder_}).status, 2);
}

TEST_F(HostileDataTest, EncodeWritesTheIntegersAndTheNames) {
  data::WriteFileOrDie(folder_ + "/train.csv", TopicsCsv(1, 30));
  data::WriteFileOrDie(folder_ + "/test.csv", TopicsCsv(2, 12));
  const ProcessResult encode =
      RunSeqgraph({"encode", "--data=train.csv", "--test_data=test.csv", "--maxlen=7",
                   "--output=out", CsvFlags()[0], CsvFlags()[1]},
                  {.folder = folder_});
  ASSERT_EQ(encode.status, 0) << encode.err;
  EXPECT_THAT(encode.out, AllOf(HasSubstr("train_tokens.npy: int32 [24, 7]"),
                                HasSubstr("test_tokens.npy: int32 [12, 7]"),
                                HasSubstr("Classes: cooking, music, sport")));
  EXPECT_EQ(data::ReadFileOrDie(folder_ + "/out/labels.txt"), "cooking\nmusic\nsport\n");
}

TEST_F(HostileDataTest, ALabelThatTheModelHasNoClassForIsNamedByItsLine) {
  data::WriteFileOrDie(folder_ + "/train.csv", TopicsCsv(1, 60));
  data::WriteFileOrDie(folder_ + "/more.csv", TopicsCsv(1, 60, kTopics + 1));
  ASSERT_EQ(
      RunSeqgraph(WithFlags(Training("train.csv", "reference"),
                            {CsvFlags()[0], CsvFlags()[1], "--output=m.textproto", "--epochs=1"}),
                  {.folder = folder_})
          .status,
      0);
  // Names of classes would tell before, and the checksum that they are gone.
  std::vector<std::string> lines =
      absl::StrSplit(data::ReadFileOrDie(folder_ + "/m.textproto"), '\n');
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [](const std::string& line) {
                               return absl::StartsWith(line, "labels:") ||
                                      absl::StartsWith(line, "# crc32c:");
                             }),
              lines.end());
  data::WriteFileOrDie(folder_ + "/m.textproto", absl::StrJoin(lines, "\n"));
  std::vector<std::string> topics;
  for (int topic = 0; topic <= kTopics; ++topic)
    topics.emplace_back(data::SyntheticTopicName(topic));
  const auto last = std::max_element(topics.begin(), topics.end());
  for (const char* batch : {"1", "64"}) {
    const ProcessResult result =
        RunSeqgraph({"evaluate", "m.textproto", "--data=more.csv", CsvFlags()[0], CsvFlags()[1],
                     "--backend=reference", absl::StrCat("--batch=", batch)},
                    {.folder = folder_});
    EXPECT_EQ(result.status, 1) << result.out;
    // Behind the names of columns each record takes two lines.
    EXPECT_THAT(result.err, HasSubstr(absl::StrCat("line ", 2 + 2 * (last - topics.begin()),
                                                   " of more.csv: ")));
  }
}

}  // namespace
}  // namespace seqgraph
