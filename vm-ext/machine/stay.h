// A thread's stay in the fast loop: what the loop needs of thread and space, and where the thread stands afterwards.
//
// Beginning and ending a stay want the machine for themselves. The loop in between reads what was decoded, the bytes of
// `access` and its own context, and writes registers and activations of its own thread, and memory that `access` lets it
// write: nothing that another thread's loop writes as well, but for the program's own memory. So any number of threads
// may be in it at the same time, as long as nobody does anything else with the machine.
#pragma once

#include <atomic>
#include <cstdint>

#include "fast.h"
#include "machine.h"

namespace comet {

FastContext fast_context(const Space& space, Thread& thread);
// What the loop left in the context becomes the thread's state.
void settle(Thread& thread, const Space& space, const FastContext& context);

// Aligned, so that no line of the host's caches belongs to two of them.
class alignas(128) Stay {
 public:
  // For at most so many instructions, at least fast_margin. Decodes what stands at the pc, if it was not.
  void begin(Thread& thread, Space& space, std::uint64_t fuel);
  // Until something other than the loop is needed, the fuel may end soon, or soon after `hold` was set or the host's
  // clock (monotonic_now) has come to `latest`.
  void run(const std::atomic<bool>& hold, std::uint64_t latest = UINT64_MAX) noexcept;
  // Gives how many instructions were executed.
  std::uint64_t end() noexcept;
  // Behind the end: so that the loop goes straight on the next time.
  void resolve_link();

 private:
  Thread* thread_ = nullptr;
  Space* space_ = nullptr;
  const Slot* slot_ = nullptr;
  std::uint64_t fuel_ = 0, executed_ = 0;
  FastContext context_{};
};

} // namespace comet
