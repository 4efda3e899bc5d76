#include "tools/model_flags.h"

#include "graph/status_macros.h"

namespace seqgraph::tools {

std::vector<Flag> ModelFlags::Declare(Flags& flags) {
  Flag model =
      flags.Choice("--model", &input, {"embedding", "onehot"}, "How words enter the network");
  Flag dim = flags.Int("--embedding_dim", &embedding_dim, 1, 65536,
                       "Width of the table's rows, with --model=embedding");
  Flag width = flags.Int("--units", &units, 1, 65536, "Units of the simple RNN");
  flags.Check("--embedding_dim", [this, dim] {
    return input == "onehot" && dim.given() ? "does not go with --model=onehot" : "";
  });
  return {model, dim, width};
}

absl::StatusOr<ImdbModelOptions> ModelFlags::Options() const {
  SEQ_ASSIGN_OR_RETURN(const ImdbInput parsed, ParseImdbInput(input));
  return ImdbModelOptions{.input = parsed, .embedding_dim = embedding_dim, .units = units};
}

}  // namespace seqgraph::tools
