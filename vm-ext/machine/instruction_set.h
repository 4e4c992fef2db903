// The instructions of one machine: the table's, its own, and those that it treats in a way of their own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "../comet.h"
#include "../isa/definitions.h"

namespace comet {

struct InstructionSet {
  struct Treated {
    comet_treatment treatment;
    std::uint64_t executed; // so many times, since it is treated so
  };

  // Part of the machine's state; never null.
  std::shared_ptr<const comet_isa> own = std::make_shared<const comet_isa>();
  // By opcode. Like breakpoints no part of the state; instructions in it are left to the reference loop, so
  // that all others run as fast as ever.
  std::map<std::uint64_t, Treated> treated;

  // What decoding needs to know; null: the table is all there is.
  const isa::Definitions* definitions() const { return own->definitions.empty() ? nullptr : &own->definitions; }
  Treated* find_treated(std::uint64_t opcode) {
    if (treated.empty()) return nullptr;
    const auto found = treated.find(opcode);
    return found == treated.end() ? nullptr : &found->second;
  }
};

} // namespace comet
