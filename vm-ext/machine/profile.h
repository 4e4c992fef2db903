// Where instructions were executed, by whom they were called, what followed what, and which memory they
// touched: what comet_profile holds. The observer tells it.
//
// Its tables have room for so many rows from the start, in memory that costs nothing until it is touched; so
// counting allocates nothing. What finds no room is told of as lost.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "../comet.h"
#include "../memory/host_pages.h"
#include "thread.h"

namespace comet {

// Counts by two numbers, in the order in which they came first.
class CountTable {
 public:
  struct Row {
    std::uint64_t of, what, count;
  };
  explicit CountTable(unsigned bits); // room for 2^bits rows
  // The number of the row for these two, made where there is none; `full` when there is no room for it.
  std::size_t find(std::uint64_t of, std::uint64_t what);
  bool add(std::uint64_t of, std::uint64_t what, std::uint64_t count);
  std::size_t size() const { return size_; }
  const Row& operator[](std::size_t n) const { return rows_.data()[n]; }

  static constexpr std::size_t full = ~std::size_t{0};

 private:
  std::uint32_t& place_of(std::uint64_t of, std::uint64_t what);
  void use_more_places();

  unsigned bits_; // 2^bits_ of the places are in use, so that few rows touch little memory
  LazyArray<std::uint32_t> places_; // 1 + the number of a row; at least twice as many as rows, so that some stay 0
  LazyArray<Row> rows_;
  std::size_t size_ = 0;
};

class Profile {
 public:
  Profile();

  const CountTable& table(comet_profile_table which) const { return tables_[which]; }
  std::uint64_t instructions() const { return instructions_; }
  std::uint64_t lost() const { return lost_; }

  // ---- reports of the observer: `enter`, then for each instruction `begin`, what it does, and `executed`
  // What follows is counted so many times.
  void enter(const Thread& thread, std::uint64_t weight);
  void begin(std::uint64_t count, std::uint64_t pc, std::uint64_t opcode) {
    count_ = count;
    pc_ = pc;
    opcode_ = opcode;
    stack_ = stacks_of_depth_[depth_];
  }
  void accessed(std::uint64_t address, std::uint64_t length, std::uint64_t kind);
  void called(std::uint64_t function, std::uint64_t depth);
  void returned(std::uint64_t depth);
  void executed();

 private:
  void push(std::uint64_t function, std::uint64_t depth, std::uint64_t calls);

  std::array<CountTable, 4> tables_;
  std::uint64_t instructions_ = 0, lost_ = 0;
  std::uint64_t weight_ = 1;
  // The stack that is under way, by depth; activations farther in count as that of the greatest depth. At 0: none.
  std::array<std::uint64_t, COMET_PROFILE_DEPTH + 1> stacks_of_depth_;
  std::size_t depth_ = 0;
  // The instruction that is under way, its stack, and the one before it.
  std::uint64_t count_ = 0, pc_ = 0, opcode_ = 0, stack_ = 0;
  std::uint64_t count_before_ = COMET_PROFILE_NONE, opcode_before_ = 0;
};

} // namespace comet

struct comet_profile : comet::Profile {
  unsigned runs = 0;  // that count in it now
  bool freed = false; // by a callback of one of them: the last deletes it
};
