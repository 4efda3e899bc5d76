#include "training/live_progress.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(SparkLine, GoesFromTheSmallestToTheLargest) {
  EXPECT_EQ(SparkLine({0, 1, 2, 3, 4, 5, 6, 7}, 8), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(SparkLine({9, 0, 7}, 2), "▁█");  // the last two
  EXPECT_EQ(SparkLine({1, NAN, 1}, 8), "▁ ▁");
  EXPECT_EQ(SparkLine({-1e308, 1e308}, 8), "▁█");
  EXPECT_EQ(SparkLine({}, 8), "");
  EXPECT_EQ(SparkLine({1, 2}, 0), "");
}

// A run on a clock and in a width that the test sets.
struct LiveScreen {
  Model model;
  FitContext context{model};
  double now = 1000;
  int width = 200;
  std::string shown;

  LiveProgressOptions Options() {
    context.epochs = 10;
    context.steps = 4;
    LiveProgressOptions options;
    options.on.write = [this](absl::string_view text) { absl::StrAppend(&shown, text); };
    options.on.terminal = true;
    options.on.columns = [this] { return width; };
    options.on.clock = [this] { return now; };
    options.patience_left = [] { return 2; };
    options.rows = 400;
    return options;
  }
  // Through a reference, or GCC 12 takes the text for one of its own small buffer.
  const std::string& Take() {
    taken = shown;
    shown.clear();
    return taken;
  }
  std::string taken;
};

TEST(LiveProgress, RedrawsTwoLinesBelowTheEpochsThatAreDone) {
  LiveScreen screen;
  LiveProgress live(screen.Options());
  SEQ_ASSERT_OK(live.OnTrainBegin(screen.context));
  SEQ_ASSERT_OK(live.OnEpochBegin(screen.context, 0));
  screen.now += 1;
  SEQ_ASSERT_OK(live.OnBatchEnd(screen.context, 0, {{"loss", .5}}));
  // 100 rows in a second; 3 steps left of this epoch, and 9 epochs of 4 s.
  EXPECT_EQ(screen.Take(),
            "Epoch 1/10 ━━━━━━────────────────── 1/4  100 rows/s  3s left, at most 39s of all\n"
            "loss 0.5000 ");
  SEQ_ASSERT_OK(live.OnBatchEnd(screen.context, 1, {{"loss", .5}}));
  EXPECT_EQ(screen.Take(), "");  // within a tenth of a second
  screen.now += 1;
  SEQ_ASSERT_OK(live.OnBatchEnd(screen.context, 2, {{"loss", .25}}));
  EXPECT_THAT(screen.Take(), ::testing::StartsWith("\r\033[1A\033[JEpoch 1/10 "));
  Logs logs = {{"loss", .25}, {"val_loss", .75}};
  SEQ_ASSERT_OK(live.OnEpochEnd(screen.context, 0, logs));
  const std::string end = screen.Take();
  EXPECT_THAT(end, HasSubstr("\r\033[1A\033[JEpoch 1/10 - 3/4 - "));
  EXPECT_THAT(
      end, EndsWith("loss 0.2500 ▁  val_loss 0.7500 ▁  best 0.7500 in epoch 1  patience left 2"));
  screen.context.messages = {"Stopped."};
  SEQ_ASSERT_OK(live.OnTrainEnd(screen.context));
  EXPECT_EQ(screen.Take(), "\r\033[1A\033[JStopped.\n");
}

TEST(LiveProgress, FollowsTheWidthOfTheMoment) {
  LiveScreen screen;
  LiveProgress live(screen.Options());
  SEQ_ASSERT_OK(live.OnTrainBegin(screen.context));
  SEQ_ASSERT_OK(live.OnEpochBegin(screen.context, 0));
  screen.now += 1;
  screen.width = 60;
  SEQ_ASSERT_OK(live.OnBatchEnd(screen.context, 0, {{"loss", .5}}));
  EXPECT_EQ(screen.Take(), "Epoch 1/10 ━───── 1/4  100 rows/s  3s left\nloss 0.5000 ");
  // 42 columns are three rows of 15, and 12 one.
  screen.width = 15;
  screen.now += 1;
  SEQ_ASSERT_OK(live.OnBatchEnd(screen.context, 1, {{"loss", .5}}));
  EXPECT_EQ(screen.Take(), "\r\033[3A\033[JEpoch 1/10 \nloss 0.5000 ");
}

TEST(LiveProgress, HasAllNumbersInEightyColumns) {
  LiveScreen screen;
  screen.width = 80;
  LiveProgress live(screen.Options());
  SEQ_ASSERT_OK(live.OnTrainBegin(screen.context));
  screen.context.epochs = 100;
  screen.context.steps = 313;
  for (int epoch = 0; epoch < 30; ++epoch) {
    SEQ_ASSERT_OK(live.OnEpochBegin(screen.context, epoch));
    screen.now += 1;
    SEQ_ASSERT_OK(live.OnBatchEnd(screen.context, 99, {{"loss", .5}}));
    Logs logs = {{"loss", .5}, {"val_loss", 1. / (1 + epoch)}};
    SEQ_ASSERT_OK(live.OnEpochEnd(screen.context, epoch, logs));
  }
  SEQ_ASSERT_OK(live.OnEpochBegin(screen.context, 30));
  screen.now += 1;
  SEQ_ASSERT_OK(live.OnBatchEnd(screen.context, 0, {{"loss", .5}}));
  screen.Take();
  screen.now += 1;
  SEQ_ASSERT_OK(live.OnBatchEnd(screen.context, 199, {{"loss", .5}}));
  const std::string& shown = screen.Take();
  for (const char* part :
       {"Epoch 31/100 ━", " 200/313", " rows/s", " left, at most ", " of all\n", "loss 0.5000 ▁",
        "val_loss 0.0333 ", "best 0.0333 in epoch 30", "patience left 2"}) {
    EXPECT_THAT(shown, HasSubstr(part));
  }
}

TEST(LiveProgress, GoesOnWithTheStateOfProgress) {
  LiveScreen screen;
  screen.context.messages = {"said before"};
  Records records;
  StateWriter state(&records, "");
  {
    Progress progress(screen.Options().on);
    SEQ_ASSERT_OK(progress.OnTrainBegin(screen.context));
    progress.SaveState(state);
  }
  screen.Take();
  screen.context.messages.emplace_back("said since");
  screen.context.resumed = true;
  LiveProgress live(screen.Options());
  SEQ_ASSERT_OK(live.OnTrainBegin(screen.context));
  SEQ_ASSERT_OK(live.LoadState(screen.context, StateReader(&records, "")));
  EXPECT_EQ(screen.Take(), "said since\n");
}

}  // namespace
}  // namespace seqgraph
