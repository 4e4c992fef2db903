// Larger pages of the host, for memory of which much will be touched: walks through it then miss the processor's table of
// pages less often. Where the host has none, or does not let a process ask, nothing changes.
#pragma once

#include <cstddef>

namespace comet {

void prefer_large_pages(void* pages, std::size_t bytes);

} // namespace comet
