// Files that are broken, or lack something, each with its error or result, word for word.

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "data/series/series_set.h"
#include "data/series/testing/series_cases.h"
#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using namespace std::string_literals;

using Missing = SeriesSourceOptions::Missing;

constexpr char kNoValue[] =
    "no value; a rule is needed for missing ones (--missing=forward, zero, mask or drop)";

TEST(BadFiles, MissingValues) {
  const std::string holes = "x,y\n1,\n2,NA\nnan,3\n4,null\n";
  const SeriesCase cases[] = {
      {"are refused", "x,y\n1,\n", {}, absl::StrCat("FILE, line 2, column 2 ('y'): ", kNoValue)},
      {"all at once",
       holes,
       {},
       absl::StrCat("4 problems (rows with problems can be skipped):\n"
                    "  FILE, line 2, column 2 ('y'): ",
                    kNoValue, "\n  FILE, line 3, column 2 ('y'): ", kNoValue,
                    "\n  FILE, line 4, column 1 ('x'): ", kNoValue,
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
  for (SeriesCase each : cases) CheckCase(each);
}

TEST(BadFiles, Broken) {
  std::string many = "a,b\n";
  for (int i = 0; i < 25; ++i) many += "1,x\n2,3\n";
  std::string many_good;
  for (int i = 0; i < 2000; ++i) many_good += "1,2\n";
  std::string wide(2'000'000, ',');
  const SeriesCase cases[] = {
      {"nothing", "", {}, "FILE is empty; expected a line of names and a line a step"},
      {"a byte-order mark alone",
       "\xEF\xBB\xBF",
       {},
       "FILE is empty; expected a line of names and a line a step"},
      {"empty lines alone",
       "\n\n\r\n",
       {},
       "FILE is empty; expected a line of names and a line a step"},
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
      {"thousands apart",
       "a,b\n1,2\n1 000,3\n",
       {},
       "FILE, line 3, column 1 ('a'): '1 000' is no number"},
      {"percents", "a,b\n1,2\n5%,3\n", {}, "FILE, line 3, column 1 ('a'): '5%' is no number"},
      {"hexadecimal digits",
       "a,b\n1,2\n0x1F,3\n",
       {},
       "FILE, line 3, column 1 ('a'): '0x1F' is no number"},
      {"another minus",
       "a,b\n1,2\n\xE2\x88\x92"
       "1,3\n",
       {},
       "FILE, line 3, column 1 ('a'): '\xE2\x88\x92"
       "1' is no number"},
      {"Latin-1", "a,b\n1,2\n\xBD,3\n", {}, "FILE, line 3, column 1 ('a'): '\xBD' is no number"},
      {"names again below",
       "a,b\n1,2\na,b\n3,4\n",
       {},
       "FILE, line 3, column 1 ('a'): 'a' is no number"},
      {"units below the names",
       "a,b\nm,s\n1,2\n",
       {},
       "FILE, line 2, column 1 ('a'): 'm' is no number"},
      {"a comment below",
       "a,b\n1,2\n# end\n",
       {},
       "FILE, line 3: a record with 1 fields; the first one has 2"},
      {"a comment above",
       "# of today\na,b\n1,2\n",
       {},
       "2 problems (rows with problems can be skipped):\n  FILE, line 2: a record with 2 fields; "
       "the first one has 1\n  FILE, line 3: a record with 2 fields; the first one has 1"},
      {"a separator at each end",
       "a,b,\n1,2,\n3,4\n",
       {},
       "FILE, line 3: a record with 2 fields; the first one has 3"},
      {"a zero byte",
       "a,b\n1,2\n\0,3\n"s,
       {},
       "FILE is no text: its byte 8 is 0 (UTF-16 without a byte-order mark, or another kind of "
       "file)"},
      {"a zero byte further on",
       "a,b\n" + many_good + "\0,3\n"s,
       {},
       "FILE, line 2002, column 1 ('a'): '\\x00' is no number"},
      {"an archive",
       "PK\x03\x04" + std::string(60, '\0'),
       {},
       "expected a zip of .npy files: FILE: not a good zip file: opening it: Unrecognized archive "
       "format"},
      {"no gzip, for all its name",
       "\x1F\x8B"
       "a,b\n1,2\n",
       {},
       "FILE: the gzip data are damaged (unknown compression method) near byte 10 of the file; is "
       "the copy complete? Compare its size or check sum with the original's",
       "a.csv.gz"},
      {"gzip that goes back before its beginning",
       absl::HexStringToBytes("1f8b08000000000027fffacb00372c4e2361404e0a3671ffffefffff"),
       {},
       "FILE: the gzip data are damaged (invalid distance too far back) near byte 28 of the file; "
       "is the copy complete? Compare its size or check sum with the original's",
       "a.csv.gz"},
      {"something behind gzip",
       Gzip("a,b\n1,2\n") + "more",
       {},
       "FILE: something that is not gzip behind the gzip data near byte 28 of the file; is the "
       "copy complete? Compare its size or check sum with the original's",
       "a.csv.gz"},
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
  for (const SeriesCase& each : cases) CheckCase(each);
  std::string expected = "25 problems (rows with problems can be skipped):";
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&expected, "\n  FILE, line ", 2 + 2 * i, ", column 2 ('b'): 'x' is no number");
  }
  CheckCase({"many problems", many, {}, expected + "\n  and 5 more"});
}

}  // namespace
}  // namespace seqgraph::data
