#include "data/synthetic_words.h"

#include <array>
#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace seqgraph::data::internal {
namespace {

using Words = absl::string_view[];

constexpr Words kPlot = {
    "The {N} {V} the {N} of {I}.",
    "{I} {V} a {N} in the {J} {N}.",
    "It is a {M} about a {J} {N} and a {N} from {I}.",
    "After the {N}, {I} went to {I} with a {N}.",
    "We see {I} as a {N} who {V} the {N}.",
    "There is a {N} in {I}, and there is a {N} who {V} it.",
    "{I} plays the {N} and {I} plays the {N}'s {N}.",
    "I saw this {M} with my {N} at the {N} in {I}.",
    "The {M} takes place in {I}, where a {N} {V} his {N}.",
    "When the {N} is gone, the {J} {N} {V} her {N} (a {N} by {I}).",
    "Then {I}, the {J} {N}, {V} all of them.",
    "This is the {M} that {I} made before \"{I}\".",
    "You have the {N}, the {N} and the {N}, as in any {M} of its kind.",
    "They {V} the {N}; she {V} a {N}.",
    "One {N} later {I} {V} the {N} again.",
    "It's based on a {N} by {I}, which I have read.",
    "Most of the {M} was shot near {I} by {I}.",
    "What happens to the {N} when {I} {V} it?",
    "Some {N} of {I} {V} the {J} {N}.",
    "He {V} the {N}, and so the {N} {V} him.",
};

constexpr Words kPlain = {
    "The {A} was {D} {G}.",
    "The {A} is {G}.",
    "I found the {A} {D} {G}.",
    "I {L} the {A}.",
    "{I} gives a {G} performance.",
    "The {A} and the {A} are {G}.",
    "It has a {G} {A}.",
    "I must say that I {L} this {M}.",
    "This is one of the most {G} {M}s of its time!",
    "Everyone I know {L} the {A}.",
    "{I} is {D} {G} as the {N}.",
    "Thanks to {I} the {A} is {G}...",
};

constexpr Words kNegated = {
    "The {A} was not {B}.",
    "The {A} is never {B}.",
    "I did not find the {A} {B} at all.",
    "{I} isn't {B} as the {N}.",
    "There is nothing {B} about the {A}.",
    "You can't say that I {K} it.",
    "No one could call the {A} {B}.",
    "It wasn't a {B} {M}.",
    "It is far from {B}.",
};

constexpr Words kConcession = {
    "The {A} was {B} at first, but then it became {G}.",
    "It looks {B}, but in the end it is {G}.",
    "Some call it {B}, but I call it {G}.",
    "Although the {A} was {B}, the {A} was {G}.",
    "I thought that it would be {B}, but the {A} is {D} {G}.",
    "My {N} {K} it, but I {L} it.",
    "Even if the {A} is {B}, the {M} as a whole is {G}.",
};

constexpr Words kClosing = {
    "In the end, it is a {G} {M}.",
    "All in all it was {D} {G}.",
    "To sum up: {G} and {G}.",
    "I {L} it.",
    "I {L} every minute of it!",
    "A {G} {M} with a {G} {A}.",
    "For me it was {G} from start to finish.",
    "Overall a {G}, {G} {M}.",
};

constexpr absl::string_view kAspects =
    "story acting plot script ending music dialogue direction cast camera humor photography "
    "soundtrack editing pace lighting sound opening design atmosphere writing premise action "
    "casting romance suspense set narration";

constexpr absl::string_view kFilms = "film movie picture feature thriller sequel drama";

constexpr absl::string_view kThings =
    "man woman house family friend girl boy town wife night father city mother brother son car "
    "police war doctor daughter husband sister death map letter school killer train king "
    "soldier gun secret village island child dog door road river teacher detective ghost bank "
    "boat castle summer winter crime lawyer station stranger garden hotel storm mountain prison "
    "book dream party wedding theatre neighbor horse captain farmer thief queen painter singer "
    "priest ship plane judge nurse student desert forest bridge church factory kitchen mirror "
    "novel office orphan pilot poet reporter robot sailor scientist sheriff spy suitcase "
    "telephone tower treasure tunnel uncle valley widow window witness writer actor agent "
    "airport aunt baker barn bicycle border butcher cabin cellar circus clerk clown cousin "
    "dancer diary driver fisherman gambler gardener general harbor hunter jewel journey knight "
    "ladder landlord library lighthouse maid manager market mayor meadow merchant museum "
    "necklace notebook";

constexpr absl::string_view kDeeds =
    "found left followed met lost saw took helped wanted watched visited hid chased stole "
    "bought returned admitted sold hunted forgot painted carried married trusted questioned "
    "crossed guarded ignored rescued betrayed recognized interviewed copied described drove "
    "invited opened replaced taught warned";

constexpr absl::string_view kNeutralAdjectives =
    "young old small american retired little english french rich lonely local tall quiet german "
    "modern distant narrow former italian early sunny foreign elderly northern red black white "
    "blue hidden empty western abandoned";

constexpr absl::string_view kDegrees = "very really so quite truly rather simply just";

constexpr absl::string_view kGood =
    "good great wonderful excellent beautiful funny brilliant superb touching perfect amazing "
    "clever charming fantastic memorable gripping moving fresh delightful convincing powerful "
    "impressive elegant witty stunning honest warm masterful";

constexpr absl::string_view kBad =
    "bad boring awful terrible stupid dull poor horrible weak silly predictable lame flat "
    "annoying pointless ridiculous slow wooden tedious clumsy cheap dreadful forgettable messy "
    "lifeless shallow confusing unbearable";

constexpr absl::string_view kLiked = "loved enjoyed liked admired adored recommended";
constexpr absl::string_view kDisliked = "hated disliked regretted despised skipped endured";

struct SlotText {
  char slot;
  absl::string_view against, in_favor;
};
constexpr SlotText kSlots[] = {
    {'A', kAspects, kAspects},
    {'M', kFilms, kFilms},
    {'N', kThings, kThings},
    {'V', kDeeds, kDeeds},
    {'J', kNeutralAdjectives, kNeutralAdjectives},
    {'D', kDegrees, kDegrees},
    {'G', kBad, kGood},
    {'B', kGood, kBad},
    {'L', kDisliked, kLiked},
    {'K', kLiked, kDisliked},
};

}  // namespace

absl::Span<const absl::string_view> PlotPatterns() { return kPlot; }
absl::Span<const absl::string_view> PlainPatterns() { return kPlain; }
absl::Span<const absl::string_view> NegatedPatterns() { return kNegated; }
absl::Span<const absl::string_view> ConcessionPatterns() { return kConcession; }
absl::Span<const absl::string_view> ClosingPatterns() { return kClosing; }

absl::Span<const absl::string_view> SlotWords(char slot, Side side) {
  using WordsOfSides = std::array<std::vector<absl::string_view>, 2>;
  static const auto* const words = [] {
    auto* words = new std::map<char, WordsOfSides>;
    for (const auto& [slot, against, in_favor] : kSlots) {
      (*words)[slot] = {absl::StrSplit(against, ' '), absl::StrSplit(in_favor, ' ')};
    }
    return words;
  }();
  const auto found = words->find(slot);
  if (found == words->end()) return {};
  return found->second[side];
}

std::string Name(int64_t index) {
  constexpr absl::string_view kOnsets[] = {"b", "d", "f", "g", "h", "k",  "l",  "m",  "n",  "p",
                                           "r", "s", "t", "v", "z", "br", "dr", "gl", "st", "tr"};
  constexpr absl::string_view kVowels = "aeiou";
  constexpr absl::string_view kCodas[] = {"", "n", "", "r", "l", "", "s"};
  constexpr int64_t kSyllables = 100;  // 20 onsets, 5 vowels.
  // A stride that shares no factor with 100 * 100 visits each pair of syllables once, in no order
  // that one would notice. Syllables end where their vowel is, so different pairs spell different
  // names.
  const int64_t pair = (index * 2377 + 4211) % (kSyllables * kSyllables);
  std::string name;
  for (int64_t syllable : {pair / kSyllables, pair % kSyllables}) {
    name.append(kOnsets[syllable / 5].data(), kOnsets[syllable / 5].size());
    name.push_back(kVowels[static_cast<size_t>(syllable % 5)]);
  }
  const absl::string_view coda = kCodas[index % 7];
  name.append(coda.data(), coda.size());
  name[0] = absl::ascii_toupper(static_cast<unsigned char>(name[0]));
  return name;
}

}  // namespace seqgraph::data::internal
