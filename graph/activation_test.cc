#include "graph/activation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>
#include <string>

#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::Contains;

constexpr double kPoints[] = {-4.5, -1.25, -0.3, 0.2, 0.8, 2.5, 7};

struct Expected {
  const char* text;
  double value[std::size(kPoints)], slope[std::size(kPoints)];
};

// By tests/graph/make_activation_values.py.
constexpr Expected kExpected[] = {
    {"linear", {-4.5, -1.25, -0.3, 0.2, 0.8, 2.5, 7}, {1, 1, 1, 1, 1, 1, 1}},
    {"tanh",
     {-0.999753210848028, -0.848283639957513, -0.291312612451591, 0.197375320224904,
      0.664036770267849, 0.98661429815143, 0.999998336943945},
     {0.000493517399059229, 0.280414866180433, 0.915136961826629, 0.961042982966117,
      0.559055167732244, 0.0265922266831605, 3.32610934483668e-06}},
    {"relu", {0, 0, 0, 0.2, 0.8, 2.5, 7}, {0, 0, 0, 1, 1, 1, 1}},
    {"sigmoid",
     {0.0109869426305932, 0.222700138825309, 0.425557483188341, 0.549833997312478,
      0.689974481127613, 0.924141819978756, 0.999088948805599},
     {0.0108662297222252, 0.173104786992497, 0.244458311690746, 0.24751657271186, 0.213909696520294,
      0.0701037165451082, 0.000910221180121784}},
    {"relu6", {0, 0, 0, 0.2, 0.8, 2.5, 6}, {0, 0, 0, 1, 1, 1, 0}},
    {"hard_sigmoid",
     {0, 0.291666666666667, 0.45, 0.533333333333333, 0.633333333333333, 0.916666666666667, 1},
     {0, 0.166666666666667, 0.166666666666667, 0.166666666666667, 0.166666666666667,
      0.166666666666667, 0}},
    {"hard_tanh", {-1, -1, -0.3, 0.2, 0.8, 1, 1}, {0, 0, 1, 1, 1, 0, 0}},
    {"elu",
     {-0.988891003461758, -0.71349520313981, -0.259181779318282, 0.2, 0.8, 2.5, 7},
     {0.0111089965382423, 0.28650479686019, 0.740818220681718, 1, 1, 1, 1}},
    {"celu",
     {-0.988891003461758, -0.71349520313981, -0.259181779318282, 0.2, 0.8, 2.5, 7},
     {0.0111089965382423, 0.28650479686019, 0.740818220681718, 1, 1, 1, 1}},
    {"selu",
     {-1.73856862135602, -1.25439544633787, -0.455667315379122, 0.210140197471096,
      0.840560789884384, 2.6267524683887, 7.35490691148836},
     {0.0195307194913594, 0.503703894509512, 1.30243202546825, 1.05070098735548, 1.05070098735548,
      1.05070098735548, 1.05070098735548}},
    {"softplus",
     {0.0110477448485938, 0.251929081345373, 0.554355244468527, 0.798138869381592, 1.17110066594778,
      2.57888973429255, 7.00091146645377},
     {0.0109869426305932, 0.222700138825309, 0.425557483188341, 0.549833997312478,
      0.689974481127613, 0.924141819978756, 0.999088948805599}},
    {"softsign",
     {-0.818181818181818, -0.555555555555556, -0.230769230769231, 0.166666666666667,
      0.444444444444444, 0.714285714285714, 0.875},
     {0.0330578512396694, 0.197530864197531, 0.591715976331361, 0.694444444444444,
      0.308641975308642, 0.0816326530612245, 0.015625}},
    {"silu",
     {-0.0494412418376693, -0.278375173531636, -0.127667244956502, 0.109966799462496,
      0.55197958490209, 2.31035454994689, 6.9936226416392},
     {-0.0379110911194204, 0.00631915508468756, 0.352219989681117, 0.59933731185485,
      0.861102238343848, 1.09940111134153, 1.00546049706645}},
    {"hard_silu",
     {-0, -0.364583333333333, -0.135, 0.106666666666667, 0.506666666666667, 2.29166666666667, 7},
     {0, 0.0833333333333333, 0.4, 0.566666666666667, 0.766666666666667, 1.33333333333333, 1}},
    {"mish",
     {-0.0497128293073412, -0.308413961141528, -0.151133177138335, 0.132599001862159,
      0.659699757427687, 2.47139230455788, 6.99998837980974},
     {-0.0383879124916281, -0.0146975624730196, 0.408510876935702, 0.724624540419841,
      1.00125491249153, 1.04112953013135, 1.00002155916089}},
    {"log_sigmoid",
     {-4.51104774484859, -1.50192908134537, -0.854355244468527, -0.598138869381592,
      -0.371100665947778, -0.0788897342925496, -0.000911466453774245},
     {0.989013057369407, 0.777299861174691, 0.574442516811659, 0.450166002687522, 0.310025518872388,
      0.0758581800212436, 0.000911051194400645}},
    {"exponential",
     {0.0111089965382423, 0.28650479686019, 0.740818220681718, 1.22140275816017, 2.22554092849247,
      12.1824939607035, 1096.63315842846},
     {0.0111089965382423, 0.28650479686019, 0.740818220681718, 1.22140275816017, 2.22554092849247,
      12.1824939607035, 1096.63315842846}},
    {"tanh_shrink",
     {-3.50024678915197, -0.401716360042487, -0.00868738754840914, 0.00262467977509601,
      0.135963229732151, 1.51338570184857, 6.00000166305606},
     {0.999506482600941, 0.719585133819567, 0.0848630381733708, 0.0389570170338834,
      0.440944832267756, 0.973407773316839, 0.999996673890655}},
    {"soft_shrink", {-4, -0.75, 0, 0, 0.3, 2, 6.5}, {1, 1, 0, 0, 1, 1, 1}},
    {"hard_shrink", {-4.5, -1.25, 0, 0, 0.8, 2.5, 7}, {1, 1, 0, 0, 1, 1, 1}},
    {"squareplus",
     {0.212214450449026, 0.554247641507075, 0.861187420807834, 1.10498756211209, 1.4770329614269,
      2.85078105935821, 7.14005494464026},
     {0.0430942256898714, 0.23500052999841, 0.425829773534878, 0.549751859510499, 0.685695338177052,
      0.890434404721515, 0.980761973820412}},
    {"sparse_plus", {0, 0, 0.1225, 0.36, 0.81, 2.5, 7}, {0, 0, 0.35, 0.6, 0.9, 1, 1}},
    {"sparse_sigmoid", {0, 0, 0.35, 0.6, 0.9, 1, 1}, {0, 0, 0.5, 0.5, 0.5, 0, 0}},
    {"gelu",
     {-1.52895290612853e-05, -0.132062217083569, -0.114626573343314, 0.115851941887821,
      0.630515681133283, 2.48447583668556, 6.99999999999104},
     {-6.85291618563446e-05, -0.122661583069422, 0.26767223317289, 0.657468248234194,
      1.01989784362579, 1.03761108590815, 1.00000000006266}},
    {"gelu_tanh",
     {-5.1367374121758e-06, -0.132285797030285, -0.114629076457241, 0.115851429782106,
      0.630431691436448, 2.48491573391, 7},
     {-2.93222704440643e-05, -0.122492632249649, 0.267704548361198, 0.657458149195699,
      1.0195837310573, 1.03795157621267, 1.00000000000003}},
    {"leaky_relu", {-0.9, -0.25, -0.06, 0.2, 0.8, 2.5, 7}, {0.2, 0.2, 0.2, 1, 1, 1, 1}},
    {"leaky_relu(0.01)",
     {-0.045, -0.0125, -0.003, 0.2, 0.8, 2.5, 7},
     {0.01, 0.01, 0.01, 1, 1, 1, 1}},
    {"elu(0.5)",
     {-0.494445501730879, -0.356747601569905, -0.129590889659141, 0.2, 0.8, 2.5, 7},
     {0.00555449826912113, 0.143252398430095, 0.370409110340859, 1, 1, 1, 1}},
    {"celu(0.5)",
     {-0.499938295097957, -0.458957500688051, -0.225594181952987, 0.2, 0.8, 2.5, 7},
     {0.00012340980408668, 0.0820849986238988, 0.548811636094027, 1, 1, 1, 1}},
    {"hard_sigmoid(0.2,0.5)", {0, 0.25, 0.44, 0.54, 0.66, 1, 1}, {0, 0.2, 0.2, 0.2, 0.2, 0.2, 0}},
    {"affine(0.5,-2)",
     {-4.25, -2.625, -2.15, -1.9, -1.6, -0.75, 1.5},
     {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}},
    {"scaled_tanh(1.7159,0.6667)",
     {-1.70741699084205, -1.17073122065388, -0.338692802477909, 0.227451704343589,
      0.837265341123575, 1.59770999891833, 1.71559670465067},
     {0.0112832843348833, 0.61144973640547, 1.09941973135553, 1.12388956664833, 0.871617119696622,
      0.152167045917538, 0.000404378277524098}},
    {"thresholded_relu(0.5)", {0, 0, 0, 0, 0.8, 2.5, 7}, {0, 0, 0, 0, 1, 1, 1}},
};

TEST(ActivationFunctions, AreKerass) {
  for (const Expected& expected : kExpected) {
    SCOPED_TRACE(expected.text);
    const auto f = FindActivation(expected.text);
    ASSERT_TRUE(f.has_value());
    for (size_t i = 0; i < std::size(kPoints); ++i) {
      SCOPED_TRACE(kPoints[i]);
      const auto exact = ActivateWithSlope(*f, kPoints[i]);
      EXPECT_NEAR(exact.value, expected.value[i], 1e-13 * std::max(1.0, expected.value[i]));
      EXPECT_NEAR(exact.slope, expected.slope[i], 1e-13 * std::max(1.0, expected.slope[i]));
      const auto rounded = ActivateWithSlope(*f, static_cast<float>(kPoints[i]));
      EXPECT_NEAR(rounded.value, expected.value[i], 1e-6 * std::max(1.0, expected.value[i]));
      EXPECT_NEAR(rounded.slope, expected.slope[i], 1e-6 * std::max(1.0, expected.slope[i]));
    }
  }
}

TEST(ActivationFunctions, AreAllAmongThem) {
  std::set<Activation> seen;
  for (const Expected& expected : kExpected) seen.insert(FindActivation(expected.text)->kind);
  for (const ActivationRow& row : ActivationTable()) EXPECT_THAT(seen, Contains(row.kind));
}

// What the table says of slopes and kinks holds on a fine grid.
TEST(ActivationFunctions, AreAsSteepAsTheTableSaysAndJumpWhereItSays) {
  constexpr double kStep = 1.0 / 1024;
  for (const ActivationRow& row : ActivationTable()) {
    SCOPED_TRACE(row.name);
    const ActivationFunction f = *FindActivation(row.name);
    double before = ActivateWithSlope(f, -8 - kStep / 2).slope;
    for (double z = -8 + kStep / 2; z < 8; z += kStep) {
      const double slope = ActivateWithSlope(f, z).slope;
      EXPECT_LE(std::abs(slope), SteepestSlope(f)) << z;
      if (f.kind != Activation::kExponential && std::abs(slope - before) > 2 * kStep) {
        EXPECT_LE(KinkDistance(f, z), kStep) << z;
      }
      before = slope;
    }
  }
}

TEST(ActivationFunctions, StayFiniteAndKeepNaN) {
  for (const ActivationRow& row : ActivationTable()) {
    SCOPED_TRACE(row.name);
    const ActivationFunction f = *FindActivation(row.name);
    const float largest = row.kind == Activation::kExponential ? 80 : 1e18f;
    for (const float z : {-1e18f, -200.0f, 0.0f, 40.0f, largest}) {
      if (z > largest) continue;
      EXPECT_TRUE(std::isfinite(ActivateWithSlope(f, z).value)) << z;
      EXPECT_TRUE(std::isfinite(ActivateWithSlope(f, z).slope)) << z;
    }
    EXPECT_TRUE(std::isnan(ActivateWithSlope(f, std::nanf("")).value));
  }
}

TEST(ActivationTexts, AreReadAndWritten) {
  for (const ActivationRow& row : ActivationTable()) {
    const auto f = FindActivation(row.name);
    ASSERT_TRUE(f.has_value()) << row.name;
    EXPECT_EQ(ActivationText(*f), RowOf(row.kind).name);
  }
  EXPECT_EQ(FindActivation("none"), FindActivation("linear"));
  EXPECT_EQ(FindActivation("elu(0.25)"), (ActivationFunction{Activation::kElu, 0.25}));
  EXPECT_EQ(FindActivation("hard_sigmoid(0.2,0.5)"),
            (ActivationFunction{Activation::kHardSigmoid, 0.2, 0.5}));
  for (const char* text : {"elu(0.25)", "hard_sigmoid(0.2,0.5)", "affine(-1.5,0.1)"}) {
    EXPECT_EQ(ActivationText(*FindActivation(text)), text);
  }
  // The defaults need not be said.
  EXPECT_EQ(ActivationText(*FindActivation("elu(1)")), "elu");
}

TEST(ActivationTexts, ThatAreNoneAreRefused) {
  for (const char* text :
       {"", "Tanh", "tanh()", "tanh(1)", "elu(", "elu(x)", "elu(1,2)", "elu(nan)", "elu(inf)",
        "elu(1)2", "celu(0)", "squareplus(-1)", "(1)", "softmax"}) {
    EXPECT_EQ(FindActivation(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace seqgraph
