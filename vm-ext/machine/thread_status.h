// How a thread stands to the other threads of its machine: what it waits for, how it ended, which handlers it has.
// A part of its state; that of a thread that has to do with no other is all default.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace comet {

// The hcall that a thread stands at waits. It is executed again when the thread goes on.
struct Wait {
  enum class For : std::uint8_t { nothing, address, thread, event };
  static constexpr std::uint64_t for_ever = UINT64_MAX;
  For what = For::nothing;
  std::uint64_t place = 0;              // the address; the number of the thread
  std::uint64_t nanoseconds = for_ever; // until it gives up, from when it began or the state was taken over
  std::uint64_t ticket = 0;             // waiters are woken in the order in which they came
  bool operator==(const Wait&) const = default;
};

// A function that is called when something happens.
struct Reaction {
  std::uint64_t kind; // COMET_ON_...
  std::uint64_t id;   // of the timer, stream, signal, event or trap
  std::uint64_t function;
  std::uint64_t argument;
  bool operator==(const Reaction&) const = default;
};

// Of a thread.
constexpr std::size_t most_reactions = 64;
constexpr std::size_t most_timers = 64;
// Whether there can be a handler for that.
bool possible_reaction(std::uint64_t kind, std::uint64_t id);

struct Timer {
  std::uint64_t id;
  std::uint64_t nanoseconds; // until it is due, from when it was set or the state was taken over
  std::uint64_t period;      // 0: it is due once
  bool operator==(const Timer&) const = default;
};

// A handler under way. Its activation was called by nobody: when that returns, the thread is as it was before.
struct Interruption {
  bool trap = false;   // a handler of traps, whose result says how to go on
  std::uint64_t depth = 0;  // of the handler's activation
  std::uint64_t window = 0; // where its window begins on the register stack
  std::optional<std::uint64_t> answer{}; // see ThreadStatus
  bool operator==(const Interruption&) const = default;
};

// At most one of an event, and one of a trap in that. Without memory of the host's, as it grows where nothing may fail.
class Interruptions {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  bool full() const { return count_ == items_.size(); }
  const Interruption& back() const { return items_[count_ - 1]; }
  const Interruption* begin() const { return items_.data(); }
  const Interruption* end() const { return items_.data() + count_; }
  void push_back(const Interruption& one) { items_[count_++] = one; }
  void pop_back() { items_[--count_] = {}; }
  bool operator==(const Interruptions&) const = default;

 private:
  std::array<Interruption, 2> items_{};
  std::size_t count_ = 0;
};

struct ThreadStatus {
  bool spawned = false;                // by the program
  std::optional<std::uint64_t> result; // it has ended
  Wait wait;
  std::optional<std::uint64_t> answer; // what the hcall that the thread stands at waited for has come
  std::uint64_t declined = 0;          // one more than the instruction count at which a handler did not want a trap
  std::vector<Reaction> handlers;       // by kind and id
  std::vector<Timer> timers;           // by id
  Interruptions interruptions; // the innermost last
  bool runnable() const { return !result && wait.what == Wait::For::nothing; }
  bool operator==(const ThreadStatus&) const = default;
};

// Who runs next, and all that decides about it. Default until a machine has more than one thread.
constexpr std::uint64_t longest_slice = std::uint64_t{1} << 32;

struct Schedule {
  static constexpr std::uint64_t default_slice = 16384;
  bool begun = false;
  std::uint32_t current = 0;      // the thread that executes the next instruction, if any can
  std::uint64_t slice_left = default_slice; // of its instructions; at least 1
  std::uint64_t slice = default_slice;      // how long a slice is
  std::uint64_t seed = 0;         // of the lengths of slices; 0: all are equal
  std::uint64_t drawn = 0;        // the generator behind them
  std::uint64_t ended_count = 0;  // instructions of threads that are gone
  std::uint32_t next_thread = 1;  // the number of the next thread that is spawned, or above
  std::uint64_t next_ticket = 0;
  std::uint64_t arrived = 0;      // one more than the machine's instruction count when something came from outside last
  bool operator==(const Schedule&) const = default;
};

// All that they hold, for hashes and files.
constexpr std::size_t schedule_numbers = 9;
std::vector<std::uint64_t> numbers_of(const ThreadStatus& status);
std::array<std::uint64_t, schedule_numbers> numbers_of(const Schedule& schedule);

} // namespace comet
