#include "data/published_ties.h"

namespace seqgraph::data {
namespace {

struct TiedPair {
  absl::string_view first;
  absl::string_view second;
};

// Read off the published index; the rank is that of the first word.
constexpr TiedPair kTiedPairs[] = {
    {"has", "if"},               // rank 44
    {"old", "thing"},            // rank 151
    {"own", "action"},           // rank 202
    {"guy", "anything"},         // rank 229
    {"minutes", "feel"},         // rank 231
    {"although", "especially"},  // rank 258
    {"believe", "course"},       // rank 261
    {"american", "plays"},       // rank 295
    {"beautiful", "john"},       // rank 304
    {"poor", "help"},            // rank 335
    {"boring", "enjoy"},         // rank 354
    {"kids", "hollywood"},       // rank 359
    {"full", "friends"},         // rank 365
    {"couple", "stupid"},        // rank 375
    {"stars", "perhaps"},        // rank 378
    {"sex", "mean"},             // rank 380
    {"playing", "school"},       // rank 392
    {"doing", "often"},          // rank 396
    {"name", "perfect"},         // rank 400
    {"gives", "others"},         // rank 405
    {"dialogue", "person"},      // rank 411
    {"case", "felt"},            // rank 417
    {"liked", "supposed"},       // rank 420
    {"waste", "cinema"},         // rank 434
    {"entertaining", "she's"},   // rank 438
    {"already", "becomes"},      // rank 457
    {"laugh", "example"},        // rank 459
    {"despite", "under"},        // rank 463
    {"lead", "humor"},           // rank 482
    {"guys", "wants"},           // rank 490
};

}  // namespace

bool IsPublishedBefore(absl::string_view a, absl::string_view b) {
  for (const TiedPair& pair : kTiedPairs) {
    if (pair.first == a && pair.second == b) return true;
  }
  return false;
}

}  // namespace seqgraph::data
