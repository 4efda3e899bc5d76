#ifndef SEQGRAPH_TOOLS_FLAGS_H_
#define SEQGRAPH_TOOLS_FLAGS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

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

 private:
  CLI::Option* option_;
};

/// Declares the flags (names that begin with "--") and arguments (other names) of one command. What
/// a variable holds when it is declared is the default that --help shows. A value of another form
/// or out of range is misuse: one line that names flag, value and what was expected.
///
/// What parses the command line is known to flags.cc and main.cc alone.
class Flags {
 public:
  explicit Flags(CLI::App* app) : app_(app) {}

  /// A decimal whole number in [low, high].
  Flag Int(const std::string& name, int64_t* value, int64_t low, int64_t high,
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
  /// A text that is not empty. `placeholder` is what --help shows: "FILE".
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

  /// What --help says below the flags.
  void Footer(const std::string& text);
  /// Called once all is parsed; a text that is not empty says how `flag` is misused.
  void Check(const std::string& flag, std::function<std::string()> check);

 private:
  CLI::App* app_;
  std::vector<std::function<void()>> checks_;
};

/// The arguments (without the program) as the parser must get them, in the reverse order that it
/// wants. It would take a text "[a, b]" for a list of two, and "--" for the end of a command: texts
/// of that form, and all behind "--", are marked, and the flags above take the mark off again.
std::vector<std::string> ArgumentsForParser(int argc, const char* const* argv);

/// A flag for each setting of each built-in backend (Backend::settings): --simd_target. A value
/// that the backend refuses is misuse.
void DeclareBackendSettings(Flags& flags);

/// --backend, --threads, --passes, and the settings of the backends.
struct BackendFlags {
  std::string backend = "simd,onednn";
  int64_t threads = 1;
  std::string passes = "all";

  void Declare(Flags& flags);
};

/// --passes alone, for commands that name backends otherwise. ChoosePasses reads it.
void DeclarePasses(Flags& flags, std::string* passes);

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_FLAGS_H_
