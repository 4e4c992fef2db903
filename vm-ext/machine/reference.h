// The reference loop's single step: one instruction, straight from its definition.
//
// It is the plain interpreter that the fast loop must agree with, and it does whatever the fast loop
// leaves to it: traps, accesses to pages that need care, host calls, blocks, atomics, wide registers.
#pragma once

#include "machine.h"
#include "observer.h"
#include "timeline.h"

namespace comet {

// A reason to stop that no run ends with: turns have to be looked at before the next instruction.
constexpr auto turn_ended = static_cast<comet_reason>(15);

enum class Outcome { next, stopped };

void report_watch_hit(const WatchHit& hit, comet_stop& stop);

class Reference {
 public:
  // `observer`: told what each instruction does; may be null.
  Reference(Machine& machine, Thread& thread, comet_thread thread_id, comet_stop& stop, Observer* observer)
      : machine_(machine), thread_(thread), space_(machine.space(thread.space)), thread_id_(thread_id), stop_(stop),
        observer_(observer) {}

  // Executes the instruction at the thread's pc, or stops without having done anything of it. Code that
  // the instruction changed must be forgotten by the caller before anything else is executed.
  Outcome step();
  // Bytes that the last step moved by a block instruction or a host call.
  std::uint64_t moved_bytes() const { return moved_bytes_; }
  // Whether it went elsewhere than to the instruction behind.
  bool jumped() const { return next_ != behind_; }
  // A run of so much fuel begins; what host calls cost of it, besides their instructions, is charged here.
  void begin(std::uint64_t fuel) {
    fuel_ = fuel;
    first_instruction_ = thread_.instruction_count;
    charged_ = 0;
  }
  std::uint64_t charged() const { return charged_; }

 private:
  using u64 = std::uint64_t;
  struct Trapped {};

  [[noreturn]] void trap(comet_trap kind, u64 address, const char* format, ...)
      __attribute__((format(printf, 4, 5)));
  [[noreturn]] void trap_access(u64 address, std::uint8_t kind);
  [[noreturn]] void trap_undecodable(const CodeCache::Fetched& fetched);
  void check_operation(comet_trap kind);
  void check_access(u64 address, u64 length, std::uint8_t kind);
  void check_alignment(u64 address, u64 size);
  void check_thread_register(u64 number);

  void check_register(u64 number);
  // Registers of the window by the number of an operand; `step` has checked them.
  u64 get(unsigned operand) { return operands_[operand] == 0 ? 0 : thread_.window[operands_[operand]]; }
  void set(unsigned operand, u64 value) {
    if (operands_[operand] == 0) return;
    u64* const written = thread_.window + operands_[operand];
    keep(Kept::Kind::window_register, operands_[operand], *written);
    observe_register(written, value);
    *written = value;
    if (operands_[operand] >= register_slack) thread_.note_written(written);
  }

  // A register is about to get a value.
  void observe_register(const u64* place, u64 value) {
    if (observer_ != nullptr)
      observer_->register_written(static_cast<u64>(place - thread_.registers.data()), *place, value);
  }
  // What a part of a user's instruction is about to change, so that the whole can be undone.
  struct Kept {
    enum class Kind : std::uint8_t { window_register, thread_register, memory };
    Kind kind;
    std::uint8_t length; // of memory
    u64 place;           // register number or address
    u64 old;
  };
  void keep(Kept::Kind kind, u64 place, u64 old, std::uint8_t length = 0) {
    if (whole_ != nullptr) kept_[kept_count_++] = {kind, length, place, old};
  }
  void keep_memory(u64 address, std::uint8_t size);
  void undo();
  void execute_parts(const isa::Decoded& whole);

  // Of 1, 2, 4 or 8 bytes.
  u64 load(u64 address, std::uint8_t size);
  void store(u64 address, u64 value, std::uint8_t size);
  std::uint8_t* place_to_change(u64 address, std::uint8_t size);
  void execute(isa::Operation operation);
  void execute_atomic(isa::Operation operation, u64 a, u64 b, u64 c);
  void push_activation(u64 target);
  void replace_activation(u64 target);
  void pop_activation();
  void host_call();
  void give_result(u64 base, u64 result);
  bool call_was_logged(u64 base, u64 index);
  void stop_before(comet_reason reason);

  Machine& machine_;
  Thread& thread_;
  Space& space_;
  comet_thread thread_id_;
  comet_stop& stop_;
  Observer* const observer_;
  u64 operands_[isa::max_operands] = {};
  u64 next_ = 0, behind_ = 0;
  u64 moved_bytes_ = 0;
  u64 fuel_ = 0, first_instruction_ = 0, charged_ = 0;
  const isa::Definition* whole_ = nullptr; // the user's instruction that is under way
  std::size_t part_ = 0;                   // its part, from 0
  std::size_t kept_count_ = 0;
  Kept kept_[2 * isa::max_parts]; // no part changes more than a register and one place in memory
  bool stopped_ = false; // the instruction was executed, and the run ends
  bool executed_ = true;
};

} // namespace comet
