// Tables of texts: answered row by row, with all of their columns; tokens by other rules than the
// published one; training on what `encode` wrote.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "data/csv.h"
#include "data/synthetic_topics.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

// The records of a file, as the reader of CSV has them.
std::vector<std::vector<std::string>> Records(const std::string& path, char separator = ',') {
  std::vector<std::vector<std::string>> records;
  const auto reader = data::CsvReader::Open(path, {.separator = separator});
  EXPECT_THAT(reader, IsOk());
  while (reader.ok()) {
    const auto fields = (*reader)->Next();
    EXPECT_THAT(fields, IsOk());
    if (!fields.ok() || fields->empty()) break;
    records.emplace_back(fields->begin(), fields->end());
  }
  return records;
}

class TextTablesTest : public ::testing::Test {
 protected:
  // A model of notes in the column "the note", of three kinds.
  static void SetUpTestSuite() {
    folder_ = new std::string(MakeTempDir());
    std::string csv = "id,kind,the note\n";
    for (int i = 0; i < 150; ++i) {
      absl::StrAppend(&csv, i, ",", data::SyntheticTopicName(i % 3), ",",
                      data::CsvField(data::SyntheticTopicText(1, i % 3, i)), "\n");
    }
    Write("notes.csv", csv);
    const ProcessResult train =
        Run(Training("notes.csv", "m.pb", {"--text_column=the note", "--label_column=kind"}));
    ASSERT_EQ(train.status, 0) << train.err;
  }

  static std::vector<std::string> Training(const std::string& data, const std::string& model,
                                           const std::vector<std::string>& more) {
    return WithFlags(
        {"train", "--data=" + data, "--output=" + model, "--backend=reference", "--units=4",
         "--batch=16", "--epochs=2", "--learning_rate=0.01", "--overwrite"},
        more);
  }
  static ProcessResult Run(const std::vector<std::string>& arguments) {
    return RunSeqgraph(arguments, {.folder = *folder_});
  }
  static ProcessResult Predict(const std::vector<std::string>& more,
                               const std::string& model = "m.pb") {
    std::vector<std::string> arguments = {"predict", model, "--backend=reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(arguments);
  }
  static void Write(const std::string& name, const std::string& bytes) {
    data::WriteFileOrDie(*folder_ + "/" + name, bytes);
  }
  static std::string Read(const std::string& name) {
    return data::ReadFileOrDie(*folder_ + "/" + name);
  }
  // What the model answers to the text alone.
  static nlohmann::json Alone(const std::string& text, const std::string& model = "m.pb") {
    const ProcessResult result = Predict({"--format=json", "--", text}, model);
    EXPECT_EQ(result.status, 0) << result.err;
    return nlohmann::json::parse(result.out, nullptr, false);
  }

  static std::string* folder_;
};

std::string* TextTablesTest::folder_ = nullptr;

TEST_F(TextTablesTest, AllColumnsAreKeptAndAnswersStandBehindThem) {
  const std::vector<std::string> notes = {data::SyntheticTopicText(9, 0, 1),
                                          "with, a \"quote\"\nand a line", "plain"};
  std::string csv = "id,the note,\"more, of it\"\r\n";
  for (size_t i = 0; i < notes.size(); ++i) {
    absl::StrAppend(&csv, i, ",", data::CsvField(notes[i]), ",\" spaces \"\r\n");
  }
  Write("new.csv", csv);
  const ProcessResult result = Predict({"--data=new.csv", "--output=pred.csv"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("pred.csv: 3 rows"));
  const auto records = Records(*folder_ + "/pred.csv");
  ASSERT_THAT(records, SizeIs(4));
  EXPECT_THAT(records[0], ElementsAre("id", "the note", "more, of it", "predicted_label",
                                      "p_cooking", "p_music", "p_sport"));
  for (size_t i = 0; i < notes.size(); ++i) {
    const std::vector<std::string>& record = records[i + 1];
    ASSERT_THAT(record, SizeIs(7));
    EXPECT_EQ(record[0], absl::StrCat(i));
    EXPECT_EQ(record[1], notes[i]);
    EXPECT_EQ(record[2], " spaces ");
    const nlohmann::json alone = Alone(notes[i]);
    EXPECT_EQ(record[3], alone["label"].get<std::string>());
    for (const auto& [column, label] :
         {std::pair(4, "cooking"), std::pair(5, "music"), std::pair(6, "sport")}) {
      float p = -1;
      EXPECT_TRUE(absl::SimpleAtof(record[static_cast<size_t>(column)], &p));
      EXPECT_EQ(p, alone["probabilities"][label].get<float>());
    }
  }
  // The same on standard output, and with the separator of the output's name.
  EXPECT_EQ(Predict({"--data=new.csv"}).out, Read("pred.csv"));
  ASSERT_EQ(Predict({"--data=new.csv", "--output=pred.tsv"}).status, 0);
  EXPECT_EQ(Records(*folder_ + "/pred.tsv", '\t'), records);
}

TEST_F(TextTablesTest, ALongTableIsAnsweredRowByRow) {
  std::string csv = "the note\n";
  for (int i = 0; i < 100; ++i) absl::StrAppend(&csv, "note no. ", i, "\n");
  data::WriteFileOrDie(*folder_ + "/long.csv.gz", data::Gzip(csv));
  ASSERT_EQ(Predict({"--data=long.csv.gz", "--output=long_pred.csv"}).status, 0);
  const auto records = Records(*folder_ + "/long_pred.csv");
  ASSERT_THAT(records, SizeIs(101));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(records[static_cast<size_t>(i) + 1][0], absl::StrCat("note no. ", i));
  }
  EXPECT_EQ(records[57][1], Alone("note no. 56")["label"].get<std::string>());
}

TEST_F(TextTablesTest, ObjectsKeepTheirMembersAsTheyAre) {
  Write("new.jsonl",
        "{\"n\": 12345678901234567890123,\"the note\":\"caf\\u00e9\", \"x\": {\"y\": [1, 2.50]}}\n"
        "\n"
        "  {\"the note\": \"two\"}  \n");
  const ProcessResult result = Predict({"--data=new.jsonl", "--output=pred.jsonl"});
  ASSERT_EQ(result.status, 0) << result.err;
  const std::vector<std::string> lines = Lines(Read("pred.jsonl"));
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], ::testing::StartsWith("{\"n\": 12345678901234567890123,\"the note\":\"caf"
                                              "\\u00e9\", \"x\": {\"y\": [1, 2.50]}, \"predicted_"
                                              "label\": \""));
  const nlohmann::json answer = nlohmann::json::parse(lines[1]);
  const nlohmann::json alone = Alone("two");
  EXPECT_EQ(answer["predicted_label"], alone["label"]);
  for (const char* label : {"cooking", "music", "sport"}) {
    EXPECT_EQ(answer["probabilities"][label].get<float>(),
              alone["probabilities"][label].get<float>());
  }
  Write("twice.jsonl", Read("pred.jsonl"));
  EXPECT_THAT(Predict({"--data=twice.jsonl"}).err,
              AllOf(HasSubstr("2 problems"), HasSubstr("line 1: there is a member "
                                                       "'predicted_label' already")));
}

TEST_F(TextTablesTest, WhatIsWrongIsToldAtOnceOrSkipped) {
  std::string csv = "the note,id\nfine,1\n...,2\nonly one\n";
  for (int i = 0; i < 30; ++i) csv += "\xFF,3\n";
  csv += "fine too,4\n";
  Write("bad.csv", csv);
  Write("kept.csv", "as it was\n");
  const ProcessResult refused = Predict({"--data=bad.csv", "--output=kept.csv"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("32 problems"), HasSubstr("line 3: expected at least"),
                    HasSubstr("line 4, column 1: a record with 1 fields"), HasSubstr("line 22: "),
                    Not(HasSubstr("line 23: ")), HasSubstr("and 12 more")));
  EXPECT_EQ(Read("kept.csv"), "as it was\n");
  const ProcessResult skipped = Predict({"--data=bad.csv", "--output=kept.csv", "--skip_bad_rows"});
  ASSERT_EQ(skipped.status, 0) << skipped.err;
  EXPECT_THAT(skipped.err, HasSubstr("skipped 32 rows with problems"));
  const auto records = Records(*folder_ + "/kept.csv");
  ASSERT_THAT(records, SizeIs(3));
  EXPECT_EQ(records[1][0], "fine");
  EXPECT_EQ(records[2][0], "fine too");
  const ProcessResult any =
      Predict({"--data=bad.csv", "--output=kept.csv", "--skip_bad_rows", "--any_bytes"});
  EXPECT_THAT(any.err, HasSubstr("skipped 1 rows"));
}

TEST_F(TextTablesTest, OtherColumnsAndOutputsAreRefusedByName) {
  Write("other.csv", "id,text\n1,fine\n");
  EXPECT_THAT(Predict({"--data=other.csv"}).err,
              HasSubstr("names no column 'the note', but: 'id', 'text'"));
  EXPECT_EQ(Predict({"--data=other.csv", "--text_column=text"}).status, 0);
  Write("named.csv", "the note,p_music\nfine,1\n");
  EXPECT_THAT(Predict({"--data=named.csv"}).err, HasSubstr("there is a column 'p_music' already"));
  EXPECT_THAT(Predict({"--data=other.csv", "--text_column=text", "--output=a.jsonl"}).err,
              HasSubstr("expected a name that ends in .csv or .tsv"));
  EXPECT_THAT(Predict({"--data=other.csv", "--text_column=text", "--output=a.csv.gz"}).err,
              HasSubstr("expected a name that ends in .csv or .tsv"));
  EXPECT_THAT(Predict({"--data=m.pb"}).err, HasSubstr("expected a table of texts"));
  EXPECT_THAT(Predict({"--output=a.csv", "text"}).err, HasSubstr("--output goes with --data"));
}

TEST_F(TextTablesTest, TheModelKnowsItsColumnsWhereverItGoes) {
  Write("new.csv", "the note\nfine\n");
  const std::string answers = Predict({"--data=new.csv"}).out;
  EXPECT_THAT(answers, HasSubstr("fine,"));
  for (const char* file : {"c.keras", "c.onnx"}) {
    ASSERT_EQ(Run({"convert", "m.pb", file}).status, 0);
    ASSERT_EQ(Run({"convert", file, "back.pb"}).status, 0);
    const ProcessResult back = Predict({"--data=new.csv"}, "back.pb");
    EXPECT_EQ(back.status, 0) << file << ": " << back.err;
    EXPECT_THAT(back.out, HasSubstr("the note,predicted_label,p_cooking")) << file;
  }
  const ProcessResult evaluate =
      Run({"evaluate", "m.pb", "--data=notes.csv", "--backend=reference"});
  EXPECT_EQ(evaluate.status, 0) << evaluate.err;
  EXPECT_THAT(evaluate.out, HasSubstr("150 reviews"));
}

TEST_F(TextTablesTest, TrainingTellsAllThatIsWrongOrSkipsIt) {
  const std::string csv = absl::StrCat(Read("notes.csv"), "150,music,...\n151,,words\n152,music\n");
  Write("some.csv", csv);
  const std::vector<std::string> columns = {"--text_column=the note", "--label_column=kind"};
  std::vector<std::string> training = Training("some.csv", "some.pb", columns);
  EXPECT_THAT(Run(training).err, AllOf(HasSubstr("3 problems"), HasSubstr("line 152: expected at"),
                                       HasSubstr("line 153: the label is empty"),
                                       HasSubstr("line 154, column 1: a record with 2 fields")));
  training.push_back("--skip_bad_rows");
  const ProcessResult train = Run(training);
  ASSERT_EQ(train.status, 0) << train.err;
  EXPECT_THAT(train.err, HasSubstr("skipped 3 rows with problems"));
  EXPECT_THAT(train.out, HasSubstr("120 reviews to train on, 30 to validate on"));
}

TEST_F(TextTablesTest, LinesOfJsonAreTrainedOnAsRecordsAre) {
  std::string lines;
  for (int i = 0; i < 150; ++i) {
    lines += nlohmann::json({{"kind", std::string(data::SyntheticTopicName(i % 3))},
                             {"the note", data::SyntheticTopicText(1, i % 3, i)}})
                 .dump() +
             "\n";
  }
  Write("notes.jsonl", lines);
  const ProcessResult train =
      Run(Training("notes.jsonl", "j.pb", {"--text_column=the note", "--label_column=kind"}));
  ASSERT_EQ(train.status, 0) << train.err;
  EXPECT_EQ(Read("j.pb"), Read("m.pb"));
}

TEST_F(TextTablesTest, CharactersTellTextsWithoutSpacesApart) {
  // あ to ん and a word that tells; of the other rules each text is a word of its own.
  std::string csv = "text,label\n";
  for (int i = 0; i < 120; ++i) {
    const char* words[] = {"映画は", "今日の", "私が見た", "とても", "これは"};
    absl::StrAppend(&csv, words[i % 5], words[i * 7 % 5], i % 2 == 0 ? "良い" : "悪い",
                    words[i / 5 % 5], ",", i % 2 == 0 ? "good" : "bad", "\n");
  }
  Write("japanese.csv", csv);
  const ProcessResult train =
      Run(Training("japanese.csv", "c.pb",
                   {"--tokens=characters", "--epochs=30", "--maxlen=20", "--pooling=max"}));
  ASSERT_EQ(train.status, 0) << train.err;
  EXPECT_EQ(Alone("とても良い映画は", "c.pb")["label"], "good");
  EXPECT_EQ(Alone("私が見た悪い今日の", "c.pb")["label"], "bad");
  EXPECT_THAT(Run({"inspect", "c.pb"}).out, HasSubstr("text by the rule characters"));
}

TEST_F(TextTablesTest, WordsAreWithoutCaseAndOfOneFormInPredictToo) {
  std::string csv = "text,label\n";
  for (int i = 0; i < 60; ++i) {
    absl::StrAppend(&csv, i % 2 == 0 ? "ÉTÉ" : "Straße", " wort", i % 7, ",", i % 2, "\n");
  }
  Write("words.csv", csv);
  const ProcessResult train = Run(Training("words.csv", "w.pb", {"--tokens=words"}));
  ASSERT_EQ(train.status, 0) << train.err;
  const nlohmann::json summer = Alone("ÉTÉ", "w.pb"), street = Alone("Straße", "w.pb");
  // So few words beside numbers look like series, but for what flags say of them.
  Write("short.csv", "text,label\nÉTÉ,1\nEté,1\nhiver,0\nHIVER,0\nété,1\n");
  const ProcessResult looks = Run(Training("short.csv", "s.pb", {"--tokens=words"}));
  EXPECT_THAT(looks.out, HasSubstr("Data: short.csv: 4 reviews")) << looks.err;
  // In other case, with the accents as marks of their own, in full width.
  EXPECT_EQ(Alone("e\u0301te\u0301!", "w.pb")["probability"], summer["probability"]);
  EXPECT_EQ(Alone("ＳＴＲＡＳＳＥ", "w.pb")["probability"], street["probability"]);
  EXPECT_NE(summer["probability"], street["probability"]);
  EXPECT_THAT(Predict({"。。"}, "w.pb").err, HasSubstr("expected at least one word"));
  // The rule is part of what a model is: another one is not understood.
  ASSERT_EQ(Run({"convert", "w.pb", "w.textproto"}).status, 0);
  const std::string model = Read("w.textproto");
  ASSERT_THAT(model, HasSubstr("rule: \"words\""));
  Write("w.textproto", absl::StrReplaceAll(model, {{"rule: \"words\"", "rule: \"sounds\""}}));
  EXPECT_THAT(Predict({"text"}, "w.textproto").err, HasSubstr("remove the line that begins with"));
  Write("w.textproto", absl::StrReplaceAll(model, {{"rule: \"words\"", "rule: \"sounds\""},
                                                   {"# crc32c", "# was"}}));
  EXPECT_THAT(Predict({"text"}, "w.textproto").err,
              AllOf(HasSubstr("found the rule 'sounds'"),
                    HasSubstr("'imdb', 'words', 'characters', 'bytes'")));
}

TEST_F(TextTablesTest, WhatEncodeWritesIsTrainedOn) {
  const std::vector<std::string> columns = {"--text_column=the note", "--label_column=kind"};
  for (const char* tokens : {"imdb", "words"}) {
    std::vector<std::string> encode = {"encode", "--data=notes.csv", "--output=encoded",
                                       absl::StrCat("--tokens=", tokens)};
    encode.insert(encode.end(), columns.begin(), columns.end());
    const ProcessResult written = Run(encode);
    ASSERT_EQ(written.status, 0) << written.err;
    const ProcessResult train = Run(Training("encoded", "e.pb", {}));
    ASSERT_EQ(train.status, 0) << train.err;
    EXPECT_THAT(train.out, HasSubstr("Data: encoded: 120 reviews to train on, 30 to validate on"));
    std::vector<std::string> direct = Training("notes.csv", "d.pb", columns);
    direct.push_back(absl::StrCat("--tokens=", tokens));
    ASSERT_EQ(Run(direct).status, 0);
    EXPECT_EQ(Read("e.pb"), Read("d.pb")) << tokens;
    const auto loss = [](const std::string& model, const std::string& data) {
      const ProcessResult result =
          Run({"evaluate", model, "--data=" + data, "--part=validation", "--backend=reference"});
      EXPECT_EQ(result.status, 0) << result.err;
      return result.out.substr(result.out.find("loss: "));
    };
    EXPECT_EQ(loss("e.pb", "encoded"), loss("e.pb", "notes.csv"));
  }
  EXPECT_THAT(Run({"evaluate", "m.pb", "--data=encoded", "--part=train"}).err,
              HasSubstr("encoded by other words"));
  EXPECT_THAT(Run(Training("encoded", "e.pb", {"--maxlen=5"})).err,
              HasSubstr("--maxlen says how texts are read, and those of encoded are encoded"));
  Write("encoded/train_targets.npy", Read("encoded/test_targets.npy"));
  EXPECT_THAT(Run(Training("encoded", "e.pb", {})).err,
              HasSubstr("train_targets.npy is not the file of checksums.txt"));
  std::filesystem::remove(*folder_ + "/encoded/checksums.txt");
  EXPECT_THAT(Run(Training("encoded", "e.pb", {})).err, HasSubstr("train_targets.npy: 0 targets"));
}

}  // namespace
}  // namespace seqgraph
