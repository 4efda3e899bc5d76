// This project's side of the comparison that tools/benchmark makes: reads requests and answers them
// as the peers do (tools/peer_benchmark/peers/common.py describes the protocol).
//
//   peer_benchmark --backend=NAMES     trains and predicts on these backends
//   peer_benchmark --bare_rnn          oneDNN's RNN primitive alone
//
// Two requests more than the peers know: {"do": "write_data", "spec": {...}} writes the arrays that
// all read, -> {}; {"do": "backends"} -> {"backends": [names]}.

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <string>

#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "nlohmann/json.hpp"
#include "tests/benchmark/peer_data.h"
#include "tests/benchmark/peer_work.h"

namespace seqgraph {
namespace {

using Json = nlohmann::json;

// Throws where a field is missing or of another type.
PeerSpec ReadSpec(const Json& json) {
  return {.task = json.at("task"),
          .model = json.at("model"),
          .cell = json.at("cell"),
          .batch = json.at("batch"),
          .time = json.at("time"),
          .vocabulary = json.at("vocabulary"),
          .features = json.at("features"),
          .units = json.at("units"),
          .steps = json.at("steps"),
          .chunk = json.at("chunk"),
          .learning_rate = json.at("learning_rate"),
          .rho = json.at("rho"),
          .epsilon = json.at("epsilon"),
          .data = json.at("data")};
}

Json ToJson(const PeerResults& results) {
  Json json = {{"versions", results.versions}, {"form", results.form}};
  if (!results.losses.empty()) json["losses"] = results.losses;
  if (!results.weights.empty()) json["weights"] = results.weights;
  if (!results.predictions.empty()) json["predictions"] = results.predictions;
  return json;
}

class Server {
 public:
  Server(std::string backends, bool bare_rnn)
      : backends_(std::move(backends)), bare_rnn_(bare_rnn) {}

  Json Answer(const std::string& line) {
    absl::StatusOr<Json> answer;
    try {
      answer = Handle(Json::parse(line));
    } catch (const std::exception& error) {
      answer = absl::InvalidArgumentError(error.what());
    }
    if (answer.ok()) return *std::move(answer);
    return {{"error", answer.status().ToString()}};
  }

 private:
  absl::StatusOr<Json> Handle(const Json& request) {
    const std::string what = request.at("do");
    if (what == "write_data") {
      SEQ_RETURN_IF_ERROR(WritePeerData(ReadSpec(request.at("spec"))));
      return Json::object();
    }
    if (what == "backends") {
      Json names = Json::array();
      for (const auto& backend : AllBackends().all()) names.push_back(backend->info().name);
      return Json{{"backends", names}};
    }
    if (what == "prepare") {
      const PeerSpec spec = ReadSpec(request.at("spec"));
      if (bare_rnn_) {
        work_ = MakeBareRnnWork(spec);
      } else {
        SEQ_ASSIGN_OR_RETURN(work_, MakeModelWork(spec, backends_));
      }
      SEQ_ASSIGN_OR_RETURN(const PeerResults results, work_->Check());
      return ToJson(results);
    }
    if (what == "run" && work_ != nullptr) {
      SEQ_ASSIGN_OR_RETURN(const PeerTime time, work_->Run(request.at("seconds")));
      return Json{{"samples", time.samples}, {"seconds", time.seconds}};
    }
    return absl::InvalidArgumentError(
        "expected backends, write_data, prepare, or run after prepare");
  }

  const std::string backends_;
  const bool bare_rnn_;
  std::unique_ptr<PeerWork> work_;
};

int Main(int argc, char** argv) {
  std::string backends = "onednn";
  bool bare_rnn = false;
  CLI::App app("Trains and predicts as asked on standard input (see tools/benchmark).");
  app.add_option("--backend", backends, "Backends in order of preference");
  app.add_flag("--bare_rnn", bare_rnn, "oneDNN's RNN primitive alone, no model");
  CLI11_PARSE(app, argc, argv);
  Server server(backends, bare_rnn);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << server.Answer(line).dump() << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) { return seqgraph::Main(argc, argv); }
