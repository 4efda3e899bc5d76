#include "tools/model_flags.h"

#include "absl/strings/str_cat.h"
#include "layers/recurrent_cells.h"

namespace seqgraph::tools {
namespace {

std::vector<std::string> CellFlags() {
  std::vector<std::string> names;
  for (const RecurrentCell& cell : RecurrentCells()) names.push_back(cell.flag);
  return names;
}

// Of a name that the flag has let through.
const RecurrentCell& CellOf(const std::string& flag) {
  for (const RecurrentCell& cell : RecurrentCells()) {
    if (cell.flag == flag) return cell;
  }
  return RecurrentCells()[0];
}

}  // namespace

std::vector<Flag> ModelFlags::Declare(Flags& flags) {
  const Flag model =
      flags.Choice("--model", &input, {"embedding", "onehot"}, "How words enter the network");
  cell_flag_ = flags.Choice("--cell", &cell, CellFlags(),
                            "Of the recurrent layers; for series by default lstm");
  units_flag_ = flags.Int("--units", &sizes.units, 1, 65536,
                          "Of each recurrent layer, in each direction; for series by default 32");
  std::vector<Flag> declared = {
      model,
      *cell_flag_,
      *units_flag_,
      flags.Int("--layers", &sizes.layers, 1, 64,
                "Recurrent layers, one over the states of the other"),
      flags.Switch("--bidirectional", &sizes.bidirectional,
                   "Each of them in both directions, their outputs side by side"),
      flags.Choice("--pooling", &pooling, {"last", "average", "max"},
                   "What is told from: the last state, or a mean or maximum of all"),
      flags.Share("--dropout", &sizes.dropout,
                  "Of the inputs of each recurrent layer, in training"),
      flags.Share("--recurrent_dropout", &sizes.recurrent_dropout, "Of their states, in training")};
  const Flag dim = flags.Int("--embedding_dim", &sizes.embedding_dim, 1, 65536,
                             "Width of the table's rows, with --model=embedding");
  const Flag mask = flags.Switch("--mask_zero", &sizes.mask_zero,
                                 "Skip the padding in front of a text, with --model=embedding");
  of_texts_ = {model, dim, mask};
  for (const Flag& flag : declared) {
    if (flag.name() == "--bidirectional" || flag.name() == "--pooling") {
      of_whole_texts_.push_back(flag);
    }
  }
  flags.Check("--embedding_dim", [this, dim] {
    return input == "onehot" && dim.given() ? "does not go with --model=onehot" : "";
  });
  flags.Check("--mask_zero", [this] {
    return input == "onehot" && sizes.mask_zero ? "does not go with --model=onehot" : "";
  });
  declared.insert(declared.end(), {dim, mask});
  return declared;
}

std::string ModelFlags::GivenOfTexts() const { return FirstGiven(of_texts_); }

std::string ModelFlags::GivenOfWholeTexts() const { return FirstGiven(of_whole_texts_); }

void ModelFlags::PreferLayers(const std::string& cell_flag, int64_t units) {
  if (!cell_flag_->given()) cell = cell_flag;
  if (!units_flag_->given()) sizes.units = units;
}

RecurrentLayersOptions ModelFlags::Layers() const {
  RecurrentLayersOptions layers{.cell = CellOf(cell).class_name,
                                .units = sizes.units,
                                .layers = sizes.layers,
                                .bidirectional = sizes.bidirectional,
                                .dropout = sizes.dropout,
                                .recurrent_dropout = sizes.recurrent_dropout};
  if (pooling == "average") layers.pooling = StatePooling::kAverage;
  if (pooling == "max") layers.pooling = StatePooling::kMax;
  return layers;
}

TextModelOptions ModelFlags::Options() const {
  TextModelOptions options = sizes;
  options.one_hot = input == "onehot";
  options.cell = CellOf(cell).class_name;
  options.pooling = Layers().pooling;
  return options;
}

std::string ModelFlags::LayersDescription() const {
  const std::string which =
      absl::StrCat(sizes.bidirectional ? "bidirectional " : "", CellOf(cell).class_name);
  return absl::StrCat(sizes.layers == 1 ? which : absl::StrCat(sizes.layers, " layers of ", which),
                      " of ", sizes.units, " units",
                      pooling == "last" ? "" : absl::StrCat(", ", pooling, " of states"));
}

std::string ModelFlags::Description() const {
  return absl::StrCat(input, " input, ", LayersDescription());
}

}  // namespace seqgraph::tools
