#include "reference.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>

#include "../host/signature.h"
#include "../isa/layout.h"
#include "arithmetic.h"
#include "atomic_access.h"
#include "little_endian.h"

namespace comet {

using namespace arithmetic;

namespace {

unsigned long long wide(std::uint64_t value) { return value; }

const char* access_name(std::uint8_t kind) {
  return kind == protection_read ? "read" : kind == protection_write ? "written" : "executed";
}

} // namespace

void report_watch_hit(const WatchHit& hit, comet_stop& stop) {
  stop.reason = COMET_WATCHPOINT;
  stop.watchpoint = hit.id;
  stop.address = hit.address;
  stop.access = hit.kind;
}

// ---- traps ----------------------------------------------------------------------------------------

void Reference::trap(comet_trap kind, u64 address, const char* format, ...) {
  stop_.reason = COMET_TRAP;
  stop_.trap = kind;
  stop_.address = address;
  std::size_t told = 0;
  if (whole_ != nullptr)
    told = std::min(sizeof stop_.message - 1,
                    static_cast<std::size_t>(std::snprintf(stop_.message, sizeof stop_.message, "part %zu of %s (%s): ", part_ + 1, whole_->name.c_str(),
                                                           isa::describe(whole_->parts[part_].operation).name)));
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(stop_.message + told, sizeof stop_.message - told, format, arguments);
  va_end(arguments);
  throw Trapped{};
}

void Reference::trap_access(u64 address, std::uint8_t kind) {
  const comet_trap trap_kind = kind == protection_read    ? COMET_TRAP_READ
                               : kind == protection_write ? COMET_TRAP_WRITE
                                                          : COMET_TRAP_EXECUTE;
  const bool mapped = !space_.memory.first_denied(address, 1, 0);
  trap(trap_kind, address, "0x%llx may not be %s: %s", wide(address), access_name(kind),
       mapped ? "the protection of its page forbids it" : "nothing is mapped there");
}

void Reference::trap_undecodable(const CodeCache::Fetched& fetched) {
  switch (fetched.status) {
    case isa::DecodeStatus::truncated:
      trap_access(thread_.pc + fetched.available, protection_execute);
    case isa::DecodeStatus::unknown_opcode:
      trap(COMET_TRAP_ILLEGAL, thread_.pc, "no instruction has opcode %llu", wide(fetched.decoded.opcode));
    case isa::DecodeStatus::bad_operands:
      trap(COMET_TRAP_ILLEGAL, thread_.pc, "%s: %s", fetched.decoded.definition->name.c_str(),
           isa::words(*fetched.decoded.broken, *fetched.decoded.definition).c_str());
    default:
      trap(COMET_TRAP_ILLEGAL, thread_.pc, "a field of the instruction is too wide: it has more than 64 bits or 10 bytes, or 32 bits for an f32");
  }
}

void Reference::check_operation(comet_trap kind) {
  switch (kind) {
    case COMET_TRAP_NONE: return;
    case COMET_TRAP_DIVIDE: trap(kind, 0, "the divisor is 0");
    case COMET_TRAP_INVALID: trap(kind, 0, "a NaN has no integer value");
    default: trap(kind, 0, "the result does not fit its integer type");
  }
}

void Reference::check_access(u64 address, u64 length, std::uint8_t kind) {
  if (const auto denied = space_.memory.first_denied(address, length, kind)) trap_access(*denied, kind);
}

void Reference::check_alignment(u64 address, u64 size) {
  if (address % size != 0)
    trap(COMET_TRAP_MISALIGNED, address, "an atomic access to %llu bytes at 0x%llx, which is no multiple of that",
         wide(size), wide(address));
}

void Reference::check_thread_register(u64 number) {
  if (number >= COMET_THREAD_REGISTERS)
    trap(COMET_TRAP_ILLEGAL, thread_.pc, "there is no thread register t%llu; they are t0 to t15", wide(number));
}

// ---- registers and memory ---------------------------------------------------------------------------

void Reference::check_register(u64 number) {
  const u64 count = thread_.register_count(), index = thread_.window_index();
  if (number >= count - index)
    trap(COMET_TRAP_WINDOW, 0, "r%llu of a window that begins at %llu lies beyond the register stack of %llu",
         wide(number), wide(index), wide(count));
}

std::uint64_t Reference::load(u64 address, std::uint8_t size) {
  std::uint8_t bytes[sizeof(u64)] = {};
  if (const std::uint8_t* const in_place = space_.memory.readable(address, size)) {
    std::memcpy(bytes, in_place, size);
  } else {
    check_access(address, size, protection_read);
    space_.memory.read(address, bytes, size);
  }
  space_.memory.note_access(address, size, protection_read);
  return load_little<u64>(bytes);
}

void Reference::keep_memory(u64 address, std::uint8_t size) {
  if (whole_ == nullptr) return;
  std::uint8_t bytes[sizeof(u64)] = {};
  space_.memory.read(address, bytes, size);
  keep(Kept::Kind::memory, address, load_little<u64>(bytes), size);
}

void Reference::undo() {
  while (kept_count_ != 0) {
    const Kept& change = kept_[--kept_count_];
    switch (change.kind) {  // beyond tests: there are no others
      case Kept::Kind::window_register: thread_.window[change.place] = change.old; break;
      case Kept::Kind::thread_register: thread_.thread_registers[change.place] = change.old; break;
      case Kept::Kind::memory: {
        std::uint8_t bytes[sizeof(u64)];
        store_little<u64>(bytes, change.old);
        space_.memory.write(change.place, bytes, change.length);
      }
    }
  }
}

void Reference::store(u64 address, u64 value, std::uint8_t size) {
  check_access(address, size, protection_write);
  keep_memory(address, size);
  std::uint8_t bytes[sizeof(u64)];
  store_little<u64>(bytes, value);
  space_.memory.note_access(address, size, protection_write);
  if ((address & page_mask) + size <= page_size) std::memcpy(space_.memory.writable(address, size), bytes, size);
  else space_.memory.write(address, bytes, size);
}

// An aligned access never crosses a page.
std::uint8_t* Reference::place_to_change(u64 address, std::uint8_t size) {
  check_alignment(address, size);
  check_access(address, size, protection_read);
  check_access(address, size, protection_write);
  keep_memory(address, size);
  space_.memory.note_access(address, size, protection_read | protection_write);
  return space_.memory.writable(address, size);
}

// ---- activations ------------------------------------------------------------------------------------

void Reference::push_activation(u64 target) {
  const u64 index = thread_.window_index(), base = operands_[0];
  if (base > machine_.config().register_limit || index + base > machine_.config().register_limit)
    trap(COMET_TRAP_WINDOW, 0, "the window of the called function would begin at register %llu, beyond the limit of %llu",
         wide(index + base), wide(machine_.config().register_limit));
  if (thread_.top + 1 >= thread_.activations_end)
    trap(COMET_TRAP_CALL_DEPTH, 0, "more than %llu calls are under way",
         wide(machine_.config().call_depth_limit));
  thread_.raise_window_bound(index + base);
  Activation* const top = ++thread_.top;
  top->return_slot = CodeCache::resume_slot();
  top->window = thread_.window;
  top->function = target;
  top->return_address = next_;
  thread_.window += base;
  observe_register(thread_.window, 0);
  thread_.window[0] = 0;
  if (observer_ != nullptr) observer_->called(target, thread_.depth());
  next_ = target;
}

void Reference::replace_activation(u64 target) {
  thread_.top->function = target;
  if (observer_ != nullptr) observer_->called(target, thread_.depth());
  next_ = target;
}

void Reference::pop_activation() {
  const Activation* const top = thread_.top;
  if (observer_ != nullptr) observer_->returned(top->function, thread_.depth());
  if (top == thread_.activations.data()) {
    if (thread_.status.spawned) machine_.end_thread(thread_id_, thread_.window[1]);
    stop_.reason = COMET_HALTED;
    stop_.exit_status = static_cast<std::int64_t>(thread_.status.result.value_or(0));
    stopped_ = true;
    next_ = thread_.pc;
    return;
  }
  next_ = space_.code.return_address(*top);
  thread_.window = top->window;
  --thread_.top;
}

// ---- host calls -------------------------------------------------------------------------------------

namespace {

// A call that is being recorded; abandoned unless it comes to an end, or stays open for the embedder.
class RecordedCall {
 public:
  RecordedCall(Timeline& timeline, const Random& random, comet_thread thread, std::uint64_t count, std::uint64_t index,
               std::uint64_t total, bool internal)
      : timeline_(timeline), random_(random), random_before_(random), thread_(thread), open_(timeline.recording() && !internal) {
    if (open_) timeline_.open(thread, count, index, total);
  }
  ~RecordedCall() {
    if (open_) timeline_.abandon(thread_);
  }
  RecordedCall(const RecordedCall&) = delete;
  RecordedCall& operator=(const RecordedCall&) = delete;
  void leave_open() { open_ = false; }
  void finish(std::optional<std::uint64_t> result, std::optional<std::int64_t> exit_status) {
    const bool drawn = random_ != random_before_;
    if (open_) timeline_.finish(thread_, result, exit_status, drawn ? std::optional(random_) : std::nullopt);
    open_ = false;
  }

 private:
  Timeline& timeline_;
  const Random& random_;
  const Random random_before_;
  comet_thread thread_;
  bool open_;
};

} // namespace

void Reference::give_result(u64 base, u64 result) {
  u64* const place = thread_.window + base + 1;
  observe_register(place, result);
  thread_.write(place, result);
}

// Serves a call of the past from the timeline's log.
bool Reference::call_was_logged(u64 base, u64 index) {
  Timeline& timeline = machine_.timeline;
  if (!timeline.recording()) return false;
  if (timeline.forgotten(thread_id_, thread_.instruction_count))
    trap(COMET_TRAP_HOST_CALL, 0, "the timeline's log of host calls no longer reaches back to %llu instructions; begin a new timeline",
         wide(thread_.instruction_count));
  const LoggedCall* const logged = timeline.find(thread_id_, thread_.instruction_count, index, machine_.instruction_count());
  if (logged == nullptr) return false;
  moved_bytes_ = page_size;
  for (const Change& change : logged->changes) {
    if (change.kind == Change::Kind::set_register && change.where == thread_id_)
      if (u64* const place = thread_.register_at(change.length, change.address)) observe_register(place, change.value);
    machine_.apply(change);
  }
  if (logged->random) machine_.host_state.random = *logged->random;
  if (logged->exit_status) {
    stop_.reason = COMET_HALTED;
    stop_.exit_status = *logged->exit_status;
    stopped_ = true;
    next_ = thread_.pc;
  } else if (logged->result) {
    give_result(base, *logged->result);
  }
  return true;
}

// The run ends with the thread standing at this instruction, of which nothing was done.
void Reference::stop_before(comet_reason reason) {
  stop_.reason = reason;
  stopped_ = true;
  executed_ = false;
  next_ = thread_.pc;
}

void Reference::host_call() {
  const u64 base = operands_[0], index = operands_[1];
  const auto& imports = machine_.host.imports();
  if (index >= imports.size())
    trap(COMET_TRAP_HOST_CALL, 0, "host call %llu is not in the import list, which has %zu entries", wide(index),
         imports.size());
  check_register(base + 1 == 0 ? base : base + 1);
  if (observer_ != nullptr) observer_->host_called(index);
  HostCall* const served = machine_.host.find(index);
  const u64 cost = served == nullptr ? 0 : served->fuel;
  if (cost >= fuel_ - (thread_.instruction_count - first_instruction_) - charged_) return stop_before(COMET_OUT_OF_FUEL);
  const bool internal = served != nullptr && served->internal;
  if (!internal && call_was_logged(base, index)) {
    charged_ += cost;
    return;
  }
  const auto name = [&] { return imports[static_cast<std::size_t>(index)].c_str(); }; // the list may grow meanwhile
  if (served == nullptr) trap(COMET_TRAP_HOST_CALL, 0, "host call `%s` was not granted to this machine", name());
  const auto reach = [&](comet_limit limit, const char* what) {
    stop_.limit = limit;
    stop_before(COMET_LIMIT);
    machine_.tell("host call `%s` at 0x%llx would pass the limit of %s", name(), wide(thread_.pc), what);
  };
  if (served->calls >= served->quota) return reach(COMET_LIMIT_HOST_CALLS, "calls");

  auto* const handle = static_cast<comet_machine*>(&machine_);
  comet_call call{};
  call.machine = handle;
  call.thread = thread_id_;
  call.space = &space_;
  call.registers = thread_.window + base;
  call.argument_limit = thread_.register_count() - thread_.window_index() - base;
  const auto answer = [&](comet_status status) {
    if (status == COMET_OK) return;
    if (status == COMET_ERROR_ADDRESS && call.denied_kind != 0) trap_access(call.denied_address, call.denied_kind);
    trap(COMET_TRAP_HOST_CALL, 0, "host call `%s` failed: %s", name(),
         call.message.empty() ? comet_status_name(status) : call.message.c_str());
  };
  RecordedCall recorded(machine_.timeline, machine_.host_state.random, thread_id_, thread_.instruction_count, index,
                        machine_.instruction_count(), internal);
  const auto leave_to_embedder = [&] {
    recorded.leave_open();
    stop_.host_call = static_cast<std::uint32_t>(index);
    thread_.pending_call = PendingCall{base, next_, index};
    stop_before(COMET_HOST_CALL);
  };
  if (!served->signature.empty()) answer(check_arguments(&call, served->signature));
  ++served->calls;
  charged_ += cost;
  if (served->function == nullptr) return leave_to_embedder();

  moved_bytes_ = page_size; // what it does may take its time
  const std::shared_ptr<void> in_use = served->owned; // the function may take its own grant away
  const comet_status status = served->function(&call, served->data);
  const auto take_back = [&] { // it did nothing, and will be called again
    charged_ -= cost;
    // beyond tests: a callback has to take the grant away, or renew its quota, while the call waits
    if (HostCall* const now = machine_.host.find(index); now != nullptr && now->calls != 0) --now->calls;
  };
  if (machine_.freed) return stop_before(COMET_INTERRUPTED);
  if (machine_.host_state.interrupted) {
    machine_.host_state.interrupted = false;
    machine_.interrupted.store(false, std::memory_order_relaxed); // this stop answers the request
    take_back();
    return stop_before(COMET_INTERRUPTED);
  }
  if (const comet_limit limit = std::exchange(machine_.host_state.limit, COMET_LIMIT_NONE); limit != COMET_LIMIT_NONE) {
    take_back();
    return reach(limit, limit == COMET_LIMIT_MEMORY ? "memory" : "output");
  }
  if (status == COMET_ERROR_STATE) return leave_to_embedder();
  answer(status);
  if (machine_.host_state.exit_status) {
    stop_.reason = COMET_HALTED;
    stop_.exit_status = *machine_.host_state.exit_status;
    machine_.host_state.exit_status.reset();
    recorded.finish({}, stop_.exit_status);
    stopped_ = true;
    next_ = thread_.pc;
    return;
  }
  if (thread_.status.wait.what != Wait::For::nothing) {
    take_back();
    return stop_before(COMET_WAITING);
  }
  if (thread_.status.result) {
    stop_.reason = COMET_HALTED;
    stop_.exit_status = static_cast<std::int64_t>(*thread_.status.result);
    stopped_ = true;
    next_ = thread_.pc;
    return;
  }
  recorded.finish(call.has_result ? std::optional(call.result) : std::nullopt, {});
  if (call.has_result) give_result(base, call.result);
  if (!machine_.take_reschedule()) return;
  stop_.reason = turn_ended;
  stopped_ = true;
}

// ---- instructions -----------------------------------------------------------------------------------

void Reference::execute_atomic(isa::Operation operation, u64 a, u64 b, u64 c) {
  using namespace isa;
  switch (operation) { // beyond tests: there are no others
#define ATOMIC(name, type, result) \
  case op_##name: { \
    [[maybe_unused]] const auto value = static_cast<type>(c), expected = static_cast<type>(a); \
    return set(0, change_atomically<type>(place_to_change(b, sizeof(type)), [&]([[maybe_unused]] type old) -> type { \
      return static_cast<type>(result); \
    })); \
  }
#define ATOMIC_LOAD(name, type) \
  case op_##name: \
    check_alignment(b, sizeof(type)); \
    return set(0, load(b, sizeof(type)));
#define ATOMIC_STORE(name, type) \
  case op_##name: \
    check_alignment(a, sizeof(type)); \
    return store(a, b, sizeof(type));
#include "atomics.def"
    default: break;
  }
}

void Reference::execute(isa::Operation operation) {
  using namespace isa;
  const u64 pc = thread_.pc;
  // What the operands say: of a register its value. What most instructions do is to compute another for the first.
  const auto operand = [&](unsigned n) {
    return (layouts[operation].in_window >> n & 1) != 0 ? get(n) : operands_[n];
  };
  const u64 a = operand(0), b = operand(1), c = operand(2);
  u64 value = 0;
  switch (operation) {
#define COMPUTE(name, result) \
  case op_##name: \
    value = static_cast<u64>(result); \
    break;
#define CHECKED(name, trap_kind, result) \
  case op_##name: \
    check_operation(trap_kind); \
    value = static_cast<u64>(result); \
    break;
#define TAKEN_IF(name, condition) \
  case op_##name: \
    if (condition) next_ = pc + c; \
    return;
#define UNARY(name, result) COMPUTE(name, result)
#define BINARY(name, result) COMPUTE(name, result)
#define BINARY_IMMEDIATE(name, result) COMPUTE(name, result)
#define MODIFY(name, result) COMPUTE(name, result)
#define CHECKED_UNARY(name, trap_kind, result) CHECKED(name, trap_kind, result)
#define CHECKED_BINARY(name, trap_kind, result) CHECKED(name, trap_kind, result)
#define BRANCH(name, condition) TAKEN_IF(name, condition)
#define BRANCH_IMMEDIATE(name, condition) TAKEN_IF(name, condition)
#define LOAD(name, type) COMPUTE(name, static_cast<type>(load(b + c, sizeof(type))))
#define LOAD_INDEXED(name, type) COMPUTE(name, static_cast<type>(load(b + sizeof(type) * c, sizeof(type))))
#define STORE(name, type) \
  case op_##name: return store(a + c, b, sizeof(type));
#define STORE_INDEXED(name, type) \
  case op_##name: return store(a + sizeof(type) * b, c, sizeof(type));
#include "operations.def"

    case op_imm: case op_simm: case op_fimm: case op_fimm32:
      value = b;
      break;
    case op_pcimm: case op_spcimm:
      value = pc + b;
      break;
    case op_nop: case op_fence:
      return;

    case op_brk:
      trap(COMET_TRAP_BRK, pc, "the instruction brk (opcode 0) was reached");
    case op_trap:
      trap(COMET_TRAP_USER, a, "the program trapped with code %llu", wide(a));
    case op_halt:
      stop_.reason = COMET_HALTED;
      stopped_ = true;
      next_ = pc;
      return;

    case op_brz:
      value = next_;
      if (b == 0) next_ = c;
      break;
    case op_jump:
      next_ = pc + a;
      return;
    case op_jumpr:
      next_ = a;
      return;
    case op_jal:
      value = next_;
      next_ = pc + b;
      break;
    case op_jalr:
      value = next_;
      next_ = b;
      break;
    case op_jtab: {
      if (a >= b) return;
      const u64 table = pc + c;
      next_ = table + static_cast<u64>(static_cast<std::int32_t>(load(table + 4 * a, 4)));
      return;
    }
    case op_call:
      return push_activation(pc + b);
    case op_callr:
      return push_activation(b);
    case op_ret:
      return pop_activation();
    case op_tail:
      return replace_activation(pc + a);
    case op_tailr:
      return replace_activation(a);
    case op_hcall:
      return host_call();
    case op_tget:
      check_thread_register(b);
      value = thread_.thread_registers[b];
      break;
    case op_tset:
      check_thread_register(a);
      keep(Kept::Kind::thread_register, a, thread_.thread_registers[a]);
      if (observer_ != nullptr) observer_->thread_register_written(a, thread_.thread_registers[a], b);
      thread_.thread_registers[a] = b;
      return;

    case op_bcopy:
      moved_bytes_ = c;
      check_access(b, c, protection_read);
      check_access(a, c, protection_write);
      space_.memory.note_access(b, c, protection_read);
      space_.memory.note_access(a, c, protection_write);
      space_.memory.copy(a, b, c);
      return;
    case op_bfill:
      moved_bytes_ = c;
      check_access(a, c, protection_write);
      space_.memory.note_access(a, c, protection_write);
      space_.memory.fill(a, u8(b), c);
      return;

    default:
      return execute_atomic(operation, a, b, c);
  }
  set(0, value);
}

// One after the other, all or nothing. Each sees the whole's address and the one behind it.
void Reference::execute_parts(const isa::Decoded& decoded) {
  const isa::Decoded whole = decoded; // what a part writes may be this code
  whole_ = whole.definition;
  kept_count_ = 0;
  try {
    for (part_ = 0; part_ < whole_->parts.size(); ++part_) {
      const isa::Decoded part = isa::decoded_part(whole, whole_->parts[part_]);
      std::copy_n(part.operands, isa::max_operands, operands_);
      execute(part.operation);
    }
  } catch (...) {
    undo();
    whole_ = nullptr;
    throw;
  }
  whole_ = nullptr;
}

Outcome Reference::step() {
  InstructionSet::Treated* treated = nullptr;
  try {
    const CodeCache::Fetched& fetched = space_.code.fetch(thread_.pc);
    if (fetched.status != isa::DecodeStatus::ok) trap_undecodable(fetched);
    treated = machine_.instructions.find_treated(fetched.decoded.opcode);
    if (treated != nullptr && treated->treatment == COMET_FORBIDDEN)
      trap(COMET_TRAP_ILLEGAL, thread_.pc, "this machine may not execute the instruction %s",
           fetched.decoded.definition != nullptr ? fetched.decoded.definition->name.c_str() : isa::describe(fetched.decoded.operation).name);
    std::copy_n(fetched.decoded.operands, isa::max_operands, operands_);
    next_ = behind_ = thread_.pc + fetched.decoded.length;
    check_register(fetched.highest_register);
    stopped_ = false;
    executed_ = true;
    moved_bytes_ = 0;
    if (observer_ != nullptr) observer_->begin(thread_.instruction_count, thread_.pc, fetched.decoded.opcode);
    if (fetched.decoded.definition == nullptr) execute(fetched.decoded.operation);
    else execute_parts(fetched.decoded);
  } catch (const Trapped&) {
    space_.memory.watch_hit.reset();
    return Outcome::stopped;
  } catch (...) {
    space_.memory.watch_hit.reset();
    throw;
  }
  if (observer_ != nullptr && executed_) observer_->executed();
  thread_.pc = next_;
  if (executed_) {
    ++thread_.instruction_count;
    if (treated != nullptr) ++treated->executed;
  }
  if (stopped_) {
    space_.memory.watch_hit.reset();
    return Outcome::stopped;
  }
  if (const auto hit = space_.memory.watch_hit) {
    space_.memory.watch_hit.reset();
    report_watch_hit(*hit, stop_);
    return Outcome::stopped;
  }
  return Outcome::next;
}

} // namespace comet
