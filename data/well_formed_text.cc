#include "data/well_formed_text.h"

#include <unicode/utf8.h>

namespace seqgraph::data {

std::string WellFormedText(absl::string_view text) {
  std::string formed;
  formed.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    UChar32 c = 0;
    U8_NEXT(text.data(), i, text.size(), c);  // negative where there is no character
    if (c < 0) {
      formed += "\xEF\xBF\xBD";
    } else {
      formed.append(text.data() + begin, i - begin);
    }
  }
  return formed;
}

}  // namespace seqgraph::data
