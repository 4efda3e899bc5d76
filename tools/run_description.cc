#include "tools/run_description.h"

#include <sys/utsname.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/runs/run_log.h"

namespace seqgraph::tools {
namespace {

// What follows `name` and `separator` in a file of such lines; empty: no line has it.
std::string ValueIn(const char* path, absl::string_view name, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    absl::string_view value = line;
    if (!absl::ConsumePrefix(&value, name)) continue;
    value = absl::StripLeadingAsciiWhitespace(value);
    if (value.empty() || value[0] != separator) continue;
    value = absl::StripAsciiWhitespace(value.substr(1));
    absl::ConsumePrefix(&value, "\"");
    absl::ConsumeSuffix(&value, "\"");
    return std::string(value);
  }
  return "";
}

std::string System() {
  const std::string name = ValueIn("/etc/os-release", "PRETTY_NAME", '=');
  struct utsname info = {};
  if (::uname(&info) != 0) return name;
  return absl::StrCat(name, name.empty() ? "" : ", ", info.sysname, " ", info.release, " ",
                      info.machine);
}

const char* InstructionSet() {
  if (__builtin_cpu_supports("avx512f")) return "AVX-512";
  if (__builtin_cpu_supports("avx2")) return "AVX2";
  return "SSE4";
}

int64_t TrainedParameters(const Model& model) {
  int64_t count = 0;
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.trainable) count += variable.value.num_elements();
  }
  return count;
}

}  // namespace

std::string ProcessorName() { return ValueIn("/proc/cpuinfo", "model name", ':'); }

RunRecord DescribeRun(const std::string& folder, const RunFacts& facts, const TrainingData& data,
                      const std::string& source, const Model& model, int64_t seed, int64_t batch) {
  RunRecord record{.folder = folder,
                   .name = std::filesystem::path(folder).filename().string(),
                   .command = {"train"},
                   .started = TimeOfNow(),
                   .environment = {{"cpu", ProcessorName()},
                                   {"instruction_set", InstructionSet()},
                                   {"system", System()}},
                   .seed = seed,
                   .batch = batch,
                   .data = source,
                   .train_rows = data.train().rows,
                   .validation_rows = data.validation().rows,
                   .train_hash = facts.train,
                   .validation_hash = facts.validation,
                   .noun = data.noun(),
                   .description = model.description,
                   .parameters = TrainedParameters(model),
                   .monitor = data.validation().rows > 0 ? "val_loss" : ""};
  for (const std::string& argument : facts.arguments) {
    record.command.push_back(argument);
    const std::string name = NameOfFlag(argument);
    const std::string value = name.size() < argument.size() ? argument.substr(name.size() + 1) : "";
    std::string& text = record.flags[name];
    absl::StrAppend(&text, text.empty() ? "" : " ", value);
    if (name == "--output") record.output = value;
    if (name == "--data") record.data = value;  // the whole path of a file
  }
  return record;
}

}  // namespace seqgraph::tools
