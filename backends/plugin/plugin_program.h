#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "backends/plugin/encoded_function.h"
#include "backends/plugin/plugin_table.h"
#include "runtime/backend.h"

namespace seqgraph {

/// A program of a plugin behind the interface that all backends have: calls its functions, and
/// keeps for each node the structs that run takes. Knows the encoded function only. `plugin` must
/// outlive it.
class PluginProgram : public Program {
 public:
  /// The operands of a node, ready for run.
  struct NodeCall {
    std::vector<sg_tensor> tensors;  // inputs, then outputs
    std::vector<const sg_tensor*> pointers;
    sg_run_args args = {};
    int64_t scratch_bytes = 0;  // -1: unknown
    std::string implementation;
    std::string label;
    std::string place;  // the label, and the function
  };

  /// Errors are the plugin's, or Internal for sizes that make no sense; they name the plugin.
  /// `choice` is what the plugin's claim_function left for the function, or null.
  static absl::StatusOr<std::unique_ptr<PluginProgram>> Prepare(
      const PluginTable& plugin, std::shared_ptr<const EncodedFunction> function,
      const void* choice, absl::Span<const int> nodes, std::vector<uint8_t> may_be_private,
      int threads);
  ~PluginProgram() override;
  PluginProgram(const PluginProgram&) = delete;
  PluginProgram& operator=(const PluginProgram&) = delete;

  const NodeCall& call(int node) const { return *calls_[node]; }

  std::string implementation(int node) const override { return call(node).implementation; }
  int64_t scratch_bytes(int node) const override { return call(node).scratch_bytes; }
  int64_t persistent_bytes() const override { return program_.persistent_bytes; }
  std::vector<OpaqueLayout> opaque_layouts() const override { return opaque_layouts_; }
  absl::Status Begin() override;
  void End() override;
  absl::Status Run(int node, const KernelArgs& args) override;

 private:
  PluginProgram(const PluginTable& plugin, std::shared_ptr<const EncodedFunction> function)
      : plugin_(plugin), function_(std::move(function)) {}
  absl::Status AskForOpaqueLayouts(const std::vector<uint8_t>& may_be_private);
  absl::Status AddCall(int node);
  absl::Status AskForInfo(int node, NodeCall& call);
  absl::Status AddOperands(const sg_node& node, uint32_t tag, NodeCall& call) const;

  const PluginTable& plugin_;
  const std::shared_ptr<const EncodedFunction> function_;
  bool prepared_ = false;
  sg_program program_ = {};
  std::vector<OpaqueLayout> opaque_layouts_;
  std::vector<int64_t> value_bytes_;              // for each value
  std::vector<std::unique_ptr<NodeCall>> calls_;  // null: another backend's
};

}  // namespace seqgraph
