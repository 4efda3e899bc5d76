#include "training/tensorboard/summaries.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "tests/testing.h"
#include "training/tensorboard/event.pb.h"

namespace seqgraph {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

TEST(SummariesTest, ScalarByteForByte) {
  EXPECT_EQ(absl::BytesToHexString(ScalarEvent(1.5, 2, "a", 0.5)),
            "09000000000000f83f"  // 1: wall time 1.5, a double
            "1002"                // 2: step 2
            "2a20"                // 5: a summary of 32 bytes
            "0a1e"                //   1: a value of 30
            "0a0161"              //     1: tag "a"
            "420a"                //     8: a tensor of 10
            "0801"                //       1: float32
            "1200"                //       2: a shape without extents
            "2a040000003f"        //       5: 0.5, packed
            "4a0d"                //     9: metadata of 13
            "0a09"                //       1: of the plug-in, 9
            "0a077363616c617273"  //         1: "scalars"
            "2001");              //       4: scalars
}

TEST(SummariesTest, FileVersionByteForByte) {
  EXPECT_EQ(absl::BytesToHexString(FileVersionEvent(1.5)),
            "09000000000000f83f"
            "1a0d" +
                absl::BytesToHexString("brain.Event:2") + "520a0a08" +
                absl::BytesToHexString("seqgraph"));
}

TEST(SummariesTest, HistogramCountsByHand) {
  const std::vector<float> values = {0, 1, 2, 3, 4, 4};
  EXPECT_THAT(HistogramBuckets(values, 4), ElementsAre(0, 1, 1,    //
                                                       1, 2, 1,    //
                                                       2, 3, 1,    //
                                                       3, 4, 3));  // the last has its right end
  EXPECT_THAT(HistogramBuckets({-2.5f, -2.5f}, 2), ElementsAre(-2.5, -2.5, 0, -2.5, -2.5, 2));
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_THAT(HistogramBuckets({NAN, 1, -inf, 3, inf}, 2), ElementsAre(1, 2, 1, 2, 3, 1));
  EXPECT_THAT(HistogramBuckets({}, 2), Each(0));
  EXPECT_THAT(HistogramBuckets({NAN}, 2), Each(0));
  EXPECT_EQ(HistogramBuckets(values).size(), 90u);
}

TEST(SummariesTest, HistogramsOfExtremesCountAll) {
  const float largest = std::numeric_limits<float>::max();
  const std::vector<float> values = {-largest, largest, 0, 1e-45f};
  const std::vector<double> rows = HistogramBuckets(values, 3);
  EXPECT_EQ(rows[2] + rows[5] + rows[8], 4);
  EXPECT_EQ(rows[0], -static_cast<double>(largest));
  EXPECT_EQ(rows[7], static_cast<double>(largest));
  // The least difference that there is.
  const std::vector<double> close = HistogramBuckets({1e-45f, 0}, 30);
  EXPECT_EQ(close[2], 1);
  EXPECT_EQ(close[89], 1);
}

tensorboard::Event Parsed(const std::string& bytes) {
  tensorboard::Event event;
  EXPECT_TRUE(event.ParseFromString(bytes));
  return event;
}

TEST(SummariesTest, HistogramIsATensorOfRows) {
  const tensorboard::Event event =
      Parsed(HistogramEvent(1, 7, "w/histogram", std::vector<double>{1, 2, 3, 4, 5, 6}));
  const tensorboard::TensorProto& tensor = event.summary().value(0).tensor();
  EXPECT_EQ(tensor.dtype(), tensorboard::DT_DOUBLE);
  ASSERT_EQ(tensor.tensor_shape().dim_size(), 2);
  EXPECT_EQ(tensor.tensor_shape().dim(0).size(), 2);
  EXPECT_EQ(tensor.tensor_shape().dim(1).size(), 3);
  ASSERT_EQ(tensor.tensor_content().size(), 48u);
  EXPECT_EQ(absl::BytesToHexString(tensor.tensor_content().substr(8, 8)), "0000000000000040");
  EXPECT_EQ(event.step(), 7);
}

TEST(SummariesTest, TextsAreMadeWellFormed) {
  EXPECT_EQ(Parsed(ScalarEvent(0, 0,
                               "a\xFF"
                               "b",
                               1))
                .summary()
                .value(0)
                .tag(),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(SummariesTest, HyperParametersByTypeAndOnce) {
  const tensorboard::Event event = Parsed(SessionStartEvent(5, {{"units", 8.0},
                                                                {"bidirectional", true},
                                                                {"cell", std::string("lstm\xC0")},
                                                                {"units", 9.0}}));
  const tensorboard::SummaryValue& value = event.summary().value(0);
  EXPECT_EQ(value.tag(), "_hparams_/session_start_info");
  EXPECT_EQ(value.metadata().plugin_data().plugin_name(), "hparams");
  tensorboard::HParamsPluginData data;
  ASSERT_TRUE(data.ParseFromString(value.metadata().plugin_data().content()));
  const auto& parameters = data.session_start_info().hparams();
  ASSERT_EQ(parameters.size(), 3);
  EXPECT_EQ(parameters[0].key(), "units");
  EXPECT_EQ(parameters[0].value().number_value(), 8);
  EXPECT_TRUE(parameters[1].value().bool_value());
  EXPECT_EQ(parameters[2].value().string_value(), "lstm\xEF\xBF\xBD");
  EXPECT_EQ(data.session_start_info().start_time_secs(), 5);
}

TEST(SummariesTest, EndOfASessionSaysHow) {
  for (const bool succeeded : {false, true}) {
    const tensorboard::Event event = Parsed(SessionEndEvent(9, succeeded));
    tensorboard::HParamsPluginData data;
    ASSERT_TRUE(data.ParseFromString(event.summary().value(0).metadata().plugin_data().content()));
    EXPECT_EQ(data.session_end_info().status(),
              succeeded ? tensorboard::STATUS_SUCCESS : tensorboard::STATUS_FAILURE);
    EXPECT_EQ(data.session_end_info().end_time_secs(), 9);
  }
}

}  // namespace
}  // namespace seqgraph
