// Tables of texts with numbers beside them: one bit of the class stands in the text, the other in a
// number.

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/counter_random.h"
#include "data/testing/test_util.h"
#include "data/text_dataset.h"
#include "layers/all_layers.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"
#include "training/preprocessing.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A note of six words by lot of which one tells of joy or of grief, an age below 40 or above, and
// stars that tell nothing. A third text column is the same for all.
struct Note {
  std::string text;
  int age = 0, stars = 0;
  bool glad = false;
  std::string kind() const {
    return absl::StrCat(glad ? "glad" : "sad", age < 40 ? " young" : " old");
  }
};

std::vector<Note> Notes(uint64_t seed, int count) {
  const std::vector<std::string> any = {"the", "day", "was", "long", "and", "it", "went", "by"};
  const std::vector<std::string> joy = {"lovely", "happy"}, grief = {"awful", "gloomy"};
  CounterRandom random(seed, "notes");
  std::vector<Note> notes;
  for (int i = 0; i < count; ++i) {
    Note note{.glad = random.NextBelow(2) == 1};
    const uint64_t place = random.NextBelow(6);
    for (uint64_t word = 0; word < 6; ++word) {
      const std::vector<std::string>& from = word != place ? any : note.glad ? joy : grief;
      absl::StrAppend(&note.text, word > 0 ? " " : "", from[random.NextBelow(from.size())]);
    }
    note.age = static_cast<int>(random.NextBelow(2) * 35 + 15 + random.NextBelow(20));
    note.stars = static_cast<int>(random.NextBelow(5));
    notes.push_back(note);
  }
  return notes;
}

std::string Csv(const std::vector<Note>& notes) {
  std::string csv = "age,note,same,stars,kind\n";
  for (const Note& n : notes) {
    absl::StrAppend(&csv, n.age, ",\"", n.text, "\",note,", n.stars, ",", n.kind(), "\n");
  }
  return csv;
}

std::string Tsv(const std::vector<Note>& notes) {
  std::string tsv = "note\tstars\tage\n";
  for (const Note& n : notes) absl::StrAppend(&tsv, n.text, "\t", n.stars, "\t", n.age, "\n");
  return tsv;
}

std::string JsonLines(const std::vector<Note>& notes) {
  std::string lines;
  for (const Note& n : notes) {
    absl::StrAppend(&lines, "{\"stars\": ", n.stars, ", \"note\": \"", n.text,
                    "\", \"age\": ", n.age, ", \"kind\": \"", n.kind(), "\"}\n");
  }
  return lines;
}

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

class TextNumbersTest : public ::testing::Test {
 protected:
  // m.pb takes both, words.pb the text alone, ages.pb numbers beside a text that tells nothing.
  static void SetUpTestSuite() {
    folder_ = new std::string(MakeTempDir());
    Write("train.csv", Csv(Notes(1, 800)));
    Write("new.csv", Csv(Notes(2, 300)));
    Train("m.pb", {"--text_column=note", "--numeric_columns=age,stars"});
    Train("words.pb", {"--text_column=note"});
    Train("ages.pb", {"--text_column=same", "--numeric_columns=age,stars"});
  }
  static ProcessResult Run(const std::vector<std::string>& arguments) {
    return RunSeqgraph(arguments, {.folder = *folder_});
  }
  static std::vector<std::string> Training(const std::string& model,
                                           const std::vector<std::string>& more) {
    return WithFlags({"train", "--data=train.csv", "--label_column=kind", "--output=" + model,
                      "--backend=reference", "--cell=gru", "--units=8", "--maxlen=8", "--batch=32",
                      "--epochs=12", "--patience=12", "--learning_rate=0.02", "--data_cache=off"},
                     more);
  }
  static void Train(const std::string& model, const std::vector<std::string>& more) {
    const ProcessResult train = Run(Training(model, more));
    ASSERT_EQ(train.status, 0) << train.err;
  }
  static ProcessResult Predict(const std::string& model, const std::string& data) {
    return Run({"predict", model, "--backend=reference", "--data=" + data});
  }
  static void Write(const std::string& name, const std::string& bytes) {
    data::WriteFileOrDie(*folder_ + "/" + name, bytes);
  }
  static double AccuracyOf(const std::string& model) {
    const ProcessResult result = Run({"evaluate", model, "--data=new.csv", "--backend=reference"});
    EXPECT_EQ(result.status, 0) << result.err;
    const size_t at = result.out.find("accuracy: ");
    EXPECT_NE(at, std::string::npos) << result.out;
    double accuracy = -1;
    EXPECT_TRUE(absl::SimpleAtod(result.out.substr(at + 10, 8), &accuracy)) << result.out;
    return accuracy;
  }

  static std::string* folder_;
};

std::string* TextNumbersTest::folder_ = nullptr;

TEST_F(TextNumbersTest, BothAreBetterThanEitherAlone) {
  EXPECT_GE(AccuracyOf("m.pb"), 0.95);
  // Of the bit that they do not see they know nothing.
  EXPECT_THAT(AccuracyOf("words.pb"), AllOf(::testing::Ge(0.4), ::testing::Le(0.6)));
  EXPECT_THAT(AccuracyOf("ages.pb"), AllOf(::testing::Ge(0.4), ::testing::Le(0.6)));
}

TEST_F(TextNumbersTest, TheModelKeepsColumnsAndTheScaleOfItsTrainingRows) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, LoadModel(*folder_ + "/m.pb", AllOps()));
  EXPECT_THAT(NumericColumnsOf(model), ElementsAre("age", "stars"));
  EXPECT_THAT(Run({"inspect", "m.pb"}).out, HasSubstr("numbers of the columns age, stars"));
  EXPECT_EQ(model.preprocessing.text_column, "note");
  EXPECT_EQ(model.series.scale, "standard");
  // By hand, of the rows that the split trains on.
  SEQ_ASSERT_OK_AND_ASSIGN(
      const data::Dataset dataset,
      data::LoadDataset(
          *folder_ + "/train.csv",
          {.maxlen = 8,
           .with_test = false,
           .csv = {.text_column = "note", .label_column = "kind", .number_columns = {"age"}}}));
  double sum = 0, all = 0;
  for (const float age : dataset.train.numbers) sum += age;
  for (const Note& note : Notes(1, 800)) all += note.age;
  const double mean = sum / static_cast<double>(dataset.train.rows);
  ASSERT_EQ(dataset.train.rows, 640);
  ASSERT_NE(mean, all / 800);
  std::vector<NormalizationLayer> scaling;
  for (const Layer& layer : model.layers->layers) {
    if (const auto found = As<NormalizationLayer>(layer.kind)) scaling.push_back(*found);
  }
  ASSERT_THAT(scaling, SizeIs(1));
  ASSERT_THAT(scaling[0].mean, SizeIs(2));
  EXPECT_NEAR(scaling[0].mean[0], mean, 1e-9);
}

TEST_F(TextNumbersTest, TablesOfAnyKindGiveTheSameAnswers) {
  const std::vector<Note> notes = Notes(3, 40);
  Write("p.csv", Csv(notes));
  Write("p.tsv", Tsv(notes));
  Write("p.jsonl", JsonLines(notes));
  const std::vector<std::string> csv = Lines(Predict("m.pb", "p.csv").out);
  const std::vector<std::string> tsv = Lines(Predict("m.pb", "p.tsv").out);
  const std::vector<std::string> json = Lines(Predict("m.pb", "p.jsonl").out);
  ASSERT_THAT(csv, SizeIs(41));
  ASSERT_THAT(tsv, SizeIs(41));
  ASSERT_THAT(json, SizeIs(40));
  EXPECT_THAT(csv[0], StartsWith("age,note,same,stars,kind,predicted_label,p_glad old,"));
  EXPECT_THAT(tsv[0], StartsWith("note\tstars\tage\tpredicted_label\tp_glad old\t"));
  int right = 0;
  for (size_t i = 0; i < notes.size(); ++i) {
    const std::vector<std::string> a = absl::StrSplit(csv[i + 1], ',');
    const std::vector<std::string> b = absl::StrSplit(tsv[i + 1], '\t');
    ASSERT_THAT(a, SizeIs(10));
    EXPECT_EQ(std::vector<std::string>(a.begin() + 5, a.end()),
              std::vector<std::string>(b.begin() + 3, b.end()));
    EXPECT_THAT(json[i], AllOf(HasSubstr("\"predicted_label\": \"" + a[5] + "\""), HasSubstr(a[6]),
                               HasSubstr(a[9])));
    right += a[5] == notes[i].kind();
  }
  EXPECT_GE(right, 36);
}

TEST_F(TextNumbersTest, OtherFormatsKeepTheColumnsAndTheAnswers) {
  const std::vector<std::string> ours = Lines(Predict("m.pb", "new.csv").out);
  ASSERT_THAT(ours, SizeIs(301));
  for (const std::string name : {"m.textproto", "m.keras", "m.onnx"}) {
    const ProcessResult converted = Run({"convert", "m.pb", name});
    ASSERT_EQ(converted.status, 0) << name << ": " << converted.err;
    const ProcessResult result = Predict(name, "new.csv");
    ASSERT_EQ(result.status, 0) << name << ": " << result.err;
    const std::vector<std::string> theirs = Lines(result.out);
    ASSERT_THAT(theirs, SizeIs(301)) << name;
    for (size_t i = 1; i < ours.size(); ++i) {
      const std::vector<std::string> a = absl::StrSplit(ours[i], ',');
      const std::vector<std::string> b = absl::StrSplit(theirs[i], ',');
      ASSERT_EQ(a.size(), b.size());
      for (size_t k = 6; k < a.size(); ++k) {
        float p = -1, q = -2;
        ASSERT_TRUE(absl::SimpleAtof(a[k], &p) && absl::SimpleAtof(b[k], &q));
        ASSERT_NEAR(p, q, 1e-5) << name << ", line " << i;
      }
    }
  }
}

TEST_F(TextNumbersTest, TrainingGoesOnAndComparesWithTheModelThatIsThere) {
  Write("on.pb", data::ReadFileOrDie(*folder_ + "/m.pb"));
  const ProcessResult on =
      Run({"train", "--data=train.csv", "--resume=on.pb", "--output=on.pb", "--backend=reference",
           "--epochs=1", "--batch=32", "--data_cache=off"});
  EXPECT_EQ(on.status, 0) << on.err;
  EXPECT_THAT(on.out, HasSubstr("numbers age, stars"));
  const ProcessResult other =
      Run(Training("words.pb", {"--text_column=note", "--epochs=1", "--numeric_columns=age"}));
  EXPECT_NE(other.status, 0);
  EXPECT_THAT(other.err, HasSubstr("it takes other numbers beside a text"));
}

TEST_F(TextNumbersTest, WhatDoesNotFitIsRefusedByName) {
  const auto error = [](const std::vector<std::string>& arguments) {
    const ProcessResult result = Run(arguments);
    EXPECT_NE(result.status, 0);
    return result.err;
  };
  EXPECT_THAT(
      error({"predict", "m.pb", "a lovely day"}),
      HasSubstr("takes numbers beside a text (age, stars): give a table of both by --data"));
  EXPECT_THAT(error({"evaluate", "m.pb", "--data=new.csv", "--numeric_columns=age"}),
              HasSubstr("--numeric_columns names 1 columns, and the model takes 2: age, stars"));
  EXPECT_THAT(error({"evaluate", "words.pb", "--data=new.csv", "--numeric_columns=age"}),
              HasSubstr("and the model takes 0"));
  EXPECT_THAT(error({"train", "--data=synthetic", "--numeric_columns=age", "--output=x.pb"}),
              HasSubstr("'synthetic' is no table"));
  Write("tiny.tar.gz", data::MakeArchive(TinyReviews(), data::Packing::kTarGz));
  EXPECT_THAT(error({"train", "--data=tiny.tar.gz", "--numeric_columns=age", "--output=x.pb"}),
              HasSubstr("is no table"));
  EXPECT_THAT(error({"evaluate", "m.pb", "--data=tiny.tar.gz"}), HasSubstr("is no table"));
  EXPECT_THAT(error(Training("x.pb", {"--text_column=note", "--numeric_columns=age,age"})),
              HasSubstr("'age' is named twice"));
  EXPECT_THAT(error(Training("x.pb", {"--text_column=note", "--numeric_columns=size"})),
              HasSubstr("names no column 'size'"));
  EXPECT_THAT(error(Training("x.pb", {"--text_column=note", "--scale=minmax"})),
              HasSubstr("--scale is for series"));
  EXPECT_THAT(error({"encode", "--data=train.csv", "--text_column=note", "--label_column=kind",
                     "--numeric_columns=age", "--output=folder"}),
              HasSubstr("tokens alone"));
  Write("bad.csv", "note,age,stars\nfine,1,2\nno age,,2\nwords,many,2\n");
  const ProcessResult bad = Predict("m.pb", "bad.csv");
  EXPECT_THAT(bad.err,
              AllOf(HasSubstr("2 problems"), HasSubstr("line 3: expected a number as 'age'"),
                    HasSubstr("line 4: ")));
  const ProcessResult skipped =
      Run({"predict", "m.pb", "--data=bad.csv", "--skip_bad_rows", "--backend=reference"});
  EXPECT_EQ(skipped.status, 0) << skipped.err;
  EXPECT_THAT(Lines(skipped.out), SizeIs(2));
  EXPECT_THAT(skipped.out, Not(HasSubstr("words,many")));
}

}  // namespace
}  // namespace seqgraph
