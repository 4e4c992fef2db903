// Host threads of a machine that run stays in the fast loop, for the parallel scheduler. They do nothing else, and wait
// between two of them: a little while awake, as the next one mostly comes at once, then asleep.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace comet {

class Stay;

class HostThreads {
 public:
  HostThreads() = default;
  ~HostThreads();
  HostThreads(const HostThreads&) = delete;
  HostThreads& operator=(const HostThreads&) = delete;

  // From now on there are so many, or as many of them as the host gives, and they need nothing more of the host than
  // waiting and ending does. std::bad_alloc: there are some of them.
  void set_count(std::size_t count);
  // How many there are. Threads stay behind in the process that made them: a child of fork(2) has none.
  std::size_t count() noexcept;
  // Runs stays until one of them ends, or a millisecond, then holds the others; the first one on the caller's thread,
  // which gets the machine back for itself when all have ended. At most one more than there are threads.
  void run(Stay* stays, std::size_t count) noexcept;

 private:
  enum State : std::uint32_t { starting, idle, running, ending };
  struct HostThread {
    std::atomic<std::uint32_t> state = starting;
    Stay* stay = nullptr; // while running
    std::thread thread{};
  };
  void end_from(std::size_t first) noexcept;
  void work(HostThread& mine) noexcept;
  static std::uint32_t await_other(const std::atomic<std::uint32_t>& state, std::uint32_t than) noexcept;
  static void set(HostThread& other, State state) noexcept;

  std::atomic<bool> hold_ = false;
  std::vector<std::unique_ptr<HostThread>> threads_;
  unsigned made_behind_ = 0; // so many forks
};

} // namespace comet
