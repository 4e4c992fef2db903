// What was decoded from an address space: slots for the fast loop, decoded instructions for the
// reference loop, and the breakpoints that stand in them.
//
// Decoding is lazy and goes block by block: from an address that execution reached to the next
// instruction that surely goes elsewhere. Most instructions of a block can be entered; who comes to another
// one gets a block that begins there (see accumulator.h). A branch to what is not decoded yet leads to a
// link, a slot that stands for the address; the first time it is taken it is resolved and the branch is
// patched. Nothing is ever dropped alone: when code was written to, or there is too much of it, everything
// goes and is decoded again as it is reached.
//
// Half of what decoding costs is the host's memory, page by page as it is touched first. So slots stand one behind the
// other in one reserved array, and what is kept beside them is small: a quarter of an address, and in the page table their
// numbers. What was touched is kept for the next blocks when all is dropped, unless it is much; and behind the first
// slots large pages are asked for.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "../isa/isa.h"
#include "../memory/address_space.h"
#include "../memory/host_pages.h"
#include "accumulator.h"
#include "instruction_set.h"
#include "part_key.h"
#include "slot.h"

namespace comet {

struct ShortPlan;

// Instructions that the fast loop leaves to the reference loop, because that tells an observer of them.
struct Told {
  static constexpr std::size_t most_registers = 16;
  bool calls = false, returns = false, thread_registers = false;
  // Places on the register stack, modulo the step. Every window begins at a multiple of that; 0: they all begin at 0.
  // So it is known which operands may name a place, whatever window the instruction is executed in.
  std::vector<std::uint64_t> registers{};
  std::uint64_t window_step = 0;

  bool operator==(const Told&) const = default;
  bool nothing() const { return !calls && !returns && !thread_registers && registers.empty(); }
  // The step is to be a divisor of this one as well.
  void divide_step(std::uint64_t step);
  enum class Of { nothing, some_windows, always }; // when an instruction is to be told of
  Of of(const isa::Decoded& decoded) const;
};

// Between two looks at the fuel the fast loop executes at most this many instructions.
constexpr unsigned block_instructions = 64;

class CodeCache {
 public:
  CodeCache(AddressSpace& memory, InstructionSet& instructions) : memory_(memory), instructions_(instructions) {}
  CodeCache(const CodeCache&) = delete;
  CodeCache& operator=(const CodeCache&) = delete;

  // The slot of the instruction at an address, decoded if it was not.
  const Slot* slot_at(std::uint64_t address);
  // The same, or null when there is none that can be entered. `found`: where the caller keeps the page that it found last,
  // which holds until code is forgotten.
  struct PageFound {
    std::uint64_t number = ~std::uint64_t{0};
    const std::uint32_t* slots = nullptr;
  };
  const Slot* find(std::uint64_t address, PageFound& found) const {
    if (address >> page_bits != found.number) return find_elsewhere(address, found);
    return numbered(found.slots[address & page_mask]);
  }
  const Slot* find(std::uint64_t address) const { return find(address, last_found_); }
  const PageFound& last_found() const { return last_found_; }
  // The address of the instruction that a slot belongs to.
  std::uint64_t address_of(const Slot* slot) const;

  // Resolves the link that execution stands at; gives the slot that it leads to.
  const Slot* follow_link(const Slot* link);
  // A return slot that says: the activation's return_address counts.
  static const Slot* resume_slot();
  std::uint64_t return_address(const Activation& activation) const;

  struct Fetched {
    std::uint64_t address;
    bool valid;
    isa::DecodeStatus status;
    std::uint8_t available; // bytes from the address on that may be executed, at most one instruction's
    isa::Decoded decoded;
    std::uint64_t highest_register; // that an operand reads or writes
  };
  // For the reference loop.
  const Fetched& fetch(std::uint64_t address);

  // The memory of the host that what is decoded takes, and how much it may be. A block may go beyond that.
  static constexpr std::size_t byte_limit = std::size_t{256} << 20;
  std::size_t bytes() const {
    return (std::max(used_, kept_) - 1) * slot_bytes + stretches_.size() * sizeof(Stretch) + pages_.size() * sizeof(PageSlots) +
           (memory_.memory().of_system() ? touched_ * table_part_bytes : pages_.size() * table_bytes) + memory_.code_bytes();
  }
  // Instructions decoded for the fast loop so far, and how often all was dropped.
  std::uint64_t decoded_count() const { return decoded_count_; }
  std::uint64_t dropped_count() const { return dropped_count_; }

  // Whether slots need to be dropped because there is too much, or because memory ran out within a block.
  // Only between instructions.
  bool overfull() const { return !complete_ || too_large_; }
  // Drops everything. No activation may refer to slots any more.
  void forget();

  void set_breakpoint(std::uint64_t address) { breakpoints_.insert(address); }
  bool clear_breakpoint(std::uint64_t address) { return breakpoints_.erase(address) != 0; }
  bool has_breakpoint(std::uint64_t address) const { return !breakpoints_.empty() && breakpoints_.count(address) != 0; }
  // Whether the run stops before the instruction at an address because of what the instruction is.
  bool is_traced(std::uint64_t address);
  void clear_breakpoints() { breakpoints_.clear(); }

  struct Kind {
    isa::Operation operation = isa::operation_count; // what the fast loop does as it is; operation_count: nothing
    PartKey part = no_part;                          // see sequences.h
    Accumulator::Shape shape{};                      // its operands: in the end those that it has from the accumulator
  };
  struct BlockInstruction {
    std::uint32_t* place; // in the page table
    Slot* slot;
    Kind kind;
    std::uint16_t at; // so many bytes behind the block's first
  };
  // Is shown every block that is decoded; for what chooses the sequences of fused.def.
  std::function<void(std::span<const BlockInstruction>)> block_observer;

  // What is told of, and decoded accordingly. It is set when nothing is decoded.
  const Told& told() const { return told_; }
  void tell(const Told& told) { told_ = told; }
  // Every call that was decoded moves the window by a multiple of this; 0: there was none.
  std::uint64_t window_step() const { return window_step_; }

  // No instruction that was decoded names a register above this one and below register_slack.
  std::uint64_t highest_register() const { return highest_register_; }

 private:
  static constexpr std::size_t fetched_entries = 1024;
  // A slot, and the lowest quarter of the address of its instruction.
  static constexpr std::size_t slot_bytes = sizeof(Slot) + sizeof(std::uint16_t);
  // As many slots as the limit lets be. Behind them there is room for a block.
  static constexpr std::size_t most_slots = byte_limit / slot_bytes;
  static constexpr std::size_t block_room = 4096;

  // Of a page's table the host gives memory by parts, as slots are entered; an embedder, all of it. It holds their numbers;
  // none: 0.
  static constexpr std::size_t table_bytes = page_size * sizeof(std::uint32_t);
  static constexpr std::size_t table_part_bytes = 4096;
  static constexpr std::size_t part_entries = table_part_bytes / sizeof(std::uint32_t);
  struct PageSlots {
    explicit PageSlots(const HostMemory& memory) : slots(page_size, memory) {}
    LazyArray<std::uint32_t> slots;
    std::bitset<page_size / part_entries> touched;
  };
  // From the slot `first` on, addresses have these upper bits.
  struct Stretch {
    std::size_t first;
    std::uint64_t upper;
  };
  // So many slots, and so many parts of tables, stay in the host's memory when all is dropped.
  static constexpr std::size_t most_kept = std::size_t{1} << 16;
  static constexpr std::size_t most_kept_parts = 256;
  // The jump tables of a block have no more entries that are decoded.
  static constexpr std::size_t most_entries = 512;
  // From this slot on large pages are worth their room.
  static constexpr std::size_t small_slots = std::size_t{1} << 15;

  const Slot* numbered(std::uint32_t number) const { return number == 0 ? nullptr : slots_ + number; }
  const Slot* find_elsewhere(std::uint64_t address, PageFound& found) const;
  const Slot* find_entered(std::uint64_t address) const;
  PageSlots& slots_of_page(std::uint64_t number);
  const Slot* decode_block(std::uint64_t address);
  void require_room(std::size_t slots);
  Slot* emit(std::uint64_t address);
  void begin_stretch(std::uint64_t upper);
  void emit_data(std::uint64_t address, std::uint64_t data) { emit(address)->data = data; }
  void emit_link(std::uint64_t target, Slot* branch);
  bool may_decode_table(std::uint64_t table, std::uint64_t count) const;
  void emit_table(std::uint64_t table, Slot* jump);
  void emit_instruction(std::uint64_t address, const isa::Decoded& decoded);
  bool emit_any(std::uint64_t address, const isa::Decoded& decoded, BlockInstruction& to, bool special);
  void emit_left(std::uint64_t address, BlockInstruction& to);
  void emit_unlike_others(std::uint64_t address, const isa::Decoded& decoded, Slot* slot);
  void emit_checked(std::uint64_t address, const isa::Decoded& decoded);
  void emit_defined(std::uint64_t address, const isa::Decoded& decoded);
  void look_at_size() { too_large_ = used_ > slot_limit_ || bytes() > byte_limit; }
  bool look_into_callee(BlockInstruction& call);
  const ShortPlan* decode_ahead(std::uint64_t address, Slot& slot, unsigned& length) const;
  void note_window(std::uint64_t base);
  void use_accumulator(std::uint64_t start);
  void enter_and_fuse();
  void note_registers(const isa::Decoded& decoded);

  AddressSpace& memory_;
  InstructionSet& instructions_;
  std::unique_ptr<LazyArray<Slot>> slot_memory_;
  std::unique_ptr<LazyArray<std::uint16_t>> address_memory_;
  Slot* slots_ = nullptr;
  std::uint16_t* addresses_ = nullptr; // their lowest quarters, by the slots' numbers
  // Memory of the embedder's is asked for as it turns out to be needed: twice as much each time that all is dropped.
  std::size_t slot_limit_ = memory_.memory().of_system() ? most_slots : block_room;
  std::size_t used_ = 1; // number 0 is none
  std::size_t kept_ = 1; // so many were used before all was dropped, and are in the host's memory
  bool large_ = false;   // pages were asked for
  std::vector<Stretch> stretches_;
  std::uint64_t upper_ = ~std::uint64_t{0}; // of the last one
  std::unordered_map<std::uint64_t, std::unique_ptr<PageSlots>> pages_;
  std::uint64_t decoding_number_ = ~std::uint64_t{0}; // of the page that was decoded from last
  PageSlots* decoding_ = nullptr;
  mutable PageFound last_found_;
  struct PendingLink {
    std::uint64_t target;
    Slot* branch;
  };
  std::vector<PendingLink> pending_links_;
  struct PendingTable {
    std::uint64_t table; // of the guest
    Slot* jump;
  };
  std::vector<PendingTable> pending_tables_;
  std::uint64_t table_entries_ = 0; // of the block's tables
  bool complete_ = true; // every block that was begun was ended
  bool too_large_ = false;
  BlockInstruction block_[block_instructions]; // that is being decoded
  std::size_t block_length_ = 0;
  std::unique_ptr<LazyArray<Fetched>> fetched_;
  std::set<std::uint64_t> breakpoints_;
  std::uint64_t highest_register_ = 127; // that fields of one byte name; so only longer ones are looked at
  std::uint64_t window_step_ = 0;
  Told told_;
  std::size_t touched_ = 0; // parts of tables
  std::uint64_t decoded_count_ = 0, dropped_count_ = 0;
};

} // namespace comet
