// Tells what instructions do, as events, to whoever asked: see comet_observe in comet.h.
//
// The reference loop reports to it while it executes; the fast loop does not know of it, and leaves what is asked
// for to the reference loop. Events of an instruction wait until that is done, so that one that traps leaves none.
// Reporting allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "../comet.h"
#include "../memory/address_space.h"
#include "code.h"
#include "profile.h"

namespace comet {

class Observer final : public AccessObserver {
 public:
  // The caller's struct, whose arrays and profile the events and counts of the thread go to.
  // Counts that are told are `count_before` more than the thread's own.
  Observer(comet_observation& observation, const AddressSpace& memory, const Thread& thread, comet_thread id,
           std::uint64_t count_before);

  // ---- reports of the reference loop, in this order
  void begin(std::uint64_t count, std::uint64_t pc, std::uint64_t opcode);
  void register_written(std::uint64_t index, std::uint64_t before, std::uint64_t after) {
    if ((wanted_ & COMET_EVENT_REGISTER) != 0) note(COMET_EVENT_REGISTER, index, 1, before, after);
  }
  void thread_register_written(std::uint64_t index, std::uint64_t before, std::uint64_t after) {
    note(COMET_EVENT_THREAD_REGISTER, index, 1, before, after);
  }
  void accessed(std::uint64_t address, std::uint64_t length, std::uint8_t kind) override; // about to happen
  void called(std::uint64_t function, std::uint64_t depth) {
    if (profile_ != nullptr) profile_->called(function, depth);
    note(COMET_EVENT_CALL, function, 1, depth, 0);
  }
  void returned(std::uint64_t function, std::uint64_t depth) {
    if (profile_ != nullptr) profile_->returned(depth);
    note(COMET_EVENT_RETURN, function, 1, depth, 0);
  }
  void host_called(std::uint64_t index) { note(COMET_EVENT_HOST_CALL, index, 1, 0, 0); }
  void executed();
  // The instruction was not executed after all: `begin` follows.

  // What the reference loop has to execute so that it can tell of it; memory apart. Nothing: all there is.
  std::optional<Told> told() const;
  // The memory that is asked for.
  std::vector<AddressSpace::Observed> memory() const;

  // Whether the run is to stop.
  bool satisfied() const { return observation_.stop_at != 0 && observation_.seen >= observation_.stop_at; }
  // Puts the events of a ring in order, the oldest first.
  void finish();

 private:
  void note(unsigned kind, std::uint64_t place, std::uint64_t length, std::uint64_t before, std::uint64_t after);
  void keep(const comet_event& event);
  std::uint64_t value_at(std::uint64_t address, std::uint64_t length) const;

  comet_observation& observation_;
  Profile* const profile_; // may be null
  const AddressSpace& memory_;
  const std::uint64_t count_before_;
  unsigned wanted_ = 0; // kinds that some filter names, of this thread
  std::size_t ring_begin_ = 0;
  std::uint64_t count_ = 0, pc_ = 0;
  std::array<comet_event, 50> current_{}; // of the instruction under way, which may have 16 parts of three; only host calls can do more
  std::size_t current_count_ = 0;
};

} // namespace comet
