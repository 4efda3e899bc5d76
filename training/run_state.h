#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "graph/model.h"
#include "serialization/records.h"

namespace seqgraph {

/// Where a part of a run puts what it needs to go on: values by name, below a name of its own.
class StateWriter {
 public:
  StateWriter(Records* records, std::string prefix)
      : records_(records), prefix_(std::move(prefix)) {}

  /// Whole numbers and bool are kept as int64; all else is one of Records::Value. What is absent is
  /// not written.
  template <typename T>
  void Set(absl::string_view name, T value) {
    if constexpr (std::is_integral_v<T>) {
      records_->Set(absl::StrCat(prefix_, name), static_cast<int64_t>(value));
    } else {
      records_->Set(absl::StrCat(prefix_, name), std::move(value));
    }
  }
  template <typename T>
  void Set(absl::string_view name, const std::optional<T>& value) {
    if (value.has_value()) Set(name, *value);
  }
  /// For a part of the part.
  StateWriter Below(absl::string_view name) const {
    return StateWriter(records_, absl::StrCat(prefix_, name, "/"));
  }

 private:
  Records* records_;
  std::string prefix_;
};

/// The same, read. Errors name the value: NotFound or InvalidArgument where it is not as a
/// StateWriter left it.
class StateReader {
 public:
  StateReader(const Records* records, std::string prefix)
      : records_(records), prefix_(std::move(prefix)) {}

  bool Has(absl::string_view name) const {
    return records_->Find(absl::StrCat(prefix_, name)) != nullptr;
  }
  template <typename T>
  absl::Status Get(absl::string_view name, T* value) const {
    const std::string full = absl::StrCat(prefix_, name);
    if constexpr (std::is_integral_v<T>) {
      int64_t whole = 0;
      SEQ_RETURN_IF_ERROR(records_->Get(full, &whole));
      *value = static_cast<T>(whole);
      if (static_cast<int64_t>(*value) == whole) return absl::OkStatus();
      return InvalidArgument("'", full, "' in it is ", whole);
    } else {
      return records_->Get(full, value);
    }
  }
  template <typename T>
  absl::Status Get(absl::string_view name, std::optional<T>* value) const {
    value->reset();
    return Has(name) ? Get(name, &value->emplace()) : absl::OkStatus();
  }
  StateReader Below(absl::string_view name) const {
    return StateReader(records_, absl::StrCat(prefix_, name, "/"));
  }
  /// Calls visit(name behind the prefix, value) for each.
  template <typename F>
  absl::Status ForEach(F visit) const {
    for (auto it = records_->all().lower_bound(prefix_); it != records_->all().end(); ++it) {
      if (it->first.compare(0, prefix_.size(), prefix_) != 0) break;
      SEQ_RETURN_IF_ERROR(visit(it->first.substr(prefix_.size()), it->second));
    }
    return absl::OkStatus();
  }

 private:
  const Records* records_;
  std::string prefix_;
};

/// The content of all variables, and the same put back. InvalidArgument, NotFound: the state is of
/// other variables.
void SaveVariables(const VariableStore& variables, StateWriter& state);
absl::Status LoadVariables(const StateReader& state, VariableStore& variables);

/// Between which two steps a run of Fit is.
struct RunPosition {
  int epoch = 0;          ///< from 0
  int64_t step = 0;       ///< batches of it that are done
  bool finished = false;  ///< no epoch is left, or a callback has ended the run
};

/// All that a run of Trainer::Fit has to know to go on as if it had never ended: variables
/// (weights, optimizer, random streams), what callbacks and metrics have gathered, history,
/// messages, where it was. A value; whoever keeps it may add records of its own below "keeper/".
///
///   SEQ_ASSIGN_OR_RETURN(const RunState state, RunState::Load("run.seqrun"));
///   trainer.Fit(train, validation, {.epochs = 10, .callbacks = ..., .state = &state});
///
/// The epochs behind it have the same bits as those of a run that was never ended, with the same
/// model, data, options, callbacks and instruction set, on any number of threads.
class RunState {
 public:
  RunState() = default;
  explicit RunState(Records records) : records_(std::move(records)) {}

  const Records& records() const { return records_; }
  StateWriter Writer(absl::string_view part) {
    return StateWriter(&records_, absl::StrCat(part, "/"));
  }
  /// The part of the i-th callback in the list of its run, and how many there were.
  static std::string CallbackName(size_t i);
  size_t CountCallbacks() const;
  StateReader Reader(absl::string_view part) const {
    return StateReader(&records_, absl::StrCat(part, "/"));
  }

  void SetPosition(const RunPosition& position);
  absl::StatusOr<RunPosition> Position() const;

  /// Replaces the file as a whole. Errors: WriteRecords.
  absl::Status Save(const std::string& path) const { return WriteRecords(records_, path); }
  /// Errors: ReadRecords; InvalidArgument for records that are no run's.
  static absl::StatusOr<RunState> Load(const std::string& path);

 private:
  Records records_;
};

/// Keeps the states of a run, one after the other: in a folder (training/run_folder.h), say. Called
/// by the thread that trains.
class StateKeeper {
 public:
  virtual ~StateKeeper() = default;
  /// Whether a state is wanted now, after a step or an epoch. Asked after each: must not allocate.
  virtual bool Wants(const RunPosition& position) = 0;
  /// Takes a state that was wanted, that from which a run begins, that of its end and that of an
  /// interrupt. An error ends the run.
  virtual absl::Status Keep(RunState state) = 0;
};

}  // namespace seqgraph
