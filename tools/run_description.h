#pragma once

#include <cstdint>
#include <string>

#include "graph/model.h"
#include "tools/run_facts.h"
#include "tools/runs/run_record.h"
#include "tools/training_data.h"

namespace seqgraph::tools {

/// The record of a run that begins now in that folder: what is known before its first step.
RunRecord DescribeRun(const std::string& folder, const RunFacts& facts, const TrainingData& data,
                      const std::string& source, const Model& model, int64_t seed, int64_t batch);

/// The model name of this machine's processor; empty where the system does not say.
std::string ProcessorName();

}  // namespace seqgraph::tools
