// Snapshots of an address space.
//
// A mark begins an epoch. The first change of a page within the newest epoch keeps what the page was, so
// that the content of a page at a mark is what the first epoch at or after the mark kept of it, or, where
// none did, what it is now. Restoring is a sequence of ordinary changes, so later marks stay valid.
#include <algorithm>
#include <cstring>
#include <new>

#include "address_space.h"

namespace comet {
namespace {

bool all_zero(const std::uint8_t* bytes) {
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, page_size - 1) == 0;
}

} // namespace

AddressSpace::Mark AddressSpace::take_mark() {
  spare_copies_.reserve(most_spare_copies);
  epochs_.push_back(Epoch{next_mark_, {}});
  // No page is kept in the new epoch yet, so every store must ask once. Loads go on straight.
  for (std::uint64_t number = 0; number < window_high_; ++number)
    access_[number] &= static_cast<std::uint8_t>(~access_store);
  return next_mark_++;
}

PageCopy AddressSpace::take_copy() {
  if (spare_copies_.empty()) {
    void* const bytes = memory_.of_system() ? new std::uint8_t[page_size] : memory_.reserve_unfilled(page_size);
    if (bytes == nullptr) throw std::bad_alloc();
    return PageCopy(static_cast<std::uint8_t*>(bytes), CopyRelease{&memory_});
  }
  auto bytes = std::move(spare_copies_.back());
  spare_copies_.pop_back();
  return bytes;
}

void AddressSpace::give_copy(PageCopy bytes) noexcept {
  if (spare_copies_.size() < spare_copies_.capacity()) spare_copies_.push_back(std::move(bytes));
}

void AddressSpace::keep_old(std::uint64_t number) {
  if (epochs_.empty()) return;
  Epoch& newest = epochs_.back();
  Page* page = find(number);
  if (page != nullptr && page->saved_at == newest.mark) return;
  const auto [entry, fresh] = newest.saved.try_emplace(number);
  if (page == nullptr) return;
  if (fresh) {
    SavedPage& saved = entry->second;
    saved.mapped = true;
    saved.protection = page->protection;
    if (page->foreign && !blocks_.at(number)->of_host) saved.block = blocks_.at(number);
    if (!all_zero(page->data)) {
      try {
        saved.bytes = take_copy();
      } catch (...) {
        newest.saved.erase(entry); // the change that asked fails as a whole
        throw;
      }
      std::memcpy(saved.bytes.get(), page->data, page_size);
      kept_bytes_ += page_size;
    }
  }
  page->saved_at = newest.mark;
}

// Of all pages of a range, before any of it is changed, so that a change is done in full or not at all.
void AddressSpace::keep_old(std::uint64_t address, std::uint64_t length) {
  if (epochs_.empty() || length == 0) return;
  const std::uint64_t last = (address + (length - 1)) >> page_bits;
  for (std::uint64_t number = address >> page_bits; number <= last; ++number) keep_old(number);
}

std::list<AddressSpace::Epoch>::iterator AddressSpace::find_mark(Mark mark) {
  return std::find_if(epochs_.begin(), epochs_.end(), [&](const Epoch& epoch) { return epoch.mark == mark; });
}

// Everything that could fail was done by prepare_restore.
void AddressSpace::set_page(std::uint64_t number, const SavedPage& content) {
  Page* page = find(number);
  if (!content.mapped) {
    if (page != nullptr) release(number);
    return;
  }
  if (page == nullptr) page = &allocate(number, content.protection);
  if (auto joined = spare_blocks_.extract(number)) {
    attach(number, std::move(joined));
  } else if (page->foreign && content.block == nullptr) {
    detach(number);
    if (auto spare = spare_.extract(number)) page->data = spare.mapped().data;
  }
  if (page->foreign)
    for (const Block::Place& place : blocks_.find(number)->second->places)
      if (place.space->find(place.number)->has_code) place.space->code_changed = true;
  if (page->has_code) code_changed = true;
  page->protection = content.protection;
  page->saved_at = epochs_.back().mark;
  if (content.bytes != nullptr)
    std::memcpy(page->data, content.bytes.get(), page_size);
  else if (page->foreign)
    std::memset(page->data, 0, page_size);
  else
    clear(*page);
  update_access(number);
}

void AddressSpace::prepare_restore(Mark mark) {
  to_restore_.clear();
  spare_blocks_.clear();
  for (auto epoch = find_mark(mark); epoch != epochs_.end(); ++epoch)
    for (const auto& [number, saved] : epoch->saved) to_restore_.try_emplace(number, &saved);
  for (const auto& [number, saved] : to_restore_) {
    keep_old(number); // what was kept before stays where it is
    const Page* const page = find(number);
    if (saved->mapped && saved->block != nullptr && (page == nullptr || !page->foreign || blocks_.at(number) != saved->block)) {
      spare_blocks_.emplace(number, saved->block);
      // Room for all pages that may come back to it, in whichever space: what was kept of each refers to it.
      saved->block->places.reserve(saved->block->places.size() + static_cast<std::size_t>(saved->block.use_count()));
    }
    if (!saved->mapped || number < window_pages_ || (page != nullptr && (!page->foreign || saved->block != nullptr))) continue;
    std::uint8_t*& data = spare_[number].data;
    if (data == nullptr) data = static_cast<std::uint8_t*>(memory_.reserve(page_size));
    if (data == nullptr) throw std::bad_alloc();
  }
}

void AddressSpace::restore() noexcept {
  for (const auto& [number, saved] : to_restore_) set_page(number, *saved);
  to_restore_.clear();
  release_spare_pages();
}

void AddressSpace::release_spare_pages() noexcept {
  for (auto& [number, page] : spare_) memory_.release(page.data, page_size);
  spare_.clear();
  spare_blocks_.clear();
}

void AddressSpace::drop_mark(Mark mark) noexcept {
  const auto dropped = find_mark(mark);
  if (dropped != epochs_.begin()) {
    // What this epoch kept now speaks for the one before, unless that kept an older content.
    Epoch& older = *std::prev(dropped);
    if (std::next(dropped) == epochs_.end())
      for (const auto& [number, saved] : dropped->saved)
        if (Page* page = find(number)) page->saved_at = older.mark;
    older.saved.merge(dropped->saved);
  }
  for (auto& [number, saved] : dropped->saved) {
    if (saved.bytes == nullptr) continue;
    kept_bytes_ -= page_size;
    give_copy(std::move(saved.bytes));
  }
  epochs_.erase(dropped);
  if (!epochs_.empty()) return;
  std::vector<PageCopy>().swap(spare_copies_);
  for (std::uint64_t number = 0; number < window_high_; ++number) update_access(number);
}

// The first epoch that kept a page knows what it was.
const AddressSpace::Kept* AddressSpace::next_kept(std::list<Epoch>::const_iterator first, std::uint64_t number) const {
  const Kept* kept = nullptr;
  for (auto epoch = first; epoch != epochs_.end(); ++epoch) {
    const auto found = epoch->saved.lower_bound(number);
    if (found != epoch->saved.end() && (kept == nullptr || found->first < kept->first)) kept = &*found;
  }
  return kept;
}

std::optional<AddressSpace::Range> AddressSpace::next_written(Mark mark, std::uint64_t from) const {
  const auto first = std::find_if(epochs_.begin(), epochs_.end(), [&](const Epoch& epoch) { return epoch.mark == mark; });
  const Kept* kept = next_kept(first, from >> page_bits);
  if (kept == nullptr) return {};
  const std::uint64_t begin = kept->first;
  std::uint64_t end = begin + 1;
  while ((kept = next_kept(first, end)) != nullptr && kept->first == end) ++end;
  return Range{begin << page_bits, (end - begin) << page_bits};
}

std::optional<AddressSpace::Range> AddressSpace::next_difference(Mark mark, std::uint64_t from) const {
  const auto first = std::find_if(epochs_.begin(), epochs_.end(), [&](const Epoch& epoch) { return epoch.mark == mark; });
  std::uint64_t offset = from % page_size;
  for (std::uint64_t number = from >> page_bits;; ++number, offset = 0) {
    const Kept* const changed = next_kept(first, number);
    if (changed == nullptr) return {};
    if (changed->first != number) offset = 0;
    number = changed->first;
    const SavedPage& was = changed->second;
    const Page* const page = find(number);
    if (was.mapped != (page != nullptr)) return Range{(number << page_bits) + offset, page_size - offset};
    if (page == nullptr) continue;
    const auto differs = [&](std::uint64_t at) { return page->data[at] != (was.bytes ? was.bytes[at] : 0); };
    while (offset < page_size && !differs(offset)) ++offset;
    if (offset == page_size) continue;
    std::uint64_t end = offset + 1;
    for (std::uint64_t at = end; at < page_size && at < end + 8; ++at)
      if (differs(at)) end = at + 1;
    return Range{(number << page_bits) + offset, end - offset};
  }
}

} // namespace comet
