// Pages, spaces, and bytes in and out.
#include "call.h"

namespace fuzz {

namespace {

// The host's memory that machines show: it stays and does not change.
const std::uint8_t* host_memory() {
  static const std::vector<std::uint8_t> bytes = [] {
    std::vector<std::uint8_t> made(2 * COMET_PAGE_SIZE);
    for (std::size_t n = 0; n < made.size(); ++n) made[n] = static_cast<std::uint8_t>(n * 7);
    return made;
  }();
  return bytes.data();
}

}  // namespace

void api_calls::memory() {
  comet_machine* const on = any_made();
  const comet_space in = space();
  const std::uint64_t where = random_.one_in(2) ? pages_address() : address(), long_ = length();
  const int access = protection();
  switch (random_.below(6)) {
    case 0:
    case 1: CALL_ON(comet_map, on, in, where, long_, access); break;
    case 2: CALL_ON(comet_unmap, on, in, where, long_); break;
    case 3: CALL_ON(comet_protect, on, in, where, long_, access); break;
    case 4: {
      const std::uint64_t shared = random_.one_in(8) ? long_ : random_.below(4) * COMET_PAGE_SIZE;
      const comet_space with = space();
      const std::uint64_t there = pages_address();
      CALL_ON(comet_share, on, in, where, shared, with, there, access);
      break;
    }
    default: {
      const std::uint64_t shown = random_.below(3) * COMET_PAGE_SIZE;
      CALL_ON(comet_map_host, on, in, where, random_.one_in(30) ? nullptr : host_memory(), shown, access);
    }
  }
}

void api_calls::spaces() {
  comet_machine* const on = any_made();
  comet_space made = 0;
  if (random_.one_in(3)) {
    made = space();
    CALL_ON(comet_space_free, on, made);
  } else {
    CALL_ON(comet_space_new, on, at(made));
  }
  comet_page_info page = COMET_PAGE_INFO_INIT;
  page.size = size(sizeof page);
  const std::uint64_t where = address();
  CALL_ON(comet_page_get, on, made, where, at(page));
  comet_region region = COMET_REGION_INIT;
  std::uint64_t from = random_.one_in(2) ? 0 : where;
  for (unsigned n = 0; n < 40; ++n) {
    if (CALL_ON(comet_next_region, on, made, from, &region) != COMET_OK) break;
    note(region.address ^ region.length);
    require(region.address + region.length > from || region.address + region.length == 0, "comet_next_region",
            "it ends behind `from`");
    from = region.address + region.length;
    if (from == 0) break;
  }
}

void api_calls::transfer() {
  comet_machine* const on = any_made();
  const comet_space in = space();
  const std::uint64_t where = address();
  // More than the buffer has only where so much cannot be mapped.
  const std::uint64_t long_ = length();
  const std::uint64_t bytes =
      long_ > memory_limit + buffer_length ? long_ : std::min<std::uint64_t>(long_, buffer_length);
  if (random_.one_in(2))
    CALL_ON(comet_write, on, in, where, random_.one_in(60) ? nullptr : buffer_.data(), bytes);
  else
    CALL_ON(comet_read, on, in, where, at(buffer_[0]), bytes);
}

}  // namespace fuzz
