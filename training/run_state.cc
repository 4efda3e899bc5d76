#include "training/run_state.h"

namespace seqgraph {

void SaveVariables(const VariableStore& variables, StateWriter& state) {
  for (const Variable& variable : variables.all()) state.Set(variable.def.name, variable.value);
}

absl::Status LoadVariables(const StateReader& state, VariableStore& variables) {
  size_t loaded = 0;
  SEQ_RETURN_IF_ERROR(state.ForEach([&](const std::string& name, const Records::Value& value) {
    const Tensor* tensor = std::get_if<Tensor>(&value);
    if (tensor == nullptr) return InvalidArgument("the variable ", name, " in it is no tensor");
    ++loaded;
    return variables.Assign(name, *tensor);
  }));
  if (loaded == variables.all().size()) return absl::OkStatus();
  return InvalidArgument("it has ", loaded, " variables, and the model ", variables.all().size(),
                         ": it is of another model");
}

void RunState::SetPosition(const RunPosition& position) {
  StateWriter writer = Writer("position");
  writer.Set("epoch", position.epoch);
  writer.Set("step", position.step);
  writer.Set("finished", position.finished);
}

absl::StatusOr<RunPosition> RunState::Position() const {
  const StateReader reader = Reader("position");
  RunPosition position;
  SEQ_RETURN_IF_ERROR(reader.Get("epoch", &position.epoch));
  SEQ_RETURN_IF_ERROR(reader.Get("step", &position.step));
  SEQ_RETURN_IF_ERROR(reader.Get("finished", &position.finished));
  if (position.epoch < 0 || position.step < 0) {
    return InvalidArgument("it is at step ", position.step, " of epoch ", position.epoch,
                           ", where no run can be: it is damaged");
  }
  return position;
}

std::string RunState::CallbackName(size_t i) { return absl::StrCat("callback/", i); }

size_t RunState::CountCallbacks() const {
  size_t count = 0;
  while (Reader(CallbackName(count)).Has("is_here")) ++count;
  return count;
}

absl::StatusOr<RunState> RunState::Load(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(Records records, ReadRecords(path));
  RunState state(std::move(records));
  const absl::StatusOr<RunPosition> position = state.Position();
  if (position.ok()) return state;
  return InvalidArgument(path, " is no state of a run: ", position.status().message());
}

}  // namespace seqgraph
