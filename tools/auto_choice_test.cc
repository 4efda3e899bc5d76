#include "tools/auto_choice.h"

#include <fstream>
#include <string>
#include <vector>

#include "backends/all_backends.h"
#include "ops/rewrites/all_rewrites.h"
#include "tests/testing.h"
#include "training/text_models.h"

namespace seqgraph::tools {
namespace {

class AutoChoiceTest : public testing::Test {
 protected:
  void SetUp() override {
    SEQ_ASSERT_OK_AND_ASSIGN(
        model_, MakeTextModel({.num_words = 20, .maxlen = 5, .embedding_dim = 4, .units = 3}, {}));
    SEQ_ASSERT_OK_AND_ASSIGN(backends_, AllBackends().ParseList("onednn,reference"));
  }

  absl::StatusOr<BackendChoice> Choose(const AutoChoice& choice, int64_t batch,
                                       ChoiceOrigin& origin) {
    return choice.Choose(*model_.FindFunction("train_step"), model_.variables,
                         {.backends = backends_, .batch = batch, .passes = StandardPasses()},
                         &origin);
  }

  Model model_;
  std::vector<const Backend*> backends_;
};

TEST_F(AutoChoiceTest, RemembersWhatWasMeasuredForThatFunctionAndBatch) {
  const AutoChoice choice{DataCache(MakeTempDir())};
  ChoiceOrigin origin;
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendChoice first, Choose(choice, 4, origin));
  EXPECT_FALSE(origin.remembered);
  EXPECT_GT(origin.seconds, 0);
  EXPECT_FALSE(first.preferences.empty());
  EXPECT_EQ(first.whole.size(), 3u);
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendChoice second, Choose(choice, 4, origin));
  EXPECT_TRUE(origin.remembered);
  EXPECT_EQ(ChoiceToJson(second), ChoiceToJson(first));
  SEQ_ASSERT_OK(Choose(choice, 5, origin).status());
  EXPECT_FALSE(origin.remembered);
}

TEST_F(AutoChoiceTest, MeasuresAnewWhereNothingCanBeKept) {
  const AutoChoice nowhere{DataCache("/proc/no/such/folder")};
  ChoiceOrigin origin;
  SEQ_ASSERT_OK(Choose(nowhere, 4, origin).status());
  EXPECT_FALSE(origin.remembered);
  EXPECT_NE(origin.note, "");
  const AutoChoice without(std::nullopt);
  SEQ_ASSERT_OK(Choose(without, 4, origin).status());
  EXPECT_FALSE(origin.remembered);
  EXPECT_EQ(origin.note, "");
}

TEST(ChoiceJson, ComesBackAsItWas) {
  const BackendChoice choice{.preferences = {{"a", "x"}, {"b", "y"}},
                             .groups = {{{"a", "b"}, {{"x", 1e-6}, {"y", 0.25}}, "x"}},
                             .whole = {{"x", 3e-6}}};
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendChoice back, ChoiceFromJson(ChoiceToJson(choice)));
  EXPECT_EQ(back.preferences, choice.preferences);
  ASSERT_EQ(back.groups.size(), 1u);
  EXPECT_EQ(back.groups[0].nodes, choice.groups[0].nodes);
  EXPECT_EQ(back.groups[0].times[1].seconds, 0.25);
  EXPECT_EQ(back.groups[0].chosen, "x");
  EXPECT_EQ(back.whole[0].backend, "x");
}

TEST(ChoiceJson, RefusesOtherTexts) {
  for (const char* text : {"", "{", "[]", "{\"preferences\": 1}", "{\"preferences\": {}}",
                           "{\"preferences\": {}, \"groups\": [{}], \"whole\": []}"}) {
    EXPECT_THAT(ChoiceFromJson(text), StatusIs(absl::StatusCode::kInvalidArgument, "no choice"))
        << text;
  }
}

TEST(ChoiceText, ShowsWhatEachBackendTook) {
  const BackendChoice choice{.preferences = {{"a", "x"}},
                             .groups = {{{"a", "b"}, {{"x", 1e-6}, {"y", 2.5e-4}}, "x"}},
                             .whole = {{"x", 3e-6}, {"y", 3e-4}, {"mixed", 4e-6}}};
  EXPECT_EQ(ChoiceText(choice, {.remembered = true}),
            "backends chosen by what was measured before\n"
            "chosen  x us   y us  mixed us  nodes\n"
            "x        1.0  250.0            a, b\n"
            "         3.0  300.0       4.0  the whole function\n");
}

}  // namespace
}  // namespace seqgraph::tools
