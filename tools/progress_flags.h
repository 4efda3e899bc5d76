#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tools/flags.h"
#include "tools/output.h"
#include "training/callback.h"

namespace seqgraph::tools {

/// How `train` shows how it proceeds: --progress, and Keras's --verbose and --quiet for it.
struct ProgressFlags {
  std::string form = "auto";

  void Declare(Flags& flags);

  /// Whether nothing but the callback's own lines goes to standard output.
  bool mutes_text() const { return form == "json" || form == "none"; }

  struct Facts {
    std::string monitor;  ///< empty: nothing tells which epoch is the best
    bool higher_is_better = false;
    std::function<int()> patience_left;  ///< null: patience does not end the run
    int64_t rows = 0;                    ///< an epoch
  };
  /// The callback for that; "auto": the live view on a terminal, a line an epoch elsewhere.
  std::shared_ptr<Callback> Make(Output& out, Facts facts) const;

 private:
  std::string verbose_;
  bool quiet_ = false;
};

}  // namespace seqgraph::tools
