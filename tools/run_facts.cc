#include "tools/run_facts.h"

#include <cstdio>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/content_hash.h"
#include "base/status_macros.h"
#include "tools/output_path.h"
#include "training/named_examples.h"

namespace seqgraph::tools {
namespace {

template <typename T>
std::string HashOfElements(absl::Span<const T> elements) {
  return HashBytes({reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T)})
      .Hex();
}

// Flags that tell a process what to do, and not the run what it is.
constexpr const char* kOfOneProcess[] = {"--run",       "--continue", "--allow_changes",
                                         "--overwrite", "--verify",   "--max_time"};

// Flags that change bits, by name; several of one name are one text.
std::map<std::string, std::string> ByName(const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> flags;
  for (const std::string& argument : arguments) {
    const std::string name = NameOfFlag(argument);
    if (absl::c_linear_search(FreeFlags(), name)) continue;
    std::string& text = flags[name];
    absl::StrAppend(&text, text.empty() ? "" : " ", argument);
  }
  return flags;
}

}  // namespace

std::string HashOfExamples(const Examples& examples) {
  std::string all = absl::StrCat(examples.rows, " ", examples.maxlen, " ", examples.num_features,
                                 " ", examples.label_steps, "\n");
  const auto add = [&](const char* what, auto elements) {
    if (!elements.empty()) absl::StrAppend(&all, what, " ", HashOfElements(elements), "\n");
  };
  add("tokens", examples.tokens);
  add("targets", examples.targets);
  add("values", examples.values);
  add("weights", examples.weights);
  add("features", examples.features);
  add("row_begin", examples.row_begin);
  add("row_steps", examples.row_steps);
  add("label_begin", examples.label_begin);
  add("label_columns", examples.label_columns);
  for (const NamedExamples& more : examples.more) {
    absl::StrAppend(&all, "more ", more.name, " ", HashOfExamples(more.examples), "\n");
  }
  return HashBytes(all).Hex();
}

std::future<RowHashes> HashRows(const TrainingData& data) {
  const auto hashes = [train = data.train(), validation = data.validation()] {
    return RowHashes{HashOfExamples(train), HashOfExamples(validation)};
  };
  try {
    return std::async(std::launch::async, hashes);
  } catch (const std::system_error&) {  // The system gives no thread.
    return std::async(std::launch::deferred, hashes);
  }
}

const std::vector<std::string>& FreeFlags() {
  static const auto& free = *new std::vector<std::string>{
      "--save_every", "--keep", "--fallback", "--epochs", "--threads", "--history", "--report",
      "--tensorboard", "--progress", "--verbose", "--quiet", "--max_memory", "--data_cache",
      "--profile", "--timeout",
      // What these name is compared by what is in it.
      "--data", "--validation_data"};
  return free;
}

absl::StatusOr<RunFacts> RunFacts::Make(const std::vector<std::string>& given,
                                        const std::string& output, RowHashes rows,
                                        const std::string& first_model, const ModelRunner& runner,
                                        const CompiledFunction& step) {
  RunFacts facts{.train = std::move(rows.train),
                 .validation = std::move(rows.validation),
                 .backends = runner.DescribeBackends()};
  for (const std::string& argument : given) {
    const std::string name = NameOfFlag(argument);
    // By default the output follows from the data, and lies where the command is run.
    if (name == "--output" || absl::c_linear_search(kOfOneProcess, name)) continue;
    facts.arguments.push_back(argument);
  }
  facts.arguments.push_back(absl::StrCat("--output=", WholePath(output)));
  SEQ_ASSIGN_OR_RETURN(const ContentHash hash, HashFile(first_model));
  facts.model = hash.Hex();
  std::string assignment;
  for (const NodeAssignment& node : step.assignments()) {
    absl::StrAppend(&assignment, node.node, " ", node.backend, " ", node.implementation, "\n");
  }
  facts.assignment = HashBytes(assignment).Hex();
  return facts;
}

void RunFacts::Save(Records& facts) const {
  facts.Set("arguments", arguments);
  facts.Set("train", train);
  facts.Set("validation", validation);
  facts.Set("model", model);
  facts.Set("backends", backends);
  facts.Set("assignment", assignment);
}

absl::StatusOr<RunFacts> RunFacts::Load(const StateReader& state) {
  RunFacts facts;
  SEQ_RETURN_IF_ERROR(state.Get("arguments", &facts.arguments));
  SEQ_RETURN_IF_ERROR(state.Get("train", &facts.train));
  SEQ_RETURN_IF_ERROR(state.Get("validation", &facts.validation));
  SEQ_RETURN_IF_ERROR(state.Get("model", &facts.model));
  SEQ_RETURN_IF_ERROR(state.Get("backends", &facts.backends));
  SEQ_RETURN_IF_ERROR(state.Get("assignment", &facts.assignment));
  return facts;
}

std::string NameOfFlag(const std::string& argument) {
  return argument.substr(0, argument.find('='));
}

std::vector<std::string> MergeArguments(const std::vector<std::string>& stored,
                                        const std::vector<std::string>& given) {
  std::set<std::string> again;
  for (const std::string& argument : given) again.insert(NameOfFlag(argument));
  std::vector<std::string> merged;
  for (const std::string& argument : stored) {
    if (again.count(NameOfFlag(argument)) == 0) merged.push_back(argument);
  }
  merged.insert(merged.end(), given.begin(), given.end());
  return merged;
}

std::vector<std::string> Differences(const RunFacts& then, const RunFacts& now) {
  std::vector<std::string> lines;
  const auto before = ByName(then.arguments), after = ByName(now.arguments);
  for (const auto& [name, text] : before) {
    const auto found = after.find(name);
    if (found == after.end()) {
      lines.push_back(absl::StrCat("it began with ", text, ", which is not given now"));
    } else if (found->second != text) {
      lines.push_back(absl::StrCat("it began with ", text, ", and now there is ", found->second));
    }
  }
  for (const auto& [name, text] : after) {
    if (before.count(name) == 0) lines.push_back(absl::StrCat("it began without ", text));
  }
  if (then.train != now.train) {
    lines.emplace_back("the rows to train on are others: what is left is learned from these");
  }
  if (then.validation != now.validation) {
    lines.emplace_back(
        "the rows to validate by are others: losses, and so which epoch is the best, cannot be "
        "compared with those so far");
  }
  if (then.backends != now.backends) {
    lines.push_back(absl::StrCat("it ran on ", then.backends, ", and now there is ", now.backends,
                                 ": numbers will differ in their last digits"));
  } else if (then.assignment != now.assignment) {
    lines.emplace_back(
        "nodes of a step run on other backends than they did: numbers will differ in their last "
        "digits");
  }
  return lines;
}

absl::StatusOr<std::vector<std::string>> CheckChanges(const RunFacts& then, const RunFacts& now,
                                                      const std::vector<std::string>& of_the_model,
                                                      bool allow) {
  if (then.model != now.model) {
    return FailedPrecondition("model.pb there is not the model that the run began with");
  }
  std::vector<std::string> changed;
  const auto before = ByName(then.arguments), after = ByName(now.arguments);
  for (const auto& [name, text] : before) {
    const auto found = after.find(name);
    if (found == after.end() || found->second != text) changed.push_back(name);
  }
  for (const auto& [name, text] : after) {
    if (before.count(name) == 0) changed.push_back(name);
  }
  for (const std::string& name : changed) {
    if (!absl::c_linear_search(of_the_model, name)) continue;
    return FailedPrecondition(name,
                              " is of the model, which the run has already: leave it as it "
                              "was, or begin another run");
  }
  const std::vector<std::string> lines = Differences(then, now);
  if (!lines.empty() && !allow) {
    return FailedPrecondition("the run would not go on as it was: ", absl::StrJoin(lines, "; "),
                              ". --allow_changes goes on all the same");
  }
  for (const std::string& line : lines) std::fprintf(stderr, "seqgraph: %s\n", line.c_str());
  return changed;
}

}  // namespace seqgraph::tools
