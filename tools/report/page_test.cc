#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/content_hash.h"
#include "tests/testing.h"
#include "tools/report/report_page.h"
#include "tools/report/testing/made_up_run.h"

namespace seqgraph::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t Count(absl::string_view text, absl::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// From behind `begin` to before `end`.
std::string Between(absl::string_view text, absl::string_view begin, absl::string_view end) {
  const size_t from = text.find(begin) + begin.size();
  return std::string(text.substr(from, text.find(end, from) - from));
}

TEST(PageTest, HasWhatTheRunLeft) {
  const std::string page = ReportPage({MadeUpRun("first")});
  for (const char* text :
       {"<title>first</title>", "<b>0.41</b><span>validation loss</span>",
        "<b>3 of 5</b><span>best epoch, by validation loss</span>", "<b>8,081</b>",
        "<span>reviews to train on, 500 to validate by</span>", "<b>1 min 15 s</b>",
        "seqgraph train --data=reviews.csv &#39;--label=a b&#39;", "AVX-512", ">Curves<",
        ">Confusion<", ">Layers<", ">Memory<", ">Where the time goes<", ">Surely wrong<"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
}

TEST(PageTest, AsksNoNetworkAndRunsItsOwnScriptAlone) {
  const std::string page = ReportPage({MadeUpRun("first")});
  for (const char* text : {"http:", "https:", "src=", "@import", "url(//", "javascript:"}) {
    // The name of SVG's language is no address that is asked.
    std::string rest = page;
    for (size_t at = 0; (at = rest.find("http://www.w3.org/2000/svg")) != rest.npos;) {
      rest.erase(at, 26);
    }
    EXPECT_THAT(rest, Not(HasSubstr(text)));
  }
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_EQ(Count(page, "<script"), 2u);
  const ContentHash hash = HashBytes(Between(page, "<script>", "</script>"));
  const std::string digest =
      absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(hash.bytes.data()), 32));
  EXPECT_EQ(Between(page, "script-src 'sha256-", "'"), digest);
}

TEST(PageTest, TextsAreTextsWhateverTheyHold) {
  const std::string hostile =
      "</script></style><img src=x onerror=alert(1)>\"'`&\xe2\x80\xae\xff\x01";
  const std::string page = ReportPage({MadeUpRun(hostile)});
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_EQ(Count(page, "<script"), 2u);
  EXPECT_EQ(Count(page, "</script"), 2u);
  EXPECT_EQ(Count(page, "</style"), 1u);
  EXPECT_THAT(page, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_THAT(page, Not(HasSubstr("\xff")));
  EXPECT_THAT(page, HasSubstr("&lt;img src=x onerror=alert(1)&gt;"));
}

TEST(PageTest, LongTextsAreCut) {
  ReportedRun run = MadeUpRun("long");
  const std::string word(100'000, 'w');
  run.record.name = run.record.description = run.record.error = run.record.data = word;
  run.record.flags["--" + word] = word;
  run.record.environment[word] = word;
  run.record.command.push_back(word);
  run.record.messages = word;
  run.model->notes = {word};
  run.model->judgement->classes->labels[0] = word;
  run.model->judgement->classes->wrong[0].parts.tokens[1] = word;
  run.model->judgement->classes->wrong[0].name = word;
  run.model->layers[0].name = word;
  run.model->times->spans[0].name = run.model->times->spans[0].detail = word;
  run.model->memory->buffers[0].name = word;
  const std::string page = ReportPage({run});
  EXPECT_LT(page.size(), 200'000u);
  EXPECT_THAT(page, HasSubstr("www…"));
}

TEST(PageTest, StaysBelowAMegabyteAndSaysWhatIsLeftOut) {
  std::vector<ReportedRun> runs;
  for (int i = 0; i < 20; ++i) {
    runs.push_back(MadeUpRun(absl::StrCat("run", i)));
    runs.back().model->graph = "<svg>" + std::string(140'000, ' ') + "</svg>";
    auto& columns = runs.back().record.history.columns;
    for (auto& [name, values] : columns) {
      values.assign(20'000, 0);
      for (size_t e = 0; e < values.size(); ++e) {
        values[e] = name == "epoch" ? static_cast<double>(e) : 1 / (1.0 + static_cast<double>(e));
      }
    }
  }
  const std::string page = ReportPage(runs);
  EXPECT_LT(page.size(), 1'000'000u);
  EXPECT_THAT(page, HasSubstr("Left out, to keep the page below 1 MB: "));
  EXPECT_THAT(page, HasSubstr("run19"));
}

TEST(PageTest, AnEmptyRunHasAPage) {
  ReportedRun run;
  run.record.folder = "runs/x";
  const std::string page = ReportPage({run});
  EXPECT_THAT(page, HasSubstr("no epoch has ended"));
  EXPECT_THAT(page, HasSubstr("running"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(PageTest, OfTwoRunsTheBetterNumberHasTheStar) {
  ReportedRun a = MadeUpRun("a"), b = MadeUpRun("b");
  b.record.history.columns["val_loss"] = {0.9, 0.8, 0.7, 0.7, 0.7};
  b.record.history.columns["val_accuracy"] = {0.5, 0.6, 0.95, 0.7, 0.7};
  b.record.flags["--units"] = "99";
  const std::string page = ReportPage(std::vector<ReportedRun>{a, b});
  EXPECT_THAT(page, HasSubstr("<span class=\"best\">0.41</span></td><td class=\"num\">0.7<"));
  EXPECT_THAT(page, HasSubstr("0.81</td><td class=\"num\"><span class=\"best\">0.95</span>"));
  EXPECT_THAT(page, HasSubstr("--units</th><td class=\"text\">8</td><td class=\"text\">99</td>"));
}

// By hand: of 4 rows of "no" 3 were told right, of 6 of "yes" 4.
TEST(PageTest, TheConfusionHasItsCounts) {
  const std::string page = ReportPage({MadeUpRun("first")});
  EXPECT_THAT(page, HasSubstr(">no</th><td class=\"on\" style=\"--w:0.750\" title=\"75.0 % of the "
                              "class\">3</td><td class=\"off\" style=\"--w:0.250\""));
  EXPECT_THAT(page, HasSubstr("title=\"66.7 % of the class\">4</td>"));
  // Precision 4/5, recall 4/6, F1 8/11.
  EXPECT_THAT(page,
              HasSubstr(">0.8000</td><td class=\"num\">0.6667</td><td class=\"num\">0.7273<"));
}

}  // namespace
}  // namespace seqgraph::tools
