#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "optimizers/all_optimizers.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(AllOptimizers, AreFoundByName) {
  std::set<std::string> names;
  for (const OptimizerDef* def : AllOptimizers()) {
    EXPECT_TRUE(names.insert(def->name).second) << def->name;
    EXPECT_EQ(FindOptimizer(def->name), def);
    EXPECT_FALSE(def->doc.empty());
  }
  EXPECT_EQ(FindOptimizer("rmsprop"), &RMSProp::Def());
  EXPECT_EQ(FindOptimizer("lion"), nullptr);
}

TEST(Optimizer, AStructIsOne) {
  const Optimizer optimizer = RMSProp{
      .rho = 0.5, .centered = true, .clipping = GradientClipping::Norm(2), .weight_decay = 0.25};
  EXPECT_EQ(optimizer.name(), "RMSprop");
  EXPECT_EQ(optimizer.learning_rate, 1e-3);
  EXPECT_EQ(optimizer.weight_decay, 0.25);
  EXPECT_EQ(optimizer.hyperparameters,
            (Attributes{{"rho", 0.5}, {"momentum", 0.0}, {"epsilon", 1e-7}, {"centered", true}}));
  EXPECT_EQ(optimizer.Settings().GetFloat("clipnorm"), 2);
  EXPECT_EQ(optimizer.Settings().GetFloat("clipvalue"), 0);
  EXPECT_EQ(SettingsOf<RMSProp>(optimizer.hyperparameters).rho, 0.5);
}

// All that can be set, of every optimizer: settings go forth and back, and values out of their
// limits are named.
TEST(Optimizer, EverySettingIsKeptAndHasItsLimits) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const OptimizerDef* def : AllOptimizers()) {
    EXPECT_TRUE(Optimizer(*def) == *Optimizer::FromSettings(*def, {})) << def->name;
    for (const Hyperparameter& each : def->Settings()) {
      SCOPED_TRACE(def->name + " " + each.key);
      const auto with = [&](AttributeValue value) {
        return Optimizer::FromSettings(*def, {{each.key, value}});
      };
      const bool is_switch = std::holds_alternative<bool>(each.default_value);
      const AttributeValue other = is_switch ? AttributeValue(true) : AttributeValue(0.75);
      SEQ_ASSERT_OK_AND_ASSIGN(const Optimizer changed, with(other));
      SEQ_EXPECT_OK(changed.Check());
      EXPECT_TRUE(*changed.Settings().Find(each.key) == other);
      EXPECT_TRUE(*Optimizer::FromSettings(*def, changed.Settings()) == changed);
      EXPECT_FALSE(changed == Optimizer(*def));
      EXPECT_THAT(with(AttributeValue(std::string("x"))), StatusIs(kInvalid, each.key));
      if (is_switch) continue;
      for (double bad : {-1e-9, double{NAN}, kInfinity}) {
        EXPECT_THAT(with(bad), StatusIs(kInvalid, each.key)) << bad;
      }
      SEQ_EXPECT_OK(with(0.0));
      EXPECT_EQ(with(1.0).ok(), each.limits.high > 1 || each.limits.includes_high);
      EXPECT_EQ(with(1.5).ok(), each.limits.high > 1);
    }
    EXPECT_THAT(Optimizer::FromSettings(*def, {{"cleverness", 1.0}}),
                StatusIs(kInvalid, def->name + " has no cleverness"));
    EXPECT_THAT(Optimizer::FromSettings(*def, {{"clipnorm", 1.0}, {"clipvalue", 1.0}}),
                StatusIs(kInvalid, "in another way already"));
  }
}

}  // namespace
}  // namespace seqgraph
