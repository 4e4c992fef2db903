// Events that the embedder posted and no handler has taken yet. Any thread and any signal handler may post; one thread
// at a time, the one that the machine belongs to, takes.
//
// Each cell says in `turn` whose it is: at position p it may be filled when turn is p, and taken when it is p + 1
// (D. Vyukov's bounded queue). What has no handler yet is kept by the taker, in order.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "../comet.h"

namespace comet {

// How many instructions may pass before somebody looks whether something came from outside: about a millisecond.
constexpr std::uint64_t between_looks = std::uint64_t{1} << 18;

struct PostedEvent {
  std::uint64_t kind, id, value;
};

class EventQueue {
 public:
  EventQueue() {
    for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  // False: it is full.
  bool post(const PostedEvent& event) noexcept {
    std::size_t at = filled_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[at % cells_.size()];
      const std::size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == at) {
        if (!filled_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) continue; // beyond tests: another thread has to come between
        cell.event = event;
        cell.turn.store(at + 1, std::memory_order_release);
        return true;
      }
      if (turn < at) return false; // beyond tests: else another thread has to come between
      at = filled_.load(std::memory_order_relaxed);
    }
  }

  // The first event for which `wanted` holds, which it leaves with; false: there is none.
  template <class Wanted> bool take(PostedEvent& taken, Wanted&& wanted) {
    collect();
    for (std::size_t i = 0; i < kept_count_; ++i) {
      if (!wanted(kept_[i])) continue;
      taken = kept_[i];
      for (std::size_t next = i + 1; next < kept_count_; ++next) kept_[next - 1] = kept_[next];
      --kept_count_;
      return true;
    }
    return false;
  }

 private:
  struct Cell {
    std::atomic<std::size_t> turn;
    PostedEvent event;
  };

  void collect() {
    while (kept_count_ < kept_.size()) {
      Cell& cell = cells_[taken_ % cells_.size()];
      // beyond tests: of std::atomic: whether it is computed while compiling
      if (cell.turn.load(std::memory_order_acquire) != taken_ + 1) return;
      kept_[kept_count_++] = cell.event;
      // beyond tests: of std::atomic: whether it is computed while compiling
      cell.turn.store(taken_ + cells_.size(), std::memory_order_release);
      ++taken_;
    }
  }

  std::array<Cell, COMET_EVENT_QUEUE / 2> cells_;
  std::array<PostedEvent, COMET_EVENT_QUEUE / 2> kept_{};
  std::atomic<std::size_t> filled_ = 0;
  std::size_t taken_ = 0;
  std::size_t kept_count_ = 0;
};

} // namespace comet
