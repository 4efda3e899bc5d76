#include "tools/json_progress.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

using EventJson = nlohmann::ordered_json;
constexpr double kSecondsBetweenSteps = 1;

EventJson JsonOfLogs(const Logs& logs) {
  EventJson json = EventJson::object();
  for (const auto& [name, value] : logs) {
    json[name] = std::isfinite(value) ? EventJson(value) : EventJson(nullptr);
  }
  return json;
}

std::string EventLine(const EventJson& json) {
  return absl::StrCat(json.dump(-1, ' ', false, EventJson::error_handler_t::replace), "\n");
}

}  // namespace

absl::Status JsonProgress::OnTrainBegin(FitContext& context) {
  messages_shown_ = notes_shown_ = 0;
  in_epoch_ = false;
  EventJson json = {{"event", "begin"},
                    {"epoch", context.first_epoch},
                    {"epochs", context.epochs},
                    {"steps", context.steps},
                    {"resumed", context.resumed}};
  for (const auto& [name, fact] : context.run_facts) json[name] = fact;
  write_(EventLine(json));
  if (!context.resumed) ShowMessages(context);
  return absl::OkStatus();
}

absl::Status JsonProgress::OnEpochBegin(FitContext&, int epoch) {
  epoch_ = epoch;
  epoch_start_ = last_step_ = clock_();
  in_epoch_ = true;
  return absl::OkStatus();
}

absl::Status JsonProgress::OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) {
  const double now = clock_();
  if (now - last_step_ < kSecondsBetweenSteps) return absl::OkStatus();
  last_step_ = now;
  write_(EventLine({{"event", "step"},
                    {"epoch", epoch_},
                    {"step", batch + 1},
                    {"steps", context.steps},
                    {"logs", JsonOfLogs(logs)}}));
  return absl::OkStatus();
}

absl::Status JsonProgress::OnEpochEnd(FitContext& context, int epoch, Logs& logs) {
  in_epoch_ = false;
  write_(EventLine({{"event", "epoch"},
                    {"epoch", epoch},
                    {"seconds", clock_() - epoch_start_},
                    {"logs", JsonOfLogs(logs)}}));
  ShowMessages(context);
  return absl::OkStatus();
}

absl::Status JsonProgress::OnTrainEnd(FitContext& context) {
  ShowMessages(context);
  write_(EventLine({{"event", "end"}}));
  return absl::OkStatus();
}

// As Progress has it, so that a run may go on with the other.
void JsonProgress::SaveState(StateWriter& state) const {
  state.Set("messages_shown", messages_shown_);
  state.Set("in_epoch", in_epoch_);
  state.Set("epoch", epoch_);
}

absl::Status JsonProgress::LoadState(FitContext& context, const StateReader& state) {
  SEQ_RETURN_IF_ERROR(state.Get("messages_shown", &messages_shown_));
  SEQ_RETURN_IF_ERROR(state.Get("in_epoch", &in_epoch_));
  SEQ_RETURN_IF_ERROR(state.Get("epoch", &epoch_));
  epoch_start_ = last_step_ = clock_();
  ShowMessages(context);
  return absl::OkStatus();
}

void JsonProgress::ShowMessages(const FitContext& context) {
  const auto show = [this](const std::vector<std::string>& texts, size_t& shown) {
    for (; shown < texts.size(); ++shown) {
      write_(EventLine({{"event", "message"}, {"text", texts[shown]}}));
    }
  };
  show(context.messages, messages_shown_);
  show(context.notes, notes_shown_);
}

}  // namespace seqgraph::tools
