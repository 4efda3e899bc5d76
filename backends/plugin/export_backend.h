#pragma once

#include <cstdint>

#include "backends/plugin/seqgraph_backend.h"
#include "graph/op_registry.h"
#include "runtime/backend.h"

namespace seqgraph {

/// Fills a plugin's table with a backend of our own C++ interface, so that one and the same backend
/// can be linked in or loaded:
///
///   int32_t Fill(const sg_host*, sg_backend* table, sg_status* status) {
///     static const Backend* const backend = MakeMyBackend().release();
///     return ExportBackend(*backend, AllOps(), table, status);
///   }
///   SEQGRAPH_BACKEND(Fill)
///
/// Backend and registry must live as long as the plugin. Throws nothing.
int32_t ExportBackend(const Backend& backend, const OpRegistry& registry, sg_backend* table,
                      sg_status* status) noexcept;

}  // namespace seqgraph
