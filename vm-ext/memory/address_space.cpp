// Mapping, copying, and what withdraws the fast path's permission.
#include "address_space.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "../api/guard.h"
#include "large_pages.h"

namespace comet {
namespace {

std::uint64_t page_of(std::uint64_t address) { return address >> page_bits; }

// The number of the page behind the last one that the range touches; length is not 0.
std::uint64_t end_page(std::uint64_t address, std::uint64_t length) { return page_of(address + (length - 1)) + 1; }

// The protection of a page that map has allocated and not set yet; no other page has it.
constexpr std::uint8_t fresh = 0x80;

// How much of the range lies in the page of its first byte.
std::size_t within_page(std::uint64_t address, std::uint64_t length) {
  return static_cast<std::size_t>(std::min(length, page_size - (address & page_mask)));
}

} // namespace

AddressSpace::AddressSpace(std::uint64_t window_bytes, std::shared_ptr<PageBudget> budget, const HostMemory& memory)
    : memory_(memory), budget_(std::move(budget)), window_pages_((window_bytes >> page_bits) + ((window_bytes & page_mask) != 0)) {
#ifdef COMET_PORTABLE
  window_pages_ = 0;
#endif
  if (!reserve_window()) {
    // A host that does not give the address space away still runs programs, from the page table alone.
    window_pages_ = 0;
    if (!reserve_window()) throw std::bad_alloc();
  }
}

bool AddressSpace::reserve_window() {
  auto* const front = static_cast<std::uint8_t*>(memory_.reserve_unfilled(page_size + (window_pages_ << page_bits)));
  access_ = static_cast<std::uint8_t*>(memory_.reserve(window_pages_));
  window_table_ = static_cast<Page*>(memory_.reserve(window_pages_ * sizeof(Page)));
  if (front != nullptr) window_ = front + page_size;
  if (window_ != nullptr && access_ != nullptr && window_table_ != nullptr) return true;
  release_window();
  return false;
}

void AddressSpace::release_window() {
  if (window_ != nullptr) memory_.release(window_ - page_size, page_size + (window_pages_ << page_bits));
  memory_.release(access_, window_pages_);
  memory_.release(window_table_, window_pages_ * sizeof(Page));
  window_ = access_ = nullptr;
  window_table_ = nullptr;
}

AddressSpace::~AddressSpace() {
  leave_blocks();
  for (auto& [number, page] : table_) memory_.release(page.data, page_size);
  release_spare_pages();
  set_counted(false);
  release_window();
}

Block::~Block() {
  if (!of_host) memory.release(data, page_size);
}

const AddressSpace::Page* AddressSpace::find(std::uint64_t number) const {
  if (number < window_pages_) return window_table_[number].data != nullptr ? &window_table_[number] : nullptr;
  const auto found = table_.find(number);
  return found != table_.end() ? &found->second : nullptr;
}

void AddressSpace::set_counted(bool counted) {
  if (counted == counted_) return;
  counted_ = counted;
  if (counted)
    budget_->used += mapped_pages_;
  else
    budget_->used -= mapped_pages_;
}

AddressSpace::Page& AddressSpace::allocate(std::uint64_t number, std::uint8_t protection) {
  Page* page;
  if (number < window_pages_) {
    page = &window_table_[number];
    page->data = window_ + (number << page_bits);
    if (!memory_.zeroed()) memory_.clear(page->data, page_size);
    window_high_ = std::max(window_high_, number + 1);
  } else {
    if (auto spare = spare_.extract(number))
      page = &table_.insert(std::move(spare)).position->second;
    else
      page = &table_[number];
    if (page->data == nullptr) page->data = static_cast<std::uint8_t*>(memory_.reserve(page_size));
    if (page->data == nullptr) {
      table_.erase(number);
      throw std::bad_alloc();
    }
  }
  page->protection = protection;
  ++mapped_pages_;
  if (counted_) ++budget_->used;
  return *page;
}

void AddressSpace::release(std::uint64_t number) {
  Page* page = find(number);
  if (page->has_code) code_changed = true;
  if (page->foreign) detach(number);
  if (number < window_pages_) {
    clear(*page);
    *page = Page{};
    update_access(number);
  } else {
    memory_.release(page->data, page_size);
    table_.erase(number);
  }
  --mapped_pages_;
  if (counted_) --budget_->used; // beyond tests: the host's memory has to end while pages of a state are mapped
}

void AddressSpace::clear(Page& page) {
  if (page.shared) stop_showing(page.data, page_size);
  else memory_.clear(page.data, page_size);
  page.shared = false;
}

// Programs that map so much at once use it; a small machine shall not take more than it touches.
constexpr std::uint64_t worth_large_pages = std::uint64_t{16} << 20;

void AddressSpace::map(std::uint64_t address, std::uint64_t length, std::uint8_t protection) {
  if (length == 0) return;
  const std::uint64_t first = page_of(address), end = end_page(address, length);
  std::uint64_t missing = end - first; // counted from the mapped pages, of which there are few
  for (auto mapped = next_mapped(first); mapped && *mapped < end; mapped = next_mapped(*mapped + 1)) --missing;
  if (counted_ && !budget_->has_room_for(missing))
    fail(COMET_ERROR_MEMORY, address,
         "mapping %llu bytes at 0x%llx, with the tables for them, would pass the machine's memory limit of %llu bytes, of which %llu are in use; "
         "raise the limit or map less",
         static_cast<unsigned long long>(length), static_cast<unsigned long long>(address),
         static_cast<unsigned long long>(budget_->limit << page_bits),
         static_cast<unsigned long long>(PageBudget::with_tables(budget_->used) << page_bits));
  // First what wants memory and may not get it, then what cannot fail.
  keep_old(address, length);
  std::uint64_t allocated = first;
  try {
    for (; allocated < end; ++allocated)
      if (find(allocated) == nullptr) allocate(allocated, fresh);
  } catch (...) {
    while (allocated-- > first)
      if (find(allocated)->protection == fresh) release(allocated);
    throw;
  }
  if (memory_.of_system() && length >= worth_large_pages && end <= window_pages_)
    prefer_large_pages(window_ + (first << page_bits), static_cast<std::size_t>((end - first) << page_bits));
  for (std::uint64_t number = first; number < end; ++number) {
    Page* page = find(number);
    if (page->has_code && page->protection != protection) code_changed = true;
    page->protection = protection;
    if (!epochs_.empty()) page->saved_at = epochs_.back().mark;
    update_access(number);
  }
}

void AddressSpace::unmap(std::uint64_t address, std::uint64_t length) {
  if (length == 0) return;
  const std::uint64_t end = end_page(address, length);
  const std::uint64_t first = page_of(address);
  for (auto mapped = next_mapped(first); mapped && *mapped < end; mapped = next_mapped(*mapped + 1)) keep_old(*mapped);
  for (auto mapped = next_mapped(first); mapped && *mapped < end; mapped = next_mapped(*mapped + 1)) release(*mapped);
}

void AddressSpace::protect(std::uint64_t address, std::uint64_t length, std::uint8_t protection) {
  if (const auto denied = first_denied(address, length, 0))
    fail(COMET_ERROR_ADDRESS, *denied, "cannot change the protection at 0x%llx: nothing is mapped there",
         static_cast<unsigned long long>(*denied));
  map(address, length, protection);
}

std::optional<std::uint64_t> AddressSpace::next_mapped(std::uint64_t number) const {
  for (; number < window_high_; ++number)
    if (window_table_[number].data != nullptr) return number;
  const auto found = table_.lower_bound(number);
  if (found == table_.end()) return std::nullopt;
  return found->first;
}

std::optional<AddressSpace::Region> AddressSpace::next_region(std::uint64_t from_address) const {
  const auto first = next_mapped(page_of(from_address));
  if (!first) return std::nullopt;
  const std::uint8_t protection = find(*first)->protection;
  std::uint64_t begin = *first;
  const auto same = [&](std::uint64_t number) {
    const Page* page = find(number);
    return page != nullptr && page->protection == protection;
  };
  while (begin > 0 && same(begin - 1)) --begin;
  std::uint64_t end = *first + 1;
  while (end < (std::uint64_t{1} << (64 - page_bits)) && same(end)) ++end;
  return Region{begin, end - begin, protection};
}

void AddressSpace::for_each_page(
    const std::function<void(std::uint64_t, std::uint8_t, const std::uint8_t*)>& visit) const {
  for (auto number = next_mapped(0); number; number = next_mapped(*number + 1)) {
    const Page* page = find(*number);
    visit(*number, page->protection, page->data);
  }
}

std::optional<std::uint64_t> AddressSpace::first_denied(std::uint64_t address, std::uint64_t length,
                                                        std::uint8_t wanted) const {
  if (length == 0) return std::nullopt;
  if (address + (length - 1) < address) return address;
  const std::uint64_t end = end_page(address, length);
  for (std::uint64_t number = page_of(address); number < end; ++number) {
    const Page* page = find(number);
    if (page == nullptr || (page->protection & wanted) != wanted) return std::max(address, number << page_bits);
  }
  return std::nullopt;
}

void AddressSpace::read(std::uint64_t address, void* buffer, std::size_t length) const {
  auto* to = static_cast<std::uint8_t*>(buffer);
  while (length != 0) {
    const std::size_t part = within_page(address, length);
    std::memcpy(to, find(page_of(address))->data + (address & page_mask), part);
    to += part;
    address += part;
    length -= part;
  }
}

// Bytes within one page that are about to be written: keeps what a snapshot needs, notices code, and
// gives the fast path its permission back where nothing stands against it.
std::uint8_t* AddressSpace::prepare_write(std::uint64_t address, std::size_t length) {
  const std::uint64_t number = page_of(address);
  if (number < window_pages_ && (access_[number] & access_store) != 0) return window_ + address;
  keep_old(number);
  Page* page = find(number);
  if (page->foreign) {
    prepare_blocks(address, length);
    if (page->foreign)
      for (const Block::Place& place : blocks_.at(number)->places)
        if (place.space != this && place.space->find(place.number)->has_code)
          place.space->code_written(place.number, address & page_mask, length);
  }
  if (page->has_code) code_written(number, address & page_mask, length);
  update_access(number);
  return page->data + (address & page_mask);
}

std::uint8_t* AddressSpace::writable(std::uint64_t address, std::size_t length) { return prepare_write(address, length); }

void AddressSpace::write(std::uint64_t address, const void* bytes, std::size_t length) {
  auto* from = static_cast<const std::uint8_t*>(bytes);
  keep_old(address, length);
  prepare_blocks(address, length);
  while (length != 0) {
    const std::size_t part = within_page(address, length);
    std::memcpy(prepare_write(address, part), from, part);
    from += part;
    address += part;
    length -= part;
  }
}

void AddressSpace::show(std::uint64_t first_page, std::uint64_t count, const SharedPages& content, std::size_t offset) {
  const std::uint64_t in_window =
      memory_.of_system() ? std::min(count, window_pages_ - std::min(window_pages_, first_page)) : 0;
  if (in_window != 0) content.show(window_ + (first_page << page_bits), offset, in_window << page_bits);
  for (std::uint64_t i = 0; i < count; ++i) {
    Page* page = find(first_page + i);
    if (i < in_window) page->shared = true;
    else std::memcpy(page->data, content.data() + offset + (i << page_bits), page_size);
  }
}

void AddressSpace::copy(std::uint64_t destination, std::uint64_t source, std::uint64_t length) {
  keep_old(destination, length);
  prepare_blocks(destination, length);
  if (destination - source >= length) { // forward: what is read was not written before
    while (length != 0) {
      const std::size_t part = std::min(within_page(destination, length), within_page(source, length));
      std::uint8_t* to = prepare_write(destination, part);
      std::memmove(to, find(page_of(source))->data + (source & page_mask), part);
      destination += part;
      source += part;
      length -= part;
    }
    return;
  }
  // The destination begins within the source: from the end.
  const auto before = [](std::uint64_t end, std::uint64_t rest) {
    return std::min(rest, ((end - 1) & page_mask) + 1);
  };
  while (length != 0) {
    const std::uint64_t part = std::min(before(destination + length, length), before(source + length, length));
    const std::uint64_t from = source + length - part, at = destination + length - part;
    std::uint8_t* to = prepare_write(at, part);
    std::memmove(to, find(page_of(from))->data + (from & page_mask), part);
    length -= part;
  }
}

void AddressSpace::fill(std::uint64_t address, std::uint8_t byte, std::uint64_t length) {
  keep_old(address, length);
  prepare_blocks(address, length);
  while (length != 0) {
    const std::size_t part = within_page(address, length);
    std::memset(prepare_write(address, part), byte, part);
    address += part;
    length -= part;
  }
}

std::size_t AddressSpace::fetch(std::uint64_t address, std::uint8_t* buffer, std::size_t length) const {
  std::size_t copied = 0;
  while (copied < length) {
    const Page* page = find(page_of(address));
    if (page == nullptr || (page->protection & protection_execute) == 0) break;
    const std::size_t part = within_page(address, length - copied);
    std::memcpy(buffer + copied, page->data + (address & page_mask), part);
    copied += part;
    address += part;
    if (address == 0) break;
  }
  return copied;
}

const std::uint8_t* AddressSpace::executable_page(std::uint64_t number) const {
  const Page* page = find(number);
  return page == nullptr || (page->protection & protection_execute) == 0 ? nullptr : page->data;
}

void AddressSpace::mark_code_elsewhere(std::uint64_t address, std::size_t length) {
  while (length != 0) {
    const std::size_t part = within_page(address, length);
    const std::uint64_t number = page_of(address);
    auto& bytes = code_[number];
    if (bytes == nullptr) bytes = std::make_unique<CodeBytes>();
    bytes->mark(address & page_mask, part);
    marked_number_ = number;
    marked_ = bytes.get();
    Page* page = find(number);
    if (!page->has_code) {
      page->has_code = true;
      update_access(number);
    }
    address += part;
    length -= part;
  }
}

void AddressSpace::forget_code() {
  for (const auto& [number, bytes] : code_) {
    if (Page* page = find(number)) {
      page->has_code = false;
      update_access(number);
    }
  }
  code_.clear();
  marked_number_ = ~std::uint64_t{0};
  code_changed = false;
}

void AddressSpace::code_written(std::uint64_t number, std::uint64_t offset, std::size_t length) {
  const auto found = code_.find(number);
  for (std::size_t i = 0; i < length && !code_changed; ++i)
    if ((found->second->bits[(offset + i) / 64] >> ((offset + i) % 64) & 1) != 0) code_changed = true;
}

bool AddressSpace::watched(std::uint64_t number, std::uint8_t kind) const {
  return std::any_of(watches_.begin(), watches_.end(), [&](const Watch& watch) {
    return (watch.kinds & kind) != 0 && page_of(watch.address) <= number &&
           number < end_page(watch.address, watch.length);
  }) || std::any_of(observing_.ranges.begin(), observing_.ranges.end(), [&](const Observed& range) {
    return (range.kinds & kind) != 0 && page_of(range.first) <= number && number <= page_of(range.last);
  });
}

AddressSpace::Observing AddressSpace::observe(Observing observing) noexcept {
  std::swap(observing_, observing);
  for (const Observing* changed : {&observing_, &observing})
    for (const Observed& range : changed->ranges)
      for (std::uint64_t number = page_of(range.first); number < window_high_ && number <= page_of(range.last); ++number)
        update_access(number);
  return observing;
}

// The permission of the fast path for a page: what its protection allows, less what must be seen here.
void AddressSpace::update_access(std::uint64_t number) {
  if (number >= window_pages_) return;
  const Page& page = window_table_[number];
  std::uint8_t bits = 0;
  if (page.data != nullptr && !page.foreign) {
    const bool kept = epochs_.empty() || page.saved_at == epochs_.back().mark;
    if ((page.protection & protection_read) != 0 && !watched(number, protection_read)) bits |= access_load;
    if ((page.protection & protection_write) != 0 && kept && !page.has_code && !watched(number, protection_write))
      bits |= access_store;
  }
  access_[number] = bits;
}

void AddressSpace::watch(std::uint32_t id, std::uint64_t address, std::uint64_t length, std::uint8_t kinds) {
  watches_.push_back({id, address, length, kinds});
  const std::uint64_t end = std::min(end_page(address, length), window_high_);
  for (std::uint64_t number = page_of(address); number < end; ++number) update_access(number);
}

void AddressSpace::unwatch(std::uint32_t id) {
  const auto found = std::find_if(watches_.begin(), watches_.end(), [&](const Watch& w) { return w.id == id; });
  const Watch gone = *found;
  watches_.erase(found);
  const std::uint64_t end = std::min(end_page(gone.address, gone.length), window_high_);
  for (std::uint64_t number = page_of(gone.address); number < end; ++number) update_access(number);
}

void AddressSpace::unwatch_all() {
  while (!watches_.empty()) unwatch(watches_.back().id);
}

void AddressSpace::note_access(std::uint64_t address, std::uint64_t length, std::uint8_t kind) {
  if (observing_.observer != nullptr) observing_.observer->accessed(address, length, kind);
  if (watch_hit || length == 0) return;
  for (const Watch& watch : watches_) {
    const std::uint64_t last = address + (length - 1), watch_last = watch.address + (watch.length - 1);
    if ((watch.kinds & kind) == 0 || last < watch.address || watch_last < address) continue;
    // What both reads and writes counts as a write, where writes are watched.
    const bool written = (watch.kinds & kind & protection_write) != 0;
    watch_hit = WatchHit{watch.id, std::max(address, watch.address), written ? protection_write : protection_read};
    return;
  }
}

} // namespace comet
