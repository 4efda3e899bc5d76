// The models of the runs that Keras recorded, step by step: every model goes bit for bit as on
// whole sequences, or is refused for a reason that is right for it.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "seqgraph.h"
#include "tests/parity/parity_case.h"
#include "tests/streams/whole_and_steps.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr char kCases[] = "tests/parity/cases";

absl::StatusOr<Model> ModelOf(const std::string& name) {
  SEQ_ASSIGN_OR_RETURN(const parity::ParityCase recorded,
                       parity::ReadParityCase(absl::StrCat(kCases, "/", name)));
  SEQ_ASSIGN_OR_RETURN(Model model, BuildModel(recorded.stack, recorded.training));
  for (const parity::CaseWeight& weight : recorded.weights) {
    SEQ_RETURN_IF_ERROR(model.variables.Assign(weight.variable, weight.trained));
  }
  return model;
}

// What no step can be taken through before the sequence has ended: a word of the run's name or of
// its layers' classes, and what the refusal then says.
bool IsRefusedRightly(const std::string& name, const Model& model, absl::string_view message) {
  std::string text = name;
  for (const Layer& layer : model.layers->layers)
    absl::StrAppend(&text, " ", layer.kind.class_name);
  struct Reason {
    const char* word;
    const char* message;
  };
  constexpr Reason kReasons[] = {{"Bidirectional", "goes backwards"},
                                 {"go_backwards", "goes backwards"},
                                 {"both", "goes backwards"},
                                 {"backwards", "goes backwards"},
                                 {"two_kinds", "goes backwards"},
                                 {"GlobalAveragePooling1D", "(GlobalAveragePooling1D)"},
                                 {"GlobalMaxPooling1D", "(GlobalMaxPooling1D)"},
                                 {"model_in_model", "(GlobalMaxPooling1D)"},
                                 {"Dot", "(MatMul)"},
                                 {"Dot", "over all steps"},
                                 {"Attention", "different numbers of steps"},
                                 {"Attention", "(MatMul)"},
                                 {"concatenate_time", "one sequence behind another"},
                                 // An encoder reads one sequence to its end, a decoder another.
                                 {"graph_states", "different numbers of steps"},
                                 {"same", "behind the end"},
                                 {"Conv1D", "behind the end"},
                                 {"padding", "behind the last step"},
                                 // Layers that are called once a step, on a slice of the sequence.
                                 {"TimeDistributed", "steps by their numbers"},
                                 {"TimeDistributed", "time is not axis 1"},
                                 // An array that has other numbers for each step.
                                 {"graph_constants", "does not come step by step"},
                                 {"graph_lambda", "over all steps"},
                                 // A softmax along the axis of time.
                                 {"graph_operations", "reads all steps at once"},
                                 {"reshape", "across steps"}};
  return std::any_of(std::begin(kReasons), std::end(kReasons), [&](const Reason& reason) {
    return absl::StrContains(text, reason.word) && absl::StrContains(message, reason.message);
  });
}

TEST(RecordedModels, GoStepByStepAsOnWholeSequences) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kCases)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  int streamed = 0;
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, ModelOf(name));
    SEQ_ASSERT_OK_AND_ASSIGN(Model copy, CopyOf(model));
    const auto stream = StreamModel::Create(std::move(copy));
    if (!stream.ok()) {
      EXPECT_TRUE(IsRefusedRightly(name, model, stream.status().message())) << stream.status();
      std::printf("%s: %s\n", name.c_str(), std::string(stream.status().message()).c_str());
      continue;
    }
    // Windows that begin every so many steps: the whole one ends amid those of a call.
    if (name == "layers_conv1d_strided") {
      EXPECT_GT((*stream)->steps(), 1);
      continue;
    }
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE(seed);
      const TensorMap row = RandomRow(model, seed);
      // A stateful model's own states are changed.
      SEQ_ASSERT_OK_AND_ASSIGN(Model again, CopyOf(model));
      SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap whole, RunWhole(again, row));
      SEQ_EXPECT_OK(CompareSteps(**stream, row, whole));
    }
    ++streamed;
  }
  std::printf("%d of %d models go step by step\n", streamed, static_cast<int>(names.size()));
  EXPECT_GE(streamed, 80);
}

}  // namespace
}  // namespace seqgraph
