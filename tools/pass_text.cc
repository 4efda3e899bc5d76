#include "tools/pass_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace seqgraph::tools {

std::string PassCountsText(const std::vector<RewriteCount>& counts) {
  std::string fired;
  for (const RewriteCount& count : counts) {
    if (count.count == 0) continue;
    absl::StrAppend(&fired, fired.empty() ? "" : ", ", count.name, " ", count.count);
  }
  return absl::StrCat("Passes: ", fired.empty() ? "none fired" : fired, "\n");
}

std::string PassListText(const PassList& passes) {
  std::string text;
  for (const FunctionPass* pass : passes) {
    absl::StrAppend(&text, pass->name, "\n  ", absl::StrReplaceAll(pass->rule, {{"; ", "\n  "}}),
                    "\n");
    if (pass->only_if_cheaper) {
      absl::StrAppend(&text, "  where it saves time by FLOPs and bytes\n");
    }
    if (pass->only_if_claimed) {
      absl::StrAppend(&text, "  where no node goes to a less preferred backend\n");
    }
  }
  return text;
}

}  // namespace seqgraph::tools
