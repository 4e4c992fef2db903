// Arguments: right ones, those at edges, wrong ones.
#include "call.h"

namespace fuzz {

namespace {

// Programs name them by their index in the import list, which they join at random. Nothing here tells the
// time, which would make two runs differ. The first ones come more often.
constexpr const char* names[] = {"call",  "quiet", "ask",   "random", "map",    "spawn",  "join",
                                 "leave", "self",  "yield", "wait64", "wait32", "notify", "on",
                                 "pause", "read",  "write", "poll",   "arg",    "exit"};
constexpr const char* groups[] = {"exit", "streams", "arguments", "random", "memory", "threads", "events"};

}  // namespace

std::uint64_t api_calls::awkward() {
  return random_.one_of({0,
                         1,
                         7,
                         8,
                         0xffff,
                         0x10000,
                         0x10001,
                         0x7fffffff,
                         0x80000000,
                         UINT32_MAX - 1,
                         UINT32_MAX,
                         std::uint64_t{1} << 32,
                         std::uint64_t{1} << 46,
                         std::uint64_t{1} << 48,
                         INT64_MAX,
                         std::uint64_t{1} << 63,
                         UINT64_MAX - 0x1ffff,
                         UINT64_MAX - 0xffff,
                         UINT64_MAX - 7,
                         UINT64_MAX});
}

std::uint64_t api_calls::pages_address() {
  if (random_.one_in(8)) return awkward() & ~std::uint64_t{COMET_PAGE_SIZE - 1};
  return random_.one_in(2) ? pages[random_.below(std::size(pages))].address
                           : random_.below(8) * COMET_PAGE_SIZE;
}

std::uint64_t api_calls::address() {
  switch (random_.below(8)) {
    case 0: return awkward();
    case 1: return pages_address() + COMET_PAGE_SIZE - random_.below(16);
    case 2: return pages_address() - random_.below(16);
    case 3: return pages_address();
    default: return pages[random_.below(std::size(pages))].address + random_.below(COMET_PAGE_SIZE);
  }
}

std::uint64_t api_calls::length() {
  switch (random_.below(5)) {
    case 0: return awkward();
    case 1: return random_.below(4) * COMET_PAGE_SIZE;
    case 2: return random_.below(3 * COMET_PAGE_SIZE);
    default: return random_.below(200);
  }
}

int api_calls::protection() {
  return random_.one_in(20)  ? static_cast<int>(awkward())
         : random_.one_in(2) ? 7
                             : static_cast<int>(random_.below(8));
}

// Of a struct: mostly right, else that of an older library, or none at all.
std::size_t api_calls::size(std::size_t right) {
  return random_.one_in(12) ? random_.below(right + 1) : right;
}

const char* api_calls::host_name() {
  if (random_.one_in(20)) return random_.one_in(2) ? nullptr : random_.one_in(2) ? "" : "no name\n";
  return names[random_.below(random_.one_in(2) ? 3 : std::size(names))];
}

const char* api_calls::group(const char* wrong) {
  return random_.one_in(20) ? wrong : groups[random_.below(std::size(groups))];
}

// Of one draw, so that a short input has room for many calls.
program api_calls::random_program() {
  random_source drawn(random_.word());
  return fuzz::random_program(drawn);
}

comet_machine* api_calls::any_made() {
  if (random_.one_in(80)) return nullptr;
  const std::size_t first = random_.below(machines_.size());
  for (std::size_t n = 0; n < machines_.size(); ++n)
    if (comet_machine* const made = machines_[(first + n) % machines_.size()].made) return made;
  return nullptr;
}
const comet_state* api_calls::any_state() {
  return states_.empty() ? nullptr : states_[random_.below(states_.size())].taken;
}

}  // namespace fuzz
