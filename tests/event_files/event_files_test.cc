// `train --tensorboard`: the event files hold what the history holds, also of a run that was
// killed.

#include <signal.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/crc32c.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"
#include "training/tensorboard/event.pb.h"
#include "training/tensorboard/event_file.h"

namespace seqgraph {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

// Tag -> step -> value; a step that comes twice fails the test.
using Curves = std::map<std::string, std::map<int64_t, float>>;

std::vector<tensorboard::Event> EventsIn(const std::string& folder) {
  std::vector<tensorboard::Event> events;
  for (const std::string& name : EventFilesIn(folder)) {
    const std::string bytes = data::ReadFileOrDie(folder + "/" + name);
    for (size_t at = 0; at < bytes.size();) {
      uint64_t length;
      std::memcpy(&length, &bytes[at], sizeof(length));
      const std::string data = bytes.substr(at + 12, length);
      EXPECT_EQ(bytes.substr(at, length + 16), EventRecord(data));
      EXPECT_TRUE(events.emplace_back().ParseFromString(data));
      at += length + 16;
    }
  }
  return events;
}

Curves CurvesIn(const std::string& folder) {
  Curves curves;
  for (const tensorboard::Event& event : EventsIn(folder)) {
    for (const auto& value : event.summary().value()) {
      if (value.metadata().plugin_data().plugin_name() != "scalars") continue;
      const bool is_new =
          curves[value.tag()].emplace(event.step(), value.tensor().float_val(0)).second;
      EXPECT_TRUE(is_new) << value.tag() << " has step " << event.step() << " twice";
    }
  }
  return curves;
}

class EventFilesTest : public ::testing::Test {
 protected:
  std::vector<std::string> Training(const std::vector<std::string>& more) const {
    return WithFlags(TinyTraining("reference"), WithFlags(more, {"--output=m.pb", "--history=h.csv",
                                                                 "--tensorboard=board/run"}));
  }
  ProcessResult Run(const std::vector<std::string>& arguments) const {
    return RunSeqgraph(arguments, {.folder = folder_});
  }
  std::string Board(const std::string& part) const {
    return absl::StrCat(folder_, "/board/run/", part);
  }

  // Each number of the history is a point of a curve, and each "epoch_" point one of the history.
  void ExpectCurvesOfHistory() const {
    std::map<std::string, Curves> curves = {{"train", CurvesIn(Board("train"))},
                                            {"validation", CurvesIn(Board("validation"))}};
    Curves& train = curves["train"];
    const size_t rates = train["epoch_learning_rate"].size();
    train.erase("epoch_learning_rate");
    const std::string csv = data::ReadFileOrDie(folder_ + "/h.csv");
    std::vector<std::string> lines = absl::StrSplit(csv, '\n', absl::SkipEmpty());
    const std::vector<std::string> names = absl::StrSplit(lines[0], ',');
    lines.erase(lines.begin());
    EXPECT_EQ(rates, lines.size());
    EXPECT_EQ(train["update_norm/all"].size(), lines.size());
    for (const std::string& line : lines) {
      const std::vector<std::string> cells = absl::StrSplit(line, ',');
      const int64_t epoch = std::stoll(cells[0]);
      for (size_t i = 1; i < names.size(); ++i) {
        double number = 0;
        if (!absl::SimpleAtod(cells[i], &number) || names[i] == "threads") continue;
        absl::string_view tag = names[i];
        Curves& of = curves[absl::ConsumePrefix(&tag, "val_") ? "validation" : "train"];
        std::map<int64_t, float>& points = of[absl::StrCat("epoch_", tag)];
        ASSERT_EQ(points.count(epoch), 1u) << names[i] << " of epoch " << epoch;
        EXPECT_EQ(points[epoch], static_cast<float>(number));
        points.erase(epoch);
      }
    }
    for (const auto& [part, of] : curves) {
      for (const auto& [tag, points] : of) {
        if (!absl::StartsWith(tag, "epoch_")) continue;
        EXPECT_THAT(points, SizeIs(0)) << part << " " << tag << " is not in the history";
      }
    }
  }

  std::set<std::string> TagsIn(const std::string& folder) const {
    std::set<std::string> tags;
    for (const tensorboard::Event& event : EventsIn(folder)) {
      for (const auto& value : event.summary().value()) tags.insert(value.tag());
    }
    return tags;
  }

  const std::string folder_ = FolderWithTinyArchive();
};

TEST_F(EventFilesTest, HoldTheHistoryAndMore) {
  const ProcessResult train = Run(Training({"--epochs=3"}));
  ASSERT_EQ(train.status, 0) << train.err;
  ExpectCurvesOfHistory();
  EXPECT_THAT(TagsIn(Board("train")),
              IsSupersetOf({"embedding/embeddings/histogram", "weight_norm/all"}));
  EXPECT_THAT(TagsIn(Board("validation")), Contains("confusion_matrix"));
  EXPECT_THAT(TagsIn(Board("")),
              ElementsAre("_hparams_/session_end_info", "_hparams_/session_start_info"));
  size_t nodes = 0;
  for (const tensorboard::Event& event : EventsIn(Board("train"))) {
    tensorboard::GraphDef graph;
    ASSERT_TRUE(graph.ParseFromString(event.graph_def()));
    nodes += graph.node_size();
  }
  EXPECT_GT(nodes, 20u);
}

TEST_F(EventFilesTest, AKilledRunGoesOnWithoutAGapOrAStepTwice) {
  Process first(
      Training({"--epochs=1000000", "--patience=1000000", "--run=state", "--save_every=7steps"}),
      {.folder = folder_});
  ASSERT_TRUE(first.WaitForOutput("Epoch 9/")) << first.err();
  first.Signal(SIGKILL);
  first.Wait();
  const ProcessResult on = Run({"train", "--resume=state", "--max_time=1s"});
  EXPECT_THAT(on.out, HasSubstr("Interrupted")) << on.err;
  ExpectCurvesOfHistory();
  EXPECT_THAT(EventFilesIn(Board("train")), SizeIs(1));
  // It has not ended.
  EXPECT_THAT(TagsIn(Board("")), ElementsAre("_hparams_/session_start_info"));
}

TEST_F(EventFilesTest, TheModelIsTheSameWithThem) {
  ASSERT_EQ(Run(Training({"--epochs=2"})).status, 0);
  const std::string with = data::ReadFileOrDie(folder_ + "/m.pb");
  std::filesystem::remove(folder_ + "/m.pb");
  ASSERT_EQ(Run(WithFlags(TinyTraining("reference"), {"--epochs=2", "--output=m.pb"})).status, 0);
  EXPECT_EQ(data::ReadFileOrDie(folder_ + "/m.pb"), with);
}

TEST_F(EventFilesTest, AFolderThatCannotBeMadeIsNamedBeforeTheFirstStep) {
  data::WriteFileOrDie(folder_ + "/board", "a file");
  const ProcessResult train = Run(Training({"--epochs=2"}));
  EXPECT_EQ(train.status, 1);
  EXPECT_THAT(train.err, HasSubstr("board/run/train"));
  EXPECT_THAT(train.out, Not(HasSubstr("Epoch 1/")));
}

}  // namespace
}  // namespace seqgraph
