// Limits on memory, and what an observer of a compiled function sees.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "runtime/compiled_function.h"
#include "runtime/testing/fake_backend.h"
#include "runtime/testing/row_function.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

// f with batch 2: x, rounded, sum and doubled are 64 bytes each at most (one alignment unit).
TEST(CompiledFunction, MoreMemoryThanAllowedIsRefusedWithTheNumbers) {
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  const FakeBackend fake({.scratch_bytes = 100, .persistent_bytes = 8});
  const auto compile = [&](std::optional<int64_t> limit) {
    return CompiledFunction::Compile(f, TestOps(), &store,
                                     {.backends = {&fake}, .batch = 2, .max_memory = limit});
  };
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, compile(std::nullopt));
  const MemoryUse memory = compiled->memory();
  EXPECT_EQ(memory.total(), memory.values + 108);
  EXPECT_EQ(compiled->assignments()[0].scratch_bytes, 100);
  SEQ_EXPECT_OK(compile(memory.total()));
  EXPECT_THAT(
      compile(memory.total() - 1),
      StatusIs(absl::StatusCode::kResourceExhausted,
               absl::StrCat("function f with batch 2 takes ", memory.total(), " bytes (values ",
                            memory.values, ", scratch 100, backends' own 8); the limit leaves it ",
                            memory.total() - 1)));
  EXPECT_THAT(compile(-5), StatusIs(absl::StatusCode::kResourceExhausted, "leaves it -5"));
}

TEST(CompiledFunction, ScratchThatIsNotReportedIsCountedAndRefusedUnderALimit) {
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  const FakeBackend silent({.scratch_bytes = -1});
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store, 1, {&silent}));
  EXPECT_EQ(compiled->memory().unreported, 3);
  EXPECT_EQ(compiled->memory().scratch, 0);
  EXPECT_EQ(compiled->assignments()[1].scratch_bytes, -1);
  SEQ_EXPECT_OK(compiled->Run());
  EXPECT_THAT(CompiledFunction::Compile(f, TestOps(), &store,
                                        {.backends = {&silent}, .max_memory = 1 << 20}),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       "backend fake does not say how much scratch memory node rounded (Round)"));
}

// Doubles what node `sum` reads first, and notes what was seen.
class Meddler : public RunObserver {
 public:
  explicit Meddler(const Function& function) : function_(function) {}
  absl::Status BeforeNode(int node, const KernelArgs& args) override {
    if (function_.nodes()[node].name != "sum") return absl::OkStatus();
    float* input = static_cast<float*>(const_cast<void*>(args.inputs[0]));
    for (int i = 0; i < 2; ++i) input[i] *= 2;
    return absl::OkStatus();
  }
  absl::Status AfterNode(int node, const KernelArgs& args) override {
    seen.push_back(function_.nodes()[node].name);
    last = static_cast<const float*>(args.outputs[0])[0];
    return stop == seen.back() ? absl::DataLossError("enough") : absl::OkStatus();
  }

  std::vector<std::string> seen;
  std::string stop;
  float last = 0;

 private:
  const Function& function_;
};

TEST(CompiledFunction, AnObserverSeesEveryNodeAndCanChangeWhatItReads) {
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  SEQ_ASSERT_OK(store.Assign("row", Tensor::Of<float>({2}, {10, 20})));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store));
  SEQ_ASSERT_OK(compiled->SetInput(0, Tensor::Of<float>({1, 2}, {1, 2})));
  Meddler meddler(compiled->function());
  SEQ_ASSERT_OK(compiled->Run(&meddler));
  EXPECT_THAT(Floats(compiled->Result(0)), ElementsAre(12, 24));
  EXPECT_THAT(meddler.seen, ElementsAre("rounded", "sum", "doubled"));
  EXPECT_EQ(meddler.last, 20);
  SEQ_ASSERT_OK(compiled->SetInput(0, Tensor::Of<float>({1, 2}, {1, 2})));
  meddler.stop = "rounded";
  EXPECT_THAT(compiled->Run(&meddler),
              StatusIs(absl::StatusCode::kDataLoss, "node rounded (Round): enough"));
  EXPECT_EQ(meddler.seen.size(), 4u);
}

TEST(CompiledFunction, SaysWhichValuesAreInAPrivateLayout) {
  const Function f = RowFunction();
  VariableStore store = StoreOf(f);
  const FakeBackend hiding({.opaque_layouts = true});
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled, CompileFor(f, &store, 1, {&hiding}));
  const Function& ran = compiled->function();
  for (size_t v = 0; v < ran.values().size(); ++v) {
    const bool is_rounded = ran.values()[v].name == "rounded";
    EXPECT_EQ(compiled->opaque_values()[v], is_rounded) << ran.values()[v].name;
  }
}

}  // namespace
}  // namespace seqgraph
