#include "pages.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "../memory/address_space.h"
#include "format.h"

namespace comet {

using state_format::piece_length;
static_assert(page_size / piece_length == 64);

uint64_t pieces_of(const uint8_t* page) {
  uint64_t pieces = 0;
  for (unsigned i = 0; i < 64; ++i) {
    const uint8_t* piece = page + i * piece_length;
    if (piece[0] != 0 || std::memcmp(piece, piece + 1, piece_length - 1) != 0) pieces |= uint64_t{1} << i;
  }
  return pieces;
}

size_t stored_length(uint64_t pieces) { return static_cast<size_t>(std::popcount(pieces)) * piece_length; }

void expand_page(uint64_t pieces, const uint8_t* bytes, uint8_t* page) {
  for (unsigned i = 0; i < 64; ++i) {
    uint8_t* piece = page + i * piece_length;
    if ((pieces >> i & 1) != 0) {
      std::memcpy(piece, bytes, piece_length);
      bytes += piece_length;
    } else {
      std::memset(piece, 0, piece_length);
    }
  }
}

void add_run(PageRuns& runs, const PageRun& run) {
  if (run.zero && !runs.empty()) {
    PageRun& last = runs.back();
    if (last.zero && last.first + last.count == run.first && last.protection == run.protection) {
      last.count += run.count;
      return;
    }
  }
  runs.push_back(run);
}

const PageRun* find_page(const PageRuns& runs, uint64_t page) {
  const auto found = std::lower_bound(runs.begin(), runs.end(), page,
                                      [](const PageRun& run, uint64_t number) { return run.first < number; });
  return found != runs.end() && found->first == page && !found->zero ? &*found : nullptr;
}

}  // namespace comet
