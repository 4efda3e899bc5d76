#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "graph/op_registry.h"
#include "serialization/model_seal.h"

namespace seqgraph {

/// The parts of one kind in a model's file: its functions, its variables, ...
struct ModelPart {
  std::string name;  ///< the field of serialization/model.proto: "variables"
  int found = 0;
  int readable = 0;         ///< by themselves; whether what they say is right only the seal tells
  std::string first_wrong;  ///< what is wrong with the first that is not
};

/// What a model's file still holds.
struct ModelParts {
  ModelSeal seal = ModelSeal::kMissing;
  int64_t version = 0;  ///< of the format; 0: not found
  std::vector<ModelPart> parts;
  std::string end;  ///< where, and why, nothing more can be found; empty: all was
};

/// Looks at each part by itself, of the bytes of a file that ParseModel refuses: what of it could
/// be saved. Nothing is repaired. For untrusted bytes; memory stays within a small multiple of
/// them.
ModelParts FindModelParts(absl::string_view bytes, ModelFormat format, const OpRegistry& registry);

}  // namespace seqgraph
