// The built-in backends, loaded as plugins, must give the built-in ones' results bit for bit.

#include <dlfcn.h>

#include <string>
#include <vector>

#include "backends/all_backends.h"
#include "base/counter_random.h"
#include "graph/model.h"
#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/backend_registry.h"
#include "tests/plugins/plugin_testing.h"
#include "tests/testing.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

constexpr int64_t kMaxlen = 12;
constexpr int64_t kWords = 50;

struct Data {
  explicit Data(int64_t rows) : rows(rows) {
    CounterRandom random(7, "examples");
    for (int64_t i = 0; i < rows * kMaxlen; ++i) {
      tokens.push_back(static_cast<int32_t>(random.NextBelow(kWords)));
    }
    for (int64_t i = 0; i < rows; ++i) targets.push_back(tokens[i * kMaxlen] % 2);
  }
  Examples All() const { return {tokens, rows, kMaxlen, targets}; }

  int64_t rows;
  std::vector<int32_t> tokens, targets;
};

class LoadedBackends : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    SEQ_ASSERT_OK_AND_ASSIGN(std::unique_ptr<PluginBackend> loaded,
                             LoadTestPlugin("tools/plugins/lib" + GetParam() + ".so"));
    SEQ_ASSERT_OK(registry_.Register(std::move(loaded)));
  }
  const Backend& loaded() const { return *registry_.all()[0]; }

  BackendRegistry registry_;
};

TEST_P(LoadedBackends, SayWhatTheBuiltInOneSays) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Backend* built_in, AllBackends().Get(GetParam()));
  EXPECT_EQ(loaded().info().name, built_in->info().name);
  EXPECT_EQ(loaded().info().version, built_in->info().version);
  EXPECT_EQ(loaded().info().description, built_in->info().description);
}

TEST_P(LoadedBackends, TrainToTheSameBits) {
  for (const bool one_hot : {false, true}) {
    const TextModelOptions options = {
        .one_hot = one_hot, .num_words = kWords, .maxlen = kMaxlen, .embedding_dim = 5, .units = 7};
    const TrainableOptions trainable = {.optimizer = RMSProp{.learning_rate = 1e-2}, .seed = 3};
    SEQ_ASSERT_OK_AND_ASSIGN(Model built_in, MakeTextModel(options, trainable));
    SEQ_ASSERT_OK_AND_ASSIGN(Model by_plugin, MakeTextModel(options, trainable));
    SEQ_ASSERT_OK_AND_ASSIGN(const Model untrained, MakeTextModel(options, trainable));
    const Data train(101), validation(30);
    const FitOptions fit = {.epochs = 3, .batch = 16};
    Trainer a(&built_in, {.backend = GetParam()});
    Trainer b(&by_plugin, {.backend = GetParam(), .backends = &registry_});
    SEQ_ASSERT_OK_AND_ASSIGN(const FitResult one, a.Fit(train.All(), validation.All(), fit));
    SEQ_ASSERT_OK_AND_ASSIGN(const FitResult two, b.Fit(train.All(), validation.All(), fit));
    for (const char* name : {"loss", "accuracy", "val_loss", "val_accuracy"}) {
      EXPECT_EQ(one.history[name], two.history[name]) << name;
    }
    int changed = 0;
    for (const Variable& variable : built_in.variables.all()) {
      const std::string& name = variable.def.name;
      EXPECT_TRUE(by_plugin.variables.Find(name)->value.BitwiseEquals(variable.value)) << name;
      changed += !untrained.variables.Find(name)->value.BitwiseEquals(variable.value);
    }
    EXPECT_GT(changed, 4) << "nothing was trained";
    SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<float> p, a.Predict(validation.All()));
    SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<float> q, b.Predict(validation.All()));
    EXPECT_EQ(p, q);
  }
}

TEST_P(LoadedBackends, RunTheSameKernelsWithTheSameMemory) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, MakeTextModel({.num_words = kWords, .maxlen = kMaxlen}));
  const Function* step = model.FindFunction("train_step");
  ASSERT_NE(step, nullptr);
  SEQ_ASSERT_OK_AND_ASSIGN(const Backend* built_in, AllBackends().Get(GetParam()));
  std::vector<std::unique_ptr<CompiledFunction>> compiled;
  for (const Backend* backend : {built_in, &loaded()}) {
    CompileOptions options;
    options.backends = {backend};
    options.batch = 9;
    options.passes = StandardPasses();
    SEQ_ASSERT_OK_AND_ASSIGN(auto function,
                             CompiledFunction::Compile(*step, AllOps(), &model.variables, options));
    compiled.push_back(std::move(function));
  }
  ASSERT_GT(compiled[0]->assignments().size(), 10u);
  for (size_t n = 0; n < compiled[0]->assignments().size(); ++n) {
    EXPECT_EQ(compiled[0]->assignments()[n].implementation,
              compiled[1]->assignments()[n].implementation);
  }
  EXPECT_EQ(compiled[0]->memory().values, compiled[1]->memory().values);
  EXPECT_EQ(compiled[0]->memory().scratch, compiled[1]->memory().scratch);
  EXPECT_EQ(compiled[0]->memory().persistent, compiled[1]->memory().persistent);
}

INSTANTIATE_TEST_SUITE_P(BuiltIn, LoadedBackends, ::testing::Values("reference", "onednn"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace seqgraph
