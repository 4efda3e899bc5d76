#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "tools/line_reader.h"
#include "tools/stream_run.h"

namespace seqgraph::tools {
namespace {

std::vector<absl::string_view> NumbersIn(absl::string_view line) {
  return absl::StrSplit(line, absl::ByAnyChar(",;\t "), absl::SkipEmpty());
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
  return ok ? absl::OkStatus()
            : InvalidArgument("'", field, "' is no ", DTypeName(dtype), ": expected a number");
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

absl::Status SetInputs(absl::Span<const absl::string_view> fields, Stream& stream) {
  const std::vector<StreamPort>& inputs = stream.model().inputs();
  int64_t wanted = 0;
  for (const StreamPort& port : inputs) wanted += port.elements();
  if (static_cast<int64_t>(fields.size()) != wanted) {
    return InvalidArgument("a line is ", wanted, wanted == 1 ? " number (" : " numbers (",
                           PortText(inputs), "), got ", fields.size());
  }
  size_t field = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    void* const elements = stream.input<void>(static_cast<int>(i));
    for (int64_t k = 0; k < inputs[i].elements(); ++k) {
      SEQ_RETURN_IF_ERROR(SetElement(fields[field++], inputs[i].type.dtype, elements, k));
    }
  }
  return absl::OkStatus();
}

bool NoneIsNumber(absl::Span<const absl::string_view> fields) {
  return std::none_of(fields.begin(), fields.end(), [](absl::string_view field) {
    double ignored;
    return absl::SimpleAtod(field, &ignored);
  });
}

}  // namespace

std::string PortText(const std::vector<StreamPort>& ports) {
  return absl::StrJoin(ports, ", ", [](std::string* to, const StreamPort& port) {
    absl::StrAppend(to, port.name, " ", port.type.ToString());
  });
}

absl::Status StreamLines(StreamRun& run, Output& out) {
  if (run.realtime && run.rate == 0) return InvalidArgument("--realtime needs --rate for lines");
  if (absl::EndsWithIgnoreCase(run.output, ".wav")) {
    return InvalidArgument("--output=", run.output, ": answers to lines are lines, no sound");
  }
  std::FILE* const file = run.input.empty() ? stdin : std::fopen(run.input.c_str(), "rb");
  if (file == nullptr) return NotFound(run.input, ": cannot be opened");
  const std::unique_ptr<std::FILE, void (*)(std::FILE*)> closes(file, [](std::FILE* f) {
    if (f != stdin) std::fclose(f);
  });
  std::unique_ptr<AtomicFile> to;
  if (!run.output.empty()) {
    SEQ_ASSIGN_OR_RETURN(to, AtomicFile::Create(run.output));
  }
  LineReader reader(fileno(file), run.input.empty() ? "standard input" : run.input);
  reader.set_interrupt(run.interrupt);
  Stream& stream = *run.streams[0];
  bool ended = false;  // A sequence did; its state can be saved until the next one begins.
  while (!*run.interrupt) {
    SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> lines, reader.Next(1));
    if (lines.empty()) break;
    const std::vector<absl::string_view> fields = NumbersIn(lines[0]);
    if (reader.first_line() == 1 && !fields.empty() && NoneIsNumber(fields)) continue;
    if (!fields.empty() && ended) stream.Reset();
    ended = fields.empty();
    if (ended) continue;
    const std::string where = absl::StrCat(reader.name(), ": line ", reader.first_line());
    SEQ_RETURN_IF_ERROR(Annotate(SetInputs(fields, stream), where));
    SEQ_RETURN_IF_ERROR(
        Annotate(run.pace.Take(run.rate, [&stream] { return stream.Step(); }), where));
    const std::string answer = AnswerLine(stream);
    if (to != nullptr) {
      SEQ_RETURN_IF_ERROR(to->Write(answer));
    } else {
      out.Write(answer);
      SEQ_RETURN_IF_ERROR(out.Flush());  // Somebody may be waiting for it.
    }
  }
  return to != nullptr ? to->Commit() : absl::OkStatus();
}

}  // namespace seqgraph::tools
