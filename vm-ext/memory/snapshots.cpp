// Snapshots of an address space.
//
// A mark begins an epoch. The first change of a page within the newest epoch keeps what the page was, so
// that the content of a page at a mark is what the first epoch at or after the mark kept of it, or, where
// none did, what it is now. Restoring is a sequence of ordinary changes, so later marks stay valid.
#include <algorithm>
#include <cstring>

#include "address_space.h"
#include "host_pages.h"

namespace comet {
namespace {

bool all_zero(const std::uint8_t* bytes) {
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, page_size - 1) == 0;
}

} // namespace

AddressSpace::Mark AddressSpace::take_mark() {
  epochs_.push_back(Epoch{next_mark_, {}});
  // No page is kept in the new epoch yet, so every store must ask once. Loads go on straight.
  for (std::uint64_t number = 0; number < window_high_; ++number)
    access_[number] &= static_cast<std::uint8_t>(~access_store);
  return next_mark_++;
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
    if (!all_zero(page->data)) {
      try {
        saved.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(page_size);
      } catch (...) {
        newest.saved.erase(entry); // the change that asked fails as a whole
        throw;
      }
      std::memcpy(saved.bytes.get(), page->data, page_size);
    }
  }
  page->saved_at = newest.mark;
}

std::list<AddressSpace::Epoch>::iterator AddressSpace::find_mark(Mark mark) {
  return std::find_if(epochs_.begin(), epochs_.end(), [&](const Epoch& epoch) { return epoch.mark == mark; });
}

void AddressSpace::set_page(std::uint64_t number, const SavedPage& content) {
  keep_old(number);
  Page* page = find(number);
  if (!content.mapped) {
    if (page != nullptr) release(number);
    return;
  }
  if (page == nullptr) page = &allocate(number, content.protection);
  if (page->has_code) code_changed = true;
  page->protection = content.protection;
  page->saved_at = epochs_.back().mark;
  if (content.bytes != nullptr)
    std::memcpy(page->data, content.bytes.get(), page_size);
  else
    clear_pages(page->data, page_size);
  update_access(number);
}

void AddressSpace::restore(Mark mark) {
  const auto from = find_mark(mark);
  // Setting a page may add to the newest epoch, so the work list is made first; the entries themselves
  // stay where they are.
  std::unordered_map<std::uint64_t, const SavedPage*> changed;
  for (auto epoch = from; epoch != epochs_.end(); ++epoch)
    for (const auto& [number, saved] : epoch->saved) changed.try_emplace(number, &saved);
  for (const auto& [number, saved] : changed) set_page(number, *saved);
}

void AddressSpace::drop_mark(Mark mark) {
  const auto dropped = find_mark(mark);
  if (dropped != epochs_.begin()) {
    // What this epoch kept now speaks for the one before, unless that kept an older content.
    auto& older = std::prev(dropped)->saved;
    for (auto& [number, saved] : dropped->saved) {
      older.try_emplace(number, std::move(saved));
      if (std::next(dropped) != epochs_.end()) continue;
      if (Page* page = find(number)) page->saved_at = std::prev(dropped)->mark;
    }
  }
  epochs_.erase(dropped);
  if (epochs_.empty())
    for (std::uint64_t number = 0; number < window_high_; ++number) update_access(number);
}

std::uint64_t AddressSpace::saved_bytes() const {
  std::uint64_t bytes = 0;
  for (const Epoch& epoch : epochs_)
    for (const auto& [number, saved] : epoch.saved) bytes += saved.bytes != nullptr ? page_size : 0;
  return bytes;
}

} // namespace comet
