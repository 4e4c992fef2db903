// Decoding into slots, links, and the reference loop's cache of decoded instructions.
#include "code.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <numeric>

#include "../isa/layout.h"
#include "../memory/large_pages.h"
#include "fast.h"
#include "little_endian.h"
#include "sequences.h"

namespace comet {
namespace {

constexpr std::size_t slots_a_instruction = 4; // at most, links apart
// A block takes no more when it has so many, and then one user's instruction may be the last.
constexpr std::size_t block_slots = block_instructions * slots_a_instruction;
constexpr std::size_t slots_a_definition = 1 + (isa::max_parts + 3) / 4 + isa::max_parts * slots_a_instruction;

bool fits32(std::uint64_t value) {
  return value == static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(value)));
}
bool fits16(std::uint64_t value) {
  return value == static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int16_t>(value)));
}

std::intptr_t distance(const Slot* from, const Slot* to) {
  return reinterpret_cast<std::intptr_t>(to) - reinterpret_cast<std::intptr_t>(from);
}

// What the slots of an operation are made of.
enum class Format : std::uint8_t {
  unlike_others,
  registers,        // up to three
  immediate,        // behind up to two registers
  branch,           // two registers, and where to
  branch_immediate, // a register, an immediate of 16 bits, and where to
};
struct Plan {
  Format format = Format::unlike_others;
  bool writes = false;       // its first register, so that r0 makes it another instruction
  bool ends_block = false;   // execution surely does not go on behind it
  bool ends_sequence = false;
};

constexpr auto plans = [] {
  using namespace isa;
  constexpr const char* operands[] = {
#define INSTRUCTION(opcode, name, operands, group, meaning) operands,
#include "../isa/instructions.def"
#undef INSTRUCTION
      ""};
  std::array<Plan, operation_count + 1> all{};
  for (std::size_t n = 0; n < operation_count; ++n) {
    const char* const kinds = operands[n];
    const std::uint8_t count = layouts[n].count;
    all[n].writes = writes_register(kinds[0]);
    switch (count == 0 ? 0 : kinds[count - 1]) {
      case 'd': case 's': all[n].format = Format::registers; break;
      case 'i': case 'c': case 'o': all[n].format = Format::immediate; break;
      case 'p': all[n].format = kinds[1] == 'i' ? Format::branch_immediate : Format::branch; break;
      default: break;
    }
  }
  for (const Operation each : {op_nop, op_imm, op_simm, op_pcimm, op_spcimm, op_fimm, op_fimm32, op_jump, op_jumpr, op_tailr,
                               op_jal, op_jalr, op_brz, op_call, op_tail, op_callr, op_ret, op_jtab, op_tget, op_tset})
    all[each].format = Format::unlike_others;
  for (const Operation each : {op_brk, op_jump, op_jumpr, op_jal, op_jalr, op_ret, op_tail, op_tailr, op_trap, op_halt})
    all[each].ends_block = true;
  for (const Operation each : {op_jal, op_jalr, op_brz, operation_count}) all[each].ends_sequence = true;
  for (unsigned each = op_fence; each <= op_acas64; ++each) { // an access takes place where its result is dropped
    all[each].writes = false;
    all[each].ends_sequence = true;
  }
  return all;
}();

// The same by opcode, for those of up to two bytes and for what decode_short takes.
struct alignas(32) ShortPlan { // so that its place in the table is a shift
  CodeCache::Kind kind{};       // but for what it has from the accumulator
  std::uint32_t bytes = 0;      // what says that a field is longer than a byte
  std::uint16_t ahead = 0;      // the fields in front of the last one
  std::uint8_t last = 0;        // the last one, where it has a byte; 0: there are no fields
  std::uint8_t bits_ahead = 0;
  std::uint8_t length = 0;      // of the fields, of a byte each
  std::uint8_t last_place = 0;  // in what stands behind the handler in its slot, in bits
  std::uint8_t last_zigzag = 0; // 1: so the last field is encoded
  std::uint8_t least_first = 0; // 1: it writes its first register, so r0 makes it another instruction
  bool last_register = false;
  bool more = false;          // one of the next five
  bool links = false;         // the last field, which is the slot's immediate, says where to
  bool second_zigzag = false; // so the second of three fields is encoded, the slot's b
  bool has_function = false;  // that stands in a slot behind
  bool moves_window = false;  // by the slot's a
  bool ends_block = false;
  bool is_left = false;       // to the reference loop
};

constexpr auto short_plans = [] {
  using namespace isa;
  std::array<ShortPlan, 256> all{};
  Operation operation{};
  const auto add = [&all, &operation](std::size_t opcode) {
    const Layout layout = layouts[operation];
    const Plan plan = plans[operation];
    const bool jumps = operation == op_jump || operation == op_call || operation == op_tail;
    bool is_short = jumps || plan.format != Format::unlike_others;
    for (const Operation each : {op_imm, op_ret, op_jumpr, op_tailr, op_callr}) is_short |= operation == each;
    bool is_left = false;
    for (const Operation each : {op_hcall, op_brk, op_trap, op_halt, op_bcopy, op_bfill}) is_left |= operation == each;
    if ((is_short || is_left) && opcode < all.size()) {
      ShortPlan& made = all[opcode];
      const unsigned ahead = layout.count < 2 ? 0 : layout.count - 1u;
      made.is_left = is_left;
      const PartKey part = plan.ends_sequence ? no_part : part_key(operation, 0);
      if (!is_left) made.kind = {operation, part, accumulator_shapes[operation]};
      made.bytes = layout.count == 0 ? 0 : 0x808080 >> (8 * (2 - ahead));
      made.ahead = static_cast<std::uint16_t>((1u << (8 * ahead)) - 1);
      made.last = layout.count == 0 ? 0 : 0x7f;
      made.bits_ahead = static_cast<std::uint8_t>(8 * ahead);
      made.length = layout.count;
      const unsigned last = layout.count == 0 ? isa::max_operands : layout.count - 1u;
      made.last_zigzag = layout.zigzag >> last & 1;
      made.second_zigzag = last == 2 && (layout.zigzag & 2) != 0;
      made.last_register = (layout.registers >> last & 1) != 0;
      const bool in_order = operation != op_imm && !jumps; // that is, the fields of the slot
      const bool third_register = in_order && plan.format == Format::registers;
      made.last_place = in_order && ahead < 2 ? static_cast<std::uint8_t>(16 * ahead)
                        : third_register && std::endian::native == std::endian::big ? 48 : 32;
      made.least_first = plan.writes ? 1 : 0;
      made.links = jumps || plan.format == Format::branch || plan.format == Format::branch_immediate;
      made.has_function = operation == op_call || operation == op_tail;
      made.moves_window = operation == op_call || operation == op_callr;
      made.ends_block = plan.ends_block;
      made.more = made.links || made.second_zigzag || made.moves_window || made.ends_block;
    }
    operation = static_cast<Operation>(operation + 1);
  };
#define INSTRUCTION(opcode, name, operands, group, meaning) add(opcode);
#include "../isa/instructions.def"
#undef INSTRUCTION
  return all;
}();

// What an encoded field means; `zigzag`: 1 where it is encoded so, else 0.
constexpr std::uint32_t meant(std::uint32_t encoded, unsigned zigzag) {
  return encoded >> zigzag ^ (0 - (encoded & zigzag));
}

// Which operands are registers, a bit for each.
unsigned register_operands(isa::Operation operation) { return isa::layouts[operation].registers; }

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
      if (used_ > slot_limit_ && slot_limit_ < most_slots) {
        slot_limit_ *= 2;
        slots_ = nullptr;
      }
    } else if (kept_ > most_kept) {
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
    } else if (memory_.memory().of_system() || slot_limit_ == block_room) {
      throw std::bad_alloc();
    } else {
      slot_limit_ /= 2; // as it was before
    }
  }
  const std::size_t capacity = slot_limit_ + block_room;
  if (capacity - used_ < slots) throw std::bad_alloc();
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
    const unsigned registers = register_operands(part.operation);
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
    entry.valid = true;
  }
  return entry;
}

CodeCache::PageSlots& CodeCache::slots_of_page(std::uint64_t number) {
  if (number == decoding_number_) return *decoding_;
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

// The same as `find`, for addresses that nobody may ever ask for: it touches no memory of tables.
const Slot* CodeCache::find_entered(std::uint64_t address) const {
  const std::uint64_t number = address >> page_bits, offset = address & page_mask;
  const PageSlots* page = decoding_;
  if (number != decoding_number_) {
    const auto found = pages_.find(number);
    if (found == pages_.end()) return nullptr;
    page = found->second.get();
  }
  return page->touched.test(offset / part_entries) ? numbered(page->slots.data()[offset]) : nullptr;
}

// Decodes an instruction as nearly all are and makes its slot: an opcode of a byte, or two, and up to three fields of a
// byte, the last of up to four. The slot gets its handler by `use_accumulator`, but for one that is left to the reference
// loop. Gives what it is; null, with nothing done, where it is another.
[[gnu::always_inline]] inline const ShortPlan* decode_short(const std::uint8_t* bytes, Slot& slot, unsigned& length) {
  std::uint64_t word = load_little<std::uint64_t>(bytes);
  const auto opcode = static_cast<std::uint8_t>(word);
  length = 1;
  if (opcode >= 0x80) {
    if ((word >> 8 & 0xff) != 1) return nullptr;
    word >>= 8;
    length = 2;
  }
  const ShortPlan& plan = short_plans[opcode];
  Handler handler = nullptr;
  if (plan.kind.operation == isa::operation_count) [[unlikely]] {
    if (!plan.is_left) return nullptr;
    handler = handlers::reference;
  }
  const std::uint64_t fields = word >> 8;
  length += plan.length;
  const std::uint64_t behind = fields >> plan.bits_ahead;
  std::uint32_t last = behind & plan.last;
  if ((fields & plan.bytes) != 0) {
    const std::uint64_t ends = ~behind & 0x80808080, bits = behind & (ends ^ (ends - 1));
    last = static_cast<std::uint32_t>((bits & 0x7f) | (bits >> 1 & 0x3f80) | (bits >> 2 & 0x1fc000) |
                                      (bits >> 3 & 0xfe00000));
    length += static_cast<unsigned>(std::countr_zero(ends)) / 8;
    if ((fields & plan.ahead & 0x8080) != 0 || ends == 0 || (plan.last_register && last > 127)) return nullptr;
  }
  const std::uint64_t ahead = fields & plan.ahead, first = ahead & 0xff;
  if (first < plan.least_first) [[unlikely]] return nullptr;
  const std::uint64_t operands =
      first | (ahead >> 8) << 16 | std::uint64_t{meant(last, plan.last_zigzag)} << plan.last_place;
  slot.handler = handler;
  slot.a = static_cast<std::uint16_t>(operands);
  slot.b = static_cast<std::uint16_t>(operands >> 16);
  slot.immediate = static_cast<std::int32_t>(operands >> 32);
  return &plan;
}

const Slot* CodeCache::decode_block(std::uint64_t start) {
  pending_links_.clear();
  pending_tables_.clear();
  table_entries_ = 0;
  require_room(3 * block_slots + slots_a_definition + most_entries); // with links
  complete_ = false;
  Slot* const first = slots_ + used_;
  Slot* slot = first;
  const Slot* const last = first + block_slots - slots_a_instruction; // behind which only short instructions follow
  const BlockInstruction* end = block_ + block_instructions;
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
        PageSlots& page = slots_of_page(number);
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
    to->address = page_begin + offset;
    to->place = places + offset;
    to->slot = slot;
    if (short_ones) [[likely]] {
      unsigned length = 0;
      if (const ShortPlan* const plan = decode_short(content + offset, *slot, length)) [[likely]] {
        addresses_[slot - slots_] = static_cast<std::uint16_t>(offset);
        to->kind = plan->kind;
        ++slot;
        offset += length;
        if (!plan->more) continue;
        open = !plan->ends_block;
        if (plan->second_zigzag) to->slot->b = static_cast<std::uint16_t>(meant(to->slot->b, 1));
        if (plan->links) {
          const std::uint64_t target = to->address + static_cast<std::uint64_t>(std::int64_t{to->slot->immediate});
          pending_links_.push_back({target, to->slot});
          if (plan->has_function) {
            addresses_[slot - slots_] = static_cast<std::uint16_t>(to->address);
            *slot++ = Slot{{.data = target}, 0, 0, {0}};
          }
        }
        if (plan->moves_window) {
          note_window(to->slot->a);
          if (plan->links) look_into_callee(*to);
        }
        continue;
      }
    }
    used_ = static_cast<std::size_t>(slot - slots_);
    isa::Decoded decoded;
    std::uint8_t fetched[isa::max_instruction_bytes];
    const std::size_t available = whole ? sizeof fetched : memory_.fetch(to->address, fetched, sizeof fetched);
    const isa::DecodeStatus status = isa::decode(whole ? content + offset : fetched, available, instructions_.definitions(), decoded);
    open = status == isa::DecodeStatus::ok && emit_any(decoded, *to, special);
    if (status != isa::DecodeStatus::ok) emit_left(*to); // which traps
    offset += decoded.length;
    slot = slots_ + used_;
    if (slot > last) end = to + 1;
  }
  used_ = static_cast<std::size_t>(slot - slots_);
  const std::uint64_t address = page_begin + offset;
  if (open) emit_link(address, nullptr);
  const auto length = static_cast<std::size_t>(to - block_);
  block_length_ = length;
  memory_.mark_code(start, address - start);
  use_accumulator();
  enter_and_fuse();
  // Links stand behind the block, where execution does not come by.
  for (const PendingLink& pending : pending_links_) emit_link(pending.target, pending.branch);
  pending_links_.clear();
  for (const PendingTable& pending : pending_tables_) emit_table(pending.table, pending.jump);
  if (block_observer) block_observer({block_, length});
  complete_ = true;
  decoded_count_ += length;
  return first;
}

// Emits an instruction that is left to the reference loop.
void CodeCache::emit_left(BlockInstruction& to) {
  emit(to.address)->handler = handlers::reference;
  to.kind = {};
}

// Emits any instruction. `special`: some are left to the reference loop for what they are or where they stand. Gives
// whether the block goes on behind it.
bool CodeCache::emit_any(const isa::Decoded& decoded, BlockInstruction& to, bool special) {
  note_registers(decoded);
  const Told::Of told = special ? told_.of(decoded) : Told::Of::nothing;
  const bool open = !plans[last_operation(decoded)].ends_block;
  if (special && has_breakpoint(to.address)) {
    emit_left(to);
    to.slot->handler = handlers::breakpoint;
    return open;
  }
  if (told == Told::Of::always || (special && instructions_.find_treated(decoded.opcode) != nullptr)) {
    emit_left(to);
    return open;
  }
  if (told == Told::Of::some_windows) emit_checked(to.address, decoded);
  else if (decoded.definition != nullptr) emit_defined(to.address, decoded);
  else emit_instruction(to.address, decoded);
  to.kind = kind_of(told == Told::Of::some_windows ? isa::operation_count : decoded.operation, to.slot->handler);
  if (to.slot->handler == fast_handler(to.kind.operation)) to.slot->handler = nullptr; // use_accumulator gives it
  if (to.kind.operation == isa::op_call) look_into_callee(to);
  return open;
}

// Whether there is an instruction of the table at an address before which no run stops.
bool CodeCache::decode_ahead(std::uint64_t address, isa::Decoded& decoded) const {
  std::uint8_t bytes[isa::max_instruction_bytes];
  const std::size_t available = memory_.fetch(address, bytes, sizeof bytes);
  return isa::decode(bytes, available, instructions_.definitions(), decoded) == isa::DecodeStatus::ok &&
         decoded.definition == nullptr && !has_breakpoint(address) &&
         instructions_.find_treated(decoded.opcode) == nullptr;
}

// Many functions begin with a branch to their `ret`, for when there is nothing to do. Their call does that branch too:
// when it is taken, also the `ret`, so that no activation is made; else it goes on behind the branch.
void CodeCache::look_into_callee(BlockInstruction& call) {
  if (call.slot->handler != nullptr) return; // not as calls are
  std::uint64_t& target = pending_links_.back().target;
  const std::uint8_t* const page = memory_.executable_page(target >> page_bits);
  if (page == nullptr || early_call_handler(short_plans[page[target & page_mask]].kind.operation) == nullptr) return;
  isa::Decoded branch{}, end{};
  if (!decode_ahead(target, branch)) return;
  if (branch.operation == isa::op_beqi && branch.operands[1] == 0) {
    branch.operation = isa::op_blti_u; // the most frequent ends, by one handler
    branch.operands[1] = 1;
  }
  const Handler handler = early_call_handler(branch.operation);
  if (handler == nullptr || !decode_ahead(target + branch.operands[2], end) || end.operation != isa::op_ret) return;
  const bool immediate = isa::describe(branch.operation).operands[1] == 'i';
  if (branch.operands[0] >= register_slack) return;
  if (immediate ? !fits16(branch.operands[1]) : branch.operands[1] >= register_slack) return;
  note_registers(branch);
  memory_.mark_code(target, branch.length);
  memory_.mark_code(target + branch.operands[2], end.length);
  call.slot->handler = handler;
  call.slot[1].a = static_cast<std::uint16_t>(branch.operands[0]);
  call.slot[1].b = static_cast<std::uint16_t>(branch.operands[1]);
  call.kind.part = early_call_key(branch.operation);
  target += branch.length;
}

// Gives the slots that have no handler yet a variant of theirs. Where the block branches to itself it can be entered.
void CodeCache::use_accumulator() {
  std::uint64_t targets[block_instructions * isa::max_instruction_bytes / 64]; // a bit for each byte of the block
  const std::uint64_t start = block_[0].address, last = block_[block_length_ - 1].address - start;
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
    const std::uint64_t at = each.address - start;
    if (any && (targets[at / 64] >> at % 64 & 1) != 0) accumulator.drop();
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

namespace {

// Whether the fast loop may leave the work of a part to the reference loop.
bool may_leave(isa::Operation operation) {
  using namespace isa;
  switch (operation) {
#define NEVER_LEAVES(name) \
  case op_##name: return false;
#define UNARY(name, result) NEVER_LEAVES(name)
#define BINARY(name, result) NEVER_LEAVES(name)
#define BINARY_IMMEDIATE(name, result) NEVER_LEAVES(name)
#define MODIFY(name, result) NEVER_LEAVES(name)
#define CHECKED_UNARY(name, trap, result)
#define CHECKED_BINARY(name, trap, result)
#define BRANCH(name, condition) NEVER_LEAVES(name)
#define BRANCH_IMMEDIATE(name, condition) NEVER_LEAVES(name)
#define LOAD(name, type)
#define STORE(name, type)
#define LOAD_INDEXED(name, type)
#define STORE_INDEXED(name, type)
#include "operations.def"
    NEVER_LEAVES(nop) NEVER_LEAVES(imm) NEVER_LEAVES(simm) NEVER_LEAVES(pcimm) NEVER_LEAVES(spcimm)
    NEVER_LEAVES(fimm) NEVER_LEAVES(fimm32) NEVER_LEAVES(tget) NEVER_LEAVES(tset) NEVER_LEAVES(jump)
    default: return true;
  }
}

// Whether a part changes more than registers of the window.
bool changes_more(isa::Operation operation) {
  return operation == isa::op_tset || is_atomic(operation) || isa::describe(operation).operands[0] == 's';
}

} // namespace

// Emits a user's instruction: a slot that begins it, with the registers that are kept in case a part must be
// left to the reference loop, then the slots of its parts. Parts that change what is not kept, with one
// behind them that may have to be left, leave the whole to the reference loop from the start.
void CodeCache::emit_defined(std::uint64_t address, const isa::Decoded& decoded) {
  const std::vector<isa::Part>& parts = decoded.definition->parts;
  const std::size_t used_before = used_, links_before = pending_links_.size(), tables_before = pending_tables_.size();
  Slot* const begin = emit(address);
  std::size_t leaving = parts.size(); // parts up to the last that may leave
  while (leaving != 0 && !may_leave(parts[leaving - 1].operation)) --leaving;

  std::uint16_t kept[isa::max_parts];
  std::size_t kept_count = 0;
  bool fast = true;
  for (std::size_t i = 0; i + 1 < leaving; ++i) {
    const isa::Decoded part = isa::decoded_part(decoded, parts[i]);
    const char* kinds = isa::describe(part.operation).operands;
    if (changes_more(part.operation)) fast = false;
    if (!isa::writes_register(kinds[0]) || part.operands[0] >= register_slack) continue;
    const auto number = static_cast<std::uint16_t>(part.operands[0]);
    if (std::find(kept, kept + kept_count, number) == kept + kept_count) kept[kept_count++] = number;
  }
  for (std::size_t i = 0; i < kept_count; i += 4) {
    std::uint64_t numbers = 0;
    for (std::size_t n = 0; n < 4 && i + n < kept_count; ++n) numbers |= std::uint64_t{kept[i + n]} << (16 * n);
    emit_data(address, numbers);
  }
  for (std::size_t i = 0; i < parts.size() && fast; ++i) {
    const std::size_t at = used_;
    emit_instruction(address, isa::decoded_part(decoded, parts[i]));
    fast = slots_[at].handler != handlers::reference;
  }
  if (!fast) {
    used_ = used_before;
    pending_links_.resize(links_before);
    pending_tables_.resize(tables_before);
    emit(address)->handler = handlers::reference;
    return;
  }
  begin->handler = handlers::defined;
  begin->a = static_cast<std::uint16_t>(slots_ + used_ - begin);
  begin->b = static_cast<std::uint16_t>(kept_count);
  begin->c = static_cast<std::uint16_t>(parts.size());
}

// Emits an instruction that is told of in some windows only, behind a slot that leaves it to the reference loop there.
void CodeCache::emit_checked(std::uint64_t address, const isa::Decoded& decoded) {
  Slot* const check = emit(address);
  emit_instruction(address, decoded);
  const bool fast = decoded.operands[0] < register_slack;
  check->handler = fast ? handlers::check : handlers::reference;
  check->a = fast ? static_cast<std::uint16_t>(decoded.operands[0]) : std::uint16_t{0};
}

// Emits the slots of one instruction of the table.
void CodeCache::emit_instruction(std::uint64_t address, const isa::Decoded& decoded) {
  using namespace isa;
  const std::uint64_t* operand = decoded.operands;
  const Plan plan = plans[decoded.operation];
  Slot* slot = emit(address);
  slot->handler = handlers::reference;

  const unsigned registers = register_operands(decoded.operation);
  bool too_high = false;
  for (unsigned i = 0; i < max_operands; ++i) too_high |= (registers >> i & 1) != 0 && operand[i] >= register_slack;
  if (too_high) return;
  const auto a = static_cast<std::uint16_t>(operand[0]), b = static_cast<std::uint16_t>(operand[1]),
             c = static_cast<std::uint16_t>(operand[2]);
  if (plan.format == Format::unlike_others) return emit_unlike_others(address, decoded, slot);

  const Handler narrow = fast_handler(decoded.operation);
  // Writing r0 has no effect of its own, but what else the instruction does stays.
  if (narrow == nullptr || (plan.writes && a == 0)) return;
  slot->a = a;
  slot->b = b;
  switch (plan.format) {
    case Format::registers:
      slot->c = c;
      slot->handler = narrow;
      return;
    case Format::immediate:
      if (fits32(operand[2])) {
        slot->immediate = static_cast<std::int32_t>(operand[2]);
        slot->handler = narrow;
      } else if (const Handler wide = wide_handler(decoded.operation)) {
        slot->handler = wide;
        emit_data(address, operand[2]);
      }
      return;
    case Format::branch_immediate:
      if (fits16(operand[1])) {
        slot->handler = narrow;
      } else {
        slot->handler = wide_handler(decoded.operation);
        emit_data(address, operand[1]);
      }
      break;
    default:
      slot->handler = narrow;
      break;
  }
  pending_links_.push_back({address + operand[2], slot});
}

// The same for those instructions whose operands are not made into slots by a rule. The slot is left to the reference loop
// until this says otherwise.
void CodeCache::emit_unlike_others(std::uint64_t address, const isa::Decoded& decoded, Slot* slot) {
  using namespace isa;
  const std::uint64_t* operand = decoded.operands;
  const std::uint64_t next = address + decoded.length;
  const auto a = static_cast<std::uint16_t>(operand[0]), b = static_cast<std::uint16_t>(operand[1]),
             c = static_cast<std::uint16_t>(operand[2]);
  const auto branch_to = [&](std::uint64_t target) { pending_links_.push_back({target, slot}); };

  switch (decoded.operation) {
    case op_nop:
      slot->handler = handlers::nothing;
      return;
    case op_imm: case op_simm: case op_pcimm: case op_spcimm: case op_fimm: case op_fimm32: {
      std::uint64_t value = operand[1];
      if (decoded.operation == op_pcimm || decoded.operation == op_spcimm) value += address;
      slot->a = a;
      if (a == 0) {
        slot->handler = handlers::nothing;
      } else if (fits32(value)) {
        slot->handler = handlers::constant;
        slot->immediate = static_cast<std::int32_t>(value);
      } else {
        slot->handler = handlers::wide_constant;
        emit_data(address, value);
      }
      return;
    }
    case op_fence:
      slot->handler = fast_handler(op_fence);
      return;
    case op_jump:
      slot->handler = fast_handler(op_jump);
      branch_to(address + operand[0]);
      return;
    case op_jumpr: case op_tailr:
      slot->handler = fast_handler(decoded.operation);
      slot->a = a;
      return;
    case op_jal:
      slot->handler = fast_handler(a == 0 ? op_jump : op_jal);
      slot->a = a;
      branch_to(address + operand[1]);
      emit_data(address, next);
      return;
    case op_jalr:
      slot->handler = fast_handler(a == 0 ? op_jumpr : op_jalr);
      slot->a = a == 0 ? b : a;
      slot->b = b;
      emit_data(address, next);
      return;
    case op_brz:
      slot->handler = a == 0 ? handlers::branch_if_zero_unlinked : fast_handler(op_brz);
      slot->a = a;
      slot->b = b;
      slot->c = c;
      emit_data(address, next);
      return;
    case op_call: case op_tail: {
      const unsigned last = decoded.operand_count - 1u;
      slot->handler = fast_handler(decoded.operation);
      slot->a = decoded.operation == op_call ? a : 0;
      branch_to(address + operand[last]);
      emit_data(address, address + operand[last]);
      return;
    }
    case op_callr:
      slot->handler = fast_handler(op_callr);
      slot->a = a;
      slot->b = b;
      return;
    case op_ret:
      slot->handler = fast_handler(op_ret);
      return;
    case op_jtab:
      slot->a = a;
      emit_data(address, operand[1]);
      if (const std::uint64_t table = address + operand[2]; may_decode_table(table, operand[1])) {
        slot->handler = fast_handler(op_jtab);
        slot[1].immediate = static_cast<std::int32_t>(table >> page_bits);
        pending_tables_.push_back({table, slot});
        table_entries_ += operand[1];
      } else {
        slot->handler = wide_handler(op_jtab);
        emit_data(address, table);
      }
      return;
    case op_tget: case op_tset: {
      const bool get = decoded.operation == op_tget;
      if (operand[get ? 1 : 0] >= COMET_THREAD_REGISTERS || (get && a == 0)) return;
      slot->handler = fast_handler(decoded.operation);
      slot->a = a;
      slot->b = b;
      return;
    }
    default:
      return;
  }
}

} // namespace comet
