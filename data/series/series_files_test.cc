// Files as people have them, each with its result, word for word.

#include <string>
#include <vector>

#include "data/series/series_set.h"
#include "data/series/testing/series_cases.h"
#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using Missing = SeriesSourceOptions::Missing;

TEST(SeriesFiles, Plain) {
  const SeriesCase cases[] = {
      {"wide", "a,b\n1,2\n3.5,-4e1\n", {}, "a,b: 1,2 3.5,-40"},
      {"no line end at the end", "a\n1\n2", {}, "a: 1 2"},
      {"CRLF", "a,b\r\n1,2\r\n3,4\r\n", {}, "a,b: 1,2 3,4"},
      {"byte-order mark",
       "\xEF\xBB\xBF"
       "a,b\n1,2\n",
       {},
       "a,b: 1,2"},
      {"quotes everywhere", "\"a\",\"b\"\n\"1\",\"2\"\n", {}, "a,b: 1,2"},
      {"a line end in quotes",
       "t,\"a\nb\"\n\"x\ny\",1\nz,2\n",
       {.series = "t"},
       "a\nb: 1 | 2; names x\ny z"},
      {"spaces around", " a , b\n 1 ,\t2 \n", {}, "a,b: 1,2"},
      {"tabs", "a\tb\n1\t2\n", {}, "a,b: 1,2", "a.tsv"},
      {"tabs in a .csv", "a\tb\n1\t2\n", {}, "a,b: 1,2"},
      {"semicolons", "a;b\n1;2\n", {}, "a,b: 1,2"},
      {"bars by the option", "a|b\n1|2\n", {.separator = '|'}, "a,b: 1,2"},
      {"no names", "1,2\n3,4\n", {}, "1,2: 1,2 3,4"},
      {"no names, one chosen", "1,2\n3,4\n", {.columns = {"2"}}, "2: 2 4"},
      {"no names, dates",
       "2024-01-01,2\n2024-01-02,4\n",
       {.time = "1"},
       "2: 2 4; dates 1.70407e+09 1.70415e+09"},
      {"empty lines", "\na\n\n1\n\r\n2\n\n", {}, "a: 1 2"},
      {"one row", "a,b\n1,2\n", {}, "a,b: 1,2"},
      {"a constant feature", "a,b\n1,2\n1,3\n", {}, "a,b: 1,2 1,3"},
      {"one class",
       "s,a,c\n0,1,x\n1,2,x\n",
       {.series = "s", .label = "c"},
       "a: 1 | 2; names 0 1; classes x x"},
      {"text columns are left out",
       "a,t\n1,x\n2,y\n",
       {},
       "a: 1 2; notes FILE: no numbers, not read: 't'"},
      {"an index without a name",
       ",a\n0,1\n1,2\n",
       {},
       "a: 1 2; notes FILE: column 1 has no name and is not read"},
      {"chosen columns in their order", "a,b,c\n1,2,3\n", {.columns = {"c", "a"}}, "c,a: 3,1"},
      {"gzip", Gzip("a,b\n1,2\n"), {}, "a,b: 1,2", "a.csv.gz"},
      {"integers beyond float32", "a\n16777217\n123456789012\n", {}, "a: 1.67772e+07 1.23457e+11"},
      {"a long quoted text beside",
       "a,t\n1,\"" + std::string(70000, 'x') + "\"\n",
       {.columns = {"a"}},
       "a: 1"},
  };
  for (const SeriesCase& each : cases) CheckCase(each);
}

TEST(SeriesFiles, PartsOfColumns) {
  const std::string longs = "id,t,x,y\nb,2,4,1\na,1,1,0\nb,1,3,1\na,2,2,0\n";
  const SeriesCase cases[] = {
      {"mixed rows are sorted",
       longs,
       {.series = "id", .order = "t", .label = "y"},
       "x: 3 4 | 1 2; names b a; classes 1 0; times 1 2 1 2; notes rows were not in order 1 "
       "time; they are sorted"},
      {"a target",
       longs,
       {.series = "id", .order = "t", .targets = {"y"}},
       "x: 3 4 | 1 2; names b a; targets 1 0; times 1 2 1 2; notes rows were not in order 1 time; "
       "they are sorted"},
      {"without an order the file's holds",
       longs,
       {.series = "id", .columns = {"x"}},
       "x: 4 3 | 1 2; names b a"},
      {"labels a step",
       "x,c\n1,go\n2,stop\n3,go\n",
       {.label = "c", .per_step = true},
       "x: 1 2 3; classes go stop go"},
      {"targets a step",
       "x,u,v\n1,2,3\n4,5,6\n",
       {.targets = {"v", "u"}, .per_step = true},
       "x: 1 4; targets 3 2 6 5"},
      {"group and weight",
       "s,x,g,w\n0,1,p,0.5\n1,2,q,2\n1,3,q,2\n",
       {.series = "s", .group = "g", .weight = "w"},
       "x: 1 | 2 3; names 0 1; groups p q; weights 0.5 2"},
      {"classes of a model",
       "s,x,c\n0,1,b\n1,2,a\n",
       {.series = "s", .label = "c", .class_names = {"b", "a", "z"}},
       "x: 1 | 2; names 0 1; classes b a"},
      {"answers that are not wanted",
       "s,x,c\n0,1,new\n",
       {.series = "s",
        .label = "c",
        .targets = {"gone"},
        .class_names = {"b"},
        .wants_targets = false},
       "x: 1; names 0"},
      {"classes that are numbers have their order",
       "s,x,c\n0,1,10\n1,2,9\n",
       {.series = "s", .label = "c"},
       "x: 1 | 2; names 0 1; classes 10 9"},
      {"order and time",
       "n,when,x\n2,2024-01-02,5\n1,2024-01-01,4\n",
       {.order = "n", .time = "when"},
       "x: 4 5; dates 1.70407e+09 1.70415e+09; notes rows were not in order 1 time; they are "
       "sorted"},
  };
  for (const SeriesCase& each : cases) CheckCase(each);
}

TEST(SeriesFiles, TimesAndGaps) {
  const SeriesCase cases[] = {
      {"ISO 8601",
       "t,x\n1970-01-02T00:00:00Z,1\n1970-01-02 00:00:10.5,2\n1970-01-02T01:00:20+01:00,3\n",
       {.time = "t"},
       "x: 1 2 3; dates 86400 86410.5 86420"},
      {"YYYYMMDD", "t,x\n19700102,1\n19700103,2\n", {.time = "t"}, "x: 1 2; dates 86400 172800"},
      {"seconds since 1970",
       "t,x\n100000000,1\n100000060,2\n",
       {.time = "t"},
       "x: 1 2; dates 1e+08 1e+08"},
      {"plain numbers", "t,x\n0.5,1\n1.5,2\n", {.time = "t"}, "x: 1 2; times 0.5 1.5"},
      {"a format",
       "t,x\n02.01.1970,1\n03.01.1970,2\n",
       {.time = "t", .time_format = "%d.%m.%Y"},
       "x: 1 2; dates 86400 172800"},
      {"a gap",
       "t,x\n1,1\n2,2\n3,3\n5,4\n6,5\n",
       {.time = "t"},
       "x: 1 2 3 4 5; times 1 2 3 5 6; gaps 3; notes time has 1 gap, the first before line 5 of "
       "FILE (5): 2, where 1 are usual"},
      {"1.5 times the usual step is none",
       "t,x\n0,1\n2,2\n4,3\n7,4\n",
       {.time = "t"},
       "x: 1 2 3 4; times 0 2 4 7"},
      {"no gap between series",
       "s,t,x\na,1,1\na,2,2\nb,100,3\nb,101,4\n",
       {.series = "s", .time = "t"},
       "x: 1 2 | 3 4; names a b; times 1 2 100 101"},
      {"a time twice",
       "t,x\n1,1\n2,2\n1,3\n",
       {.time = "t"},
       "line 4 of FILE: the same place in the order as line 2 of FILE, 1; which column tells "
       "series "
       "apart (--series)?"},
      {"a time twice, skipped",
       "t,x\n1,1\n2,2\n1,3\n",
       {.time = "t", .skip_bad_rows = true},
       "x: 1 2; times 1 2; notes rows were not in order 1 time; they are sorted 1 rows are left "
       "out, the first: line 4 of FILE: the same place in the order as line 2 of FILE, 1; which "
       "column tells series apart (--series)?"},
      {"no date",
       "t,x\n2024-02-29,1\n2023-02-29,2\n",
       {.time = "t"},
       "FILE, line 3, column 1 ('t'): '2023-02-29' is no time such as 2024-02-29 or "
       "2024-02-29T23:59:00Z"},
      {"no time at all",
       "t,x\nnoon,1\n",
       {.time = "t"},
       "FILE, line 2, column 1 ('t'): 'noon' is neither a number nor a date such as 2024-02-29; "
       "another format has to be given (--time_format)"},
  };
  for (const SeriesCase& each : cases) CheckCase(each);
}

TEST(SeriesFiles, JsonLines) {
  const auto check = [](SeriesCase each) {
    each.file = "a.jsonl";
    CheckCase(each);
  };
  check({"series",
         "{\"x\": [[1, 2], [3, 4]], \"y\": \"go\"}\n{\"x\": [[5, 6]], \"y\": \"stop\"}\n",
         {},
         "x1,x2: 1,2 3,4 | 5,6; names line 1 line 2; classes go stop"});
  check({"one feature",
         "{\"x\": [1, 2.5], \"y\": 0.5}\n{\"x\": [3], \"y\": 2}",
         {},
         "x: 1 2.5 | 3; names line 1 line 2; targets 0.5 2"});
  check({"names, times, weights",
         "{\"id\": \"p\", \"x\": [1, 2], \"t\": [5, 6], \"w\": 2, \"g\": \"k\"}\n",
         {.series = "id", .time = "t", .group = "g", .weight = "w"},
         "x: 1 2; names p; groups k; weights 2; times 5 6"});
  check({"labels a step",
         "{\"x\": [1, 2], \"y\": [\"a\", \"b\"]}\n",
         {.per_step = true},
         "x: 1 2; names line 1; classes a b"});
  check(
      {"several targets", "{\"x\": [1], \"y\": [2, 3]}\n", {}, "x: 1; names line 1; targets 2 3"});
  check({"null is missing",
         "{\"x\": [1, null]}\n",
         {.missing = Missing::kZero},
         "x: 1 0; names line 1"});
  check({"rows",
         "{\"id\": 7, \"step\": 1, \"b\": 2, \"a\": 1}\n\n{\"id\": 7, \"step\": 0, \"b\": 4, "
         "\"a\": 3}\n",
         {.series = "id", .order = "step"},
         "b,a: 4,3 2,1; names 7; times 0 1; notes rows were not in order 1 time; they are sorted"});
  check({"no JSON",
         "{\"x\": [1]}\n{\"x\": [2}\n",
         {},
         "FILE, line 2: no JSON: '{\\\"x\\\": [2}'; expected an object a line"});
  check({"an array", "[1, 2]\n", {}, "FILE, line 1: expected an object, found '[1, 2]'"});
  check({"deep",
         "{\"a\": " + std::string(100000, '[') + "\n",
         {},
         "FILE, line 1: nested too deeply; expected plain members"});
  check({"a ragged step",
         "{\"x\": [[1, 2], [3]]}\n",
         {},
         "FILE, line 1: \"x\" has 1 numbers a step; the first line has 2"});
  check({"no y", "{\"x\": [1], \"y\": 1}\n{\"x\": [1]}\n", {}, "FILE, line 2: no member \"y\""});
  check({"no member", "{\"a\": 1, \"b\": 2}\n{\"a\": 1}\n", {}, "FILE, line 2: no member 'b'"});
  check({"a text",
         "{\"x\": [1, \"two\"]}\n",
         {},
         "FILE, line 1, column 1 ('x'): 'two' is no number"});
  check({"steps and labels differ",
         "{\"x\": [1, 2], \"y\": [1]}\n",
         {.label = "y", .per_step = true},
         "FILE, line 1: expected \"y\" with an element for each of 2 steps"});
}

TEST(SeriesFiles, Folders) {
  const std::string folder = MakeTempDir();
  WriteTree(folder, {{"walk/b.csv", "x\n3\n4\n"},
                     {"walk/a.csv", "x\n1\n2\n"},
                     {"run/c.csv", "x\n5\n"},
                     {"README.md", "about"}});
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet set, ReadSeries(folder, {}));
  EXPECT_EQ(SeriesText(set),
            "x: 5 | 1 2 | 3 4; names run/c.csv walk/a.csv walk/b.csv; classes run walk walk");
  EXPECT_EQ(set.RowName(2, 1), "line 3 of '" + folder + "/walk/b.csv'");
  EXPECT_TRUE(LooksLikeSeries(folder));
  WriteTree(folder, {{"run/d.csv", "y\n5\n"}});
  EXPECT_THAT(ReadSeries(folder, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "run/d.csv' has no column 'x' (a feature); it has 'y'"));
  const std::string plain = MakeTempDir();
  WriteTree(plain, {{"1.csv", "s,x\na,1\nb,2\n"}, {"2.csv", "x,s\n3,a\n"}});
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet together, ReadSeries(plain, {.series = "s"}));
  EXPECT_EQ(SeriesText(together), "x: 1 3 | 2; names a b");
  WriteTree(plain, {{"0.csv", "s,x\n"}, {"3.csv", "s,x\n"}});
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet files, ReadSeries(plain, {.columns = {"x"}}));
  EXPECT_EQ(SeriesText(files), "x: 1 2 | 3; names 1.csv 2.csv; notes 2 series have no step left");
  EXPECT_THAT(ReadSeries(MakeTempDir(), {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "holds no .csv"));
}

TEST(SeriesFiles, TextsAreNoSeries) {
  const auto looks = [](const std::string& bytes, const char* name) {
    return LooksLikeSeries(Saved(bytes, name));
  };
  EXPECT_TRUE(looks("a,b\n1,2\n", "a.csv"));
  EXPECT_TRUE(looks("id,step,x,label\n1,2,3,walk\n", "a.csv"));
  EXPECT_TRUE(looks("{\"x\": [1]}\n", "a.jsonl"));
  EXPECT_TRUE(looks("{\"a\": 1}\n", "a.jsonl"));
  EXPECT_FALSE(looks("{\"text\": \"this is good\", \"label\": 1}\n", "a.jsonl"));
  EXPECT_FALSE(looks("{\"text\": \"좋다\", \"label\": 1}\n", "a.jsonl"));
  EXPECT_FALSE(looks("text,label\n좋다,1\n나쁘다,0\n", "a.csv"));
  EXPECT_TRUE(looks("word,label\nlow,1\nhigh,0\n", "a.csv"));
  EXPECT_FALSE(looks("text,label\nThis was the very best of films,1\n", "a.csv"));
  EXPECT_FALSE(looks("text,label\ngood,pos\n", "a.csv"));
  EXPECT_FALSE(looks("", "a.csv"));
  EXPECT_FALSE(LooksLikeSeries("/no/such/file.csv"));
}

}  // namespace
}  // namespace seqgraph::data
