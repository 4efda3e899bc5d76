#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "stream/stream.h"
#include "tools/audio_file.h"
#include "tools/command.h"
#include "tools/convert/model_formats.h"
#include "tools/import_flags.h"
#include "tools/interrupt.h"
#include "tools/stream_run.h"

namespace seqgraph::tools {
namespace {

// "a=b,c=d" as pairs.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ParsePairs(const std::string& flag,
                                                                            const std::string& text,
                                                                            const char* form) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const size_t equals = part.rfind('=');
    if (equals == absl::string_view::npos || equals == 0 || equals + 1 == part.size()) {
      return InvalidArgument(flag, ": expected ", form, ", got '", part, "'");
    }
    pairs.emplace_back(part.substr(0, equals), part.substr(equals + 1));
  }
  return pairs;
}

// "NAME=AXIS,...", of several inputs.
absl::StatusOr<std::map<std::string, int, std::less<>>> ParseAxes(const std::string& text) {
  std::map<std::string, int, std::less<>> axes;
  SEQ_ASSIGN_OR_RETURN(const auto pairs, ParsePairs("--time_axes", text, "INPUT=AXIS"));
  for (const auto& [name, axis] : pairs) {
    if (!absl::SimpleAtoi(axis, &axes[name])) {
      return InvalidArgument("--time_axes: '", axis, "' is no axis; expected its number, from 0");
    }
  }
  return axes;
}

class StreamCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("MODEL", &path_, "A model: of seqgraph, .keras, .h5 or .onnx as it is")
        .Required();
    flags.InputFile("--input", &run_.input,
                    "Steps as lines of numbers, or sound (WAV, FLAC, ...); without it lines of\n"
                    "standard input");
    flags.OutputFile("--output", &run_.output,
                     "Where answers go: a .wav file for sound, lines otherwise; without it\n"
                     "standard output");
    flags.Int("--block", &run_.block, 1, 1 << 16, "Steps of sound taken at once");
    flags.Int("--lookahead", &lookahead_, 0, 1 << 12,
              "Steps that layers which go backwards see ahead; answers come as many later");
    flags.Switch("--realtime", &run_.realtime,
                 "Take steps when they are due, and say how many came too late");
    flags.Real("--rate", &run_.rate, 0, 1e9,
               "Steps a second of --realtime; of sound the file says it");
    flags.Switch("--times", &times_, "Say how long steps took");
    flags.Text("--states", &states_, "IN=OUT,...",
               "Inputs that are states, and the results that they become after a step");
    flags.Text("--time_axes", &time_axes_, "INPUT=AXIS,...",
               "Which axis of an input is time, where it is not found out; -1: none");
    flags.Text("--function", &function_, "NAME", "The function to run");
    flags.InputFile("--load_state", &load_, "Go on from a state that was saved");
    flags.OutputFile("--save_state", &save_, "Where the state at the end is saved",
                     /*may_replace=*/"--load_state");
    import_.Declare(flags);
    flags.Footer(
        "A line holds the numbers of one step, those of the inputs one behind the other, with\n"
        "commas, tabs, semicolons or spaces between; a first line without numbers is passed over.\n"
        "Behind an empty line a new sequence begins. Each channel of sound is a stream of its "
        "own.\n"
        "An answer that comes steps late, with --lookahead or behind windows, is noted on "
        "standard\n"
        "error: so many of the first ones mean nothing.\n\n"
        "Examples:\n"
        "  seqgraph stream amplifier.keras --input=guitar.wav --output=amplified.wav --block=64\n"
        "  sensor | seqgraph stream control.seq.pb --times");
  }

  absl::StatusOr<int> Run(Output& out) override {
    SEQ_RETURN_IF_ERROR(Load());
    NoteDelays();
    run_.pace = StepPace(run_.realtime);
    InterruptHandler interrupt(/*restart=*/false);
    run_.interrupt = interrupt.flag();
    SEQ_RETURN_IF_ERROR(Stream(out));
    if (times_ || run_.realtime) std::fprintf(stderr, "%s", run_.pace.Text().c_str());
    if (!save_.empty()) SEQ_RETURN_IF_ERROR(Save());
    return interrupt.signal() == 0 ? 0 : interrupt.exit_status();
  }

 private:
  absl::Status Load() {
    SEQ_ASSIGN_OR_RETURN(const FormatOptions options, import_.Options(path_));
    SEQ_ASSIGN_OR_RETURN(ConvertedModel read, ReadAnyModel(path_, options));
    for (const std::string& note : read.notes) {
      std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
    }
    StreamOptions stream{.function = function_, .block = run_.block, .lookahead = lookahead_};
    SEQ_ASSIGN_OR_RETURN(stream.states, ParsePairs("--states", states_, "IN=OUT"));
    SEQ_ASSIGN_OR_RETURN(stream.time_axes, ParseAxes(time_axes_));
    SEQ_ASSIGN_OR_RETURN(model_,
                         Annotate(StreamModel::Create(std::move(read.model), stream), path_));
    const auto& results = model_->results();
    if (lookahead_ > 0 && std::none_of(results.begin(), results.end(),
                                       [](const StreamPort& port) { return port.delay > 0; })) {
      return InvalidArgument("--lookahead: nothing in ", path_, " goes backwards");
    }
    if (!model_->nodes_by_definition().empty()) {
      std::fprintf(stderr,
                   "seqgraph: note: these nodes have no kernel, and may allocate memory in a "
                   "step: %s\n",
                   absl::StrJoin(model_->nodes_by_definition(), ", ").c_str());
    }
    return absl::OkStatus();
  }

  // What nobody would see from the answers.
  void NoteDelays() const {
    for (const StreamPort& result : model_->results()) {
      if (result.delay == 0) continue;
      std::fprintf(stderr, "seqgraph: note: result %s comes %lld step%s late\n",
                   result.name.c_str(), static_cast<long long>(result.delay),
                   result.delay == 1 ? "" : "s");
    }
  }

  absl::Status Stream(Output& out) {
    if (!run_.input.empty()) {
      SEQ_ASSIGN_OR_RETURN(const std::string start, ReadFileStart(run_.input, 4));
      if (IsAudio(start)) {
        SEQ_ASSIGN_OR_RETURN(const auto sound, AudioReader::Open(run_.input));
        SEQ_RETURN_IF_ERROR(AddStreams(sound->channels()));
        return Annotate(StreamSound(run_, *sound, out), path_);
      }
    }
    SEQ_RETURN_IF_ERROR(AddStreams(1));
    return StreamLines(run_, out);
  }

  // A saved state holds that of each stream, one behind the other.
  absl::Status AddStreams(int count) {
    std::string states;
    if (!load_.empty()) {
      SEQ_ASSIGN_OR_RETURN(states, ReadFile(load_, int64_t{1} << 30));
    }
    for (int i = 0; i < count; ++i) {
      SEQ_ASSIGN_OR_RETURN(run_.streams.emplace_back(), model_->NewStream());
    }
    if (load_.empty()) return absl::OkStatus();
    const size_t bytes = run_.streams[0]->Save().size();
    const size_t saved = states.size() / bytes;
    if (saved > 0 && states.size() % bytes == 0 && saved != run_.streams.size()) {
      return InvalidArgument(load_, ": holds the states of ", saved, " streams; there are ", count,
                             ", one a channel");
    }
    // Of any other size: the first one says what is wrong.
    const size_t each = states.size() == bytes * run_.streams.size() ? bytes : states.size();
    for (int i = 0; i < count; ++i) {
      SEQ_RETURN_IF_ERROR(Annotate(
          run_.streams[i]->Restore(absl::string_view(states).substr(i * each, each)), load_));
    }
    return absl::OkStatus();
  }

  absl::Status Save() const {
    std::string states;
    for (const auto& stream : run_.streams) states += stream->Save();
    return AtomicWriteFile(save_, states);
  }

  std::string path_, states_, time_axes_, function_ = "predict", load_, save_;
  int64_t lookahead_ = 0;
  bool times_ = false;
  ImportFlags import_;
  std::shared_ptr<const StreamModel> model_;
  StreamRun run_;
};

}  // namespace

CommandDef DefineStream() {
  return DefineCommand<StreamCommand>("stream",
                                      "Run a model step by step on sound or lines, as they come");
}

}  // namespace seqgraph::tools
