#include "runtime/storage_plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "graph/op_def.h"

namespace seqgraph {
namespace {

using Place = Storage::Place;

class Planner {
 public:
  Planner(const Function& function, absl::Span<const OpaqueLayout> opaque_layouts,
          int64_t guard_bytes, const std::vector<bool>& constant)
      : function_(function),
        guard_bytes_(guard_bytes),
        end_(static_cast<int>(function.nodes().size())),
        bytes_(function.values().size()),
        is_opaque_(function.values().size(), false),
        last_read_(function.values().size(), -1),
        is_constant_(function.values().size(), false),
        root_(function.values().size()),
        buffer_of_(function.values().size(), -1),
        updates_(function.values().size()),
        is_result_(function.values().size(), false) {
    for (size_t v = 0; v < bytes_.size(); ++v) {
      bytes_[v] = function.values()[v].type.num_bytes();
      root_[v] = static_cast<int>(v);
    }
    for (const OpaqueLayout& entry : opaque_layouts) {
      bytes_[entry.value.index] = entry.bytes;
      is_opaque_[entry.value.index] = true;
    }
    FindLastReads();
    FindUpdates();
    if (!constant.empty()) FindConstantValues(constant);
  }

  StoragePlan Plan() {
    plan_.values.resize(function_.values().size());
    PlaceVariablesAndInputs();
    for (int n = 0; n < end_; ++n) {
      const Node& node = function_.nodes()[n];
      for (size_t o = 0; o < node.outputs.size(); ++o) PlaceOutput(n, static_cast<int>(o));
    }
    PlanSnapshots();
    AssignOffsets();
    PlanResultsAndCopies();
    return std::move(plan_);
  }

 private:
  // The last node that reads each value; end_ for what must outlive all nodes.
  void FindLastReads() {
    for (int n = 0; n < end_; ++n) {
      for (Value input : function_.nodes()[n].inputs) {
        if (input.present()) last_read_[input.index] = n;
      }
    }
    for (const NamedValue& result : function_.results()) last_read_[result.value.index] = end_;
    for (const NamedValue& update : function_.updates()) last_read_[update.value.index] = end_;
  }

  void FindUpdates() {
    for (size_t v = 0; v < function_.variables().size(); ++v) {
      variable_index_[function_.variables()[v].def.name] = static_cast<int>(v);
    }
    for (const NamedValue& result : function_.results()) is_result_[result.value.index] = true;
    for (const NamedValue& update : function_.updates()) {
      updates_[update.value.index].push_back(VariableIndex(update.name));
    }
  }

  // Outputs of nodes that are kept which others than such nodes read.
  void FindConstantValues(const std::vector<bool>& constant) {
    const std::vector<std::vector<int>>& consumers = function_.Consumers();
    for (int n = 0; n < end_; ++n) {
      if (!constant[n]) continue;
      for (Value output : function_.nodes()[n].outputs) {
        bool is_constant = last_read_[output.index] == end_;
        for (int reader : consumers[output.index]) is_constant = is_constant || !constant[reader];
        if (!is_constant) continue;
        is_constant_[output.index] = true;
        last_read_[output.index] = end_;
      }
    }
  }

  void PlaceVariablesAndInputs() {
    for (size_t i = 0; i < function_.variables().size(); ++i) {
      const Value value = function_.variables()[i].value;
      plan_.values[value.index] = {Place::kVariable, 0, static_cast<int>(i)};
      if (guard_bytes_ > 0) Reserve(value.index, bytes_[value.index], /*first=*/-1, /*last=*/end_);
    }
    for (Value input : function_.inputs()) {
      AddBuffer(input, /*first=*/-1, /*last=*/end_);
    }
  }

  void AddBuffer(Value value, int first, int last) {
    plan_.values[value.index].place = Place::kArena;
    Reserve(value.index, bytes_[value.index], first, last);
  }

  void Reserve(int value, int64_t bytes, int first, int last) {
    if (value >= 0) buffer_of_[value] = static_cast<int>(plan_.buffers.size());
    plan_.buffers.push_back({value, 0, bytes, first, last});
  }

  void PlaceOutput(int n, int o) {
    const Node& node = function_.nodes()[n];
    const Value output = node.outputs[o];
    if (last_read_[output.index] < 0) return;  // Place::kNone
    if (is_constant_[output.index]) {
      plan_.values[output.index] = {Place::kKept, plan_.kept_bytes};
      plan_.kept_bytes += AlignedBytes(bytes_[output.index]);
      kept_ += bytes_[output.index];
      return;
    }
    for (const InPlacePair& pair : node.op->in_place()) {
      if (pair.output == o && node.inputs[pair.input].present() &&
          ShareInput(n, output, node.inputs[pair.input])) {
        return;
      }
    }
    AddBuffer(output, n, last_read_[output.index]);
  }

  // Lets `output` of node n take over the memory of `input` if its old content is then dead.
  bool ShareInput(int n, Value output, Value input) {
    if (last_read_[input.index] != n || is_opaque_[input.index] || is_opaque_[output.index]) {
      return false;
    }
    // An op that broadcasts may declare a pair whose output is larger than this input.
    if (function_.type(input) != function_.type(output)) return false;
    // A node that reads the value twice, or has two outputs for it, needs it unharmed.
    const Node& node = function_.nodes()[n];
    if (std::count(node.inputs.begin(), node.inputs.end(), input) > 1 || Taken(n, input)) {
      return false;
    }
    const Storage& storage = plan_.values[input.index];
    if (storage.place == Place::kVariable) {
      if (UpdatedVariable(output) != storage.variable) return false;
      plan_.values[output.index] = storage;
      return true;
    }
    if (function_.info(input).origin != Origin::kNode) return false;
    plan_.values[output.index].place = Place::kArena;
    root_[output.index] = root_[input.index];
    plan_.buffers[buffer_of_[root_[input.index]]].last = last_read_[output.index];
    return true;
  }

  // True if an earlier output of node n has taken over `input` already.
  bool Taken(int n, Value input) const {
    const Storage& storage = plan_.values[input.index];
    for (Value output : function_.nodes()[n].outputs) {
      const Storage& other = plan_.values[output.index];
      if (other.place != storage.place || other.place == Place::kNone) continue;
      if (other.place == Place::kVariable && other.variable == storage.variable) return true;
      if (other.place == Place::kArena && root_[output.index] == root_[input.index]) return true;
    }
    return false;
  }

  // The variable that `value` is the update of, and of that alone; -1 if there is none.
  int UpdatedVariable(Value value) const {
    const std::vector<int>& updates = updates_[value.index];
    return is_result_[value.index] || updates.size() != 1 ? -1 : updates[0];
  }

  int VariableIndex(absl::string_view name) const { return variable_index_.at(name); }

  // Variables whose content must be kept: those that are results or updates of others.
  void PlanSnapshots() {
    const auto keep = [this](Value value) {
      if (plan_.values[value.index].place != Place::kVariable ||
          function_.info(value).origin != Origin::kVariable || snapshot_of_.count(value.index)) {
        return;
      }
      snapshot_of_[value.index] = static_cast<int>(plan_.snapshots.size());
      plan_.snapshots.push_back({plan_.values[value.index].variable, 0});
      Reserve(/*value=*/-1, bytes_[value.index], end_, end_);
    };
    for (const NamedValue& result : function_.results()) keep(result.value);
    for (const NamedValue& update : function_.updates()) keep(update.value);
  }

  void AssignOffsets() {
    std::vector<Lifetime> lifetimes;
    for (const ArenaBuffer& buffer : plan_.buffers) {
      lifetimes.push_back({buffer.bytes, buffer.first, buffer.last});
      if (guard_bytes_ == 0) continue;
      // The bytes up to the next multiple of the alignment belong to the guard behind.
      int64_t& bytes = lifetimes.back().bytes;
      bytes = AlignedBytes(bytes) + 2 * guard_bytes_;
    }
    const MemoryPlan memory = PlanMemory(lifetimes);
    size_t snapshot = 0;
    for (size_t b = 0; b < plan_.buffers.size(); ++b) {
      ArenaBuffer& buffer = plan_.buffers[b];
      buffer.offset = memory.offsets[b] + guard_bytes_;
      if (buffer.value < 0) {
        plan_.snapshots[snapshot++].offset = buffer.offset;
      } else if (plan_.values[buffer.value].place == Place::kVariable) {
        plan_.variable_offsets.push_back(buffer.offset);
      } else {
        plan_.values[buffer.value].offset = buffer.offset;
      }
    }
    for (size_t v = 0; v < plan_.values.size(); ++v) {
      if (plan_.values[v].place == Place::kArena) {
        plan_.values[v].offset = plan_.values[root_[v]].offset;
      }
    }
    plan_.arena_bytes = memory.bytes;
    plan_.live_bound = memory.live_bound + kept_;
  }

  void PlanResultsAndCopies() {
    const auto settled = [this](Value value) {
      const auto found = snapshot_of_.find(value.index);
      if (found == snapshot_of_.end()) return plan_.values[value.index];
      return Storage{Place::kArena, plan_.snapshots[found->second].offset, -1};
    };
    for (const NamedValue& result : function_.results()) {
      plan_.results.push_back(settled(result.value));
    }
    for (const NamedValue& update : function_.updates()) {
      const Storage source = settled(update.value);
      if (source.place == Place::kVariable) {
        plan_.in_place.push_back(source.variable);
      } else {
        plan_.copies.push_back({VariableIndex(update.name), source});
      }
    }
  }

  const Function& function_;
  const int64_t guard_bytes_;
  const int end_;
  std::vector<int64_t> bytes_;
  std::vector<bool> is_opaque_;
  std::vector<int> last_read_;
  std::vector<bool> is_constant_;          // must be there between calls
  std::vector<int> root_;                  // the value whose buffer a value shares
  std::vector<int> buffer_of_;             // of plan_.buffers; -1: none
  std::vector<std::vector<int>> updates_;  // the variables that each value updates
  std::vector<bool> is_result_;
  std::map<absl::string_view, int> variable_index_;
  int64_t kept_ = 0;                // bytes of what is, each without its alignment
  std::map<int, int> snapshot_of_;  // value -> index into plan_.snapshots
  StoragePlan plan_;
};

}  // namespace

StoragePlan PlanStorage(const Function& function, absl::Span<const OpaqueLayout> opaque_layouts,
                        int64_t guard_bytes, const std::vector<bool>& constant) {
  return Planner(function, opaque_layouts, guard_bytes, constant).Plan();
}

}  // namespace seqgraph
