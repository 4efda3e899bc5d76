#include "tools/all_commands.h"

#include "tools/backends_command.h"
#include "tools/bench_command.h"
#include "tools/conformance_command.h"
#include "tools/convert_command.h"
#include "tools/diff_command.h"
#include "tools/encode_command.h"
#include "tools/evaluate_command.h"
#include "tools/explain_command.h"
#include "tools/inspect_command.h"
#include "tools/passes_command.h"
#include "tools/predict_command.h"
#include "tools/summary_command.h"
#include "tools/test_command.h"
#include "tools/train_command.h"

namespace seqgraph::tools {
namespace {

constexpr CommandRow kCommands[] = {
    {"train", "Train a review classifier and save the best model", MakeTrainCommand},
    {"evaluate", "Loss and accuracy of a saved model on labelled reviews", MakeEvaluateCommand},
    {"predict", "Probability and label for raw text", MakePredictCommand},
    {"encode", "Write the integers that a model is trained on, as .npy files", MakeEncodeCommand},
    {"summary", "Layers, output shapes and parameters", MakeSummaryCommand},
    {"inspect", "A model's functions and nodes as text, text protobuf or DOT", MakeInspectCommand},
    {"convert", "A model from one format to another: Keras's files and ours", MakeConvertCommand},
    {"test", "Run graph test cases on a backend", MakeTestCommand},
    {"explain", "Which backend takes each node, and the memory of a call", MakeExplainCommand},
    {"passes", "The rewrites that make functions cheaper, with their rules", MakePassesCommand},
    {"bench", "How fast a function runs, node by node, against the machine's peak",
     MakeBenchCommand},
    {"diff", "Where two backends part, node by node", MakeDiffCommand},
    {"backends", "The backends there are, and which ops each takes", MakeBackendsCommand},
    {"conformance", "Prove a backend right, case by case", MakeConformanceCommand},
};

}  // namespace

absl::Span<const CommandRow> AllCommands() { return kCommands; }

}  // namespace seqgraph::tools
