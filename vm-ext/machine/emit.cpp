// The slots of instructions that have no short form, one by one.
#include <algorithm>

#include "../isa/layout.h"
#include "code.h"
#include "fast.h"
#include "plans.h"

namespace comet {
namespace {

bool fits32(std::uint64_t value) {
  return value == static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(value)));
}
bool fits16(std::uint64_t value) {
  return value == static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int16_t>(value)));
}

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
    // beyond tests: takes a register from the 65536th on
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
  check->handler = fast ? handlers::check : handlers::reference; // beyond tests: takes a register from the 65536th on
  // beyond tests: takes a register from the 65536th on
  check->a = fast ? static_cast<std::uint16_t>(decoded.operands[0]) : std::uint16_t{0};
}

// Emits the slots of one instruction of the table.
void CodeCache::emit_instruction(std::uint64_t address, const isa::Decoded& decoded) {
  using namespace isa;
  const std::uint64_t* operand = decoded.operands;
  const Plan plan = plans[decoded.operation];
  Slot* slot = emit(address);
  slot->handler = handlers::reference;

  const unsigned registers = layouts[decoded.operation].registers;
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
      } else if (const Handler wide = wide_handler(decoded.operation)) { // beyond tests: each of them has one
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
