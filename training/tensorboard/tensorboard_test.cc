#include "training/tensorboard/tensorboard.h"

#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "tests/testing.h"
#include "training/tensorboard/event.pb.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// By the sum's definition, bit by bit.
uint32_t MaskedSum(const std::string& bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
  }
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xA282EAD8;
}

// The events of all files of a folder, in the order of their names.
std::vector<tensorboard::Event> EventsIn(const std::string& folder) {
  std::vector<tensorboard::Event> events;
  for (const std::string& name : EventFilesIn(folder)) {
    std::stringstream content;
    content << std::ifstream(folder + "/" + name, std::ios::binary).rdbuf();
    const std::string bytes = content.str();
    for (size_t at = 0; at < bytes.size();) {
      uint64_t length;
      uint32_t of_length, of_data;
      std::memcpy(&length, &bytes[at], 8);
      std::memcpy(&of_length, &bytes[at + 8], 4);
      EXPECT_EQ(of_length, MaskedSum(bytes.substr(at, 8)));
      const std::string data = bytes.substr(at + 12, length);
      std::memcpy(&of_data, &bytes[at + 12 + length], 4);
      EXPECT_EQ(of_data, MaskedSum(data));
      EXPECT_TRUE(events.emplace_back().ParseFromString(data));
      at += 16 + length;
    }
  }
  return events;
}

using Point = std::tuple<std::string, int64_t, float>;  // tag, step, value

std::vector<Point> CurvesIn(const std::string& folder, const std::string& prefix = "") {
  std::vector<Point> points;
  for (const tensorboard::Event& event : EventsIn(folder)) {
    for (const auto& value : event.summary().value()) {
      if (value.metadata().plugin_data().plugin_name() != "scalars") continue;
      if (value.tag().compare(0, prefix.size(), prefix) != 0) continue;
      points.push_back({value.tag(), event.step(), value.tensor().float_val(0)});
    }
  }
  return points;
}

std::vector<std::string> TagsIn(const std::string& folder) {
  std::vector<std::string> tags;
  for (const tensorboard::Event& event : EventsIn(folder)) {
    for (const auto& value : event.summary().value()) tags.push_back(value.tag());
  }
  return tags;
}

class TensorBoardTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(dir());
    SEQ_ASSERT_OK(
        model_.variables.Add({"w", {DType::kFloat32, {2}}}, Tensor::Of<float>({2}, {3, 4})));
    SEQ_ASSERT_OK(model_.variables.Add(
        {.name = "m", .type = {DType::kFloat32, {1}}, .role = VariableRole::kOptimizer},
        Tensor::Of<float>({1}, {9})));
  }
  std::string dir() const {
    return testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  TensorBoardOptions Options() const {
    return {.log_dir = dir(), .clock = [] { return 100.5; }};
  }
  void SetWeights(float a, float b) {
    SEQ_ASSERT_OK(model_.variables.Assign("w", Tensor::Of<float>({2}, {a, b})));
  }
  // Epochs `begin` to `end`, whose loss is half their number, validation's its negative.
  void Epochs(TensorBoard& board, FitContext& context, int begin, int end) {
    for (int epoch = begin; epoch < end; ++epoch) {
      SEQ_ASSERT_OK(board.OnEpochBegin(context, epoch));
      for (int64_t batch = 0; batch < context.steps; ++batch) {
        SEQ_ASSERT_OK(board.OnBatchEnd(context, batch, {{"loss", 10.0 * epoch + batch}}));
      }
      Logs logs = {{"loss", 0.5 * epoch}, {"val_loss", -0.5 * epoch}};
      SEQ_ASSERT_OK(board.OnEpochEnd(context, epoch, logs));
      EXPECT_EQ(logs.size(), 2u);
    }
  }
  FitContext Context(int epochs) {
    return {.model = model_, .epochs = epochs, .steps = 3, .has_validation = true};
  }

  Model model_;
};

TEST_F(TensorBoardTest, CurvesOfTrainingAndValidationAsKerasNamesThem) {
  FitContext context = Context(2);
  TensorBoard board(Options());
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  Epochs(board, context, 0, 2);
  EXPECT_THAT(CurvesIn(dir() + "/train", "epoch_"),
              ElementsAre(Point("epoch_loss", 0, 0.f), Point("epoch_loss", 1, 0.5f)));
  EXPECT_THAT(CurvesIn(dir() + "/validation"),
              ElementsAre(Point("epoch_loss", 0, 0.f), Point("epoch_loss", 1, -0.5f)));
  SEQ_ASSERT_OK(board.OnTrainEnd(context));
  EXPECT_THAT(context.notes, IsEmpty());
  EXPECT_THAT(EventFilesIn(dir()), IsEmpty());  // no hyper-parameters
  for (const tensorboard::Event& event : EventsIn(dir() + "/train")) {
    EXPECT_EQ(event.wall_time(), 100.5);
  }
  EXPECT_EQ(EventsIn(dir() + "/train")[0].file_version(), "brain.Event:2");
}

TEST_F(TensorBoardTest, NormsByHand) {
  FitContext context = Context(1);
  TensorBoard board(Options());
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  SEQ_ASSERT_OK(board.OnEpochBegin(context, 0));
  SetWeights(-2, 16);  // from 3, 4: by -5, 12
  Logs logs;
  SEQ_ASSERT_OK(board.OnEpochEnd(context, 0, logs));
  const float norm = std::sqrt(260.f);
  EXPECT_THAT(CurvesIn(dir() + "/train"),
              ElementsAre(Point("weight_norm/w", 0, norm), Point("update_norm/w", 0, 13.f),
                          Point("weight_norm/all", 0, norm), Point("update_norm/all", 0, 13.f)));
}

TEST_F(TensorBoardTest, NormsOfGradientsAsTheyAreGiven) {
  TensorBoardOptions options = Options();
  options.write_norms = false;
  const Model* asked = nullptr;
  options.gradient_norms = [&](const Model& model) {
    asked = &model;
    return std::vector<std::pair<std::string, double>>{{"w", 3}, {"b", 4}};
  };
  FitContext context = Context(2);
  TensorBoard board(options);
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  Epochs(board, context, 0, 2);
  EXPECT_EQ(asked, &model_);
  EXPECT_THAT(CurvesIn(dir() + "/train", "gradient_norm/"),
              ElementsAre(Point("gradient_norm/w", 0, 3.f), Point("gradient_norm/b", 0, 4.f),
                          Point("gradient_norm/all", 0, 5.f), Point("gradient_norm/w", 1, 3.f),
                          Point("gradient_norm/b", 1, 4.f), Point("gradient_norm/all", 1, 5.f)));
  EXPECT_THAT(context.notes, IsEmpty());
}

TEST_F(TensorBoardTest, GradientsThatCannotBeEndNoRunAndAreToldOnce) {
  TensorBoardOptions options = Options();
  options.gradient_norms =
      [](const Model&) -> absl::StatusOr<std::vector<std::pair<std::string, double>>> {
    return absl::UnimplementedError("no optimizer that is known");
  };
  FitContext context = Context(3);
  TensorBoard board(options);
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  Epochs(board, context, 0, 3);
  EXPECT_THAT(context.notes, ElementsAre(HasSubstr("no optimizer that is known")));
  EXPECT_THAT(CurvesIn(dir() + "/train", "epoch_"), SizeIs(3));
}

TEST_F(TensorBoardTest, HistogramsEverySoManyEpochs) {
  FitContext context = Context(4);
  TensorBoardOptions options = Options();
  options.histogram_freq = 2;
  TensorBoard board(options);
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  Epochs(board, context, 0, 4);
  std::vector<int64_t> steps;
  for (const tensorboard::Event& event : EventsIn(dir() + "/train")) {
    for (const auto& value : event.summary().value()) {
      if (value.tag() == "w/histogram") steps.push_back(event.step());
      EXPECT_NE(value.tag(), "m/histogram");  // the optimizer's
    }
  }
  EXPECT_THAT(steps, ElementsAre(0, 2));
}

TEST_F(TensorBoardTest, BatchesByTheirNumberInTheRun) {
  FitContext context = Context(2);
  TensorBoardOptions options = Options();
  options.update_freq = 2;
  TensorBoard board(options);
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  Epochs(board, context, 0, 2);
  EXPECT_THAT(CurvesIn(dir() + "/train", "batch_"),
              ElementsAre(Point("batch_loss", 0, 0.f), Point("batch_loss", 2, 2.f),
                          Point("batch_loss", 3, 10.f), Point("batch_loss", 5, 12.f)));
}

TEST_F(TensorBoardTest, ARunThatGoesOnHasEachStepOnce) {
  TensorBoardOptions options = Options();
  options.update_freq = 1;
  options.hyper_parameters = {{"units", 8.0}};
  Records records;
  {
    FitContext context = Context(5);
    TensorBoard board(options);
    SEQ_ASSERT_OK(board.OnTrainBegin(context));
    Epochs(board, context, 0, 1);
    SEQ_ASSERT_OK(board.OnEpochBegin(context, 1));
    SEQ_ASSERT_OK(board.OnBatchEnd(context, 0, {{"loss", 10.0}}));
    StateWriter state(&records, "");
    board.SaveState(state);
    // What comes behind the state, and is then lost with the process.
    SEQ_ASSERT_OK(board.OnBatchEnd(context, 1, {{"loss", 11.0}}));
    SetWeights(0, 0);
    Logs logs = {{"loss", 0.5}, {"val_loss", -0.5}};
    SEQ_ASSERT_OK(board.OnEpochEnd(context, 1, logs));
    Epochs(board, context, 2, 4);
  }
  SetWeights(3, 4);
  FitContext context = Context(3);
  context.resumed = true;
  TensorBoard board(options);
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  SEQ_ASSERT_OK(board.LoadState(context, StateReader(&records, "")));
  for (int64_t batch = 1; batch < 3; ++batch) {
    SEQ_ASSERT_OK(board.OnBatchEnd(context, batch, {{"loss", 10.0 + batch}}));
  }
  SetWeights(3, 5);
  Logs logs = {{"loss", 0.5}, {"val_loss", -0.5}};
  SEQ_ASSERT_OK(board.OnEpochEnd(context, 1, logs));
  Epochs(board, context, 2, 3);
  SEQ_ASSERT_OK(board.OnTrainEnd(context));
  EXPECT_THAT(context.notes, IsEmpty());
  EXPECT_THAT(CurvesIn(dir() + "/train", "epoch_"),
              ElementsAre(Point("epoch_loss", 0, 0.f), Point("epoch_loss", 1, 0.5f),
                          Point("epoch_loss", 2, 1.f)));
  EXPECT_THAT(CurvesIn(dir() + "/validation"), SizeIs(3));
  std::vector<int64_t> batches;
  for (const Point& point : CurvesIn(dir() + "/train", "batch_")) {
    batches.push_back(std::get<1>(point));
  }
  EXPECT_THAT(batches, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
  // Of an epoch that the state is within: from where it began.
  EXPECT_THAT(CurvesIn(dir() + "/train", "update_norm/w"),
              Contains(Point("update_norm/w", 1, 1.f)));
  EXPECT_THAT(TagsIn(dir()),
              ElementsAre("_hparams_/session_start_info", "_hparams_/session_end_info"));
  EXPECT_THAT(EventFilesIn(dir() + "/train"), SizeIs(1));
}

TEST_F(TensorBoardTest, ARunWhoseFilesAreGoneGoesOnWithNewOnes) {
  Records records;
  FitContext context = Context(2);
  TensorBoard first(Options());
  SEQ_ASSERT_OK(first.OnTrainBegin(context));
  Epochs(first, context, 0, 1);
  StateWriter state(&records, "");
  first.SaveState(state);
  std::filesystem::remove_all(dir());
  context.resumed = true;
  TensorBoard board(Options());
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  SEQ_ASSERT_OK(board.LoadState(context, StateReader(&records, "")));
  Epochs(board, context, 1, 2);
  EXPECT_THAT(context.notes, Contains(HasSubstr("a new file goes on")));
  EXPECT_THAT(CurvesIn(dir() + "/train", "epoch_"), ElementsAre(Point("epoch_loss", 1, 0.5f)));
}

TEST_F(TensorBoardTest, AnInterruptedRunHasNotEnded) {
  TensorBoardOptions options = Options();
  options.hyper_parameters = {{"units", 8.0}};
  int asked = 0;
  options.confusion_matrix = [&]() -> absl::StatusOr<ConfusionMatrix> {
    ++asked;
    return ConfusionMatrix(2);
  };
  FitContext context = Context(5);
  TensorBoard board(options);
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  Epochs(board, context, 0, 2);
  SEQ_ASSERT_OK(board.OnTrainEnd(context));
  EXPECT_THAT(TagsIn(dir()), ElementsAre("_hparams_/session_start_info"));
  EXPECT_EQ(asked, 0);
}

TEST_F(TensorBoardTest, EndOfARunHasThePictureOfItsConfusion) {
  TensorBoardOptions options = Options();
  options.confusion_matrix = []() -> absl::StatusOr<ConfusionMatrix> { return ConfusionMatrix(2); };
  FitContext context = Context(2);
  TensorBoard board(options);
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  Epochs(board, context, 0, 2);
  SEQ_ASSERT_OK(board.OnTrainEnd(context));
  const tensorboard::Event last = EventsIn(dir() + "/validation").back();
  EXPECT_EQ(last.step(), 1);
  EXPECT_EQ(last.summary().value(0).tag(), "confusion_matrix");
  const auto& strings = last.summary().value(0).tensor().string_val();
  ASSERT_EQ(strings.size(), 3);
  EXPECT_EQ(strings[0], "84");
  EXPECT_EQ(strings[1], "84");
  EXPECT_EQ(strings[2].substr(1, 3), "PNG");
}

TEST_F(TensorBoardTest, APictureThatCannotBeEndsNoRun) {
  TensorBoardOptions options = Options();
  options.confusion_matrix = []() -> absl::StatusOr<ConfusionMatrix> {
    return absl::InternalError("no rows");
  };
  FitContext context = Context(1);
  TensorBoard board(options);
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  Epochs(board, context, 0, 1);
  SEQ_ASSERT_OK(board.OnTrainEnd(context));
  EXPECT_THAT(context.notes, ElementsAre(HasSubstr("no rows")));
}

TEST_F(TensorBoardTest, AFullDiskEndsNoRunAndIsToldOnce) {
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  FitContext context = Context(4);
  TensorBoard board(Options());
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  const struct rlimit limit = {100, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  Epochs(board, context, 0, 3);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_THAT(context.notes, ElementsAre(AllOf(HasSubstr("not written"), HasSubstr(dir()))));
  Epochs(board, context, 3, 4);
  EXPECT_THAT(context.notes, ElementsAre(HasSubstr("not written"), HasSubstr("written again")));
  EXPECT_THAT(CurvesIn(dir() + "/train", "epoch_"), SizeIs(4));
}

TEST_F(TensorBoardTest, AFolderThatCannotBeIsAnErrorBeforeTheFirstStep) {
  FitContext context = Context(1);
  TensorBoardOptions options = Options();
  options.log_dir = "/proc/none";
  TensorBoard board(options);
  EXPECT_THAT(board.OnTrainBegin(context).message(), HasSubstr("/proc/none"));
}

TEST_F(TensorBoardTest, ASecondRunIntoAFolderIsTold) {
  FitContext context = Context(1);
  TensorBoard first(Options()), second(Options());
  SEQ_ASSERT_OK(first.OnTrainBegin(context));
  EXPECT_THAT(context.notes, IsEmpty());
  SEQ_ASSERT_OK(second.OnTrainBegin(context));
  EXPECT_THAT(context.notes, ElementsAre(HasSubstr("curves of another run")));
}

TEST_F(TensorBoardTest, AFailureIsTheEndOfTheSession) {
  TensorBoardOptions options = Options();
  options.hyper_parameters = {{"units", 8.0}};
  FitContext context = Context(1);
  TensorBoard board(options);
  SEQ_ASSERT_OK(board.OnTrainBegin(context));
  SEQ_ASSERT_OK(board.OnTrainFailure(context));
  const tensorboard::Event last = EventsIn(dir()).back();
  tensorboard::HParamsPluginData data;
  ASSERT_TRUE(data.ParseFromString(last.summary().value(0).metadata().plugin_data().content()));
  EXPECT_EQ(data.session_end_info().status(), tensorboard::STATUS_FAILURE);
}

}  // namespace
}  // namespace seqgraph
