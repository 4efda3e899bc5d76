// Files that Keras wrote: read, run, written back, and trained on to where Keras trained them.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "data/npy.h"
#include "graph/model.h"
#include "layers/stack_recognition.h"
#include "runtime/compiled_function.h"
#include "serialization/keras/keras_io.h"
#include "tests/testing.h"
#include "training/keras/keras_export.h"
#include "training/keras/keras_import.h"
#include "training/model_runner.h"

namespace seqgraph {
namespace {

using keras::KerasModel;
using keras::NamedTensor;

// The bars of tests/parity: an independent float64 run differs from Keras's float32 by 3e-7
// (losses) and 2e-6 (weights).
constexpr double kLossBar = 2e-6;
constexpr double kWeightBar = 5e-6;
constexpr double kPredictionBar = 2e-6;

using Arrays = std::map<std::string, data::NpyArray>;

void ExpectNear(absl::Span<const float> found, absl::Span<const float> expected, double bar,
                const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double largest = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const double distance = std::fabs(double{found[i]} - double{expected[i]});
    largest = std::max(largest, std::isnan(distance) ? INFINITY : distance);
  }
  EXPECT_LE(largest, bar) << what;
  std::printf("%s: largest difference %.2g\n", what.c_str(), largest);
}

void ExpectSameTensors(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_TRUE(a[i].tensor.BitwiseEquals(b[i].tensor)) << a[i].name;
  }
}

void ExpectSame(const KerasModel& a, const KerasModel& b) {
  EXPECT_TRUE(a.stack == b.stack);
  EXPECT_TRUE(a.training == b.training);
  ExpectSameTensors(a.weights, b.weights);
  ExpectSameTensors(a.optimizer_state, b.optimizer_state);
}

// Written in every format and read again, it is the same in every bit. A version of Keras that
// would compute something else is refused, with the layout that keeps it.
void ExpectRoundTrips(const KerasModel& model, const keras::ReadOptions& options = {}) {
  std::vector<std::string> files;
  for (const absl::StatusOr<std::string>& bytes :
       {keras::KerasZip(model), keras::KerasHdf5(model, keras::Layout::kKeras3),
        keras::KerasHdf5(model, keras::Layout::kKeras2)}) {
    if (!bytes.ok()) {
      EXPECT_THAT(bytes.status(), StatusIs(absl::StatusCode::kUnimplemented, "--h5_layout"));
      continue;
    }
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel read, keras::ParseKerasModel(*bytes, options));
    ExpectSame(read, model);
    files.push_back(*bytes);
  }
  EXPECT_GE(files.size(), 1u);
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string weights, keras::KerasWeightsHdf5(model));
  files.push_back(weights);
  for (const std::string& bytes : files) {
    std::vector<std::string> notes;
    SEQ_ASSERT_OK_AND_ASSIGN(const keras::StoredWeights stored,
                             keras::ParseKerasWeights(bytes, model.stack, &notes));
    ExpectSameTensors(stored.weights, model.weights);
  }
}

// One of Keras's runs: a folder of files.
class KerasRun {
 public:
  explicit KerasRun(std::string folder) : folder_(std::move(folder)) {}

  std::string File(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  absl::StatusOr<Model> Load(const std::string& name) const {
    std::vector<std::string> notes;
    return LoadKerasModel(File(name), {.one_hot = folder_.find("onehot") != std::string::npos},
                          &notes);
  }

 private:
  std::string folder_;
};

// Predictions for the first rows, as many as `expected` has.
void ExpectPredictions(Model& model, const Arrays& arrays, const std::string& expected_name,
                       const std::string& what) {
  const data::NpyArray& tokens = arrays.at("tokens");
  const data::NpyArray& expected = arrays.at(expected_name);
  ModelRunner runner(&model, {.backend = "reference"});
  SEQ_ASSERT_OK_AND_ASSIGN(CompiledFunction * predict,
                           runner.Compile("predict", expected.shape[0]));
  std::memcpy(predict->input(0), tokens.bytes.data(),
              expected.shape[0] * tokens.shape[1] * sizeof(int32_t));
  SEQ_ASSERT_OK(predict->Run());
  ExpectNear({static_cast<const float*>(predict->result(0)), static_cast<size_t>(expected.size())},
             *expected.Values<float>(), kPredictionBar, what);
}

// Trains in the order of the rows and compares the loss of each step.
void Train(Model& model, const Arrays& arrays, int64_t batch) {
  const data::NpyArray& tokens = arrays.at("tokens");
  const absl::Span<const float> targets = *arrays.at("targets").Values<float>();
  const int64_t rows = tokens.shape[0];
  const int64_t time = tokens.shape[1];
  const absl::Span<const float> expected = *arrays.at("step_losses").Values<float>();
  std::vector<float> losses;
  ModelRunner runner(&model, {.backend = "reference"});
  while (losses.size() < expected.size()) {
    for (int64_t row = 0; row < rows && losses.size() < expected.size(); row += batch) {
      const int64_t size = std::min(batch, rows - row);
      SEQ_ASSERT_OK_AND_ASSIGN(CompiledFunction * step, runner.Compile("train_step", size));
      std::memcpy(step->input(step->FindInput("tokens")),
                  tokens.bytes.data() + row * time * sizeof(int32_t),
                  size * time * sizeof(int32_t));
      std::memcpy(step->input(step->FindInput("labels")), targets.data() + row,
                  size * sizeof(float));
      SEQ_ASSERT_OK(step->Run());
      losses.push_back(*static_cast<const float*>(step->result(step->FindResult("loss"))));
    }
  }
  ExpectNear(losses, expected, kLossBar, "loss of each step");
}

class KerasFilesTest : public ::testing::TestWithParam<const char*> {};

TEST_P(KerasFilesTest, AllFormatsHoldTheSameAndTheRecordedWeights) {
  SEQ_SHARED_OR_SKIP(folder, absl::StrCat("keras/", GetParam()));
  const KerasRun run(folder);
  SEQ_ASSERT_OK_AND_ASSIGN(const Arrays arrays, data::ReadNpz(run.File("expected.npz")));
  for (const std::string when : {"initial", "trained"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel zip,
                             keras::ReadKerasModel(run.File(when + ".keras")));
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel hdf5, keras::ReadKerasModel(run.File(when + ".h5")));
    ExpectSameTensors(zip.weights, hdf5.weights);
    EXPECT_TRUE(zip.stack == hdf5.stack);
    EXPECT_TRUE(hdf5.notes.empty()) << hdf5.notes[0];
    for (size_t i = 0; i < hdf5.weights.size(); ++i) {
      const data::NpyArray& expected = arrays.at(absl::StrCat(when, "_", i));
      const Tensor& found = hdf5.weights[i].tensor;
      ASSERT_EQ(static_cast<size_t>(found.num_bytes()), expected.bytes.size());
      EXPECT_EQ(std::memcmp(found.data(), expected.bytes.data(), expected.bytes.size()), 0)
          << hdf5.weights[i].name;
    }
    EXPECT_EQ(arrays.count(absl::StrCat(when, "_", hdf5.weights.size())), 0u);
    ExpectRoundTrips(zip);
    ExpectRoundTrips(hdf5);
  }
  std::vector<std::string> notes;
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel initial, keras::ReadKerasModel(run.File("initial.h5")));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const keras::StoredWeights stored,
      keras::ReadKerasWeights(run.File("initial.weights.h5"), initial.stack, &notes));
  ExpectSameTensors(stored.weights, initial.weights);
}

TEST_P(KerasFilesTest, PredictionsAreKerass) {
  SEQ_SHARED_OR_SKIP(folder, absl::StrCat("keras/", GetParam()));
  const KerasRun run(folder);
  SEQ_ASSERT_OK_AND_ASSIGN(const Arrays arrays, data::ReadNpz(run.File("expected.npz")));
  for (const std::string ending : {".keras", ".h5"}) {
    for (const std::string when : {"initial", "trained"}) {
      SEQ_ASSERT_OK_AND_ASSIGN(Model model, run.Load(when + ending));
      ExpectPredictions(model, arrays, "predict_" + when, when + ending);
    }
  }
}

TEST_P(KerasFilesTest, TrainingGoesOnAsInKeras) {
  SEQ_SHARED_OR_SKIP(folder, absl::StrCat("keras/", GetParam()));
  const KerasRun run(folder);
  SEQ_ASSERT_OK_AND_ASSIGN(const Arrays arrays, data::ReadNpz(run.File("expected.npz")));
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, run.Load("initial.keras"));
  ASSERT_NO_FATAL_FAILURE(Train(model, arrays, 64));
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel expected,
                           keras::ReadKerasModel(run.File("trained.h5")));
  std::vector<std::string> notes;
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel found, KerasFromModel(model, &notes));
  EXPECT_TRUE(notes.empty()) << notes[0];
  EXPECT_TRUE(found.training->optimizer == expected.training->optimizer);
  EXPECT_EQ(found.training->loss, expected.training->loss);
  const auto compare = [](const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(a[i].name, b[i].name);
      ASSERT_EQ(a[i].tensor.type(), b[i].tensor.type());
      if (a[i].tensor.dtype() == DType::kInt64) {
        EXPECT_TRUE(a[i].tensor.BitwiseEquals(b[i].tensor)) << a[i].name;
        continue;
      }
      ExpectNear(a[i].tensor.Elements<float>(), b[i].tensor.Elements<float>(), kWeightBar,
                 a[i].name);
    }
  };
  compare(found.weights, expected.weights);
  compare(found.optimizer_state, expected.optimizer_state);
  ExpectPredictions(model, arrays, "predict_trained", "after training");
}

// From Keras into a model and back: nothing is lost, also where only nodes tell what it is.
TEST_P(KerasFilesTest, AModelGivesBackWhatItWasReadFrom) {
  SEQ_SHARED_OR_SKIP(folder, absl::StrCat("keras/", GetParam()));
  const KerasRun run(folder);
  SEQ_ASSERT_OK_AND_ASSIGN(KerasModel expected, keras::ReadKerasModel(run.File("trained.h5")));
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, run.Load("trained.h5"));
  std::vector<std::string> notes;
  if (std::string(GetParam()) == "seed_onehot") {
    SEQ_ASSERT_OK(keras::TakeTokensOneHot(expected.stack));
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel stored, KerasFromModel(model, &notes));
  ExpectSame(stored, expected);
  model.layers.reset();
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel recognized, KerasFromModel(model, &notes));
  EXPECT_TRUE(notes.empty()) << notes[0];
  EXPECT_TRUE(recognized.training == expected.training);
  ASSERT_EQ(recognized.weights.size(), expected.weights.size());
  for (size_t i = 0; i < expected.weights.size(); ++i) {
    EXPECT_TRUE(recognized.weights[i].tensor.BitwiseEquals(expected.weights[i].tensor))
        << expected.weights[i].name;
  }
  ASSERT_EQ(recognized.optimizer_state.size(), expected.optimizer_state.size());
  ASSERT_EQ(recognized.stack.layers.size(), expected.stack.layers.size());
}

INSTANTIATE_TEST_SUITE_P(Runs, KerasFilesTest,
                         ::testing::Values("seed_onehot", "seed_embedding",
                                           "embedding_partial_batch", "simplernn_relu_sequences",
                                           "mask_zero", "lstm", "gru", "bidirectional"),
                         [](const auto& info) { return std::string(info.param); });

// What the tutorial's own code wrote, with Keras 2.
class Keras2FilesTest : public ::testing::TestWithParam<const char*> {};

TEST_P(Keras2FilesTest, IsReadRunAndWrittenBack) {
  SEQ_SHARED_OR_SKIP(folder, "keras2");
  const std::string name = absl::StrCat(folder, "/", GetParam());
  SEQ_ASSERT_OK_AND_ASSIGN(const Arrays arrays, data::ReadNpz(name + ".expected.npz"));
  SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel keras, keras::ReadKerasModel(name + ".h5"));
  EXPECT_TRUE(keras.notes.empty());
  EXPECT_EQ(keras.training->loss, "binary_crossentropy");
  EXPECT_EQ(keras.training->optimizer->name(), "RMSprop");
  // Iteration, learning rate and one velocity a weight.
  EXPECT_EQ(keras.optimizer_state.size(), 2 + keras.weights.size());
  EXPECT_GT(keras.optimizer_state[0].tensor.Elements<int64_t>()[0], 0);
  for (size_t i = 0; i < keras.weights.size(); ++i) {
    const data::NpyArray& expected = arrays.at(absl::StrCat("weight_", i));
    EXPECT_EQ(
        std::memcmp(keras.weights[i].tensor.data(), expected.bytes.data(), expected.bytes.size()),
        0);
  }
  ExpectRoundTrips(keras);
  const bool one_hot = keras.stack.input.features.has_value();
  std::vector<std::string> notes;
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, LoadKerasModel(name + ".h5", {.one_hot = one_hot}, &notes));
  ExpectPredictions(model, arrays, "probability", GetParam());
}

INSTANTIATE_TEST_SUITE_P(Files, Keras2FilesTest,
                         ::testing::Values("best-simplernn-model", "best-embedding-model"),
                         [](const auto& info) {
                           return std::string(info.param).find("simple") != std::string::npos
                                      ? "OneHot"
                                      : "Embedding";
                         });

// Models that Keras made of layers and settings of many kinds, and old files: what is read computes
// what Keras computed, and comes back from every format.

// Fills the inputs x0, x1, ... and compares the results with y0, y1, ....
absl::Status ComparePredictions(Model& model, const Arrays& arrays, const std::string& what) {
  SEQ_ASSIGN_OR_RETURN(const Function* function, model.GetFunction("predict"));
  ModelRunner runner(&model, {.backend = "reference"});
  SEQ_ASSIGN_OR_RETURN(CompiledFunction * predict,
                       runner.Compile("predict", arrays.at("x0").shape[0]));
  for (size_t i = 0; i < function->inputs().size(); ++i) {
    const data::NpyArray& x = arrays.at(absl::StrCat("x", i));
    std::memcpy(predict->input(static_cast<int>(i)), x.bytes.data(), x.bytes.size());
  }
  SEQ_RETURN_IF_ERROR(predict->Run());
  for (size_t i = 0; i < function->results().size(); ++i) {
    SEQ_ASSIGN_OR_RETURN(const absl::Span<const float> expected,
                         arrays.at(absl::StrCat("y", i)).Values<float>());
    ExpectNear({static_cast<const float*>(predict->result(static_cast<int>(i))), expected.size()},
               expected, kPredictionBar, absl::StrCat(what, ", y", i));
  }
  return absl::OkStatus();
}

// The status of reading the file; what is wrong with what was read is a failure of the test.
absl::Status CheckFile(const std::filesystem::path& path) {
  KerasImportOptions options;
  const std::filesystem::path stem = path.parent_path() / path.stem();
  absl::StatusOr<Arrays> arrays = data::ReadNpz(stem.string() + ".expected.npz");
  for (const std::string name : {"x", "y"}) {  // where there is one alone
    if (arrays.ok() && arrays->contains(name)) arrays->emplace(name + "0", arrays->at(name));
  }
  if (arrays.ok() && arrays->at("x0").shape.size() > 1) {
    options.read.time = arrays->at("x0").shape[1];  // where the file leaves it open
  }
  std::vector<std::string> notes;
  SEQ_ASSIGN_OR_RETURN(Model model, LoadKerasModel(path.string(), options, &notes));
  for (const std::string& note : notes) std::printf("note: %s\n", note.c_str());
  if (arrays.ok()) {
    SEQ_EXPECT_OK(ComparePredictions(model, *arrays, path.filename().string()));
  }
  const absl::StatusOr<KerasModel> keras = KerasFromModel(model, &notes);
  SEQ_EXPECT_OK(keras);
  if (keras.ok()) ExpectRoundTrips(*keras, options.read);
  return absl::OkStatus();
}

class KerasFolderTest : public ::testing::TestWithParam<const char*> {};

TEST_P(KerasFolderTest, ComputesWhatKerasDoes) {
  SEQ_SHARED_OR_SKIP(folder, GetParam());
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string ending = entry.path().extension().string();
    if (ending != ".keras" && ending != ".h5" && ending != ".hdf5") continue;
    const std::string name = entry.path().stem().string();
    SCOPED_TRACE(name);
    SEQ_EXPECT_OK(CheckFile(entry.path()));
    ++files;
  }
  EXPECT_GE(files, std::string(GetParam()) == "keras_gaps" ? 19 : 5);
}

INSTANTIATE_TEST_SUITE_P(Folders, KerasFolderTest, ::testing::Values("keras_gaps", "keras_old"),
                         [](const auto& info) { return std::string(info.param); });

// Layers for one maker's processors alone, from tf_keras with random weights; what it computes with
// the same file read into LSTM and GRU.
TEST(CuDnnTest, CellsAreReadAsLstmAndGru) {
  for (const std::string cell : {"lstm", "gru"}) {
    SCOPED_TRACE(cell);
    const std::string stem = absl::StrCat("tests/keras_files/models/cudnn_", cell);
    std::vector<std::string> notes;
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, LoadKerasModel(stem + ".h5", {}, &notes));
    SEQ_ASSERT_OK_AND_ASSIGN(const Arrays arrays, data::ReadNpz(stem + ".expected.npz"));
    SEQ_EXPECT_OK(ComparePredictions(model, arrays, cell));
  }
}

// Scaled by a layer that was adapted, with its count, and scaled back by one whose numbers were
// given. Of Keras 3 on ragged rows that are padded with -1e30, behind Masking; in tf_keras no mask
// passes the layer, so there the same is refused.
TEST(NormalizationFilesTest, AreReadAndWrittenBack) {
  constexpr char kModels[] = "tests/keras_files/models/normalization";
  for (const char* ending : {".keras", ".h5", "_keras2.h5"}) {
    SCOPED_TRACE(ending);
    SEQ_EXPECT_OK(CheckFile(absl::StrCat(kModels, ending)));
  }
  EXPECT_THAT(CheckFile(absl::StrCat(kModels, "_keras2_masked.h5")),
              StatusIs(absl::StatusCode::kUnimplemented,
                       "layer normalization: Keras 2 hands no mask on behind it"));
}

// Layers over time, and operations on tensors, of both Keras: make_models.py.
class MadeModelsTest : public ::testing::TestWithParam<const char*> {};

TEST_P(MadeModelsTest, AreReadRunAndWrittenBack) {
  SEQ_EXPECT_OK(CheckFile(absl::StrCat("tests/keras_files/models/", GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Files, MadeModelsTest,
                         ::testing::Values("cnn_lstm.keras", "cnn_lstm.h5", "cnn_lstm_keras2.keras",
                                           "cnn_lstm_keras2.h5", "over_time_of_all.keras",
                                           "over_time_of_all.h5", "over_time_of_all_keras2.keras",
                                           "over_time_of_all_keras2.h5", "operations.keras",
                                           "operations_keras2.h5", "words_of_letters.keras",
                                           "words_of_letters_keras2.h5", "dictionaries.keras",
                                           "dictionaries_keras2.keras", "both_directions.keras",
                                           "both_directions_keras2.h5"),
                         [](const auto& info) {
                           return absl::StrReplaceAll(info.param, {{".", "_"}});
                         });

// Masks end at operations, which no layer of Keras would do in their place: so what was read is
// written with those that are layers here refused, and says which.
TEST(OperationsTest, EndMasks) {
  for (const char* name : {"attention.keras", "attention_keras2.h5"}) {
    SCOPED_TRACE(name);
    const std::string path = absl::StrCat("tests/keras_files/models/", name);
    std::vector<std::string> notes;
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, LoadKerasModel(path, {}, &notes));
    const std::string stem = path.substr(0, path.rfind('.'));
    SEQ_ASSERT_OK_AND_ASSIGN(const Arrays arrays, data::ReadNpz(stem + ".expected.npz"));
    SEQ_EXPECT_OK(ComparePredictions(model, arrays, name));
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel keras, KerasFromModel(model, &notes));
    EXPECT_THAT(keras::KerasZip(keras),
                StatusIs(absl::StatusCode::kUnimplemented,
                         "was an operation on tensors, at which masks end"));
  }
}

// An operation of which nothing is known is named, with what it is called with.
TEST(OperationsTest, ThatAreNotKnownAreNamed) {
  const auto with = [](const std::string& function, const std::string& arguments) {
    return absl::StrCat(
        R"({"class_name": "Functional", "config": {"name": "m", "layers": [
          {"class_name": "InputLayer", "name": "x", "inbound_nodes": [],
           "config": {"name": "x", "batch_input_shape": [null, 3, 2], "dtype": "float32"}},
          {"class_name": "TFOpLambda", "name": "f", "config": {"name": "f", "function": ")",
        function, R"("}, "inbound_nodes": [["x", 0, 0, {)", arguments, R"(}]]}],
          "input_layers": [["x", 0, 0]], "output_layers": [["f", 0, 0]]}})");
  };
  const auto read = [](const std::string& json) {
    return keras::ParseKerasConfig(json, {}).status();
  };
  EXPECT_THAT(read(with("signal.stft", "")),
              StatusIs(absl::StatusCode::kUnimplemented, "operation signal.stft (f): it is not"));
  EXPECT_THAT(read(with("math.reduce_mean", R"("axis": 1, "sparkle": 7)")),
              StatusIs(absl::StatusCode::kUnimplemented, "its argument sparkle = 7"));
  EXPECT_THAT(read(with("math.reduce_mean", "")),
              StatusIs(absl::StatusCode::kInvalidArgument, "Mean takes 1 or more axes, got 0"));
  EXPECT_THAT(read(with("math.multiply", R"("y": [[1, 2], [3]])")),
              StatusIs(absl::StatusCode::kUnimplemented, "an array of uneven lists"));
  EXPECT_THAT(read(with("math.multiply", R"("y": "two")")),
              StatusIs(absl::StatusCode::kUnimplemented, "its operand \"two\" is no number"));
  EXPECT_THAT(read(with("math.pow", R"("y": [1, 2])")),
              StatusIs(absl::StatusCode::kUnimplemented, "its operand is an array"));
}

}  // namespace
}  // namespace seqgraph
