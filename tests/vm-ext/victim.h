// What the suites about escapes share: a machine with pages of each kind of protection around the edges of its window, and a
// model of three lines: a byte may be touched if its page is mapped with the right, and an access touches all of its
// bytes or none.
#ifndef COMET_TESTS_VM_EXT_VICTIM_H
#define COMET_TESTS_VM_EXT_VICTIM_H

#include <optional>
#include <vector>

#include "support.h"

namespace support {

constexpr std::uint64_t page = COMET_PAGE_SIZE;
constexpr std::uint64_t window = 8 * page;  // of the fast path; a page lies in it at its end, and one behind it

struct area {
  std::uint64_t address;
  int protection;
};

inline const area areas[] = {{code_address, read_execute}, {2 * page, read_write},   {3 * page, COMET_READ},
                             {5 * page, 0},                {7 * page, read_write},   {8 * page, read_write},
                             {10 * page, COMET_READ},      {12 * page, COMET_WRITE}, {UINT64_MAX - page + 1, read_write}};

inline std::optional<int> protection_at(std::uint64_t address) {
  for (const area& one : areas)
    if (address - one.address < page) return one.protection;
  return std::nullopt;
}

// The first byte that an access must not touch; of one that goes beyond the end of the address space, its first.
inline std::optional<std::uint64_t> denied(std::uint64_t address, std::uint64_t length, int access) {
  if (length != 0 && address + (length - 1) < address) return address;
  for (std::uint64_t n = 0; n < length; ++n) {
    const std::optional<int> protection = protection_at(address + n);
    if (!protection || (*protection & access) == 0) return address + n;
  }
  return std::nullopt;
}

inline machine victim(const code& program) {
  comet_config config = COMET_CONFIG_INIT;
  config.window = window;
  config.register_limit = 1000;
  config.call_depth_limit = 100;
  machine vm(&config);
  for (const area& one : areas) vm.map(one.address, page, one.protection);
  vm.write(program.address(), program.content());
  for (const area& one : areas)
    if (one.address != code_address) vm.write(one.address, bytes(page, 0xa5));
  vm.restart(program.address());
  return vm;
}

// Addresses around every edge of a page or the window, and where numbers wrap, for accesses of a length: they end before
// the edge and at it, go across it, and begin at it and behind it.
inline std::vector<std::uint64_t> edges(std::uint64_t length) {
  std::vector<std::uint64_t> found;
  std::vector<std::uint64_t> around = {0, UINT64_C(1) << 31, UINT64_C(1) << 32, UINT64_C(1) << 47, UINT64_C(1) << 63};
  for (const area& one : areas) around.insert(around.end(), {one.address, one.address + page});
  for (const std::uint64_t edge : around)
    for (const std::uint64_t before : {length + 1, length, length - 1, UINT64_C(1), UINT64_C(0), UINT64_MAX})
      found.push_back(edge - before);
  return found;
}

// Pages that a program may not write are as they were.
inline void check_untouched(machine& vm) {
  for (const area& one : areas)
    if (one.address != code_address && (one.protection & COMET_WRITE) == 0)
      BOOST_REQUIRE(vm.read(one.address, page) == bytes(page, 0xa5));
}

}  // namespace support

#endif
