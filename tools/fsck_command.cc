#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/printable.h"
#include "base/status_macros.h"
#include "tools/command.h"
#include "tools/file_kinds.h"

namespace seqgraph::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using State = FileReport::State;

constexpr int kMostDepth = 32;             // of folders in each other
constexpr int64_t kMostFiles = 1'000'000;  // of all folders

const char* StateName(State state) {
  return state == State::kWhole ? "whole" : state == State::kDamaged ? "damaged" : "unknown";
}

class FsckCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFiles("PATH", &paths_, "Files, and folders with all that is in them").Required();
    flags.Choice("--format", &format_, {"text", "json"}, "How what is found is printed");
    flags.Footer(
        "Checks models (of seqgraph, .keras, .h5, .onnx), data caches, what `encode` wrote, saved\n"
        "states of streams and of runs: a line each, and of what is damaged what can still be "
        "read.\n"
        "Changes nothing. Other files are counted; links in folders are not followed. Exit "
        "status:\n"
        "0 if all of these are whole, 1 if one is damaged or cannot be told.\n\nExamples:\n"
        "  seqgraph fsck model.pb runs");
  }

  absl::StatusOr<int> Run(Output& out) override {
    for (const std::string& path : paths_) {
      std::error_code error;
      if (fs::is_directory(path, error)) {
        Walk(path, 0, out);
      } else {
        Check(path, /*named=*/true, out);
      }
    }
    if (format_ == "json") {
      Json all = {{"files", files_}, {"others", others_}, {"links", links_}};
      for (const State state : {State::kWhole, State::kDamaged, State::kUnknown}) {
        all[StateName(state)] = counts_[state];
      }
      out.Write(all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    } else {
      out.Print("%d whole, %d damaged, %d unknown", counts_[State::kWhole],
                counts_[State::kDamaged], counts_[State::kUnknown]);
      if (others_ > 0) out.Print("; %d other files", others_);
      if (links_ > 0) out.Print("; %d links not followed", links_);
      out.Write("\n");
    }
    return counts_[State::kDamaged] + counts_[State::kUnknown] == 0 ? 0 : 1;
  }

 private:
  // What is in a folder, by name.
  void Walk(const std::string& folder, int depth, Output& out) {
    std::error_code error;
    std::vector<std::string> paths;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      if (++walked_ > kMostFiles) break;
      paths.push_back(at->path().string());
    }
    if (error) return Tell(folder, "folder", {State::kUnknown, "", error.message()}, out);
    if (walked_ > kMostFiles) {
      Tell(folder, "folder",
           {State::kUnknown, "", absl::StrCat("more than ", kMostFiles, " files altogether")}, out);
    }
    std::sort(paths.begin(), paths.end());
    for (const std::string& path : paths) {
      const fs::file_status status = fs::symlink_status(path, error);
      if (fs::is_symlink(status)) {
        ++links_;
      } else if (fs::is_directory(status) && depth < kMostDepth) {
        Walk(path, depth + 1, out);
      } else if (fs::is_directory(status)) {
        Tell(path, "folder",
             {State::kUnknown, "", absl::StrCat("more than ", kMostDepth, " folders deep")}, out);
      } else if (fs::is_regular_file(status)) {
        Check(path, /*named=*/false, out);
      } else {
        ++others_;
      }
    }
  }

  // `named`: by the user, who takes it for one of ours.
  void Check(const std::string& path, bool named, Output& out) {
    const absl::StatusOr<const FileKind*> kind = KindOfFile(path);
    if (!kind.ok()) {
      return Tell(path, "file", {State::kUnknown, "", std::string(kind.status().message())}, out);
    }
    if (*kind != nullptr) return Tell(path, (*kind)->name, (*kind)->check(path), out);
    if (named)
      return Tell(path, "file", {State::kUnknown, "", "of no kind that is known here"}, out);
    ++others_;
  }

  void Tell(const std::string& path, const char* kind, FileReport report, Output& out) {
    ++counts_[report.state];
    if (format_ == "json") {
      Json file = {{"path", path}, {"kind", kind}, {"state", StateName(report.state)}};
      if (!report.what.empty()) file["what"] = report.what;
      if (!report.wrong.empty()) file["wrong"] = report.wrong;
      if (!report.parts.empty()) file["parts"] = report.parts;
      files_.push_back(std::move(file));
      return;
    }
    const std::string& text = report.state == State::kWhole ? report.what : report.wrong;
    out.Print("%s: %s (%s): %s\n", Printable(path), StateName(report.state), kind, Printable(text));
    for (const std::string& part : report.parts) out.Print("    %s\n", Printable(part));
  }

  std::vector<std::string> paths_;
  std::string format_ = "text";
  std::map<State, int64_t> counts_;
  int64_t others_ = 0, links_ = 0, walked_ = 0;
  Json files_ = Json::array();
};

}  // namespace

CommandDef DefineFsck() {
  return DefineCommand<FsckCommand>(
      "fsck", "Whether models, caches and states are whole, and what of damaged ones can be read");
}

}  // namespace seqgraph::tools
