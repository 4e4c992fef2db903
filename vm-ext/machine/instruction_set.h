// The instructions of one machine: the table's, its own, and those that it treats in a way of their own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "../comet.h"
#include "../isa/definitions.h"
#include "state_hash.h"

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
  // What was executed until now counts no more.
  void count_anew() {
    for (auto& [opcode, each] : treated) each.executed = 0;
  }
};

// What a machine without instructions of its own hashes to is not changed.
inline void hash_instructions(StateHash& hash, const comet_isa& own) {
  for (const auto& definition : own.definitions.all()) {
    hash.number(definition->opcode);
    for (const std::string* part : {&definition->name, &definition->operands}) {
      hash.number(part->size());
      hash.bytes(part->data(), part->size());
    }
    hash.number(definition->body.size());
    hash.bytes(definition->body.data(), definition->body.size());
  }
}

} // namespace comet
