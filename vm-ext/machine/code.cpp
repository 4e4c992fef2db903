// Decoding into slots, links, and the reference loop's cache of decoded instructions.
#include "code.h"

#include <algorithm>
#include <new>
#include <numeric>

#include "../isa/layout.h"
#include "../memory/large_pages.h"
#include "fast.h"
#include "little_endian.h"
#include "plans.h"
#include "sequences.h"
#include "short_forms.h"

namespace comet {
namespace {

constexpr std::size_t slots_a_instruction = 4; // at most, links apart
// A block takes no more when it has so many, and then one user's instruction may be the last.
constexpr std::size_t block_slots = block_instructions * slots_a_instruction;
constexpr std::size_t slots_a_definition = 1 + (isa::max_parts + 3) / 4 + isa::max_parts * slots_a_instruction;

// A call that does a branch and a `ret` as well takes the place of three instructions in its block, if there is as much.
CodeCache::BlockInstruction* behind_early_call(CodeCache::BlockInstruction* call, CodeCache::BlockInstruction* end) {
  return std::max(end - 2, call + 1);
}

std::intptr_t distance(const Slot* from, const Slot* to) {
  return reinterpret_cast<std::intptr_t>(to) - reinterpret_cast<std::intptr_t>(from);
}

// What an instruction is whose slot was made.
CodeCache::Kind kind_of(isa::Operation operation, Handler handler) {
  using Effect = Accumulator::Effect;
  CodeCache::Kind kind{operation};
  if (handler == handlers::constant || handler == handlers::wide_constant) {
    kind.shape.effect = Effect::sets;
    if (handler == handlers::constant) kind.part = part_key(isa::op_imm, 0);
  } else if (handler == handlers::nothing) {
    kind.shape.effect = Effect::keeps;
  } else if (handler == fast_handler(operation)) {
    kind.shape = accumulator_shapes[operation];
    if (!plans[operation].ends_sequence) kind.part = part_key(operation, 0);
  } else if (handler == wide_handler(operation)) {
    kind.shape.effect = accumulator_shapes[operation].effect;
  }
  return kind;
}

isa::Operation last_operation(const isa::Decoded& decoded) {
  return decoded.definition == nullptr ? decoded.operation : decoded.definition->parts.back().operation;
}

// Calls a function for the table's instructions that one is made of.
template <class Function> void for_each_part(const isa::Decoded& decoded, Function function) {
  if (decoded.definition == nullptr) return function(decoded);
  for (const isa::Part& part : decoded.definition->parts) function(isa::decoded_part(decoded, part));
}

// That an operand reads or writes.
std::uint64_t highest_register_of(const isa::Decoded& decoded) {
  std::uint64_t highest = 0;
  for_each_part(decoded, [&highest](const isa::Decoded& part) {
    const unsigned registers = isa::layouts[part.operation].in_window;
    for (unsigned i = 0; i < part.operand_count; ++i)
      if ((registers >> i & 1) != 0) highest = std::max(highest, part.operands[i]);
  });
  return highest;
}

} // namespace

void Told::divide_step(std::uint64_t step) {
  window_step = std::gcd(window_step, step);
  if (window_step != 0)
    for (std::uint64_t& place : registers) place %= window_step;
}

Told::Of Told::of(const isa::Decoded& decoded) const {
  bool always = false, named = false;
  for_each_part(decoded, [&](const isa::Decoded& part) {
    const char* kinds = isa::describe(part.operation).operands;
    switch (part.operation) {
      case isa::op_call: case isa::op_callr: case isa::op_tail: case isa::op_tailr: always |= calls; break;
      case isa::op_ret: always |= returns; break;
      case isa::op_tset: always |= thread_registers; break;
      default: break;
    }
    // A call clears register 0 of the new window.
    if (part.operand_count == 0 || !(isa::writes_register(kinds[0]) || kinds[0] == 'w')) return;
    const std::uint64_t number = window_step == 0 ? part.operands[0] : part.operands[0] % window_step;
    named |= std::find(registers.begin(), registers.end(), number) != registers.end();
  });
  if (always || (named && decoded.definition != nullptr)) return Of::always;
  return named ? Of::some_windows : Of::nothing;
}

void CodeCache::forget() {
  if (used_ > 1) {
    ++dropped_count_;
    kept_ = std::max(kept_, used_);
    if (!memory_.memory().of_system()) {
      kept_ = 1;
      // beyond tests: an embedder's memory has to hold all slots that there may be
      if (used_ > slot_limit_ && slot_limit_ < most_slots) {
        slot_limit_ *= 2;
        slots_ = nullptr;
      }
    } else if (kept_ > most_kept) { // beyond tests: takes 65536 slots that are dropped
      memory_.memory().clear(slots_, kept_ * sizeof(Slot));
      memory_.memory().clear(addresses_, kept_ * sizeof(std::uint16_t));
      kept_ = 1;
    }
  }
  used_ = 1;
  stretches_.clear();
  upper_ = ~std::uint64_t{0};
  if (touched_ > most_kept_parts || !complete_) { // many, or those that memory ran out for
    touched_ = 0;
    pages_.clear();
    decoding_number_ = ~std::uint64_t{0};
    decoding_ = nullptr;
  }
  for (const auto& [number, page] : pages_)
    for (std::size_t part = 0; part < page->touched.size(); ++part)
      if (page->touched.test(part)) std::fill_n(page->slots.data() + part * part_entries, part_entries, 0);
  complete_ = true;
  too_large_ = false;
  last_found_ = {};
  if (fetched_ != nullptr) fetched_->clear();
  memory_.forget_code();
}

std::uint64_t CodeCache::address_of(const Slot* slot) const {
  const auto number = static_cast<std::size_t>(slot - slots_);
  const auto behind =
      std::upper_bound(stretches_.begin(), stretches_.end(), number, [](std::size_t n, const Stretch& each) { return n < each.first; });
  return std::prev(behind)->upper << 16 | addresses_[number];
}

const Slot* CodeCache::resume_slot() {
  static const Slot slot{{handlers::resume}, 0, 0, {0}};
  return &slot;
}

std::uint64_t CodeCache::return_address(const Activation& activation) const {
  const bool known = activation.return_slot == nullptr || activation.return_slot == resume_slot();
  return known ? activation.return_address : address_of(activation.return_slot);
}

const Slot* CodeCache::find_elsewhere(std::uint64_t address, PageFound& found) const {
  const auto page = pages_.find(address >> page_bits);
  if (page == pages_.end()) return nullptr;
  found = {address >> page_bits, page->second->slots.data()};
  return numbered(found.slots[address & page_mask]);
}

const Slot* CodeCache::slot_at(std::uint64_t address) {
  const Slot* slot = find(address);
  return slot != nullptr ? slot : decode_block(address);
}

void CodeCache::require_room(std::size_t slots) {
  while (slots_ == nullptr) {
    slot_memory_.reset();
    address_memory_.reset();
    slot_memory_ = std::make_unique<LazyArray<Slot>>(slot_limit_ + block_room, memory_.memory());
    address_memory_ = std::make_unique<LazyArray<std::uint16_t>>(slot_limit_ + block_room, memory_.memory());
    if (*slot_memory_ && *address_memory_) {
      slots_ = slot_memory_->data();
      addresses_ = address_memory_->data();
    // beyond tests: the system's own memory has to end
    } else if (memory_.memory().of_system() || slot_limit_ == block_room) {
      throw std::bad_alloc();
    } else {
      slot_limit_ /= 2; // as it was before
    }
  }
  const std::size_t capacity = slot_limit_ + block_room;
  // beyond tests: what is overfull is dropped before it comes to this
  if (capacity - used_ < slots) throw std::bad_alloc();
  // beyond tests: an embedder's memory has to hold 32768 slots
  if (used_ > small_slots && !large_ && memory_.memory().of_system()) {
    large_ = true;
    prefer_large_pages(slots_ + used_, (capacity - used_) * sizeof(Slot));
  }
}

[[gnu::noinline, gnu::cold]] void CodeCache::begin_stretch(std::uint64_t upper) {
  stretches_.push_back({used_, upper});
  upper_ = upper;
}

Slot* CodeCache::emit(std::uint64_t address) {
  if (address >> 16 != upper_) [[unlikely]] begin_stretch(address >> 16);
  addresses_[used_] = static_cast<std::uint16_t>(address);
  Slot* slot = &slots_[used_++];
  *slot = Slot{{handlers::nothing}, 0, 0, {0}};
  return slot;
}

// The same as `find`, for addresses that nobody may ever ask for: it touches no memory of tables.
inline const Slot* CodeCache::find_entered(std::uint64_t address) const {
  const std::uint64_t number = address >> page_bits, offset = address & page_mask;
  const PageSlots* page = decoding_;
  if (number != decoding_number_) {
    const auto found = pages_.find(number);
    if (found == pages_.end()) return nullptr;
    page = found->second.get();
  }
  return page->touched.test(offset / part_entries) ? numbered(page->slots.data()[offset]) : nullptr;
}

// A thread that stops at a link, for want of fuel, stands at its target.
void CodeCache::emit_link(std::uint64_t target, Slot* branch) {
  if (const Slot* const known = branch == nullptr ? nullptr : find_entered(target)) {
    branch->immediate = static_cast<std::int32_t>(distance(branch, known));
    return;
  }
  Slot* link = emit(target);
  link->handler = handlers::link;
  if (branch == nullptr) return;
  branch->immediate = static_cast<std::int32_t>(distance(branch, link));
  link->immediate = static_cast<std::int32_t>(distance(link, branch));
}

const Slot* CodeCache::follow_link(const Slot* followed) {
  const Slot* target = slot_at(address_of(followed));
  auto* link = const_cast<Slot*>(followed);
  if (link->immediate != 0) {
    Slot* branch = link + link->immediate / static_cast<std::int32_t>(sizeof(Slot));
    branch->immediate = static_cast<std::int32_t>(distance(branch, target));
  } else {
    link->immediate = static_cast<std::int32_t>(distance(link, target));
    link->handler = handlers::far;
  }
  return target;
}

// A table is decoded where it lies among code: pages of data would become slow to write to.
bool CodeCache::may_decode_table(std::uint64_t table, std::uint64_t count) const {
  // beyond tests: takes tables of more than 512 entries in all
  return count <= most_entries - table_entries_ && (table & page_mask) + 4 * count <= page_size &&
         table < memory_.window_bytes() && memory_.executable_page(table >> page_bits) != nullptr;
}

// The entries of a jump's table are links, each to be resolved when it is taken first.
void CodeCache::emit_table(std::uint64_t table, Slot* jump) {
  jump->immediate = static_cast<std::int32_t>(distance(jump, slots_ + used_));
  const std::uint64_t count = jump[1].data;
  const std::uint8_t* const content = memory_.executable_page(table >> page_bits) + (table & page_mask);
  for (std::uint64_t n = 0; n < count; ++n) {
    const auto entry = load_little<std::int32_t>(content + 4 * n);
    emit_link(table + static_cast<std::uint64_t>(std::int64_t{entry}), nullptr);
  }
  memory_.mark_code(table, 4 * count);
}

void CodeCache::note_window(std::uint64_t base) {
  if (window_step_ == 0 || base % window_step_ != 0) window_step_ = std::gcd(window_step_, base);
}

void CodeCache::note_registers(const isa::Decoded& decoded) {
  const auto note = [this](const isa::Decoded& part) {
    if (part.operation == isa::op_call || part.operation == isa::op_callr) note_window(part.operands[0]);
    const unsigned registers = isa::layouts[part.operation].registers;
    for (unsigned i = 0; i < isa::max_operands; ++i) {
      const std::uint64_t number = (registers >> i & 1) != 0 ? part.operands[i] : 0;
      if (number > highest_register_ && number < register_slack) highest_register_ = number;
    }
  };
  if (decoded.definition == nullptr) [[likely]] note(decoded);
  else for_each_part(decoded, note);
}

bool CodeCache::is_traced(std::uint64_t address) {
  if (instructions_.treated.empty()) return false;
  const Fetched& fetched = fetch(address);
  if (fetched.status != isa::DecodeStatus::ok) return false;
  const auto* treated = instructions_.find_treated(fetched.decoded.opcode);
  return treated != nullptr && treated->treatment == COMET_STOPPING;
}

const CodeCache::Fetched& CodeCache::fetch(std::uint64_t address) {
  if (fetched_ == nullptr) fetched_ = std::make_unique<LazyArray<Fetched>>(fetched_entries, memory_.memory());
  if (!*fetched_) {
    fetched_.reset();
    throw std::bad_alloc();
  }
  Fetched& entry = fetched_->data()[(address ^ (address >> 10)) % fetched_entries];
  if (entry.valid && entry.address == address) return entry;
  std::uint8_t bytes[isa::max_instruction_bytes];
  entry.valid = false;
  entry.available = static_cast<std::uint8_t>(memory_.fetch(address, bytes, sizeof bytes));
  entry.status = isa::decode(bytes, entry.available, instructions_.definitions(), entry.decoded);
  entry.address = address;
  if (entry.status == isa::DecodeStatus::ok) {
    note_registers(entry.decoded);
    entry.highest_register = highest_register_of(entry.decoded);
    memory_.mark_code(address, entry.decoded.length);
    look_at_size();
    entry.valid = true;
  }
  return entry;
}

CodeCache::PageSlots& CodeCache::slots_of_page(std::uint64_t number) {
  auto known = pages_.find(number);
  if (known == pages_.end()) {
    auto made = std::make_unique<PageSlots>(memory_.memory());
    if (!made->slots) throw std::bad_alloc();
    known = pages_.emplace(number, std::move(made)).first;
  }
  decoding_number_ = number;
  decoding_ = known->second.get();
  return *decoding_;
}

const Slot* CodeCache::decode_block(std::uint64_t start) {
  pending_links_.clear();
  pending_tables_.clear();
  table_entries_ = 0;
  require_room(3 * block_slots + slots_a_definition + most_entries); // with links
  complete_ = false;
  Slot* const first = slots_ + used_;
  Slot* slot = first;
  std::uint16_t* low = addresses_ + used_; // of the slot's address
  const Slot* const last = first + block_slots - slots_a_instruction; // behind which only short instructions follow
  BlockInstruction* end = block_ + block_instructions;
  const bool special = !told_.nothing() || !instructions_.treated.empty() || !breakpoints_.empty(); // some instructions may be
  const bool plain = !special && instructions_.definitions() == nullptr; // which may stand for any opcode
  // Where it decodes: a page, and an offset in it. From the offset `looked_up` on, what follows holds no more.
  std::uint64_t page_begin = start & ~page_mask, offset = start & page_mask, looked_up = 0;
  std::uint32_t* places = nullptr;
  const std::uint8_t* content = nullptr;
  bool whole = false, short_ones = false; // where it lies the instruction can be decoded; by decode_short
  BlockInstruction* to = block_;
  bool open = true;
  for (; open; ++to) {
    if (offset >= looked_up) [[unlikely]] {
      const std::uint64_t address = page_begin + offset;
      if (address < start) {
        end = to; // blocks do not go around the end of the address space, so their addresses are in order
      } else {
        const std::uint64_t number = address >> page_bits;
        PageSlots& page = number == decoding_number_ ? *decoding_ : slots_of_page(number);
        page_begin = address & ~page_mask;
        offset = address & page_mask;
        places = page.slots.data();
        const std::size_t part = offset / part_entries;
        if (!page.touched.test(part)) {
          page.touched.set(part);
          places[offset] = 0; // memory that is read before it is written costs the host twice
          ++touched_;
        }
        content = memory_.executable_page(number);
        whole = content != nullptr && offset + isa::max_instruction_bytes <= page_size;
        short_ones = whole && plain;
        looked_up = whole ? std::min((part + 1) * part_entries, page_size + 1 - isa::max_instruction_bytes) : offset + 1;
        used_ = static_cast<std::size_t>(slot - slots_);
        static_assert(page_bits == 16); // so what is above it is what stretches have in common
        if (number != upper_) begin_stretch(number);
      }
    }
    if (to == end || places[offset] != 0) [[unlikely]] break; // where the block begins, nothing is entered
    to->place = places + offset;
    to->slot = slot;
    to->at = static_cast<std::uint16_t>(offset - start);
    if (short_ones) [[likely]] {
      unsigned length = 0;
      if (const ShortPlan* const plan = decode_short(content + offset, *slot, length)) [[likely]] {
        *low++ = static_cast<std::uint16_t>(offset);
        to->kind = plan->kind;
        ++slot;
        if (!plan->more) {
          offset += length;
          continue;
        }
        open = !plan->ends_block;
        if (plan->second_zigzag) to->slot->b = static_cast<std::uint16_t>(meant(to->slot->b, 1));
        if (plan->links) {
          const std::uint64_t target = page_begin + offset + static_cast<std::uint64_t>(std::int64_t{to->slot->immediate});
          pending_links_.push_back({target, to->slot});
          if (plan->has_function) {
            *low++ = static_cast<std::uint16_t>(offset);
            *slot++ = Slot{{.data = target}, 0, 0, {0}};
          }
        }
        if (plan->moves_window) {
          note_window(to->slot->a);
          if (plan->links && look_into_callee(*to)) end = behind_early_call(to, end);
        }
        offset += length;
        continue;
      }
    }
    const std::uint64_t address = page_begin + offset;
    used_ = static_cast<std::size_t>(slot - slots_);
    isa::Decoded decoded;
    std::uint8_t fetched[isa::max_instruction_bytes];
    const std::size_t available = whole ? sizeof fetched : memory_.fetch(address, fetched, sizeof fetched);
    const isa::DecodeStatus status = isa::decode(whole ? content + offset : fetched, available, instructions_.definitions(), decoded);
    open = status == isa::DecodeStatus::ok && emit_any(address, decoded, *to, special);
    if (status != isa::DecodeStatus::ok) emit_left(address, *to); // which traps
    else if (to->kind.operation == isa::op_call && look_into_callee(*to)) end = behind_early_call(to, end);
    offset += decoded.length;
    slot = slots_ + used_;
    low = addresses_ + used_;
    if (slot > last) end = to + 1; // beyond tests: takes a block full of what takes many slots each
  }
  used_ = static_cast<std::size_t>(slot - slots_);
  const std::uint64_t address = page_begin + offset;
  if (open) emit_link(address, nullptr);
  const auto length = static_cast<std::size_t>(to - block_);
  block_length_ = length;
  memory_.mark_code(start, address - start);
  use_accumulator(start);
  enter_and_fuse();
  // Links stand behind the block, where execution does not come by.
  for (const PendingLink& pending : pending_links_) emit_link(pending.target, pending.branch);
  pending_links_.clear();
  for (const PendingTable& pending : pending_tables_) emit_table(pending.table, pending.jump);
  if (block_observer) block_observer({block_, length});
  look_at_size();
  complete_ = true;
  decoded_count_ += length;
  return first;
}

// Emits an instruction that is left to the reference loop.
void CodeCache::emit_left(std::uint64_t address, BlockInstruction& to) {
  emit(address)->handler = handlers::reference;
  to.kind = {};
}

// Emits any instruction. `special`: some are left to the reference loop for what they are or where they stand. Gives
// whether the block goes on behind it.
bool CodeCache::emit_any(std::uint64_t address, const isa::Decoded& decoded, BlockInstruction& to, bool special) {
  note_registers(decoded);
  const Told::Of told = special ? told_.of(decoded) : Told::Of::nothing;
  const bool open = !plans[last_operation(decoded)].ends_block;
  if (special && has_breakpoint(address)) {
    emit_left(address, to);
    to.slot->handler = handlers::breakpoint;
    return open;
  }
  if (told == Told::Of::always || (special && instructions_.find_treated(decoded.opcode) != nullptr)) {
    emit_left(address, to);
    return open;
  }
  if (told == Told::Of::some_windows) emit_checked(address, decoded);
  else if (decoded.definition != nullptr) emit_defined(address, decoded);
  else emit_instruction(address, decoded);
  to.kind = kind_of(told == Told::Of::some_windows ? isa::operation_count : decoded.operation, to.slot->handler);
  if (to.slot->handler == fast_handler(to.kind.operation)) to.slot->handler = nullptr; // use_accumulator gives it
  return open;
}

// What stands at an address if decode_short takes it and no run stops before it; else null.
const ShortPlan* CodeCache::decode_ahead(std::uint64_t address, Slot& slot, unsigned& length) const {
  const std::uint8_t* const page = memory_.executable_page(address >> page_bits);
  const std::uint64_t offset = address & page_mask;
  // beyond tests: a callee has to branch to where nothing may be executed
  if (page == nullptr || offset + isa::max_instruction_bytes > page_size || has_breakpoint(address)) return nullptr;
  const ShortPlan* const plan = decode_short(page + offset, slot, length);
  if (plan == nullptr || plan->kind.operation == isa::operation_count) return nullptr;
  const std::uint64_t opcode = isa::describe(plan->kind.operation).opcode;
  const isa::Definitions* const own = instructions_.definitions(); // which may stand for any opcode
  // beyond tests: takes a branch, or `ret`, to which a machine gave another meaning
  return (own == nullptr || own->find(opcode) == nullptr) && instructions_.find_treated(opcode) == nullptr ? plan : nullptr;
}

// Many functions begin with a branch to their `ret`, for when there is nothing to do. Their call does that branch too:
// when it is taken, also the `ret`, so that no activation is made; else it goes on behind the branch.
bool CodeCache::look_into_callee(BlockInstruction& call) {
  if (call.slot->handler != nullptr || told_.returns) return false; // the call, or a return, is left to the reference loop
  std::uint64_t& target = pending_links_.back().target;
  const std::uint8_t* const page = memory_.executable_page(target >> page_bits);
  if (page == nullptr || early_call_handler(short_plans[page[target & page_mask]].kind.operation) == nullptr) return false;
  Slot branch, end;
  unsigned length = 0, end_length = 0;
  const ShortPlan* const plan = decode_ahead(target, branch, length);
  if (plan == nullptr) return false;
  const std::uint64_t left = target + static_cast<std::uint64_t>(std::int64_t{branch.immediate});
  const ShortPlan* const end_plan = decode_ahead(left, end, end_length);
  if (end_plan == nullptr || end_plan->kind.operation != isa::op_ret) return false;
  isa::Operation operation = plan->kind.operation;
  if (plan->second_zigzag) branch.b = static_cast<std::uint16_t>(meant(branch.b, 1));
  if (operation == isa::op_beqi && branch.b == 0) {
    operation = isa::op_blti_u; // the most frequent ends, by one handler
    branch.b = 1;
  }
  memory_.mark_code(target, length);
  memory_.mark_code(left, end_length);
  call.slot->handler = early_call_handler(operation);
  call.slot[1].a = branch.a;
  call.slot[1].b = branch.b;
  call.kind.part = early_call_key(operation);
  // The caller's name for what the branch tests first. Register 0 is the call's doing.
  const unsigned tested = call.slot->a + branch.a;
  if (plan->kind.shape.operands == 1 && branch.a != 0 && tested <= UINT16_MAX) {
    call.slot[1].c = static_cast<std::uint16_t>(tested);
    call.kind.shape.first = sizeof(Slot) + offsetof(Slot, c);
    call.kind.shape.operands = 1;
  }
  target += length;
  return true;
}

// Gives the slots that have no handler yet a variant of theirs. Where the block branches to itself it can be entered.
void CodeCache::use_accumulator(std::uint64_t start) {
  std::uint64_t targets[block_instructions * isa::max_instruction_bytes / 64]; // a bit for each byte of the block
  const std::uint64_t last = block_[block_length_ - 1].at;
  bool any = false; // most blocks have none, and then the bits are not made
  for (const PendingLink& pending : pending_links_) {
    const std::uint64_t at = pending.target - start;
    if (at > last) continue;
    if (!any) std::fill_n(targets, last / 64 + 1, 0);
    any = true;
    targets[at / 64] |= std::uint64_t{1} << at % 64;
  }
  Accumulator accumulator;
  for (BlockInstruction& each : std::span(block_, block_length_)) {
    if (any && (targets[each.at / 64] >> each.at % 64 & 1) != 0) accumulator.drop();
    const unsigned variant = accumulator.next(each.kind.shape, *each.slot);
    if (each.slot->handler == nullptr) [[likely]] each.slot->handler = fast_handler(each.kind.operation, variant);
    each.kind.part = static_cast<PartKey>(each.kind.part + variant);
    each.kind.shape.operands = static_cast<std::uint8_t>(variant);
  }
}

// Enters in the page table the slots that need nothing from the one before. Gives slots the handlers that do what
// follows, too; the slots that follow keep theirs: who comes to one of them finds it as if nothing had been done here.
void CodeCache::enter_and_fuse() {
  PartKey parts[block_instructions + 1]; // and what none begins with
  PartKey* part = parts + block_length_;
  *part = no_part;
  Slot* const slots = slots_;
  bool needed = false;
  for (const BlockInstruction* each = block_ + block_length_; each-- != block_;) {
    const Accumulator::Shape shape = each->kind.shape;
    needed = shape.operands != 0 || (needed && shape.effect == Accumulator::Effect::keeps);
    if (!needed) *each->place = static_cast<std::uint32_t>(each->slot - slots);
    *--part = each->kind.part;
    if (const Handler fused = sequences.longest(part)) each->slot->handler = fused;
  }
}

} // namespace comet
