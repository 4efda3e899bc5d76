#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
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
#include "tools/line_reader.h"
#include "tools/step_times.h"

namespace seqgraph::tools {
namespace {

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void SleepUntil(int64_t nanoseconds) {
  const timespec until{static_cast<time_t>(nanoseconds / 1'000'000'000),
                       static_cast<long>(nanoseconds % 1'000'000'000)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

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

// A field of a line as an element of an input.
absl::Status SetElement(absl::string_view field, DType dtype, void* elements, int64_t i) {
  bool ok = false;
  switch (dtype) {
    case DType::kFloat32:
      ok = absl::SimpleAtof(field, static_cast<float*>(elements) + i);
      break;
    case DType::kFloat64:
      ok = absl::SimpleAtod(field, static_cast<double*>(elements) + i);
      break;
    case DType::kInt32:
      ok = absl::SimpleAtoi(field, static_cast<int32_t*>(elements) + i);
      break;
    case DType::kInt64:
      ok = absl::SimpleAtoi(field, static_cast<int64_t*>(elements) + i);
      break;
  }
  return ok ? absl::OkStatus() : InvalidArgument("'", field, "' is no ", DTypeName(dtype));
}

// The shortest decimals that read back the same.
void AppendElements(const StreamPort& port, const void* elements, std::string& line) {
  for (int64_t i = 0; i < port.elements(); ++i) {
    if (!line.empty()) line += ',';
    switch (port.type.dtype) {
      case DType::kFloat32:
        absl::StrAppendFormat(&line, "%.9g", static_cast<const float*>(elements)[i]);
        break;
      case DType::kFloat64:
        absl::StrAppendFormat(&line, "%.17g", static_cast<const double*>(elements)[i]);
        break;
      case DType::kInt32:
        absl::StrAppend(&line, static_cast<const int32_t*>(elements)[i]);
        break;
      case DType::kInt64:
        absl::StrAppend(&line, static_cast<const int64_t*>(elements)[i]);
        break;
    }
  }
}

std::string AnswerLine(const Stream& stream) {
  std::string line;
  for (size_t r = 0; r < stream.model().results().size(); ++r) {
    AppendElements(stream.model().results()[r], stream.result<void>(static_cast<int>(r)), line);
  }
  return line + "\n";
}

class StreamCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("MODEL", &path_, "A model: of seqgraph, .keras, .h5 or .onnx as it is")
        .Required();
    flags.InputFile("--input", &input_,
                    "Steps as lines of numbers, or sound (WAV, FLAC, ...); without it lines of\n"
                    "standard input");
    flags.OutputFile("--output", &output_,
                     "Where answers go: a .wav file for sound, lines otherwise; without it\n"
                     "standard output");
    flags.Int("--block", &block_, 1, 1 << 20, "Steps of sound taken at once");
    flags.Switch("--realtime", &realtime_,
                 "Take steps when they are due, and say how many came too late");
    flags.Real("--rate", &rate_, 0, 1e9, "Steps a second of --realtime; of sound the file says it");
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
        "An empty line begins a new sequence. Each channel of sound is a stream of its own.\n\n"
        "  seqgraph stream amplifier.keras --input=guitar.wav --output=amplified.wav --block=64\n"
        "  sensor | seqgraph stream control.seq.pb --times");
  }

  absl::StatusOr<int> Run(Output& out) override {
    SEQ_RETURN_IF_ERROR(Load());
    InterruptHandler interrupt(/*restart=*/false);
    interrupt_ = interrupt.flag();
    bool audio = false;
    if (!input_.empty()) {
      SEQ_ASSIGN_OR_RETURN(const std::string start, ReadFileStart(input_, 4));
      audio = IsAudio(start);
    }
    SEQ_RETURN_IF_ERROR(audio ? StreamSound(out) : StreamLines(out));
    if (times_ || realtime_) std::fprintf(stderr, "%s", step_times_.Text().c_str());
    if (realtime_) {
      std::fprintf(stderr, "%lld of %lld steps came too late\n", static_cast<long long>(late_),
                   static_cast<long long>(step_times_.count()));
    }
    if (!save_.empty()) {
      SEQ_RETURN_IF_ERROR(AtomicWriteFile(save_, streams_[0]->Save()));
    }
    return interrupt.signal() == 0 ? 0 : interrupt.exit_status();
  }

 private:
  absl::Status Load() {
    SEQ_ASSIGN_OR_RETURN(const FormatOptions options, import_.Options(path_));
    SEQ_ASSIGN_OR_RETURN(ConvertedModel read, ReadAnyModel(path_, options));
    for (const std::string& note : read.notes) {
      std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
    }
    StreamOptions stream{.function = function_, .block = block_};
    SEQ_ASSIGN_OR_RETURN(stream.states, ParsePairs("--states", states_, "IN=OUT"));
    SEQ_ASSIGN_OR_RETURN(const auto axes, ParsePairs("--time_axes", time_axes_, "INPUT=AXIS"));
    for (const auto& [name, axis] : axes) {
      if (!absl::SimpleAtoi(axis, &stream.time_axes[name])) {
        return InvalidArgument("--time_axes: '", axis, "' is no axis");
      }
    }
    SEQ_ASSIGN_OR_RETURN(model_,
                         Annotate(StreamModel::Create(std::move(read.model), stream), path_));
    if (!model_->nodes_by_definition().empty()) {
      std::fprintf(stderr,
                   "seqgraph: note: these nodes have no kernel, and may allocate memory in a "
                   "step: %s\n",
                   absl::StrJoin(model_->nodes_by_definition(), ", ").c_str());
    }
    return AddStream();
  }

  absl::Status AddStream() {
    SEQ_ASSIGN_OR_RETURN(std::unique_ptr<Stream> stream, model_->NewStream());
    if (!load_.empty()) {
      SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(load_, int64_t{1} << 30));
      SEQ_RETURN_IF_ERROR(Annotate(stream->Restore(bytes), load_));
    }
    streams_.push_back(std::move(stream));
    return absl::OkStatus();
  }

  bool Interrupted() const { return *interrupt_; }

  // Waits until call `k` of `calls` together is due, and afterwards sees whether it came too late:
  // when the next has become due too.
  template <typename F>
  absl::Status Timed(int64_t k, double calls_per_second, F step) {
    const auto due = [&](int64_t call) {
      return start_ + static_cast<int64_t>(static_cast<double>(call) * 1e9 / calls_per_second);
    };
    if (realtime_ && start_ == 0) start_ = Now();
    if (realtime_) SleepUntil(due(k + 1));
    const int64_t begin = Now();
    SEQ_RETURN_IF_ERROR(step());
    const int64_t end = Now();
    step_times_.Add(end - begin);
    late_ += realtime_ && end > due(k + 2);
    return absl::OkStatus();
  }

  absl::Status SetInputs(absl::string_view line) {
    const std::vector<absl::string_view> fields =
        absl::StrSplit(line, absl::ByAnyChar(",;\t "), absl::SkipEmpty());
    int64_t wanted = 0;
    for (const StreamPort& port : model_->inputs()) wanted += port.elements();
    if (static_cast<int64_t>(fields.size()) != wanted) {
      return InvalidArgument("a step is ", wanted, " numbers, got ", fields.size());
    }
    size_t field = 0;
    for (size_t i = 0; i < model_->inputs().size(); ++i) {
      const StreamPort& port = model_->inputs()[i];
      void* const elements = streams_[0]->input<void>(static_cast<int>(i));
      for (int64_t k = 0; k < port.elements(); ++k) {
        SEQ_RETURN_IF_ERROR(SetElement(fields[field++], port.type.dtype, elements, k));
      }
    }
    return absl::OkStatus();
  }

  // True if no field is a number.
  static bool IsHeader(absl::string_view line) {
    double ignored;
    for (const absl::string_view field :
         absl::StrSplit(line, absl::ByAnyChar(",;\t "), absl::SkipEmpty())) {
      if (absl::SimpleAtod(field, &ignored)) return false;
    }
    return true;
  }

  absl::Status StreamLines(Output& out) {
    if (realtime_ && rate_ == 0) return InvalidArgument("--realtime needs --rate for lines");
    std::FILE* const file = input_.empty() ? stdin : std::fopen(input_.c_str(), "rb");
    if (file == nullptr) return NotFound(input_, ": cannot be opened");
    const std::unique_ptr<std::FILE, void (*)(std::FILE*)> closes(file, [](std::FILE* f) {
      if (f != stdin) std::fclose(f);
    });
    const std::string name = input_.empty() ? "standard input" : input_;
    std::unique_ptr<AtomicFile> to;
    if (!output_.empty()) {
      SEQ_ASSIGN_OR_RETURN(to, AtomicFile::Create(output_));
    }
    LineReader reader(fileno(file), name);
    reader.set_interrupt(interrupt_);
    int64_t k = 0;
    while (!Interrupted()) {
      SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> lines, reader.Next(1));
      if (lines.empty()) break;
      if (lines[0].empty()) {
        streams_[0]->Reset();
        continue;
      }
      if (reader.first_line() == 1 && IsHeader(lines[0])) continue;
      const std::string where = absl::StrCat(name, ": line ", reader.first_line());
      SEQ_RETURN_IF_ERROR(Annotate(SetInputs(lines[0]), where));
      SEQ_RETURN_IF_ERROR(Annotate(Timed(k++, rate_, [&] { return streams_[0]->Step(); }), where));
      const std::string answer = AnswerLine(*streams_[0]);
      if (to != nullptr) {
        SEQ_RETURN_IF_ERROR(to->Write(answer));
      } else {
        out.Write(answer);
        SEQ_RETURN_IF_ERROR(out.Flush());  // Somebody may be waiting for it.
      }
    }
    return to != nullptr ? to->Commit() : absl::OkStatus();
  }

  // What a model must be to take sound: a call is some frames of one channel.
  absl::Status CheckSound() const {
    if (model_->inputs().size() == 1 && model_->results().size() == 1 &&
        model_->inputs()[0].type.dtype == DType::kFloat32 &&
        model_->results()[0].type.dtype == DType::kFloat32) {
      return absl::OkStatus();
    }
    std::vector<std::string> inputs;
    for (const StreamPort& port : model_->inputs()) {
      inputs.push_back(absl::StrCat(port.name, " ", port.type.ToString()));
    }
    return InvalidArgument(path_, " takes ", absl::StrJoin(inputs, ", "), " and gives ",
                           model_->results().size(),
                           " results; sound needs one input and one result of float32 (see "
                           "--states)");
  }

  absl::Status StreamSound(Output& out) {
    SEQ_RETURN_IF_ERROR(CheckSound());
    SEQ_ASSIGN_OR_RETURN(const auto sound, AudioReader::Open(input_));
    const int channels = sound->channels();
    while (static_cast<int>(streams_.size()) < channels) SEQ_RETURN_IF_ERROR(AddStream());
    const int64_t in = model_->inputs()[0].elements(), result = model_->results()[0].elements();
    const bool to_wav = absl::EndsWithIgnoreCase(output_, ".wav");
    if (to_wav && in != result) {
      return InvalidArgument("--output: ", result, " numbers for ", in,
                             " frames are no sound; give a file that does not end in .wav");
    }
    std::unique_ptr<WavWriter> wav;
    std::unique_ptr<AtomicFile> lines;
    if (to_wav) {
      SEQ_ASSIGN_OR_RETURN(wav,
                           WavWriter::Create(output_, channels, sound->rate(), sound->frames()));
    } else if (!output_.empty()) {
      SEQ_ASSIGN_OR_RETURN(lines, AtomicFile::Create(output_));
    }
    const double rate = rate_ > 0 ? rate_ : static_cast<double>(sound->rate()) / in;
    const auto at_once = static_cast<size_t>(block_);
    std::vector<float> frames(at_once * in * channels), x(at_once * in),
        y(at_once * result * channels), told(at_once * result);
    for (int64_t k = 0; !Interrupted(); ++k) {
      std::fill(frames.begin(), frames.end(), 0.0f);
      const int64_t read = sound->Read(absl::MakeSpan(frames));
      if (read == 0) break;
      const int64_t calls = (read + in - 1) / in;  // the last one is filled up with silence
      SEQ_RETURN_IF_ERROR(Timed(k, rate / static_cast<double>(block_), [&]() -> absl::Status {
        for (int c = 0; c < channels; ++c) {
          for (int64_t i = 0; i < calls * in; ++i) x[i] = frames[i * channels + c];
          SEQ_RETURN_IF_ERROR(streams_[c]->StepBlock(calls, {x.data()}, {told.data()}));
          for (int64_t i = 0; i < calls * result; ++i) y[i * channels + c] = told[i];
        }
        return absl::OkStatus();
      }));
      if (wav != nullptr) {
        SEQ_RETURN_IF_ERROR(wav->Write({y.data(), static_cast<size_t>(read * channels)}));
        continue;
      }
      std::string text;
      for (int64_t call = 0; call < calls; ++call) {
        const float* const row = y.data() + call * result * channels;
        const std::vector<float> numbers(row, row + result * channels);
        absl::StrAppend(&text,
                        absl::StrJoin(numbers, ",",
                                      [](std::string* to, float number) {
                                        absl::StrAppendFormat(to, "%.9g", number);
                                      }),
                        "\n");
      }
      if (lines != nullptr) {
        SEQ_RETURN_IF_ERROR(lines->Write(text));
      } else {
        out.Write(text);
      }
    }
    if (lines != nullptr) return lines->Commit();
    if (wav == nullptr) return absl::OkStatus();
    if (Interrupted()) return Cancelled("interrupted: ", output_, " is as it was");
    return wav->Commit();
  }

  std::string path_, input_, output_, states_, time_axes_, function_ = "predict", load_, save_;
  int64_t block_ = 1;
  double rate_ = 0;
  bool realtime_ = false, times_ = false;
  ImportFlags import_;
  std::shared_ptr<const StreamModel> model_;
  std::vector<std::unique_ptr<Stream>> streams_;
  const std::atomic<bool>* interrupt_ = nullptr;
  StepTimes step_times_;
  int64_t start_ = 0, late_ = 0;
};

}  // namespace

CommandDef DefineStream() {
  return DefineCommand<StreamCommand>("stream",
                                      "Run a model step by step on sound or lines, as they come");
}

}  // namespace seqgraph::tools
