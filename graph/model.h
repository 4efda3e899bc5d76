#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/function.h"
#include "graph/layer_stack.h"
#include "graph/tensor.h"

namespace seqgraph {

class CompiledFunction;

/// A variable with its content. A store hands it out to be read: what writes takes the store's
/// doors, which count.
struct Variable {
  VariableDef def;
  Tensor value;
  /// Grows whenever the content changes: what keeps packed copies from going stale.
  uint64_t version = 1;
};

/// The variables of a model by name, in the order of declaration. The memory of a variable's
/// content stays where it is as long as the store lives, also when the store is moved. Content
/// changes by Assign and Mutate alone, so that no change goes uncounted.
class VariableStore {
 public:
  VariableStore();
  VariableStore(VariableStore&&) noexcept;
  VariableStore& operator=(VariableStore&&) noexcept;
  ~VariableStore();

  /// Adds a variable filled with zeros; if there is one of that name, checks that type, role and
  /// trainability agree (InvalidArgument otherwise).
  absl::Status Declare(const VariableDef& def);
  /// Adds a variable with that content, which is moved in. AlreadyExists if there is one of that
  /// name, InvalidArgument if the content is of another type.
  absl::Status Add(const VariableDef& def, Tensor value);
  /// Null if there is none.
  const Variable* Find(absl::string_view name) const;
  /// NotFound names the variable.
  absl::StatusOr<const Variable*> Get(absl::string_view name) const;
  /// Copies new content in and raises the version; InvalidArgument if the type differs.
  absl::Status Assign(absl::string_view name, const Tensor& value);
  /// Calls write(content) with the elements of a variable of this store and raises its version. T
  /// is the variable's element type.
  template <typename T, typename Write>
  void Mutate(const Variable& variable, Write write) {
    write(Writable(variable).value.template Elements<T>());
  }

  const std::deque<Variable>& all() const { return variables_; }
  /// Elements of the variables with that role.
  int64_t CountElements(VariableRole role) const;

 private:
  // Updates variables in place, and counts each call.
  friend class CompiledFunction;
  // The variable of some store, to be written now: counted.
  static Variable& Writable(const Variable& variable) {
    Variable& writable = const_cast<Variable&>(variable);
    ++writable.version;
    return writable;
  }

  std::deque<Variable> variables_;
  std::map<std::string, Variable*, std::less<>> by_name_;
};

/// How raw text becomes the model's input. As data: training/preprocessing.h knows the rules.
struct TextPreprocessing {
  std::string rule;  ///< its name; empty: the model takes no text
  int64_t num_words = 0;
  int64_t maxlen = 0;
  std::vector<std::string> words;  ///< by rank, as bytes
  /// Columns of the table that it was trained on, by name or number; empty: it was no table.
  std::string text_column, label_column;
};

/// How series of numbers become the model's input, and what it tells of them: what is needed to
/// find the columns of a file again, and the parts that it was split into. As data:
/// training/series/ knows the tasks. What is empty or 0 was not asked for.
struct SeriesPreprocessing {
  std::string task;                       ///< "forecast"; empty: the model takes no series
  std::vector<std::string> features;      ///< names of the columns that it takes, in order
  std::vector<std::string> targets;       ///< of the numbers that it tells
  std::vector<std::string> known_future;  ///< features that are known over the horizon too
  // Columns of the files, by name.
  std::string series_column, order_column, time_column, label_column, group_column, weight_column;
  std::string time_format;
  std::string missing;    ///< what is done with values that are missing: "mask"
  std::string scale;      ///< how the scaling of its layers was found: "standard"
  std::string loss;       ///< what training made small, by Keras's name
  std::string split;      ///< what the parts were made by, so that they are found again
  int64_t window = 0;     ///< steps of a row; 0: whole series
  int64_t horizon = 0;    ///< steps that are told behind a window
  int64_t stride = 0;     ///< from one window to the next
  int64_t max_steps = 0;  ///< the longest row that it takes
  int64_t season = 0;
  bool many_labels = false;  ///< any number of labels a series
  bool per_step = false;     ///< labels belong to steps
  std::vector<double> quantiles;

  /// Calls field(key, member) for each: files list them by it.
  template <typename Series, typename Field>
  static void Fields(Series& series, Field field) {
    field("task", series.task);
    field("features", series.features);
    field("targets", series.targets);
    field("known_future", series.known_future);
    field("series_column", series.series_column);
    field("order_column", series.order_column);
    field("time_column", series.time_column);
    field("label_column", series.label_column);
    field("group_column", series.group_column);
    field("weight_column", series.weight_column);
    field("time_format", series.time_format);
    field("missing", series.missing);
    field("scale", series.scale);
    field("loss", series.loss);
    field("split", series.split);
    field("window", series.window);
    field("horizon", series.horizon);
    field("stride", series.stride);
    field("max_steps", series.max_steps);
    field("season", series.season);
    field("many_labels", series.many_labels);
    field("per_step", series.per_step);
    field("quantiles", series.quantiles);
  }
  friend bool operator==(const SeriesPreprocessing&, const SeriesPreprocessing&) = default;
};

/// Files are read with at most this many words: far beyond any language's.
inline constexpr size_t kMaxVocabularyWords = size_t{1} << 22;

/// OK if numbers are in [0, 2^31), quantiles in (0, 1), texts of at most 64 KiB, and there are at
/// most kMaxVocabularyWords of a kind: what every reader of files asks. InvalidArgument names the
/// field.
absl::Status CheckSeries(const SeriesPreprocessing& series);

/// What `train_step` updates weights with, for files of frameworks that know optimizers: its name
/// and its settings (Keras's, see optimizers/optimizer.h). The learning rate is a variable.
struct OptimizerRecord {
  std::string name;
  Attributes settings;
};

/// Named functions over shared variables, and all that a saved model needs to answer the real
/// question: preprocessing and label names.
struct Model {
  Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  std::string name;
  std::vector<Function> functions;
  VariableStore variables;
  TextPreprocessing preprocessing;
  SeriesPreprocessing series;
  std::vector<std::string> labels;  ///< name of class 0, 1, ...
  std::string description;          ///< free text: what it was trained on and how
  /// The stack of layers that `predict` was built from, where it was: for summaries and for files
  /// of frameworks that know layers. As data: layers/ knows what they mean.
  std::optional<LayerStack> layers;
  std::optional<OptimizerRecord> optimizer;

  /// Adds a function and declares its variables. AlreadyExists for a second one of that name,
  /// InvalidArgument for a variable that the model has with another definition: then nothing is
  /// added.
  absl::Status AddFunction(Function function);
  /// Null if there is none.
  const Function* FindFunction(absl::string_view name) const;
  /// NotFound lists the names that there are.
  absl::StatusOr<const Function*> GetFunction(absl::string_view name) const;
};

}  // namespace seqgraph
