#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/atomic_file.h"
#include "data/npy.h"
#include "google/protobuf/stubs/logging.h"
#include "tests/fuzz/seed_models.h"
#include "tests/fuzz/targets/targets.h"
#include "tools/file_kinds.h"
#include "tools/runs/run_record.h"
#include "tools/shard_journal.h"
#include "training/early_stopping.h"
#include "training/history.h"
#include "training/reduce_lr_on_plateau.h"
#include "training/run_state.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

// A folder of a target's own, empty.
std::string EmptyFolder(const std::string& name) {
  const std::string folder = absl::StrCat(FuzzFolder(), "/", name);
  fs::remove_all(folder);
  fs::create_directory(folder);
  return folder;
}

const Model& RunModel() {
  static const auto* const model = new Model(*StackModel(StreamStacks()[0], 1));
  return *model;
}

// What Trainer and callbacks take out of a state, behind the check sums of its records.
bool State(absl::string_view bytes) {
  const absl::StatusOr<RunState> state =
      RunState::Load(FuzzFile("state.seqrun", SealedRecords(bytes)));
  if (!FuzzOk(state.status())) return false;
  const absl::StatusOr<RunPosition> position = state->Position();
  FuzzOk(position.status());
  FuzzCheck(state->CountCallbacks() <= bytes.size(), "each callback has a record");
  static auto& model = *new Model(*StackModel(StreamStacks()[0], 1));
  for (const Variable& variable : RunModel().variables.all()) {
    FuzzOk(model.variables.Assign(variable.def.name, variable.value));
  }
  FitContext context{.model = model};
  const absl::Status variables = LoadVariables(state->Reader("variable"), model.variables);
  if (FuzzOk(variables)) {
    for (const Variable& variable : model.variables.all()) {
      FuzzCheck(
          variable.value.shape() == RunModel().variables.Find(variable.def.name)->value.shape(),
          "a variable keeps its shape");
    }
  }
  History history;
  if (FuzzOk(history.LoadState(context, state->Reader("history")))) {
    FuzzOk(history.WriteCsv(absl::StrCat(FuzzFolder(), "/history.csv")));
  }
  EarlyStopping stopping({.restore_best_weights = true});
  if (FuzzOk(stopping.LoadState(context, state->Reader("callback/0")))) {
    FuzzOk(stopping.OnTrainEnd(context));
  }
  ReduceLROnPlateau plateau;
  FuzzOk(plateau.LoadState(context, state->Reader("callback/1")));
  return true;
}

// What `runs`, `report` and `plot` read.
bool Record(absl::string_view bytes) {
  const std::string folder = EmptyFolder("run");
  const std::vector<std::string> files = UnpackFiles(bytes, 4);
  constexpr const char* kNames[] = {tools::kRunFile, tools::kHistoryFile, tools::kStepsFile,
                                    tools::kMessagesFile};
  for (size_t i = 0; i < files.size(); ++i) {
    FuzzFile(absl::StrCat("run/", kNames[i]), files[i]);
  }
  const absl::StatusOr<tools::RunRecord> record = tools::LoadRunRecord(folder);
  if (!FuzzOk(record.status())) return false;
  for (const tools::NumberTable* table : {&record->history, &record->steps}) {
    for (const auto& [name, column] : table->columns) {
      FuzzCheck(column.size() == table->rows(), "columns are of one length");
      tools::BestRow(column, record->HigherIsBetter(name).value_or(false));
    }
    table->ToCsv({"epoch", "loss"});
  }
  FuzzOk(tools::SaveRunRecord(*record));
  const absl::StatusOr<tools::RunRecord> again = tools::LoadRunRecord(folder);
  FuzzCheck(again.ok(), again.status().ToString());
  return true;
}

// The lines of a journal behind the first with the check sums that they ask for.
std::string SealedJournal(absl::string_view journal) {
  const size_t first = journal.find('\n');
  if (first == absl::string_view::npos) return std::string(journal);
  std::string sealed(journal.substr(0, first + 1));
  for (absl::string_view line : absl::StrSplit(journal.substr(first + 1), '\n')) {
    line = line.substr(0, line.rfind('\t'));
    absl::StrAppendFormat(&sealed, "%s\t%016x\n", line, tools::ShardSum(line));
  }
  return sealed;
}

bool Journal(absl::string_view bytes) {
  const std::string output = absl::StrCat(EmptyFolder("journal"), "/out");
  const std::vector<std::string> files = UnpackFiles(bytes, 2);
  fs::create_directory(output + ".parts");
  FuzzFile("journal/out.parts/journal", SealedJournal(files[0]));
  FuzzFile("journal/out.parts/answers", files[1]);
  const Facts facts = {{"data", "some"}};
  int64_t shards = 0;
  {
    const auto journal = tools::ShardJournal::Open(output, facts);
    if (!FuzzOk(journal.status())) return false;
    shards = (*journal)->shards();
    for (int64_t i = 0; i < shards; ++i) FuzzOk((*journal)->CheckShard(i, "rows"));
    FuzzOk((*journal)->Append(4, tools::ShardSum("rows"), {.bytes = "answer\n", .rows = 1}));
  }
  const auto again = tools::ShardJournal::Open(output, facts);
  FuzzCheck(again.ok(), again.status().ToString());
  FuzzCheck((*again)->shards() == shards + 1, "what was there is there, and one more");
  FuzzOk((*again)->Finish());
  return true;
}

// What a rank sends to the root.
bool Answer(absl::string_view bytes) {
  const auto answer = tools::ShardAnswer::FromText(bytes);
  if (!answer.ok()) return false;
  const auto again = tools::ShardAnswer::FromText(answer->Text());
  FuzzCheck(again.ok() && again->bytes == answer->bytes && again->rows == answer->rows,
            "an answer is the same again");
  return true;
}

// The first byte chooses a name, by which `fsck` knows some kinds.
bool AnyFile(absl::string_view bytes) {
  google::protobuf::LogSilencer silencer;
  static const std::string hash(64, 'a');
  static const auto* const names = new std::vector<std::string>{
      "x.pb",  "x.textproto", "x.h",           "x.keras",  "x.h5",          "x.onnx",
      "x.npy", "x.npz",       "x.safetensors", "x.seqrun", "checksums.txt", hash + ".data",
      "x",     "texts.json",  hash + ".stat",  "x.txt"};
  if (bytes.empty()) return false;
  EmptyFolder("any");
  const size_t name = static_cast<unsigned char>(bytes[0]) % names->size();
  const std::string path = FuzzFile(absl::StrCat("any/", (*names)[name]), bytes.substr(1));
  const auto kind = tools::KindOfFile(path);
  if (!FuzzOk(kind.status()) || *kind == nullptr) return false;
  const tools::FileReport report = (*kind)->check(path);
  const bool whole = report.state == tools::FileReport::State::kWhole;
  FuzzCheck(!(whole ? report.what : report.wrong).empty(), "a report says something");
  return whole;
}

// Seeds.

std::vector<std::string> StateSeeds() {
  RunState state;
  state.SetPosition({.epoch = 1, .step = 2});
  StateWriter variables = state.Writer("variable");
  SaveVariables(RunModel().variables, variables);
  Model model = *StackModel(StreamStacks()[0], 1);
  FitContext context{.model = model};
  Logs logs = {{"loss", 0.5}, {"val_loss", 0.25}};
  EarlyStopping stopping;
  ReduceLROnPlateau plateau;
  History history;
  const std::vector<const Callback*> callbacks = {&stopping, &plateau};
  FuzzOk(stopping.OnTrainBegin(context));
  FuzzOk(stopping.OnEpochEnd(context, 0, logs));
  history.Append(0, logs);
  for (size_t i = 0; i < callbacks.size(); ++i) {
    StateWriter writer = state.Writer(RunState::CallbackName(i));
    callbacks[i]->SaveState(writer);
    writer.Set("is_here", true);
  }
  StateWriter writer = state.Writer("history");
  history.SaveState(writer);
  const std::string path = FuzzFile("seed.seqrun", "");
  FuzzCheck(state.Save(path).ok(), path);
  return {*ReadFile(path, 1 << 20)};
}

std::vector<std::string> RecordSeeds() {
  tools::RunRecord record{.folder = EmptyFolder("run"),
                          .name = "r",
                          .command = {"train", "--units=4"},
                          .flags = {{"--units", "4"}},
                          .seed = 7,
                          .batch = 2,
                          .best_epoch = 1};
  record.higher_is_better["loss"] = false;
  FuzzCheck(tools::SaveRunRecord(record).ok(), "a record can be written");
  const std::string json = *ReadFile(absl::StrCat(record.folder, "/", tools::kRunFile), 1 << 20);
  return {PackFiles({json, "epoch,loss,backends\n0,0.5,\"simd, onednn\"\n1,nan,x\n",
                     "epoch,step,loss\n0,1,7e-1\n", "a message\n"})};
}

std::vector<std::string> JournalSeeds() {
  const std::string output = absl::StrCat(EmptyFolder("journal"), "/out");
  {
    const auto journal = tools::ShardJournal::Open(output, {{"data", "some"}});
    FuzzCheck(journal.ok(), "a journal begins");
    tools::ShardAnswer answer{.bytes = "first\n", .rows = 1};
    answer.problems = data::Problems::Of(2, {"line 7: no text"});
    FuzzOk((*journal)->Append(4, tools::ShardSum("rows"), answer));
    FuzzOk((*journal)->Append(4, tools::ShardSum("rows"), {.bytes = "second\n", .rows = 1}));
  }
  return {PackFiles({*ReadFile(output + ".parts/journal", 1 << 20),
                     *ReadFile(output + ".parts/answers", 1 << 20)})};
}

std::vector<std::string> AnswerSeeds() {
  tools::ShardAnswer answer{.bytes = "first\n", .rows = 1};
  answer.problems = data::Problems::Of(2, {"line 7: no text"});
  const tools::ShardAnswer failed{.error = absl::NotFoundError("no file")};
  return {answer.Text(), failed.Text()};
}

std::vector<std::string> AnyFileSeeds() {
  const std::string model = SealedFile(UnsealedFile(RunModel()));
  std::string array = "#if 0 // m.pb, by `seqgraph embed`: a model in C\nchar m[] = {";
  for (const char byte : model) absl::StrAppend(&array, static_cast<unsigned char>(byte), ",");
  const std::vector<float> x = {1, 2};
  return {absl::StrCat(std::string(1, '\0'), model), absl::StrCat("\2", array, "};\n#endif\n"),
          absl::StrCat("\6", *data::NpyFile(absl::MakeConstSpan(x), {2})),
          absl::StrCat("\x09", StateSeeds()[0])};
}

}  // namespace

const std::vector<FuzzTarget>& RunTargets() {
  static const auto* const targets = new std::vector<FuzzTarget>{
      {"run_state", State, StateSeeds},         {"run_record", Record, RecordSeeds},
      {"shard_journal", Journal, JournalSeeds}, {"shard_answer", Answer, AnswerSeeds},
      {"any_file", AnyFile, AnyFileSeeds},
  };
  return *targets;
}

}  // namespace seqgraph
