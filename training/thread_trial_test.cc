#include "training/thread_trial.h"

#include <gtest/gtest.h>

namespace seqgraph {
namespace {

// Steps that take `alone` or `all` seconds, but for disturbed ones.
ThreadTrial Tried(double alone, double all) {
  ThreadTrial trial;
  for (int step = 0; !trial.done(); ++step) {
    double seconds = trial.alone() ? alone : all;
    if (step % ThreadTrial::kBlock == 0) seconds = 100;  // data moves between cores
    if (step % 5 == 3) seconds *= 50;
    trial.Record(seconds);
  }
  return trial;
}

TEST(ThreadTrial, TheFasterSideWins) {
  EXPECT_TRUE(Tried(1e-5, 2e-5).alone_won());
  EXPECT_TRUE(Tried(1e-5, 2e-5).alone());
  EXPECT_FALSE(Tried(2e-5, 1e-5).alone_won());
  EXPECT_FALSE(Tried(2e-5, 1e-5).alone());
}

TEST(ThreadTrial, BothSidesTakeTurnsInBlocks) {
  ThreadTrial trial;
  std::string turns;
  for (int step = 0; step < ThreadTrial::kSteps; ++step) {
    ASSERT_FALSE(trial.done());
    turns += trial.alone() ? '1' : 'n';
    trial.Record(1);
  }
  EXPECT_TRUE(trial.done());
  EXPECT_EQ(turns, "11111111nnnnnnnn11111111nnnnnnnn11111111nnnnnnnn");
}

TEST(ThreadTrial, SaysWhatWasMeasured) {
  EXPECT_EQ(Tried(2e-5, 3e-5).Text("train_step in batches of 64", 2),
            "train_step in batches of 64: 1 thread from here on; 2 take 1.50 times as long "
            "(30.0 us)");
  EXPECT_EQ(Tried(3e-5, 2e-5).Text("evaluate in batches of 8", 4),
            "evaluate in batches of 8: 4 threads are 1.50 times as fast as 1 (20.0 us)");
}

}  // namespace
}  // namespace seqgraph
