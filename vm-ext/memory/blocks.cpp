// Pages whose content lies elsewhere: joined pages of several spaces, and memory of the host.
#include <algorithm>
#include <cstring>
#include <new>

#include "address_space.h"

namespace comet {

std::shared_ptr<Block> AddressSpace::block_of(std::uint64_t number) const {
  const auto found = blocks_.find(number);
  return found == blocks_.end() ? nullptr : found->second;
}

const Block* AddressSpace::shared_block(std::uint64_t number) const {
  const auto found = blocks_.find(number);
  return found == blocks_.end() || found->second->of_host ? nullptr : found->second.get();
}

bool AddressSpace::shows_host(std::uint64_t number) const {
  const auto found = blocks_.find(number);
  return found != blocks_.end() && found->second->of_host;
}

void AddressSpace::for_each_joined(const std::function<void(std::uint64_t, const Block&)>& visit) const {
  for (const auto& [number, block] : blocks_)
    if (!block->of_host) visit(number, *block);
}

// A page that is mapped shows a block from now on. The block has room for one place more.
void AddressSpace::attach(std::uint64_t number, Blocks::node_type block) noexcept {
  Page* const page = find(number);
  if (page->has_code) code_changed = true;
  if (page->foreign) detach(number);
  else if (number < window_pages_) clear(*page);
  if (number >= window_pages_) memory_.release(page->data, page_size);
  page->data = block.mapped()->data;
  page->foreign = true;
  block.mapped()->places.push_back({this, number});
  blocks_.insert(std::move(block));
  update_access(number);
}

// A page shows its block no more, but its own place in the window, which is zero; beyond the window, nothing.
void AddressSpace::detach(std::uint64_t number) noexcept {
  Page* const page = find(number);
  const auto found = blocks_.find(number);
  std::erase(found->second->places, Block::Place{this, number});
  blocks_.erase(found);
  page->foreign = false;
  page->data = number < window_pages_ ? window_ + (number << page_bits) : nullptr;
}

// The pages stay as they are, and are not to be looked at again.
void AddressSpace::leave_blocks() noexcept {
  for (auto& [number, block] : blocks_) {
    std::erase(block->places, Block::Place{this, number});
    if (number >= window_pages_) find(number)->data = nullptr;
  }
  blocks_.clear();
}

// Puts a copy in the place of memory of the host.
void AddressSpace::own_copy(std::uint64_t number) {
  const std::shared_ptr<Block> block = blocks_.at(number);
  std::uint8_t* own = nullptr;
  if (number >= window_pages_) {
    own = static_cast<std::uint8_t*>(memory_.reserve(page_size));
    if (own == nullptr) throw std::bad_alloc();
  }
  detach(number);
  Page* const page = find(number);
  if (own != nullptr) page->data = own;
  std::memcpy(page->data, block->data, page_size);
  update_access(number);
}

// All that writing to a range wants of memory where pages are foreign, before anything is written.
void AddressSpace::prepare_blocks(std::uint64_t address, std::uint64_t length) {
  if (blocks_.empty() || length == 0) return;
  const std::uint64_t last = (address + (length - 1)) >> page_bits;
  for (auto entry = blocks_.lower_bound(address >> page_bits); entry != blocks_.end() && entry->first <= last;) {
    const std::uint64_t number = entry->first;
    const Block& block = *(entry++)->second;
    if (block.of_host) {
      own_copy(number);
      continue;
    }
    for (const Block::Place& place : block.places)
      if (place.space != this) place.space->keep_old(place.number);
  }
}

void AddressSpace::join(std::uint64_t number, AddressSpace& other, std::uint64_t other_number) {
  keep_old(number);
  other.keep_old(other_number);
  std::shared_ptr<Block> block = block_of(number);
  const bool fresh = block == nullptr || block->of_host;
  if (fresh) {
    block = std::make_shared<Block>(memory_);
    block->data = static_cast<std::uint8_t*>(memory_.reserve(page_size));
    if (block->data == nullptr) throw std::bad_alloc();
    std::memcpy(block->data, find(number)->data, page_size);
  }
  block->places.reserve(block->places.size() + 2);
  Blocks mine, theirs;
  mine.emplace(number, block);
  theirs.emplace(other_number, block);
  if (fresh) attach(number, mine.extract(number));
  other.attach(other_number, theirs.extract(other_number));
}

void AddressSpace::map_host(std::uint64_t first_page, std::uint64_t count, const std::uint8_t* bytes, std::uint8_t protection) {
  map(first_page << page_bits, count << page_bits, protection);
  try {
    for (std::uint64_t i = 0; i < count; ++i) {
      Blocks made;
      const auto& block = made.emplace(first_page + i, std::make_shared<Block>(memory_)).first->second;
      block->of_host = true;
      block->data = const_cast<std::uint8_t*>(bytes + (i << page_bits)); // never written, see own_copy
      block->places.reserve(1);
      attach(first_page + i, made.extract(first_page + i));
    }
  } catch (...) {
    unmap(first_page << page_bits, count << page_bits);
    throw;
  }
}

} // namespace comet
