#include "data/series/series_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "data/class_table.h"
#include "data/series/float_store.h"
#include "data/series/series_draft.h"
#include "data/series/series_facts.h"
#include "data/series/tensor_file.h"

namespace seqgraph::data {
namespace {

using Options = SeriesSourceOptions;

constexpr char kSeriesMetadata[] = "seqgraph.series";

absl::StatusOr<SeriesFacts> FactsOf(const TensorFile& file) {
  SeriesFacts facts;
  if (!FactsFromJson(file.metadata(), &facts)) {
    return file.Damaged("what it says of its series is not as this version writes it");
  }
  return facts;
}

class SeriesFileReader {
 public:
  SeriesFileReader(const std::string& path, const Options& options, TensorFile file)
      : path_(path), options_(options), file_(std::move(file)) {}

  absl::StatusOr<SeriesSet> Read() {
    SEQ_ASSIGN_OR_RETURN(SeriesFacts facts, FactsOf(file_));
    draft_.set = std::move(facts.set);
    SEQ_RETURN_IF_ERROR(CheckParts(facts.source));
    SEQ_RETURN_IF_ERROR(SelectFeatures());
    SEQ_RETURN_IF_ERROR(ReadArrays());
    if (const std::string wrong = WrongPart(draft_.set); !wrong.empty()) {
      return file_.Damaged(absl::StrCat("\"", wrong, "\" cannot be so"));
    }
    SEQ_RETURN_IF_ERROR(ReadValues());
    if (options_.wants_targets) NumberClasses();
    return FinishSeries(std::move(draft_), path_, options_);
  }

 private:
  // What the options ask for must be what the file was made by.
  absl::Status CheckParts(const Options& source) const {
    for (const SeriesPart& part : SeriesParts()) {
      const std::string &asked = options_.*part.column, &there = source.*part.column;
      if (asked.empty() || asked == there || (part.is_answer && !options_.wants_targets)) continue;
      return InvalidArgument("'", path_, "' was written ",
                             there.empty() ? absl::StrCat("without --", part.name)
                                           : absl::StrCat("with --", part.name, "=", there),
                             ", not with --", part.name, "=", asked);
    }
    if (!options_.wants_targets) return absl::OkStatus();
    if (!options_.targets.empty() && options_.targets != source.targets) {
      return InvalidArgument(
          "'", path_, "' has ", source.targets.empty() ? "no targets" : "the targets ",
          absl::StrJoin(source.targets, ", "), ", not ", absl::StrJoin(options_.targets, ", "));
    }
    if (options_.per_step && !source.per_step) {
      return InvalidArgument("'", path_, "' was written without --per_step");
    }
    return absl::OkStatus();
  }

  absl::Status SelectFeatures() {
    std::vector<std::string>& features = draft_.set.features;
    num_columns_ = features.size();
    if (options_.columns.empty() || options_.columns == features) return absl::OkStatus();
    for (const std::string& name : options_.columns) {
      const auto found = std::find(features.begin(), features.end(), name);
      if (found == features.end()) {
        constexpr size_t kListed = 10;
        return InvalidArgument(
            "'", path_, "' has no feature ", Shown(name), "; it has ",
            absl::StrJoin(absl::MakeConstSpan(features).subspan(0, kListed), ", "),
            features.size() > kListed ? ", ..." : "");
      }
      selected_.push_back(static_cast<size_t>(found - features.begin()));
    }
    features = options_.columns;
    return absl::OkStatus();
  }

  template <typename T>
  absl::Status Take(const char* name, std::vector<T>* elements, size_t rank = 1) {
    if (!file_.Has(name)) return absl::OkStatus();
    SEQ_ASSIGN_OR_RETURN(const TensorFile::Tensor tensor,
                         file_.Find(name, TensorTypeOf<T>::kName, rank));
    memory_ += tensor.bytes;
    if (memory_ > options_.max_memory) {
      return ResourceExhausted("'", path_, "': times, names and answers take more than ",
                               options_.max_memory, " bytes; allow more (--max_memory)");
    }
    SEQ_ASSIGN_OR_RETURN(*elements, file_.Read<T>(name, rank));
    return absl::OkStatus();
  }

  absl::Status ReadArrays() {
    SeriesSet& set = draft_.set;
    std::vector<int64_t> lines;
    SEQ_RETURN_IF_ERROR(Take("begin", &set.begin));
    SEQ_RETURN_IF_ERROR(Take("times", &set.times));
    SEQ_RETURN_IF_ERROR(Take("gaps", &set.gaps));
    SEQ_RETURN_IF_ERROR(Take("lines", &lines, 2));
    for (size_t i = 0; i + 2 < lines.size(); i += 3) {
      const int64_t file = lines[i + 2];
      set.lines.push_back({lines[i], lines[i + 1],
                           file == static_cast<int32_t>(file) ? static_cast<int32_t>(file) : -1});
    }
    if (!options_.wants_targets) {
      set.groups.clear();
      set.class_names.clear();
      set.target_names.clear();
      set.per_step = set.weights_per_step = false;
      return absl::OkStatus();
    }
    SEQ_RETURN_IF_ERROR(Take("classes", &set.classes));
    SEQ_RETURN_IF_ERROR(Take("targets", &set.targets, 2));
    return Take("weights", &set.weights);
  }

  // Looks at all values once, a block at a time: whether any is missing, and none infinite.
  absl::Status CheckValues(const TensorFile::Tensor& tensor, bool* any_missing) const {
    return file_.ForEachBlock("values", tensor, [&](absl::string_view block) -> absl::Status {
      bool infinite = false, missing = false;
      for (size_t i = 0; i + sizeof(float) <= block.size(); i += sizeof(float)) {
        float value;
        std::memcpy(&value, block.data() + i, sizeof(value));
        infinite |= std::isinf(value);
        missing |= std::isnan(value);
      }
      *any_missing |= missing;
      return infinite ? file_.Damaged("a value is infinite") : absl::OkStatus();
    });
  }

  absl::Status ReadValues() {
    SeriesSet& set = draft_.set;
    SEQ_ASSIGN_OR_RETURN(const TensorFile::Tensor tensor,
                         file_.Find("values", TensorTypeOf<float>::kName, 2));
    if (tensor.shape != std::vector<int64_t>{set.num_steps(), static_cast<int64_t>(num_columns_)} ||
        tensor.begin % static_cast<int64_t>(alignof(float)) != 0) {
      return file_.Damaged("\"values\" cannot be so");
    }
    bool any_missing = false;
    SEQ_RETURN_IF_ERROR(CheckValues(tensor, &any_missing));
    SEQ_ASSIGN_OR_RETURN(const auto mapped, file_.Map(tensor));
    StoredFloats values = {reinterpret_cast<float*>(mapped.first),
                           tensor.bytes / static_cast<int64_t>(sizeof(float)), mapped.second};
    draft_.complete = !any_missing || options_.missing == Options::Missing::kMask;
    // What is to be changed lies in memory or in a file of its own, as what is read from texts.
    if (!draft_.complete || !selected_.empty()) SEQ_RETURN_IF_ERROR(Copy(&values));
    draft_.SetValues(values);
    return absl::OkStatus();
  }

  absl::Status Copy(StoredFloats* values) const {
    FloatStore store(std::min(kMostInMemory, options_.max_memory / 4));
    std::vector<float> row(draft_.set.features.size());
    for (int64_t step = 0; step < draft_.set.num_steps(); ++step) {
      const float* const from = values->data + static_cast<size_t>(step) * num_columns_;
      for (size_t f = 0; f < row.size(); ++f) {
        row[f] = from[selected_.empty() ? f : selected_[f]];
      }
      SEQ_RETURN_IF_ERROR(store.Append(row));
    }
    SEQ_ASSIGN_OR_RETURN(*values, store.Finish());
    return absl::OkStatus();
  }

  // As the model of the options numbers them.
  void NumberClasses() {
    SeriesSet& set = draft_.set;
    const std::vector<std::string>& names = options_.class_names;
    if (names.empty() || names == set.class_names) return;
    std::vector<int32_t> numbers;
    for (const std::string& name : set.class_names) {
      const auto found = std::find(names.begin(), names.end(), name);
      numbers.push_back(found == names.end() ? -1 : static_cast<int32_t>(found - names.begin()));
    }
    std::vector<bool> drop(static_cast<size_t>(set.num_steps()));
    bool any_dropped = false;
    for (int64_t series = 0; series < set.num_series(); ++series) {
      const int64_t begin = set.begin[static_cast<size_t>(series)];
      for (int64_t i = 0; i < (set.per_step ? set.length(series) : 1); ++i) {
        int32_t& number = set.classes[static_cast<size_t>(set.per_step ? begin + i : series)];
        const std::string& name = set.class_names[static_cast<size_t>(number)];
        number = numbers[static_cast<size_t>(number)];
        if (number >= 0) continue;
        draft_.problems.Add(absl::StrCat(set.RowName(series, set.per_step ? i : -1), ": the label ",
                                         Shown(name), " is none of the ", names.size(),
                                         " classes of the model"));
        number = 0;
        any_dropped = true;
        const auto first = drop.begin() + begin + i;
        std::fill(first, set.per_step ? first + 1 : first + set.length(series), true);
      }
    }
    set.class_names = names;
    if (any_dropped && options_.skip_bad_rows) draft_.Drop(drop, /*leaves_gaps=*/true);
  }

  const std::string& path_;
  const Options& options_;
  const TensorFile file_;
  SeriesDraft draft_;
  size_t num_columns_ = 0;        // Of the file.
  std::vector<size_t> selected_;  // Of them; empty: all.
  int64_t memory_ = 0;
};

}  // namespace

absl::Status WriteSeries(const SeriesSet& set, const SeriesSourceOptions& source,
                         const std::string& path) {
  TensorFileWriter writer;
  const auto add = [&writer](const char* name, const auto& list, size_t width = 0) {
    std::vector<int64_t> shape = {static_cast<int64_t>(list.size() / std::max<size_t>(width, 1))};
    if (width > 0) shape.push_back(static_cast<int64_t>(width));
    writer.Add(name, shape, absl::MakeConstSpan(list));
  };
  std::vector<int64_t> lines;
  for (const SeriesSet::Lines& run : set.lines) {
    lines.insert(lines.end(), {run.step, run.line, run.file});
  }
  add("values", set.values, set.features.size());
  add("begin", set.begin);
  add("times", set.times);
  add("gaps", set.gaps);
  add("classes", set.classes);
  add("targets", set.targets, set.target_names.size());
  add("weights", set.weights);
  add("lines", lines, 3);
  return writer.Write(kSeriesMetadata, FactsToJson(set, source), path);
}

std::string SeriesFileOf(const std::string& path) {
  for (const std::string& name : {path, absl::StrCat(path, "/", kSeriesFile)}) {
    const absl::StatusOr<std::string> start = ReadFileStart(name, 10);
    // The upper half of the length is 0, as no text has it.
    if (start.ok() && start->size() == 10 && start->substr(4) == std::string("\0\0\0\0{\"", 6)) {
      return name;
    }
  }
  return "";
}

absl::Status CheckSeriesFile(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const TensorFile file,
                       TensorFile::Open(path, kSeriesMetadata, SeriesSourceOptions().max_memory));
  SEQ_RETURN_IF_ERROR(FactsOf(file).status());
  return file.CheckAll();
}

absl::Status CompleteFromSeriesFile(const std::string& path, SeriesSourceOptions* options) {
  const std::string name = SeriesFileOf(path);
  if (name.empty()) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(const TensorFile file,
                       TensorFile::Open(name, kSeriesMetadata, options->max_memory));
  SEQ_ASSIGN_OR_RETURN(const SeriesFacts facts, FactsOf(file));
  for (const SeriesPart& part : SeriesParts()) {
    if ((options->*part.column).empty()) options->*part.column = facts.source.*part.column;
  }
  if (options->targets.empty()) options->targets = facts.source.targets;
  options->per_step |= facts.source.per_step;
  if (options->missing == Options::Missing::kRefuse) options->missing = facts.source.missing;
  return absl::OkStatus();
}

absl::StatusOr<SeriesSet> ReadSeriesFile(const std::string& path,
                                         const SeriesSourceOptions& options) {
  SEQ_ASSIGN_OR_RETURN(TensorFile file,
                       TensorFile::Open(path, kSeriesMetadata, options.max_memory));
  return SeriesFileReader(path, options, std::move(file)).Read();
}

}  // namespace seqgraph::data
