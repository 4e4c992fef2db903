// Pages as they are stored: without the pieces that are all zero.
#pragma once

#include <cstdint>
#include <vector>

#include "saved_state.h"

namespace comet {

// Which pieces of a whole page are not all zero.
uint64_t pieces_of(const uint8_t* page);
size_t stored_length(uint64_t pieces);
// The page of a run with content, in full; `bytes` are its stored pieces.
void expand_page(uint64_t pieces, const uint8_t* bytes, uint8_t* page);

// Adds a run behind those that are there; a run of zeros joins the one before where it can, so that the same
// pages are always the same runs.
void add_run(PageRuns& runs, const PageRun& run);
// The run with content of that page, or null.
const PageRun* find_page(const PageRuns& runs, uint64_t page);

}  // namespace comet
