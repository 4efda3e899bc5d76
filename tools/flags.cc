#include "tools/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "backends/plugin/plugin_loader.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

constexpr char kMark = '\x1f';

std::string WithoutMark(const std::string& text) {
  return !text.empty() && text[0] == kMark ? text.substr(1) : text;
}

// Takes a text, or says what it expected.
using Parse = std::function<std::string(const std::string& text)>;

Flag Add(CLI::App* app, const std::string& name, const std::string& help,
         const std::string& placeholder, const std::string& default_value, Parse parse) {
  const auto take = [name, parse = std::move(parse)](const CLI::results_t& results) {
    if (results.size() != 1) throw CLI::ValidationError(name, "given more than once");
    const std::string text = WithoutMark(results[0]);
    const std::string expected = parse(text);
    if (expected.empty()) return true;
    throw CLI::ValidationError(name, absl::StrCat("expected ", expected, ", got '", text, "'"));
  };
  CLI::Option* option = app->add_option(name, take, help);
  // More than one value is refused above, with a message that says so.
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  option->option_text(default_value.empty() ? placeholder
                                            : absl::StrCat(placeholder, " [", default_value, "]"));
  return Flag(option);
}

Flag AddText(CLI::App* app, const std::string& name, std::string* value,
             const std::string& placeholder, const std::string& help) {
  return Add(app, name, help, placeholder, *value, [=](const std::string& text) {
    if (text.empty()) return absl::StrCat("a ", placeholder);
    *value = text;
    return std::string();
  });
}

std::function<std::vector<std::string>()> OnePath(const std::string* value) {
  return [value] {
    return value->empty() ? std::vector<std::string>() : std::vector<std::string>{*value};
  };
}

}  // namespace

Flag Flag::Required() {
  option_->required();
  return *this;
}

Flag Flag::Excludes(Flag other) {
  option_->excludes(other.option_);
  return *this;
}

bool Flag::given() const { return option_->count() > 0; }

std::string Flag::name() const { return option_->get_name(); }

std::string FirstGiven(const std::vector<Flag>& flags) {
  for (const Flag& flag : flags) {
    if (flag.given()) return flag.name();
  }
  return "";
}

Flag Flags::Int(const std::string& name, int64_t* value, int64_t low, int64_t high,
                const std::string& help) {
  const std::string expected = absl::StrCat("a whole number from ", low, " to ", high);
  return Add(app_, name, help, "N", absl::StrCat(*value), [=](const std::string& text) {
    int64_t parsed = 0;
    if (!absl::SimpleAtoi(text, &parsed) || parsed < low || parsed > high) return expected;
    *value = parsed;
    return std::string();
  });
}

Flag Flags::Bytes(const std::string& name, std::function<void(int64_t)> take,
                  const std::string& shown, const std::string& help) {
  return Add(app_, name, help, "BYTES", shown, [take = std::move(take)](const std::string& text) {
    constexpr absl::string_view kUnits = "KMGT";
    absl::string_view number = text;
    double factor = 1, parsed = 0;
    if (!absl::ConsumeSuffix(&number, "B")) absl::ConsumeSuffix(&number, "b");
    const size_t unit =
        number.empty() ? kUnits.npos : kUnits.find(absl::ascii_toupper(number.back()));
    if (unit != kUnits.npos) {
      factor = std::ldexp(1, 10 * (static_cast<int>(unit) + 1));
      number.remove_suffix(1);
    }
    int64_t whole = 0;
    if (factor == 1 && absl::SimpleAtoi(number, &whole) && whole >= 0) {
      take(whole);
      return std::string();
    }
    constexpr double kTooMany = 9e18;
    if (factor == 1 || !absl::SimpleAtod(number, &parsed) || !(parsed >= 0) ||
        parsed * factor > kTooMany) {
      return std::string("a number of bytes, such as 500000, 200MB or 1.5G");
    }
    take(static_cast<int64_t>(parsed * factor));
    return std::string();
  });
}

Flag Flags::Number(const std::string& name, double* value, std::function<bool(double)> allowed,
                   const std::string& expected, const std::string& shown, const std::string& help) {
  return Add(app_, name, help, "X", shown,
             [=, allowed = std::move(allowed)](const std::string& text) {
               double parsed = 0;
               if (!absl::SimpleAtod(text, &parsed) || !allowed(parsed)) return expected;
               *value = parsed;
               return std::string();
             });
}

Flag Flags::Real(const std::string& name, double* value, double low, double high,
                 const std::string& help) {
  return Number(
      name, value, [=](double parsed) { return parsed > low && parsed < high; },
      absl::StrFormat("a number between %g and %g", low, high), absl::StrFormat("%g", *value),
      help);
}

Flag Flags::Share(const std::string& name, double* value, const std::string& help) {
  return Number(
      name, value, [](double parsed) { return parsed >= 0 && parsed < 1; },
      "a number of at least 0 and below 1", absl::StrFormat("%g", *value), help);
}

Flag Flags::Text(const std::string& name, std::string* value, const std::string& placeholder,
                 const std::string& help) {
  for (const char* path : {"FILE", "FOLDER", "PATH"}) {
    SEQ_CHECK(!absl::StrContains(placeholder, path));  // Declare it as what it is.
  }
  return AddText(app_, name, value, placeholder, help);
}

Flag Flags::InputFile(const std::string& name, std::string* value, const std::string& help,
                      const std::string& placeholder) {
  files_->Declare({.flag = name, .paths = OnePath(value)});
  return AddText(app_, name, value, placeholder, help);
}

Flag Flags::InputFiles(const std::string& name, std::vector<std::string>* values,
                       const std::string& help, std::function<bool(const std::string&)> reads) {
  files_->Declare({.flag = name, .paths = [values] { return *values; }, .reads = std::move(reads)});
  return Texts(name, values, help);
}

Flag Flags::NamedInputFiles(const std::string& name, std::vector<NamedFile>* values,
                            const std::string& help) {
  files_->Declare({.flag = name, .paths = [values] {
                     std::vector<std::string> paths;
                     for (const NamedFile& file : *values) paths.push_back(file.path);
                     return paths;
                   }});
  const auto take = [name, values](const CLI::results_t& results) {
    for (const std::string& given : results) {
      const std::string text = WithoutMark(given);
      const size_t equals = text.find('=');
      NamedFile file = {equals == std::string::npos ? "" : text.substr(0, equals),
                        equals == std::string::npos ? text : text.substr(equals + 1)};
      if (file.path.empty()) {
        throw CLI::ValidationError(name, absl::StrCat("expected NAME=FILE, got '", text, "'"));
      }
      values->push_back(std::move(file));
    }
    return true;
  };
  CLI::Option* option = app_->add_option(name, take, help);
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return Flag(option->option_text("NAME=FILE"));
}

Flag Flags::InputPath(const std::string& name, std::string* value, const std::string& help,
                      const std::string& no_path, std::function<bool(const std::string&)> reads) {
  files_->Declare({.flag = name,
                   .paths =
                       [value, no_path] {
                         return *value == no_path ? std::vector<std::string>() : OnePath(value)();
                       },
                   .reads = std::move(reads)});
  return AddText(app_, name, value, "PATH", help);
}

Flag Flags::Backends(const std::string& name, std::string* value, const std::string& placeholder,
                     const std::string& help) {
  const auto plugins = [value] {
    std::vector<std::string> paths;
    for (absl::string_view each : absl::StrSplit(*value, absl::ByAnyChar(",;"))) {
      if (absl::StrContains(each, "/")) {
        paths.emplace_back(each);
        continue;
      }
      for (absl::string_view folder : absl::StrSplit(PluginSearchPath(), ':', absl::SkipEmpty())) {
        paths.push_back(absl::StrCat(folder, "/lib", each, ".so"));
      }
    }
    return paths;
  };
  files_->Declare({.flag = name, .paths = plugins});
  return AddText(app_, name, value, placeholder, help);
}

Flag Flags::OutputFile(const std::string& name, std::string* value, const std::string& help,
                       const std::string& may_replace) {
  files_->Declare({.flag = name,
                   .kind = DeclaredFiles::Kind::kOutputFile,
                   .paths = OnePath(value),
                   .may_replace = may_replace});
  return AddText(app_, name, value, "FILE", help);
}

Flag Flags::OutputFolder(const std::string& name, std::string* value, const std::string& help,
                         std::vector<std::string> written) {
  files_->Declare({.flag = name,
                   .kind = DeclaredFiles::Kind::kOutputFolder,
                   .paths = OnePath(value),
                   .written = std::move(written)});
  return AddText(app_, name, value, "FOLDER", help);
}

Flag Flags::CacheFolder(const std::string& name, std::string* value, const std::string& placeholder,
                        const std::string& help, std::function<std::string()> path,
                        std::vector<std::string> written) {
  const auto paths = [path = std::move(path)] {
    std::string folder = path();
    return folder.empty() ? std::vector<std::string>() : std::vector<std::string>{folder};
  };
  files_->Declare({.flag = name,
                   .kind = DeclaredFiles::Kind::kCacheFolder,
                   .paths = paths,
                   .written = std::move(written)});
  return AddText(app_, name, value, placeholder, help);
}

Flag Flags::Choice(const std::string& name, std::string* value,
                   const std::vector<std::string>& choices, const std::string& help) {
  return Add(app_, name, help, absl::StrJoin(choices, "|"), *value, [=](const std::string& text) {
    for (const std::string& choice : choices) {
      if (text == choice) {
        *value = text;
        return std::string();
      }
    }
    return absl::StrJoin(choices, " or ");
  });
}

Flag Flags::OptionalText(const std::string& name, std::string* value, const std::string& bare,
                         const std::string& help) {
  return Flag(app_->add_flag(absl::StrCat(name, "{", bare, "}"), *value, help));
}

Flag Flags::Switch(const std::string& name, bool* value, const std::string& help) {
  return Flag(app_->add_flag(name, *value, help));
}

Flag Flags::Texts(const std::string& name, std::vector<std::string>* values,
                  const std::string& help) {
  const auto take = [values](const CLI::results_t& results) {
    for (const std::string& text : results) values->push_back(WithoutMark(text));
    return true;
  };
  CLI::Option* option = app_->add_option(name, take, help);
  option->expected(0, CLI::detail::expected_max_vector_size);
  option->allow_extra_args(true);  // Otherwise an argument takes as few as it can.
  return Flag(option->option_text("..."));
}

std::vector<std::string> Flags::Given() const {
  std::map<std::string, std::set<std::string>> files;
  for (const DeclaredFiles& declared : files_->declared()) {
    for (const std::string& path : declared.paths()) files[declared.flag].insert(path);
  }
  std::vector<std::string> given;
  for (const CLI::Option* option : app_->get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || !absl::StartsWith(name, "--") || name == "--help") continue;
    for (const std::string& result : option->results()) {
      const std::string value = WithoutMark(result);
      const bool file = files[name].count(value) > 0;
      given.push_back(absl::StrCat(
          name, "=", file ? std::filesystem::absolute(value).lexically_normal().string() : value));
    }
  }
  return given;
}

void Flags::Group(const std::string& heading) { app_->option_defaults()->group(heading); }

void Flags::Footer(const std::string& text) { app_->footer(text); }

void Flags::Check(const std::string& flag, std::function<std::string()> check) {
  checks_.push_back([flag, check = std::move(check)] {
    const std::string misuse = check();
    if (!misuse.empty()) throw CLI::ValidationError(flag, misuse);
  });
  app_->parse_complete_callback([checks = checks_] {
    for (const auto& each : checks) each();
  });
}

EarlierFlags::EarlierFlags() : app_(std::make_unique<CLI::App>()), flags_(app_.get(), &files_) {
  app_->allow_extras();
}

EarlierFlags::~EarlierFlags() = default;

absl::Status EarlierFlags::Parse(const std::vector<std::string>& given) {
  try {
    app_->parse(ArgumentsForParser(given));
  } catch (const CLI::Error& error) {
    return InvalidArgument(error.what());
  }
  return absl::OkStatus();
}

std::vector<std::string> ArgumentsForParser(const std::vector<std::string>& given) {
  std::vector<std::string> arguments;
  bool texts_only = false;
  for (const std::string& argument : given) {
    if (!texts_only && argument == "--") {
      texts_only = true;
      continue;
    }
    const bool mark =
        texts_only || (!argument.empty() && (argument[0] == '[' || argument[0] == kMark));
    arguments.push_back(mark ? kMark + argument : argument);
  }
  std::reverse(arguments.begin(), arguments.end());
  return arguments;
}

void DeclareBackendSettings(Flags& flags) {
  for (const auto& backend : AllBackends().all()) {
    for (BackendSetting& setting : backend->settings()) {
      const std::string flag = absl::StrCat("--", backend->info().name, "_", setting.name);
      const auto value = std::make_shared<std::string>();
      flags.Text(flag, value.get(), setting.placeholder, setting.help);
      flags.Check(flag, [value, set = std::move(setting.set)]() -> std::string {
        const absl::Status status = value->empty() ? absl::OkStatus() : set(*value);
        return std::string(status.message());
      });
    }
  }
}

void BackendFlags::Declare(Flags& flags) {
  flags.Backends(
      "--backend", &backend, "NAMES",
      "Backends by preference, comma-separated: names, or paths of plugins; no other is\n"
      "ever used. auto: each node where it is measured to be fastest, once and for all");
  flags.Int("--threads", &threads, 1, 1024, "Threads to compute with");
  DeclarePasses(flags, &passes);
  DeclareBackendSettings(flags);
}

void DeclarePasses(Flags& flags, std::string* passes) {
  flags.Text("--passes", passes, "NAMES",
             "Rewrites to run, comma-separated: all, none, names, or all but -NAME;\n"
             "`seqgraph passes` lists them");
}

void DeclareWeights(Flags& flags, std::string* weights) {
  flags.Choice("--weights", weights, {"float32", "bf16", "int8"},
               "What weights are rounded to and read as; fewer bits for inference alone. int8 has\n"
               "a scale a row");
}

}  // namespace seqgraph::tools
