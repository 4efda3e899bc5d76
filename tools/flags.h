#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "backends/all_backends.h"
#include "tools/command_files.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace seqgraph::tools {

/// One declared flag or argument.
class Flag {
 public:
  explicit Flag(CLI::Option* option) : option_(option) {}
  /// Without it the command line is misused.
  Flag Required();
  /// Not together with that one.
  Flag Excludes(Flag other);
  /// Whether the command line has it; once it has been parsed.
  bool given() const;
  /// As it was declared: "--data".
  std::string name() const;

 private:
  CLI::Option* option_;
};

/// The name of the first of these that is given; empty: none.
std::string FirstGiven(const std::vector<Flag>& flags);

/// A file that is given by a name.
struct NamedFile {
  std::string name;  ///< empty: none was given
  std::string path;
};

/// Declares the flags (names that begin with "--") and arguments (other names) of one command. What
/// a variable holds when it is declared is the default that --help shows. A value of another form
/// or out of range is misuse: one line that names flag, value and what was expected.
///
/// Files are declared as what they are, an input or an output, so that CommandFiles knows them.
///
/// What parses the command line is known to flags.cc and main.cc alone.
class Flags {
 public:
  /// Both must live as long as the command.
  Flags(CLI::App* app, CommandFiles* files) : app_(app), files_(files) {}

  /// A decimal whole number in [low, high].
  Flag Int(const std::string& name, int64_t* value, int64_t low, int64_t high,
           const std::string& help);
  /// A number of bytes, such as 500000, 64K, 200MB or 1.5G (of 1024); `shown` stands for the
  /// default in --help.
  Flag Bytes(const std::string& name, std::function<void(int64_t)> take, const std::string& shown,
             const std::string& help);
  /// A number that `allowed` takes; `expected` says for people which. `shown` stands for the
  /// default in --help.
  Flag Number(const std::string& name, double* value, std::function<bool(double)> allowed,
              const std::string& expected, const std::string& shown, const std::string& help);
  /// A finite number strictly between `low` and `high`.
  Flag Real(const std::string& name, double* value, double low, double high,
            const std::string& help);
  /// A number of at least 0 and below 1.
  Flag Share(const std::string& name, double* value, const std::string& help);
  /// A text that is not empty, and no path. `placeholder` is what --help shows: "NAME".
  Flag Text(const std::string& name, std::string* value, const std::string& placeholder,
            const std::string& help);
  /// One of `choices`.
  Flag Choice(const std::string& name, std::string* value, const std::vector<std::string>& choices,
              const std::string& help);
  /// A text; `bare` where the flag is given without one. A value must follow behind "=".
  Flag OptionalText(const std::string& name, std::string* value, const std::string& bare,
                    const std::string& help);
  /// True if it is given; takes no value.
  Flag Switch(const std::string& name, bool* value, const std::string& help);
  /// An argument: any number of texts, as they are; those that look like flags go behind "--".
  Flag Texts(const std::string& name, std::vector<std::string>* values, const std::string& help);

  /// A file that is read.
  Flag InputFile(const std::string& name, std::string* value, const std::string& help,
                 const std::string& placeholder = "FILE");
  /// An argument: any number of files that are read; of a folder those in it for which `reads` is
  /// true (DeclaredFiles::reads).
  Flag InputFiles(const std::string& name, std::vector<std::string>* values,
                  const std::string& help, std::function<bool(const std::string&)> reads = nullptr);
  /// Files that are read, each given as NAME=FILE or as FILE alone; may be given more than once.
  Flag NamedInputFiles(const std::string& name, std::vector<NamedFile>* values,
                       const std::string& help);
  /// A file or folder that is read, or a word that is neither; of a folder those files in it for
  /// which `reads` is true (DeclaredFiles::reads).
  Flag InputPath(const std::string& name, std::string* value, const std::string& help,
                 const std::string& no_path, std::function<bool(const std::string&)> reads);
  /// Backends by name or path, with commas or semicolons between
  /// them: plugins are files that are read.
  Flag Backends(const std::string& name, std::string* value, const std::string& placeholder,
                const std::string& help);
  /// A file that is made or replaced. `may_replace`: DeclaredFiles::may_replace.
  Flag OutputFile(const std::string& name, std::string* value, const std::string& help,
                  const std::string& may_replace = "");
  /// A folder in which files of those names are made or replaced.
  Flag OutputFolder(const std::string& name, std::string* value, const std::string& help,
                    std::vector<std::string> written);
  /// A folder for what `path` tells from the text (empty: nowhere), as an output folder.
  Flag CacheFolder(const std::string& name, std::string* value, const std::string& placeholder,
                   const std::string& help, std::function<std::string()> path,
                   std::vector<std::string> written);

  /// What the command line gives, once it is parsed: each "--name=value", so that the same command
  /// can be run again from any folder; files have their whole paths. Flags alone, no arguments.
  std::vector<std::string> Given() const;

  /// Those that have been declared.
  const CommandFiles& files() const { return *files_; }

  /// Flags from here on are listed below that heading in --help.
  void Group(const std::string& heading);
  /// What --help says below the flags.
  void Footer(const std::string& text);
  /// Called once all is parsed; a text that is not empty says how `flag` is misused.
  void Check(const std::string& flag, std::function<std::string()> check);

 private:
  CLI::App* app_;
  CommandFiles* files_;
  std::vector<std::function<void()>> checks_;
};

/// Flags that were given to another process, read again.
class EarlierFlags {
 public:
  EarlierFlags();
  ~EarlierFlags();
  EarlierFlags(const EarlierFlags&) = delete;
  EarlierFlags& operator=(const EarlierFlags&) = delete;

  /// To declare those that are of interest.
  Flags& flags() { return flags_; }
  /// `given` as Flags::Given() tells them; those that are not declared are passed over.
  /// InvalidArgument, naming the flag, for a value that it does not take any more.
  absl::Status Parse(const std::vector<std::string>& given);

 private:
  std::unique_ptr<CLI::App> app_;
  CommandFiles files_;
  Flags flags_;
};

/// The arguments (without the program) as the parser must get them, in the reverse order that it
/// wants. It would take a text "[a, b]" for a list of two, and "--" for the end of a command: texts
/// of that form, and all behind "--", are marked, and the flags above take the mark off again.
std::vector<std::string> ArgumentsForParser(const std::vector<std::string>& given);

/// A flag for each setting of each built-in backend (Backend::settings): --simd_target. A value
/// that the backend refuses is misuse.
void DeclareBackendSettings(Flags& flags);

/// --backend, --threads, --passes, and the settings of the backends.
struct BackendFlags {
  std::string backend = kDefaultBackends;
  int64_t threads = 1;
  std::string passes = "all";
  std::string weights = "float32";  ///< of commands that declare it: DeclareWeights

  void Declare(Flags& flags);
};

/// --passes alone, for commands that name backends otherwise. ChoosePasses reads it.
void DeclarePasses(Flags& flags, std::string* passes);

/// --weights, for commands that run inference. ChoosePasses reads it.
void DeclareWeights(Flags& flags, std::string* weights);

}  // namespace seqgraph::tools
