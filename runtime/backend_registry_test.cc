#include "runtime/backend_registry.h"

#include <memory>
#include <string>
#include <utility>

#include "runtime/testing/fake_backend.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

class BackendRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"fast", "slow"}) SEQ_ASSERT_OK(Register(name));
  }
  absl::Status Register(std::string name) {
    FakeBehavior behavior;
    behavior.name = std::move(name);
    return registry_.Register(std::make_unique<FakeBackend>(behavior));
  }
  BackendRegistry registry_;
};

TEST_F(BackendRegistryTest, GetFindsByName) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Backend* slow, registry_.Get("slow"));
  EXPECT_EQ(slow, registry_.all()[1].get());
  EXPECT_THAT(registry_.Get("Slow"), StatusIs(absl::StatusCode::kNotFound,
                                              "unknown backend \"Slow\"; there are fast, slow"));
}

TEST_F(BackendRegistryTest, RefusesASecondOneOfOneName) {
  EXPECT_THAT(Register("fast"),
              StatusIs(absl::StatusCode::kAlreadyExists, "two backends are named fast"));
  EXPECT_EQ(registry_.all().size(), 2u);
}

TEST_F(BackendRegistryTest, ParseListKeepsTheOrder) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto both, registry_.ParseList("slow,fast"));
  EXPECT_THAT(both, ElementsAre(registry_.all()[1].get(), registry_.all()[0].get()));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto one, registry_.ParseList("slow"));
  EXPECT_THAT(one, ElementsAre(registry_.all()[1].get()));
}

TEST_F(BackendRegistryTest, ParseListRefusesWhatIsEmptyUnknownOrTwice) {
  EXPECT_THAT(registry_.ParseList(""),
              StatusIs(absl::StatusCode::kInvalidArgument, "name at least one"));
  EXPECT_THAT(registry_.ParseList("fast,"), StatusIs(absl::StatusCode::kNotFound, "\"\""));
  EXPECT_THAT(registry_.ParseList("fast, slow"),
              StatusIs(absl::StatusCode::kNotFound, "unknown backend \" slow\""));
  EXPECT_THAT(registry_.ParseList("fast,gpu"), StatusIs(absl::StatusCode::kNotFound, "\"gpu\""));
  EXPECT_THAT(registry_.ParseList("fast,slow,fast"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "backend fast is named twice in \"fast,slow,fast\""));
}

}  // namespace
}  // namespace seqgraph
