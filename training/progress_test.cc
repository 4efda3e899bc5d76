#include "training/progress.h"

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

TEST(FormatTimeLeft, ChangesUnitsAboveAMinuteAndAnHour) {
  EXPECT_EQ(FormatTimeLeft(0), "0s");
  EXPECT_EQ(FormatTimeLeft(6.9), "6s");
  EXPECT_EQ(FormatTimeLeft(60.5), "60s");
  EXPECT_EQ(FormatTimeLeft(61), "1:01");
  EXPECT_EQ(FormatTimeLeft(3600), "60:00");
  EXPECT_EQ(FormatTimeLeft(3723), "1:02:03");
  EXPECT_EQ(FormatTimeLeft(86400), "24:00:00");
  EXPECT_EQ(FormatTimeLeft(-1), "0s");
}

TEST(FormatStepTime, ChangesUnitsAtASecondAndAMillisecond) {
  EXPECT_EQ(FormatStepTime(0), "0s/step");
  EXPECT_EQ(FormatStepTime(1), "1s/step");
  EXPECT_EQ(FormatStepTime(12.4), "12s/step");
  EXPECT_EQ(FormatStepTime(0.0241), "24ms/step");
  EXPECT_EQ(FormatStepTime(0.001), "1ms/step");
  EXPECT_EQ(FormatStepTime(0.00085), "850us/step");
}

TEST(FormatMetric, ShowsSmallNumbersWithAnExponent) {
  EXPECT_EQ(FormatMetric(0.70104), "0.7010");
  EXPECT_EQ(FormatMetric(-0.5), "-0.5000");
  EXPECT_EQ(FormatMetric(0.001), "1.0000e-03");
  EXPECT_EQ(FormatMetric(0.0011), "0.0011");
  EXPECT_EQ(FormatMetric(1e-4), "1.0000e-04");
  EXPECT_EQ(FormatMetric(0), "0.0000e+00");
  EXPECT_EQ(FormatMetric(1e300), "1.0000e+300");
  EXPECT_EQ(FormatMetric(NAN), "nan");
}

// A run on a clock that the test sets; `shown` holds each text that was written.
struct Screen {
  Model model;
  FitContext context{model};
  double now = 1000;
  int width = 100;
  std::vector<std::string> shown;

  Progress Make(bool terminal, bool color = false, int columns = 100) {
    ProgressOptions options;
    options.write = [this](absl::string_view text) { shown.emplace_back(text); };
    options.terminal = terminal;
    options.color = color;
    options.columns = [this] { return width; };
    width = columns;
    options.clock = [this] { return now; };
    return Progress(options);
  }
};

TEST(Progress, IsOnePlainLineAnEpochWhereThereIsNoTerminal) {
  Screen screen;
  screen.context.epochs = 100;
  screen.context.steps = 313;
  Progress progress = screen.Make(/*terminal=*/false);
  SEQ_ASSERT_OK(progress.OnTrainBegin(screen.context));
  SEQ_ASSERT_OK(progress.OnEpochBegin(screen.context, 2));
  Logs logs = {{"loss", .8}};
  for (int i = 0; i < 313; ++i) {
    screen.now += i == 0 ? 1 : 0.078;  // the first step takes longer and is not in the mean
    SEQ_ASSERT_OK(progress.OnBatchEnd(screen.context, i, logs));
  }
  EXPECT_TRUE(screen.shown.empty());
  logs = {{"loss", .69}, {"accuracy", .51}, {"val_loss", .69}, {"val_accuracy", .4986}};
  SEQ_ASSERT_OK(progress.OnEpochEnd(screen.context, 2, logs));
  SEQ_ASSERT_OK(progress.OnTrainEnd(screen.context));
  // 1 + 312 x 0.078 = 25.3 s.
  EXPECT_THAT(screen.shown,
              ::testing::ElementsAre("Epoch 3/100 - 313/313 - 25s - 78ms/step - accuracy: 0.5100 - "
                                     "loss: 0.6900 - val_accuracy: 0.4986 - val_loss: 0.6900\n"));
}

TEST(Progress, NamesNoEpochWhenThereIsOne) {
  Screen screen;
  screen.context.steps = 1;
  Progress progress = screen.Make(/*terminal=*/false);
  SEQ_ASSERT_OK(progress.OnEpochBegin(screen.context, 0));
  screen.now += 2;
  Logs logs = {{"loss", .5}};
  SEQ_ASSERT_OK(progress.OnBatchEnd(screen.context, 0, logs));
  SEQ_ASSERT_OK(progress.OnEpochEnd(screen.context, 0, logs));
  EXPECT_THAT(screen.shown, ::testing::ElementsAre("1/1 - 2s - 2s/step - loss: 0.5000\n"));
}

TEST(Progress, DrawsABarWithTheTimeLeftAndThenTheTimeTaken) {
  Screen screen;
  screen.context.epochs = 100;
  screen.context.steps = 20;
  Progress progress = screen.Make(/*terminal=*/true);
  SEQ_ASSERT_OK(progress.OnEpochBegin(screen.context, 0));
  Logs logs = {{"accuracy", .4886}, {"loss", .701}};
  for (int i = 0; i < 5; ++i) {
    screen.now += 1;
    SEQ_ASSERT_OK(progress.OnBatchEnd(screen.context, i, logs));
  }
  ASSERT_EQ(screen.shown.size(), 6u);
  EXPECT_EQ(screen.shown[0], "Epoch 1/100\n");
  EXPECT_EQ(screen.shown[5],
            "\r 5/20 ━━━━━─────────────── 15s 1s/step - accuracy: 0.4886 - loss: 0.7010\033[K");
  screen.now += 10;
  for (int i = 5; i < 20; ++i) SEQ_ASSERT_OK(progress.OnBatchEnd(screen.context, i, logs));
  screen.now += 4;
  logs["val_loss"] = 2;
  SEQ_ASSERT_OK(progress.OnEpochEnd(screen.context, 0, logs));
  EXPECT_EQ(screen.shown.back(),
            "\r20/20 ━━━━━━━━━━━━━━━━━━━━ 19s 947ms/step - accuracy: 0.4886 - loss: 0.7010 - "
            "val_loss: 2.0000\033[K\n");
}

TEST(Progress, RedrawsAtMostTwentyTimesASecond) {
  Screen screen;
  screen.context.steps = 10000;
  Progress progress = screen.Make(/*terminal=*/true);
  SEQ_ASSERT_OK(progress.OnEpochBegin(screen.context, 0));
  const Logs logs = {{"loss", .5}};
  for (int i = 0; i < 10000; ++i) {  // ten seconds of steps of a millisecond
    screen.now += 1.0 / 1024;
    SEQ_ASSERT_OK(progress.OnBatchEnd(screen.context, i, logs));
  }
  EXPECT_LE(screen.shown.size(), 20u * 10000 / 1024 + 1);
  EXPECT_GE(screen.shown.size(), 180u);
}

TEST(Progress, ColoursCountBarAndTime) {
  Screen screen;
  screen.context.steps = 4;
  Progress progress = screen.Make(/*terminal=*/true, /*color=*/true);
  SEQ_ASSERT_OK(progress.OnEpochBegin(screen.context, 0));
  screen.now += 1;
  SEQ_ASSERT_OK(progress.OnBatchEnd(screen.context, 0, {{"loss", .5}}));
  EXPECT_EQ(screen.shown.back(),
            "\r\033[1m1/4\033[0m \033[32m━━━━━\033[0m\033[37m━━━━━━━━━━━━━━━\033[0m "
            "\033[1m3s\033[0m 1s/step - loss: 0.5000\033[K");
}

TEST(Progress, ARedrawnLineNeverWraps) {
  for (const int columns : {30, 40, 50, 60, 80}) {
    Screen screen;
    screen.context.steps = 4000;
    Progress progress = screen.Make(/*terminal=*/true, /*color=*/false, columns);
    SEQ_ASSERT_OK(progress.OnEpochBegin(screen.context, 0));
    screen.now += 1;
    SEQ_ASSERT_OK(progress.OnBatchEnd(screen.context, 0, {{"accuracy", .5}, {"loss", .5}}));
    std::string text = screen.shown.back();
    text = text.substr(1, text.size() - 4);  // without \r and the erasing at the end
    int visible = 0;
    for (const unsigned char c : text) visible += (c & 0xC0) != 0x80;
    EXPECT_LT(visible, columns);
  }
}

TEST(Progress, ShowsEachMessageOnceAfterTheLineOfItsEpoch) {
  Screen screen;
  screen.context.steps = 1;
  Progress progress = screen.Make(/*terminal=*/false);
  SEQ_ASSERT_OK(progress.OnTrainBegin(screen.context));
  for (int epoch = 0; epoch < 2; ++epoch) {
    SEQ_ASSERT_OK(progress.OnEpochBegin(screen.context, epoch));
    screen.context.messages.push_back("saved");
    Logs logs;
    SEQ_ASSERT_OK(progress.OnEpochEnd(screen.context, epoch, logs));
  }
  screen.context.messages.push_back("restored");
  SEQ_ASSERT_OK(progress.OnTrainEnd(screen.context));
  EXPECT_THAT(screen.shown,
              ::testing::ElementsAre("0/1 - 0s - 0s/step\n", "saved\n", "0/1 - 0s - 0s/step\n",
                                     "saved\n", "restored\n"));
}

TEST(Progress, AnInterruptedBarGetsItsLineEnded) {
  Screen screen;
  screen.context.steps = 9;
  Progress progress = screen.Make(/*terminal=*/true);
  SEQ_ASSERT_OK(progress.OnEpochBegin(screen.context, 0));
  SEQ_ASSERT_OK(progress.OnBatchEnd(screen.context, 0, {}));
  SEQ_ASSERT_OK(progress.OnTrainEnd(screen.context));
  EXPECT_EQ(screen.shown.back(), "\n");
}

TEST(Progress, ALineThatANarrowerTerminalHasWrappedIsDrawnOverFromItsFirstRow) {
  Screen screen;
  screen.context.epochs = 100;
  screen.context.steps = 20;
  Progress progress = screen.Make(/*terminal=*/true);
  SEQ_ASSERT_OK(progress.OnEpochBegin(screen.context, 0));
  const Logs logs = {{"accuracy", .4886}, {"loss", .701}};
  const auto draw = [&](int step) {
    screen.now += 1;
    SEQ_EXPECT_OK(progress.OnBatchEnd(screen.context, step, logs));
    return screen.shown.back();
  };
  EXPECT_EQ(draw(0).substr(0, 6), "\r 1/20");
  // 5 + 1 + 20 + 1 + 3 + 1 + 7 + 19 + 15 = 72 columns take two rows of 40.
  screen.width = 40;
  EXPECT_EQ(draw(1), "\033[1A\r 2/20 ━━────────────────── 18s 1s/step\033[J");
  // 38 take one of 40, and four of 10, where the next line takes two by itself.
  EXPECT_EQ(draw(2).substr(0, 6), "\r 3/20");
  screen.width = 10;
  EXPECT_EQ(draw(3), "\033[3A\r 4/20  16s 1s/step\033[J");
  EXPECT_EQ(draw(4), "\033[1A\r 5/20  15s 1s/step\033[J");
  // Wider again: what it takes now counts.
  screen.width = 100;
  EXPECT_EQ(draw(5).substr(0, 6), "\r 6/20");
}

}  // namespace
}  // namespace seqgraph
