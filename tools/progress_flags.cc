#include "tools/progress_flags.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/json_progress.h"
#include "training/lambda_callback.h"
#include "training/live_progress.h"
#include "training/progress.h"

namespace seqgraph::tools {

void ProgressFlags::Declare(Flags& flags) {
  const Flag form_flag = flags.Choice(
      "--progress", &form, {"auto", "live", "bar", "lines", "json", "none"},
      "auto: live on a terminal, else lines. live: two lines with curves of losses, best epoch,\n"
      "patience, rows a second and time left. bar: as Keras draws it. lines: one an epoch. json:\n"
      "an object a line, and nothing else on standard output");
  Flag verbose = flags.Choice("--verbose", &verbose_, {"0", "1", "2"},
                              "As in Keras: 0 is --progress=none, 1 bar, 2 lines");
  Flag quiet = flags.Switch("--quiet", &quiet_,
                            "Nothing on standard output; what is wrong goes to standard "
                            "error");
  verbose.Excludes(form_flag);
  quiet.Excludes(form_flag);
  quiet.Excludes(verbose);
  flags.Check("--progress", [this]() -> std::string {
    if (quiet_) form = "none";
    if (!verbose_.empty()) form = verbose_ == "0" ? "none" : verbose_ == "1" ? "bar" : "lines";
    return "";
  });
}

std::shared_ptr<Callback> ProgressFlags::Make(Output& out, Facts facts) const {
  ProgressOptions on = ProgressOptions::ForFile(out.file());
  if (form == "none")
    return std::make_shared<Progress>(
        ProgressOptions{.write = [](absl::string_view) {}, .clock = on.clock});
  if (form == "json") return std::make_shared<JsonProgress>(on.write, on.clock);
  if (form == "live" || (form == "auto" && on.terminal)) {
    return std::make_shared<LiveProgress>(
        LiveProgressOptions{.on = std::move(on),
                            .monitor = std::move(facts.monitor),
                            .higher_is_better = facts.higher_is_better,
                            .patience_left = std::move(facts.patience_left),
                            .rows = facts.rows});
  }
  if (form == "bar") on.terminal = true;
  if (form == "lines") on.terminal = on.color = false;
  return std::make_shared<Progress>(std::move(on));
}

}  // namespace seqgraph::tools
