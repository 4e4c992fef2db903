#include "profile.h"

#include <algorithm>
#include <new>

namespace comet {

// ---- counts ------------------------------------------------------------------------------------------

CountTable::CountTable(unsigned bits) : bits_(10), places_(std::size_t{2} << bits), rows_(std::size_t{1} << bits) {
  if (!places_ || !rows_) throw std::bad_alloc(); // beyond tests: the system's own memory has to end
}

// Where the number of the row for these two stands, or where it would.
std::uint32_t& CountTable::place_of(std::uint64_t of, std::uint64_t what) {
  const std::uint64_t hash = (of * 0x9e3779b97f4a7c15 ^ what) * 0xd6e8feb86659fd93;
  const std::size_t mask = (std::size_t{1} << bits_) - 1;
  for (std::size_t place = hash >> (64 - bits_);; place = (place + 1) & mask) {
    std::uint32_t& number = places_.data()[place];
    if (number == 0) return number;
    const Row& row = rows_.data()[number - 1];
    // beyond tests: two rows that share one of both have to meet
    if (row.of == of && row.what == what) return number;
  }
}

void CountTable::use_more_places() {
  std::fill_n(places_.data(), std::size_t{1} << bits_, 0);
  ++bits_;
  for (std::size_t n = 0; n < size_; ++n) place_of(rows_.data()[n].of, rows_.data()[n].what) = static_cast<std::uint32_t>(n + 1);
}

std::size_t CountTable::find(std::uint64_t of, std::uint64_t what) {
  if (const std::uint32_t number = place_of(of, what); number != 0) return number - 1;
  if (size_ == rows_.size()) return full;
  if (2 * (size_ + 1) > std::size_t{1} << bits_) use_more_places();
  rows_.data()[size_] = {of, what, 0};
  place_of(of, what) = static_cast<std::uint32_t>(++size_);
  return size_ - 1;
}

bool CountTable::add(std::uint64_t of, std::uint64_t what, std::uint64_t count) {
  const std::size_t number = find(of, what);
  if (number == full) return false; // beyond tests: takes a million places
  rows_.data()[number].count += count;
  return true;
}

// ---- a profile ---------------------------------------------------------------------------------------

Profile::Profile() : tables_{CountTable(16), CountTable(20), CountTable(16), CountTable(20)} {
  stacks_of_depth_.fill(COMET_PROFILE_NONE);
}

// An activation that finds no room in the table of stacks counts as its caller.
void Profile::push(std::uint64_t function, std::uint64_t depth, std::uint64_t calls) {
  depth_ = std::min<std::size_t>(depth, COMET_PROFILE_DEPTH);
  if (depth > COMET_PROFILE_DEPTH) return;
  CountTable& stacks = tables_[COMET_PROFILE_STACKS];
  const std::uint64_t caller = stacks_of_depth_[depth_ - 1];
  const std::size_t number = stacks.find(caller, function);
  if (number == CountTable::full) lost_ += calls;
  else stacks.add(caller, function, calls);
  stacks_of_depth_[depth_] = number == CountTable::full ? caller : number;
}

void Profile::enter(const Thread& thread, std::uint64_t weight) {
  weight_ = weight;
  for (std::uint64_t depth = 1; depth <= thread.depth() && depth <= COMET_PROFILE_DEPTH; ++depth)
    push(thread.activations.data()[depth - 1].function, depth, 0);
}

void Profile::called(std::uint64_t function, std::uint64_t depth) {
  push(function, depth, weight_);
}

void Profile::returned(std::uint64_t depth) {
  if (depth > 1) depth_ = std::min<std::size_t>(depth - 1, COMET_PROFILE_DEPTH);
}

void Profile::accessed(std::uint64_t address, std::uint64_t length, std::uint64_t kind) {
  const std::uint64_t last = (address + (length - 1)) / COMET_PROFILE_CELL;
  for (std::uint64_t cell = address / COMET_PROFILE_CELL;; ++cell) {
    // beyond tests: takes a gigabyte of accesses, observed
    if (!tables_[COMET_PROFILE_ACCESSES].add(cell * COMET_PROFILE_CELL, kind, weight_)) lost_ += weight_;
    if (cell >= last) return;
  }
}

void Profile::executed() {
  instructions_ += weight_;
  const bool follows = count_before_ != COMET_PROFILE_NONE && count_before_ + 1 == count_;
  // beyond tests: takes a million places, or pairs
  const bool kept = tables_[COMET_PROFILE_PLACES].add(stack_, pc_, weight_) &&
                    tables_[COMET_PROFILE_PAIRS].add(follows ? opcode_before_ : COMET_PROFILE_NONE, opcode_, weight_);
  if (!kept) lost_ += weight_;
  count_before_ = count_;
  opcode_before_ = opcode_;
}

} // namespace comet
