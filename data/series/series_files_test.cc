// Files as people have them, odd and broken ones, each with its result or its error, word for word.

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "data/series/series_set.h"
#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using namespace std::string_literals;

using Missing = SeriesSourceOptions::Missing;
using Options = SeriesSourceOptions;

// "a,b: 1,2 3,4 | 5,6": features of a step, steps of a series, series; then what there is besides.
std::string Text(const SeriesSet& set) {
  std::string text = absl::StrCat(absl::StrJoin(set.features, ","), ":");
  for (int64_t i = 0; i < set.num_series(); ++i) {
    if (i > 0) absl::StrAppend(&text, " |");
    const absl::Span<const float> values = set.Series(i);
    const size_t width = set.features.size();
    for (size_t at = 0; at < values.size(); at += width) {
      absl::StrAppend(&text, " ", absl::StrJoin(values.subspan(at, width), ","));
    }
  }
  const auto append = [&text](absl::string_view what, const auto& list) {
    if (!list.empty()) absl::StrAppend(&text, "; ", what, " ", absl::StrJoin(list, " "));
  };
  append("names", set.names);
  append("groups", set.groups);
  std::vector<std::string> classes;
  for (int32_t c : set.classes) classes.push_back(set.class_names[static_cast<size_t>(c)]);
  append("classes", classes);
  append("targets", set.targets);
  append("weights", set.weights);
  append(set.times_are_dates ? "dates" : "times", set.times);
  append("gaps", set.gaps);
  append("notes", set.notes);
  return text;
}

struct Case {
  const char* name;
  std::string bytes;
  Options options;
  std::string expected;  // Text() of the set, or the error with FILE for the path.
  const char* file = "a.csv";
};

void Check(const Case& each) {
  SCOPED_TRACE(each.name);
  const std::string path = Saved(each.bytes, each.file);
  std::string first;
  for (int threads : {1, 2}) {
    Options options = each.options;
    options.threads = threads;
    const absl::StatusOr<SeriesSet> set = ReadSeries(path, options);
    std::string text = set.ok() ? Text(*set) : std::string(set.status().message());
    text = absl::StrReplaceAll(text, {{absl::StrCat("'", path, "'"), "FILE"}});
    EXPECT_EQ(text, each.expected);
  }
}

constexpr char kNoValue[] =
    "no value; a rule is needed for missing ones (--missing=forward, zero, mask or drop)";

TEST(SeriesFiles, Plain) {
  const Case cases[] = {
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
  for (const Case& each : cases) Check(each);
}

TEST(SeriesFiles, PartsOfColumns) {
  const std::string longs = "id,t,x,y\nb,2,4,1\na,1,1,0\nb,1,3,1\na,2,2,0\n";
  const Case cases[] = {
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
  for (const Case& each : cases) Check(each);
}

TEST(SeriesFiles, TimesAndGaps) {
  const Case cases[] = {
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
  for (const Case& each : cases) Check(each);
}

TEST(SeriesFiles, MissingValues) {
  const std::string holes = "x,y\n1,\n2,NA\nnan,3\n4,null\n";
  const Case cases[] = {
      {"are refused", "x,y\n1,\n", {}, absl::StrCat("FILE, line 2, column 2 ('y'): ", kNoValue)},
      {"all at once",
       holes,
       {},
       "4 problems (rows with problems can be skipped):\n" absl::StrCat(
           "  FILE, line 2, column 2 ('y'): ", kNoValue, "\n  FILE, line 3, column 2 ('y'): ",
           kNoValue, "\n  FILE, line 4, column 1 ('x'): ", kNoValue,
           "\n  FILE, line 5, column 2 ('y'): ", kNoValue)},
      {"are nothing", holes, {.missing = Missing::kZero}, "x,y: 1,0 2,0 0,3 4,0"},
      {"stay", holes, {.missing = Missing::kMask}, "x,y: 1,nan 2,nan nan,3 4,nan"},
      {"are those before",
       "x,y\n1,2\n,NA\n3,\n",
       {.missing = Missing::kForward},
       "x,y: 1,2 1,2 3,2"},
      {"have none before",
       holes,
       {.columns = {"y"}, .missing = Missing::kForward},
       "2 problems (rows with problems can be skipped):\n"
       "  line 2 of FILE, 'y': no value, and none before it in its series to carry forward "
       "(--missing=zero, mask or drop)\n"
       "  line 3 of FILE, 'y': no value, and none before it in its series to carry forward "
       "(--missing=zero, mask or drop)"},
      {"go with their step",
       "x,y\n1,2\n,3\n4,5\n6,7\n",
       {.missing = Missing::kDrop},
       "x,y: 1,2 4,5 6,7; gaps 1"},
      {"go with their series",
       "s,x\na,\nb,1\n",
       {.series = "s", .missing = Missing::kDrop},
       "x: 1; names b; notes 1 series have no step left"},
      {"in targets",
       "s,x,y\n0,1,\n",
       {.series = "s", .targets = {"y"}, .missing = Missing::kMask},
       "FILE, line 2, column 3 ('y'): no value, for which a target has no rule"},
      {"in labels",
       "s,x,c\n0,1,\n1,2,a\n",
       {.series = "s", .label = "c"},
       "FILE, line 2, column 3 ('c'): no label"},
      {"in labels a step",
       "x,c\n1,a\n2,\n3,b\n",
       {.label = "c", .per_step = true, .missing = Missing::kDrop},
       "x: 1 3; classes a b; gaps 1"},
      {"in series", "s,x\n,1\n", {.series = "s"}, "FILE, line 2, column 1 ('s'): no series"},
      {"in times",
       "t,x\n1,1\n,2\n",
       {.time = "t", .missing = Missing::kMask},
       "FILE, line 3, column 1 ('t'): '' is neither a number nor a date such as 2024-02-29; "
       "another "
       "format has to be given (--time_format)"},
  };
  for (Case each : cases) Check(each);
}

TEST(SeriesFiles, Broken) {
  std::string many = "a,b\n";
  for (int i = 0; i < 25; ++i) many += "1,x\n2,3\n";
  std::string wide(2'000'000, ',');
  const Case cases[] = {
      {"nothing", "", {}, "FILE is empty"},
      {"a byte-order mark alone", "\xEF\xBB\xBF", {}, "FILE is empty"},
      {"empty lines alone", "\n\n\r\n", {}, "FILE is empty"},
      {"names alone", "a,b\n", {}, "FILE has no rows"},
      {"a short row",
       "a,b\n1,2\n3\n",
       {},
       "FILE, line 3: a record with 1 fields; the first one has 2"},
      {"a long row",
       "a,b\n1,2,3\n",
       {},
       "FILE, line 2: a record with 3 fields; the first one has 2"},
      {"text in numbers", "a,b\n1,2\nx,3\n", {}, "FILE, line 3, column 1 ('a'): 'x' is no number"},
      {"decimal commas",
       "a;b\n1.5;2\n1,5;2\n",
       {},
       "FILE, line 3, column 1 ('a'): '1,5' is no number; decimals have to have a point, not a "
       "comma"},
      {"nothing but decimal commas",
       "a;b\n1,5;2\n",
       {.columns = {"a", "b"}},
       "FILE, line 2, column 1 ('a'): '1,5' is no number; decimals have to have a point, not a "
       "comma"},
      {"the wrong separator",
       "a|b\n1|2\n",
       {},
       "FILE has no column of numbers to learn from; it has 'a|b'; is the separator ',' right?"},
      {"blanks as separators",
       "a b\n1 2\n",
       {},
       "FILE has no column of numbers to learn from; it has 'a b'; is the separator ',' right?"},
      {"a digit as separator",
       "a,b\n1,2\n",
       {.separator = '1'},
       "the separator '1' may be part of a number"},
      {"a quote as separator",
       "a,b\n1,2\n",
       {.separator = '"'},
       "a separator must be one ASCII character, neither a quote nor an end of a line"},
      {"UTF-16",
       "\xFF\xFE"
       "a\0,\0b\0\n\0"s,
       {},
       "FILE is in UTF-16 (by its byte-order mark); convert it first: iconv -f UTF-16 -t UTF-8"},
      {"UTF-16 of the other order",
       "\xFE\xFF\0a\0\n"s,
       {},
       "FILE is in UTF-16 (by its byte-order mark); convert it first: iconv -f UTF-16 -t UTF-8"},
      {"UTF-16 without a mark",
       "a\0,\0b\0\n\0"s,
       {},
       "FILE is no text: its byte 1 is 0 (UTF-16 without a byte-order mark, or another kind of "
       "file)"},
      {"a name twice",
       "a,b,a\n1,2,3\n",
       {},
       "FILE, line 1: columns 1 and 3 have the same name, 'a'"},
      {"infinity", "a\n1\ninf\n", {}, "FILE, line 3, column 1 ('a'): 'inf' is not finite"},
      {"minus infinity",
       "a\n1\n-Infinity\n",
       {},
       "FILE, line 3, column 1 ('a'): '-Infinity' is not finite"},
      {"beyond float32",
       "a\n1e39\n",
       {},
       "FILE, line 2, column 1 ('a'): '1e39' is beyond what float32 holds (3.4e38)"},
      {"a million columns",
       wide + "\n" + wide + "\n",
       {},
       "FILE, line 1, byte 100001: more than 100000 fields; is the separator right?"},
      {"a huge field",
       "a\n" + std::string(18 << 20, '1') + "\n",
       {},
       "FILE, line 2, byte 18874369: a record of more than 16777216 bytes"},
      {"a long number",
       "a\n1\n" + std::string(2000, '1') + "\n",
       {},
       "FILE, line 3, column 1 ('a'): '" + std::string(60, '1') + "...' is no number"},
      {"a quote inside",
       "a,b\n1,2\n3,4\"5\n",
       {},
       "FILE, line 3, byte 4: a quote inside a field that does not begin with one; expected the "
       "whole field in quotes, and two quotes for each inside"},
      {"text behind a quote",
       "a,b\n\"1\"2,3\n",
       {},
       "FILE, line 2, byte 4: expected a separator or the end of the line behind the closing "
       "quote"},
      {"an open quote",
       "a,b\n1,2\n\"3,4\n5,6\n",
       {},
       "FILE, line 3, byte 1: nothing closes the quote that opens here"},
      {"old Macintosh lines",
       "a,b\r1,2\r",
       {},
       "FILE, line 1, byte 5: a carriage return without a line feed behind it, outside of quotes"},
      {"no such column",
       "a,b\n1,2\n",
       {.columns = {"c"}},
       "FILE has no column 'c' (a feature); it has 'a', 'b'"},
      {"no such label",
       "a,b\n1,2\n",
       {.label = "class"},
       "FILE has no column 'class' (the label); it has 'a', 'b'"},
      {"no such column by number",
       "1,2\n3,4\n",
       {.series = "3"},
       "FILE has no column '3' (the series); it has '1', '2', named by number because its first "
       "record holds numbers only"},
      {"a column twice", "a,b\n1,2\n", {.columns = {"a", "a"}}, "the column 'a' is named twice"},
      {"two labels in a series",
       "s,x,c\n0,1,p\n0,2,q\n",
       {.series = "s", .label = "c"},
       "FILE, line 3: another label than on line 2 of the same series ('0')"},
      {"labels without series",
       "x,c\n1,p\n2,q\n",
       {.label = "c"},
       "FILE, line 3: another label than on line 2 of the same series; which column tells series "
       "apart (--series)?"},
      {"two targets in a series",
       "s,x,y\n0,1,5\n0,2,6\n",
       {.series = "s", .targets = {"y"}},
       "FILE, line 3: another target than on line 2 of the same series ('0')"},
      {"an unknown class",
       "s,x,c\n0,1,p\n",
       {.series = "s", .label = "c", .class_names = {"a", "b"}},
       "FILE, line 2, column 3 ('c'): the label 'p' is none of the 2 classes of the model"},
      {"a negative weight",
       "s,x,w\n0,1,-1\n",
       {.series = "s", .weight = "w"},
       "FILE, line 2, column 3 ('w'): the weight '-1' is negative"},
      {"gzip that is cut off",
       Gzip("a,b\n1,2\n").substr(0, 20),
       {},
       "FILE: the gzip data are cut off near byte 20 of the file; is the copy complete? Compare "
       "its "
       "size or check sum with the original's"},
      {"rows with problems are skipped",
       "a,b\n1,2\nx,3\n4,5\n6\n7,8\n",
       {.skip_bad_rows = true},
       "a,b: 1,2 4,5 7,8; notes 2 rows are left out, the first: FILE, line 3, column 1 ('a'): 'x' "
       "is no number"},
      {"nothing but problems",
       "a,b\n1,2,3\n4\n",
       {.columns = {"a"}, .skip_bad_rows = true},
       "FILE has no rows without problems, such as FILE, line 2: a record with 3 fields; the first "
       "one has 2"},
      {"more than memory may hold",
       "s,x\n" + std::string(10000, '1') + ",1\n2,2\n",
       {.series = "s", .max_memory = 100},
       "FILE: times, names and answers take more than 100 bytes at line 3; allow more "
       "(--max_memory) or give fewer rows"},
  };
  for (const Case& each : cases) Check(each);
  std::string expected = "25 problems (rows with problems can be skipped):";
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&expected, "\n  FILE, line ", 2 + 2 * i, ", column 2 ('b'): 'x' is no number");
  }
  Check({"many problems", many, {}, expected + "\n  and 5 more"});
}

TEST(SeriesFiles, JsonLines) {
  const auto check = [](Case each) {
    each.file = "a.jsonl";
    Check(each);
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
  check({"no JSON", "{\"x\": [1]}\n{\"x\": [2}\n", {}, "FILE, line 2: no JSON: '{\\\"x\\\": [2}'"});
  check({"an array", "[1, 2]\n", {}, "FILE, line 1: expected an object, found '[1, 2]'"});
  check({"deep",
         "{\"a\": " + std::string(100000, '[') + "\n",
         {},
         "FILE, line 1: nested too deeply"});
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
  EXPECT_EQ(Text(set),
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
  EXPECT_EQ(Text(together), "x: 1 3 | 2; names a b");
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
  EXPECT_FALSE(looks("text,label\nThis was the very best of films,1\n", "a.csv"));
  EXPECT_FALSE(looks("text,label\ngood,pos\n", "a.csv"));
  EXPECT_FALSE(looks("", "a.csv"));
  EXPECT_FALSE(LooksLikeSeries("/no/such/file.csv"));
}

}  // namespace
}  // namespace seqgraph::data
