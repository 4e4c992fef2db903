// An address space: 64 bits wide, sparse, in pages of 64 KiB with a protection each.
//
// The first `window` bytes live in one region of the host's address space that is reserved, not
// committed, so that `base + address` is where a byte is. Pages beyond it are allocated one by one.
// `access` holds one byte for each page of the window: what a load or store may do without asking. It is
// the only thing that the interpreter's fast path looks at; every other question (protection, code that
// was decoded from the page, watchpoints, a snapshot that needs the old content) withdraws a bit there
// and is answered here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "host_pages.h"

namespace comet {

class AddressSpace;

// The content of a page that does not lie where the space has its own: shown by pages of several spaces at once, or
// memory of the host, which is only read. The fast path never touches such a page.
struct Block {
  struct Place {
    AddressSpace* space;
    std::uint64_t number;
    bool operator==(const Place&) const = default;
  };
  explicit Block(const HostMemory& memory) : memory(memory) {}
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  const HostMemory memory;
  std::uint8_t* data = nullptr;
  bool of_host = false;      // not ours: whoever writes gets a page of their own
  std::vector<Place> places{}; // that show it now
};

constexpr unsigned page_bits = 16;
constexpr std::uint64_t page_size = std::uint64_t{1} << page_bits;
constexpr std::uint64_t page_mask = page_size - 1;

enum Protection : std::uint8_t { protection_read = 1, protection_write = 2, protection_execute = 4 };

// Bits of `access`.
enum Access : std::uint8_t { access_load = 1, access_store = 2 };

// How many pages a machine may have mapped, over all its spaces; those that only snapshots hold do not count.
struct PageBudget {
  std::uint64_t limit;
  std::uint64_t used = 0;
  // So many pages with what the host keeps of each (32 to 64 bytes), in whole pages: the same on every host.
  static constexpr std::uint64_t with_tables(std::uint64_t pages) { return pages + pages / 1024; }
  bool has_room_for(std::uint64_t more) const { return more == 0 || with_tables(used + more) <= limit; }
};

// What the guest touched at a watched address.
struct WatchHit {
  std::uint32_t id;
  std::uint64_t address;
  std::uint8_t kind; // protection_read or protection_write
};

// Is told of each access through the careful path, before it happens. `kind` is a union of protection_read
// and protection_write.
class AccessObserver {
 public:
  virtual void accessed(std::uint64_t address, std::uint64_t length, std::uint8_t kind) = 0;

 protected:
  ~AccessObserver() = default;
};

// The content of a page that is no page of a space: on the heap, which finds it quicker, unless the embedder gives memory.
struct CopyRelease {
  const HostMemory* memory = nullptr;
  void operator()(std::uint8_t* bytes) const {
    if (memory->of_system()) delete[] bytes; // beyond tests: `delete` asks whether it is null once more
    else memory->release(bytes, page_size);
  }
};
using PageCopy = std::unique_ptr<std::uint8_t[], CopyRelease>;

class AddressSpace {
 public:
  AddressSpace(std::uint64_t window_bytes, std::shared_ptr<PageBudget> budget, const HostMemory& memory);
  ~AddressSpace();
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;

  // Ranges are given by address and length and must not wrap; see comet.h for what each does.
  void map(std::uint64_t address, std::uint64_t length, std::uint8_t protection);
  void unmap(std::uint64_t address, std::uint64_t length);
  void protect(std::uint64_t address, std::uint64_t length, std::uint8_t protection);

  struct Region {
    std::uint64_t first_page;
    std::uint64_t page_count;
    std::uint8_t protection;
  };
  // Whether the pages count in the budget, which then bounds what is mapped; a new space's do.
  void set_counted(bool counted);
  std::optional<Region> next_region(std::uint64_t from_address) const;
  // Calls visit(page number, protection, bytes) for each mapped page in order.
  void for_each_page(const std::function<void(std::uint64_t, std::uint8_t, const std::uint8_t*)>& visit) const;

  // The first byte of the range that lacks one of the protections in `wanted`, if any. A range that wraps
  // lacks its first byte.
  std::optional<std::uint64_t> first_denied(std::uint64_t address, std::uint64_t length, std::uint8_t wanted) const;

  // The bytes of a range that lies in one page, if that may be read; else null.
  const std::uint8_t* readable(std::uint64_t address, std::size_t length) const {
    const Page* const page = (address & page_mask) + length <= page_size ? find(address >> page_bits) : nullptr;
    return page == nullptr || (page->protection & protection_read) == 0 ? nullptr : page->data + (address & page_mask);
  }
  // Copies whatever the protection is; the range must be mapped (first_denied with 0).
  void read(std::uint64_t address, void* buffer, std::size_t length) const;
  void write(std::uint64_t address, const void* bytes, std::size_t length);
  // Overlapping ranges are copied as if through a buffer.
  void copy(std::uint64_t destination, std::uint64_t source, std::uint64_t length);
  void fill(std::uint64_t address, std::uint8_t byte, std::uint64_t length);

  // Gives mapped pages the content from `offset` on, shared until it is written to; pages beyond the window get a
  // copy. For a space that is being made: nothing was decoded from it, and no mark taken.
  void show(std::uint64_t first_page, std::uint64_t count, const SharedPages& content, std::size_t offset);

  // Makes a mapped page of another space show the content of this one, whose own content it loses: what is written to
  // either is in both. Such accesses always ask, so they are slower.
  void join(std::uint64_t number, AddressSpace& other, std::uint64_t other_number);
  // Maps pages that show memory of the host, which has to stay and may not change, until they are written to or go.
  void map_host(std::uint64_t first_page, std::uint64_t count, const std::uint8_t* bytes, std::uint8_t protection);
  // What a page that is joined to others shows; null for all other pages.
  const Block* shared_block(std::uint64_t number) const;
  bool shows_host(std::uint64_t number) const;
  // The pages that are joined to others, in order.
  void for_each_joined(const std::function<void(std::uint64_t, const Block&)>& visit) const;

  // A pointer to bytes within one page, to be written atomically; the page counts as written.
  std::uint8_t* writable(std::uint64_t address, std::size_t length);

  // Copies up to `length` bytes that may be executed; gives how many there are.
  std::size_t fetch(std::uint64_t address, std::uint8_t* buffer, std::size_t length) const;
  // The content of a page that may be executed, or null.
  const std::uint8_t* executable_page(std::uint64_t number) const;
  // Says that instructions were decoded from these bytes: writes to them set `code_changed`.
  void mark_code(std::uint64_t address, std::size_t length) {
    const std::uint64_t offset = address & page_mask;
    // beyond tests: changed code is forgotten before more is decoded
    if (address >> page_bits == marked_number_ && !code_changed && offset + length <= page_size) [[likely]]
      marked_->mark(offset, length);
    else mark_code_elsewhere(address, length);
  }
  void forget_code();
  // Memory of the host that this takes.
  std::size_t code_bytes() const { return code_.size() * sizeof(CodeBytes); }
  bool code_changed = false;

  // Watched ranges. Who accesses memory through the careful path says so before, and `watch_hit` then tells
  // what is touched.
  void watch(std::uint32_t id, std::uint64_t address, std::uint64_t length, std::uint8_t kinds);
  void unwatch(std::uint32_t id);
  void unwatch_all();
  void note_access(std::uint64_t address, std::uint64_t length, std::uint8_t kind);
  std::optional<WatchHit> watch_hit;
  // Who is told of accesses, and of which: others may or may not be told.
  struct Observed {
    std::uint64_t first, last;
    std::uint8_t kinds;
  };
  struct Observing {
    AccessObserver* observer = nullptr;
    std::vector<Observed> ranges{};
  };
  // Gives what was observed before.
  Observing observe(Observing observing) noexcept;

  // Snapshots. A mark names a moment; content is kept from the first change of a page after it.
  using Mark = std::uint64_t;
  Mark take_mark();
  // In two steps, so that what wants memory, and may not get it, comes before the first page changes.
  void prepare_restore(Mark mark);
  void restore() noexcept;
  void drop_mark(Mark mark) noexcept;
  std::uint64_t kept_bytes() const { return kept_bytes_; } // of pages, for all marks
  bool is_oldest(Mark mark) const { return epochs_.front().mark == mark; } // one of this space's
  struct Range {
    std::uint64_t address, length;
  };
  // The first pages from that of an address on that were written since a mark, or changed by a restore; with what was
  // kept for marks that were dropped since, these may be some too many.
  std::optional<Range> next_written(Mark mark, std::uint64_t from) const;
  // The first bytes at or behind an address that are not what they were at a mark; up to 7 equal ones in between
  // count as different. A page that is mapped on one side only differs as a whole.
  std::optional<Range> next_difference(Mark mark, std::uint64_t from) const;

  // Where memory for this comes from.
  const HostMemory& memory() const { return memory_; }

  // For the fast path.
  std::uint8_t* window() const { return window_; }
  std::uint64_t window_bytes() const { return window_pages_ << page_bits; }
  const std::uint8_t* access() const { return access_; }

 private:
  struct Page {
    std::uint8_t* data = nullptr; // null: not mapped
    std::uint8_t protection = 0;
    bool has_code = false;
    bool shared = false; // shows SharedPages, which clear_pages would bring back
    bool foreign = false; // data is that of a Block, in blocks_
    std::uint64_t saved_at = 0; // the newest mark when its old content was last kept
  };
  struct SavedPage {
    bool mapped = false;
    std::uint8_t protection = 0;
    PageCopy bytes; // null: not mapped, or all zero
    std::shared_ptr<Block> block{}; // that it was joined to
  };
  using Blocks = std::map<std::uint64_t, std::shared_ptr<Block>>;
  struct Epoch {
    Mark mark;
    std::map<std::uint64_t, SavedPage> saved; // a tree, so that two can be joined without more memory
  };
  using Kept = std::map<std::uint64_t, SavedPage>::value_type;
  struct Watch {
    std::uint32_t id;
    std::uint64_t address;
    std::uint64_t length;
    std::uint8_t kinds;
  };
  struct CodeBytes {
    std::uint64_t bits[page_size / 64] = {};

    void mark(std::uint64_t offset, std::size_t length) { // which lie in the page
      for (; length != 0; offset += 64, length -= std::min<std::size_t>(length, 64)) {
        const std::uint64_t marks = ~std::uint64_t{0} >> (64 - std::min<std::size_t>(length, 64));
        bits[offset / 64] |= marks << offset % 64;
        if (const std::uint64_t behind = marks >> 1 >> (63 - offset % 64); behind != 0) bits[offset / 64 + 1] |= behind;
      }
    }
  };

  bool reserve_window();
  void release_window();
  const Page* find(std::uint64_t number) const;
  Page* find(std::uint64_t number) { return const_cast<Page*>(static_cast<const AddressSpace*>(this)->find(number)); }
  Page& allocate(std::uint64_t number, std::uint8_t protection);
  void release(std::uint64_t number);
  void clear(Page& page);
  std::shared_ptr<Block> block_of(std::uint64_t number) const;
  void attach(std::uint64_t number, Blocks::node_type block) noexcept;
  void detach(std::uint64_t number) noexcept;
  void leave_blocks() noexcept;
  void own_copy(std::uint64_t number);
  void prepare_blocks(std::uint64_t address, std::uint64_t length);
  void set_page(std::uint64_t number, const SavedPage& content);
  void keep_old(std::uint64_t number);
  void keep_old(std::uint64_t address, std::uint64_t length);
  void update_access(std::uint64_t number);
  void mark_code_elsewhere(std::uint64_t address, std::size_t length);
  void code_written(std::uint64_t number, std::uint64_t offset, std::size_t length);
  std::uint8_t* prepare_write(std::uint64_t address, std::size_t length);
  bool watched(std::uint64_t number, std::uint8_t kind) const;
  std::optional<std::uint64_t> next_mapped(std::uint64_t number) const;
  std::list<Epoch>::iterator find_mark(Mark mark);
  // The page with the lowest number from `number` on that an epoch from `first` on keeps.
  const Kept* next_kept(std::list<Epoch>::const_iterator first, std::uint64_t number) const;
  void release_spare_pages() noexcept;
  PageCopy take_copy();
  void give_copy(PageCopy bytes) noexcept;
  const HostMemory memory_; // before what is given back to it
  // Made by prepare_restore and used up by restore: what the pages become, and room for those beyond the
  // window that are not mapped now.
  std::map<std::uint64_t, const SavedPage*> to_restore_;
  std::map<std::uint64_t, Page> spare_;
  Blocks spare_blocks_; // that pages are joined to again

  Blocks blocks_; // of foreign pages, by page number

  std::shared_ptr<PageBudget> budget_;
  std::uint64_t mapped_pages_ = 0;
  bool counted_ = true;
  std::uint64_t window_pages_;
  std::uint8_t* window_ = nullptr;
  std::uint8_t* access_ = nullptr;
  Page* window_table_ = nullptr;       // one entry a page of the window
  std::uint64_t window_high_ = 0;      // no page of the window at or above this number is mapped
  std::map<std::uint64_t, Page> table_; // pages beyond the window
  std::unordered_map<std::uint64_t, std::unique_ptr<CodeBytes>> code_;
  // The page that code was marked in last. Until `code_changed` says so, it is as marking it first left it.
  std::uint64_t marked_number_ = ~std::uint64_t{0};
  CodeBytes* marked_ = nullptr;
  std::vector<Watch> watches_;
  Observing observing_;
  std::list<Epoch> epochs_; // oldest first
  std::uint64_t kept_bytes_ = 0;
  // Copies of pages that marks need no more, for the next ones: memory that the host has found already is much quicker.
  // None without marks.
  static constexpr std::size_t most_spare_copies = 256;
  std::vector<PageCopy> spare_copies_;
  Mark next_mark_ = 1;
};

} // namespace comet
