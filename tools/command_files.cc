#include "tools/command_files.h"

#include <unistd.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_identity.h"
#include "base/status_macros.h"
#include "tools/output_path.h"

namespace seqgraph::tools {
namespace {

namespace fs = std::filesystem;
using Kind = DeclaredFiles::Kind;

struct OutputFile {
  const DeclaredFiles* declared = nullptr;  // null: standard output or error
  std::string name;                         // for messages: "--output=a.pb"
  std::string path;
  FileIdentity identity;
};

std::string Named(const std::string& flag, const std::string& path) {
  return absl::StrCat(flag, absl::StartsWith(flag, "--") ? "=" : " ", path);
}

std::vector<OutputFile> OutputsOf(const std::vector<DeclaredFiles>& declared) {
  std::vector<OutputFile> outputs;
  for (const DeclaredFiles& files : declared) {
    if (!files.is_output()) continue;
    for (const std::string& path : files.paths()) {
      const std::string name = Named(files.flag, path);
      if (files.kind == Kind::kOutputFile) {
        outputs.push_back({&files, name, path, FileIdentity::OfPath(path)});
      }
      for (const std::string& written : files.written) {
        const std::string file = absl::StrCat(path, "/", written);
        outputs.push_back({&files, absl::StrCat("the file ", written, " in ", name), file,
                           FileIdentity::OfPath(file)});
      }
    }
  }
  return outputs;
}

// What a shell redirected is emptied, or grows, before anybody here can look.
void AddStreams(std::vector<OutputFile>& outputs) {
  for (const auto& [descriptor, name] :
       {std::pair(STDOUT_FILENO, "standard output"), std::pair(STDERR_FILENO, "standard error")}) {
    const std::optional<FileIdentity> identity = FileIdentity::OfDescriptor(descriptor);
    if (identity.has_value()) outputs.push_back({nullptr, name, "", *identity});
  }
}

absl::Status WouldBeLost(const OutputFile& output, const std::string& input) {
  return InvalidArgument(
      output.name, " is the same file as ", input,
      ", which this command reads: nothing was done; name another file to write");
}

// A file in a folder that is read is an input, also one that would be made there and be read the
// next time.
absl::Status CheckFolder(const OutputFile& output, const DeclaredFiles& input,
                         const std::string& folder) {
  const auto is_read = [&input](const std::string& below) {
    return !input.reads || input.reads(below);
  };
  if (output.path.empty()) return absl::OkStatus();
  const std::string name = Named(input.flag, folder);
  const std::optional<std::string> below = PathBelow(folder, output.path);
  if (below.has_value() && is_read(*below)) {
    return WouldBeLost(output, absl::StrCat(*below, " in ", name));
  }
  std::error_code error;
  if (!fs::exists(output.path, error)) return absl::OkStatus();
  // By another name, through a link. No data lie deeper; links may go round in circles.
  constexpr int kDepth = 4;
  constexpr auto kFollow = fs::directory_options::follow_directory_symlink;
  for (fs::recursive_directory_iterator entry(folder, kFollow, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry.depth() == kDepth) entry.disable_recursion_pending();
    const std::string inside = entry->path().lexically_relative(folder).string();
    if (is_read(inside) && FileIdentity::OfPath(entry->path()) == output.identity) {
      return WouldBeLost(output, absl::StrCat(inside, " in ", name));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckInputs(const OutputFile& output, const DeclaredFiles& input) {
  for (const std::string& path : input.paths()) {
    std::error_code none;
    if (fs::is_directory(path, none)) {
      SEQ_RETURN_IF_ERROR(CheckFolder(output, input, path));
    } else if (FileIdentity::OfPath(path) == output.identity) {
      if (output.declared != nullptr && output.declared->may_replace == input.flag) continue;
      return WouldBeLost(output, Named(input.flag, path));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTwice(const std::vector<OutputFile>& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const bool both_streams = !outputs[i].declared && !outputs[j].declared;
      if (both_streams || !(outputs[i].identity == outputs[j].identity)) continue;
      return InvalidArgument(outputs[i].name, " and ", outputs[j].name,
                             " are the same file: nothing was done");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCanBeMade(const DeclaredFiles& files) {
  for (const std::string& path : files.paths()) {
    if (files.kind == Kind::kOutputFile) SEQ_RETURN_IF_ERROR(CheckOutputFile(files.flag, path));
    if (files.kind == Kind::kOutputFolder) SEQ_RETURN_IF_ERROR(CheckOutputFolder(files.flag, path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CommandFiles::Check() const {
  std::vector<OutputFile> outputs = OutputsOf(declared_);
  AddStreams(outputs);
  SEQ_RETURN_IF_ERROR(CheckTwice(outputs));
  const std::optional<FileIdentity> piped_in = FileIdentity::OfDescriptor(STDIN_FILENO);
  for (const OutputFile& output : outputs) {
    for (const DeclaredFiles& files : declared_) {
      if (!files.is_output()) SEQ_RETURN_IF_ERROR(CheckInputs(output, files));
    }
    if (piped_in == output.identity) return WouldBeLost(output, "standard input");
  }
  for (const DeclaredFiles& files : declared_) SEQ_RETURN_IF_ERROR(CheckCanBeMade(files));
  return absl::OkStatus();
}

absl::Status CommandFiles::CheckInput(absl::string_view name, const std::string& path) const {
  const FileIdentity identity = FileIdentity::OfPath(path);
  for (const OutputFile& output : OutputsOf(declared_)) {
    if (output.identity != identity) continue;
    refused_ = true;
    return WouldBeLost(output, absl::StrCat(name, " ", path));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::tools
