#include "training/optimizer_share.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "training/optimizers.h"

namespace seqgraph {
namespace {

using Kind = GradientClipping::Kind;

template <typename Visit>
void ForEachSlot(const StepParts& parts, bool shared, Visit visit) {
  for (const SlotGroup& group : parts.optimizer.slots()) {
    for (const SlotDef& slot : group) {
      if (slot.shared == shared && !slot.idle) visit(slot.name);
    }
  }
}

// Calls copy(variable, begin of its elements, how many) for each part of the slots, in one order.
// `of_piece` gives the variable that has a piece's weight and where it begins there.
template <typename OfPiece, typename Copy>
absl::Status ForEachPart(const StepParts& parts, const std::vector<WeightPiece>& pieces,
                         OfPiece of_piece, Copy copy) {
  for (const WeightPiece& piece : pieces) {
    const auto [weight, begin] = of_piece(piece);
    for (const std::string& slot : SlotNames(parts, weight)) {
      SEQ_RETURN_IF_ERROR(copy(slot, begin, piece.size()));
    }
  }
  if (pieces.empty()) return absl::OkStatus();
  for (const std::string& slot : SharedSlotNames(parts)) SEQ_RETURN_IF_ERROR(copy(slot, 0, 1));
  return absl::OkStatus();
}

template <typename OfPiece>
absl::StatusOr<std::string> Pack(const StepParts& parts, const std::vector<WeightPiece>& pieces,
                                 const VariableStore& store, OfPiece of_piece) {
  std::string bytes;
  SEQ_RETURN_IF_ERROR(ForEachPart(
      parts, pieces, of_piece, [&](const std::string& slot, int64_t begin, int64_t size) {
        SEQ_ASSIGN_OR_RETURN(const Variable* variable, store.Get(slot));
        const float* from = variable->value.Elements<float>().data() + begin;
        bytes.append(reinterpret_cast<const char*>(from),
                     static_cast<size_t>(size) * sizeof(float));
        return absl::OkStatus();
      }));
  return bytes;
}

template <typename OfPiece>
absl::Status Unpack(const StepParts& parts, const std::vector<WeightPiece>& pieces,
                    absl::string_view bytes, VariableStore* store, OfPiece of_piece) {
  SEQ_RETURN_IF_ERROR(ForEachPart(
      parts, pieces, of_piece, [&](const std::string& slot, int64_t begin, int64_t size) {
        SEQ_ASSIGN_OR_RETURN(const Variable* variable, store->Get(slot));
        const size_t length = static_cast<size_t>(size) * sizeof(float);
        if (bytes.size() < length) return InvalidArgument("the slots of a rank are cut off");
        store->Mutate<float>(*variable, [&](absl::Span<float> to) {
          std::memcpy(to.data() + begin, bytes.data(), length);
        });
        bytes.remove_prefix(length);
        return absl::OkStatus();
      }));
  if (bytes.empty()) return absl::OkStatus();
  return InvalidArgument("the slots of a rank have ", bytes.size(), " bytes too many");
}

auto InWhole(const StepParts& parts) {
  return [&parts](const WeightPiece& piece) {
    return std::pair(parts.weights[piece.weight].name, piece.begin);
  };
}

auto InPiece(const StepParts& parts) {
  return [&parts](const WeightPiece& piece) {
    return std::pair(PieceName(parts.weights, piece), int64_t{0});
  };
}

}  // namespace

std::vector<std::string> SlotNames(const StepParts& parts, const std::string& weight) {
  std::vector<std::string> names;
  ForEachSlot(parts, /*shared=*/false, [&](const std::string& slot) {
    names.push_back(absl::StrCat("optimizer/", weight, "/", slot));
  });
  return names;
}

std::vector<std::string> SharedSlotNames(const StepParts& parts) {
  std::vector<std::string> names;
  ForEachSlot(parts, /*shared=*/true,
              [&](const std::string& slot) { names.push_back(absl::StrCat("optimizer/", slot)); });
  return names;
}

absl::StatusOr<OptimizerShare> OptimizerShare::Create(const StepParts& parts,
                                                      const FlatLayout& layout, IndexRange share,
                                                      const RunnerOptions& options) {
  OptimizerShare made;
  made.parts_ = &parts;
  std::vector<WeightPiece> pieces;
  for (const WeightPiece& piece : layout.PiecesIn(share)) {
    // Behind the weights lies what else is gathered.
    if (piece.weight < static_cast<int>(parts.weights.size())) pieces.push_back(piece);
  }
  if (pieces.empty()) return made;
  const OpRegistry& ops = options.ops != nullptr ? *options.ops : AllOps();
  SEQ_ASSIGN_OR_RETURN(Model model, OptimizerOfPieces(parts, pieces, ops));
  made.model_ = std::make_unique<Model>(std::move(model));
  RunnerOptions own;
  own.backend = options.backend;
  own.threads = options.threads;
  own.backends = options.backends;
  own.ops = options.ops;
  made.runner_ = std::make_unique<ModelRunner>(made.model_.get(), own);
  SEQ_ASSIGN_OR_RETURN(made.apply_, made.runner_->Compile(kApply, 1));
  for (const WeightPiece& piece : pieces) {
    Piece each{.piece = piece, .name = PieceName(parts.weights, piece)};
    each.begin = layout.begin(piece);
    each.gradient = made.apply_->FindInput(absl::StrCat(StepParts::kGradientPrefix, each.name));
    const Kind clipping = parts.optimizer.clipping.kind;
    if (clipping == Kind::kNorm || clipping == Kind::kGlobalNorm) {
      each.norm = made.apply_->FindInput(absl::StrCat(
          kNormPrefix, clipping == Kind::kNorm ? parts.weights[piece.weight].name : ""));
    }
    made.pieces_.push_back(std::move(each));
  }
  return made;
}

absl::Status OptimizerShare::SetWeights(absl::Span<const float> flat) {
  for (const Piece& each : pieces_) {
    SEQ_ASSIGN_OR_RETURN(const Variable* variable, model_->variables.Get(each.name));
    model_->variables.Mutate<float>(*variable, [&](absl::Span<float> to) {
      std::copy_n(flat.begin() + each.begin, each.piece.size(), to.begin());
    });
  }
  return absl::OkStatus();
}

void OptimizerShare::GetWeights(absl::Span<float> flat) const {
  for (const Piece& each : pieces_) {
    const Variable* variable = model_->variables.Find(each.name);
    std::copy_n(variable->value.Elements<float>().data(), each.piece.size(),
                flat.begin() + each.begin);
  }
}

absl::Status OptimizerShare::SetIteration(int64_t iteration) {
  if (model_ == nullptr) return absl::OkStatus();
  return model_->variables.Assign(kIterationVariable, Tensor::Scalar(iteration));
}

absl::Status OptimizerShare::SetRate(double rate) {
  return model_ == nullptr ? absl::OkStatus() : SetLearningRate(*model_, rate);
}

absl::Status OptimizerShare::Apply(absl::Span<const float> flat, absl::Span<const double> norms) {
  if (apply_ == nullptr) return absl::OkStatus();
  for (const Piece& each : pieces_) {
    std::copy_n(flat.begin() + each.begin, each.piece.size(),
                static_cast<float*>(apply_->input(each.gradient)));
    if (each.norm < 0) continue;
    const size_t of = norms.size() == 1 ? 0 : static_cast<size_t>(each.piece.weight);
    *static_cast<float*>(apply_->input(each.norm)) = static_cast<float>(norms[of]);
  }
  return apply_->Run();
}

std::string OptimizerShare::PackSlots() const {
  if (model_ == nullptr) return "";
  std::vector<WeightPiece> pieces;
  for (const Piece& each : pieces_) pieces.push_back(each.piece);
  absl::StatusOr<std::string> bytes = Pack(*parts_, pieces, model_->variables, InPiece(*parts_));
  SEQ_CHECK(bytes.ok());  // The variables are those that it was made with.
  return *std::move(bytes);
}

absl::Status OptimizerShare::UnpackSlots(absl::string_view bytes) {
  if (model_ == nullptr) return absl::OkStatus();
  std::vector<WeightPiece> pieces;
  for (const Piece& each : pieces_) pieces.push_back(each.piece);
  return Unpack(*parts_, pieces, bytes, &model_->variables, InPiece(*parts_));
}

absl::StatusOr<std::string> OptimizerShare::PackSlots(const StepParts& parts,
                                                      const std::vector<WeightPiece>& pieces,
                                                      const VariableStore& whole) {
  return Pack(parts, pieces, whole, InWhole(parts));
}

absl::Status OptimizerShare::UnpackSlots(const StepParts& parts,
                                         const std::vector<WeightPiece>& pieces,
                                         absl::string_view bytes, VariableStore* whole) {
  return Unpack(parts, pieces, bytes, whole, InWhole(parts));
}

int64_t OptimizerShare::slot_bytes() const { return static_cast<int64_t>(PackSlots().size()); }

}  // namespace seqgraph
