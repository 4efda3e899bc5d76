// A host that was built with the header of version 1, as it was, and knows nothing else of ours:
// loads plugins that are built today and runs Sigmoid on them.

#include <dlfcn.h>

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/compatibility/plugin_abi_1/seqgraph_backend.h"

namespace {

// function f(x: float32[2]) { y = Sigmoid(x); return r = y }, byte for byte as protobuf has it.
const std::string kFunction(
    "\x0A\x01"
    "f"
    "\x22\x0A\x0A\x01x\x22\x05\x08\x01\x22\x01\x02"
    "\x52\x15\x0A\x01s\x22\x07Sigmoid\x38\x01\x6A\x01x\x82\x01\x01y"
    "\x6A\x06\x0A\x01r\x22\x01y");

sg_status NewStatus() {
  sg_status status = {};
  status.struct_size = sizeof(status);
  return status;
}

class HostStub : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    library_ = dlopen(GetParam(), RTLD_LOCAL | RTLD_NOW);
    ASSERT_NE(library_, nullptr) << dlerror();
    entry_ = reinterpret_cast<sg_entry_function>(dlsym(library_, SG_ENTRY_NAME));
    ASSERT_NE(entry_, nullptr);
  }
  // What the entry function returns to a host that speaks these versions.
  int32_t Enter(uint32_t min, uint32_t max, sg_backend* backend, sg_status* status) const {
    const sg_host host = {sizeof(host), SG_MAGIC, min, max, "stub 1"};
    *backend = {};
    backend->struct_size = sizeof(*backend);
    return entry_(&host, backend, status);
  }

  void* library_ = nullptr;
  sg_entry_function entry_ = nullptr;
};

TEST_P(HostStub, RunsSigmoid) {
  sg_status status = NewStatus();
  sg_backend backend;
  ASSERT_EQ(Enter(1, 1, &backend, &status), SG_OK) << status.text;
  EXPECT_EQ(backend.abi_version, 1u);
  EXPECT_EQ(backend.magic, SG_MAGIC);
  ASSERT_GE(backend.struct_size, SG_BACKEND_V1_SIZE);

  const int64_t dims[] = {2};
  const sg_value x_type = {sizeof(x_type), "x", SG_FLOAT32, 1, dims};
  const sg_value y_type = {sizeof(y_type), "y", SG_FLOAT32, 1, dims};
  const sg_value* const values[] = {&x_type, &y_type};
  const sg_function function = {sizeof(function),
                                reinterpret_cast<const uint8_t*>(&kFunction[0]),
                                kFunction.size(),
                                values,
                                2,
                                1};
  sg_claim claim = {};
  claim.struct_size = sizeof(claim);
  ASSERT_EQ(backend.claim(backend.instance, &function, 0, &claim, &status), SG_OK) << status.text;
  ASSERT_EQ(claim.reason, SG_CLAIMED) << claim.text;

  const int32_t nodes[] = {0};
  const uint8_t may_be_private[] = {0, 0};
  const sg_prepare_args prepare = {sizeof(prepare), &function, nodes, 1, 1, may_be_private};
  sg_program program = {};
  program.struct_size = sizeof(program);
  ASSERT_EQ(backend.prepare(backend.instance, &prepare, &program, &status), SG_OK) << status.text;

  alignas(64) float x[] = {0, 2}, y[] = {9, 9};
  const sg_tensor x_tensor = {sizeof(x_tensor), x, sizeof(x), 0, SG_FLOAT32, 1, dims};
  const sg_tensor y_tensor = {sizeof(y_tensor), y, sizeof(y), 0, SG_FLOAT32, 1, dims};
  const sg_tensor *inputs[] = {&x_tensor}, *outputs[] = {&y_tensor};
  std::vector<char> persistent(program.persistent_bytes);
  const sg_run_args run = {sizeof(run), 0, 1, inputs, outputs, 1, 0, nullptr, persistent.data()};
  if (backend.begin != nullptr) {
    ASSERT_EQ(backend.begin(program.handle, &status), SG_OK);
  }
  EXPECT_EQ(backend.run(program.handle, &run, &status), SG_OK) << status.text;
  if (backend.end != nullptr) backend.end(program.handle);
  EXPECT_EQ(y[0], 0.5f);
  EXPECT_NEAR(y[1], 0.88079708, 1e-7);  // 1 / (1 + exp(-2))
  if (backend.destroy != nullptr) backend.destroy(program.handle);
}

TEST_P(HostStub, OfAnotherVersionIsToldSo) {
  for (const auto& [min, max] : std::vector<std::pair<uint32_t, uint32_t>>{{0, 0}, {7, 9}}) {
    sg_status status = NewStatus();
    sg_backend backend;
    EXPECT_EQ(Enter(min, max, &backend, &status), SG_FAILED_PRECONDITION);
    EXPECT_NE(std::string(status.text).find("versions 1 to "), std::string::npos) << status.text;
  }
}

TEST_P(HostStub, ThatAlsoSpeaksLaterVersionsGetsOneThatBothKnow) {
  sg_status status = NewStatus();
  sg_backend backend;
  ASSERT_EQ(Enter(1, 1000, &backend, &status), SG_OK) << status.text;
  EXPECT_GE(backend.abi_version, 1u);
  EXPECT_LE(backend.abi_version, 1000u);
}

TEST_P(HostStub, ThatIsNoneIsRefused) {
  const sg_host host = {sizeof(host), SG_MAGIC, 1, 1, "stub 1"};
  sg_host small = host, foreign = host;
  small.struct_size = 8;
  foreign.magic = 1;
  sg_backend backend = {};
  backend.struct_size = sizeof(backend);
  sg_backend tiny = {};
  tiny.struct_size = 16;
  sg_status status = NewStatus();
  EXPECT_EQ(entry_(&small, &backend, &status), SG_FAILED_PRECONDITION);
  EXPECT_EQ(entry_(&foreign, &backend, &status), SG_FAILED_PRECONDITION);
  EXPECT_EQ(entry_(nullptr, &backend, &status), SG_FAILED_PRECONDITION);
  EXPECT_EQ(entry_(&host, &tiny, &status), SG_FAILED_PRECONDITION);
  EXPECT_EQ(entry_(&host, &backend, nullptr), SG_OK);
}

INSTANTIATE_TEST_SUITE_P(Plugins, HostStub,
                         ::testing::Values("tools/plugins/libreference.so",
                                           "tools/plugins/libonednn.so",
                                           "tests/plugins/libhostile_honest.so",
                                           "tests/plugins/libhostile_claims_at_once.so",
                                           "tests/compatibility/libold.so"));

}  // namespace
