#include "reach.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>
#include <optional>
#include <string_view>

#include "text.h"

namespace comet::runner {
namespace {

constexpr size_t longest_instruction = 40;  // four fields of ten bytes
constexpr size_t most_bad_told = 16;
// Tables may be longer than an image with many jumps through them could pay for; what is beyond counts as not known.
constexpr uint64_t most_table_entries = uint64_t{1} << 22;

// A section and which of its addresses were looked at. Only the bytes of the file can be code: behind them are zeros.
struct Part {
  comet_section section;
  std::vector<bool> seen;
};

class Scan {
 public:
  explicit Scan(const comet_image* image) : isa_(comet_image_isa(image)) {
    comet_section section = COMET_SECTION_INIT;
    for (size_t n = 0; comet_image_section(image, n, &section, nullptr) == COMET_OK; ++n) {
      const bool executable = (section.protection & COMET_EXECUTE) != 0;
      if (section.memory_length != 0) parts_.push_back({section, std::vector<bool>(executable ? section.length : 0)});
    }
    // There may be very many, none over another.
    std::sort(parts_.begin(), parts_.end(), [](const Part& one, const Part& other) { return one.section.address < other.section.address; });
    for (; const char* name = comet_image_import(image, imports_); ++imports_)
      if (std::string_view(name) == "exit") exit_ = imports_;
  }

  Reach from(uint64_t entry) {
    visit(entry, entry);
    while (!waiting_.empty()) {
      uint64_t address = waiting_.back();
      waiting_.pop_back();
      // Straight on as long as there is something new.
      for (std::optional<uint64_t> next = address; next;) next = look(*next);
    }
    return std::move(result_);
  }

 private:
  Part* part_at(uint64_t address) {
    auto part = std::upper_bound(parts_.begin(), parts_.end(), address, [](uint64_t at, const Part& one) { return at < one.section.address; });
    if (part == parts_.begin()) return nullptr;
    --part;
    return address - part->section.address < part->section.memory_length ? &*part : nullptr;
  }

  void bad(uint64_t address, std::string why) {
    if (++result_.bad_count <= most_bad_told) result_.bad.push_back({address, std::move(why)});
  }

  // A target of the instruction at `from`: true when it was not seen before.
  bool visit(uint64_t from, uint64_t target) {
    Part* const part = part_at(target);
    if (part == nullptr || (part->section.protection & COMET_EXECUTE) == 0) {
      bad(from, text("goes to 0x%" PRIx64 ", where there is no code", target));
      return false;
    }
    const uint64_t offset = target - part->section.address;
    if (offset >= part->section.length) {
      bad(from, text("goes to 0x%" PRIx64 ", where nothing but zeros is, that is, brk", target));
      return false;
    }
    if (part->seen[offset]) return false;
    part->seen[offset] = true;
    waiting_.push_back(target);
    return true;
  }

  // The bytes of the file from an address on, as far as sections follow each other.
  size_t copy(uint64_t address, uint8_t* bytes, size_t length) {
    size_t done = 0;
    while (done < length) {
      const Part* const part = part_at(address + done);
      if (part == nullptr) break;
      const uint64_t offset = address + done - part->section.address;
      if (offset >= part->section.length) break;
      const size_t count = static_cast<size_t>(std::min<uint64_t>(length - done, part->section.length - offset));
      std::memcpy(bytes + done, part->section.bytes + offset, count);
      done += count;
    }
    return done;
  }

  // Looks at the instruction there; the result is the one behind it when that is to be looked at next.
  std::optional<uint64_t> look(uint64_t address) {
    uint8_t bytes[longest_instruction];
    const size_t length = copy(address, bytes, sizeof bytes);
    comet_decoded decoded = COMET_DECODED_INIT;
    comet_error error = COMET_ERROR_INIT;
    if (comet_decode(isa_, bytes, length, &decoded, &error) != COMET_OK) {
      bad(address, error.message);
      return std::nullopt;
    }
    ++result_.instructions;
    const std::string_view name = decoded.name;
    for (size_t i = 0; decoded.operands[i] != 0; ++i) {
      const uint64_t field = decoded.fields[i + 1];
      if (decoded.operands[i] == 'h') take_host_call(address, field);
      if (decoded.operands[i] == 'p') {
        const uint64_t target = address + ((field >> 1) ^ (0 - (field & 1)));
        if (name == "jtab") take_table(address, target, decoded.fields[2]);
        else visit(address, target);
      }
    }
    for (const std::string_view one : {"brz", "jumpr", "jalr", "callr", "tailr"})
      if (name == one) ++result_.indirect;
    if (name == "hcall" && decoded.fields[2] == exit_) return std::nullopt;
    // What comes behind a jump with a link is where it comes back to.
    for (const std::string_view one : {"brk", "jump", "jumpr", "ret", "tail", "tailr", "trap", "halt"})
      if (name == one) return std::nullopt;
    const uint64_t next = address + decoded.length;
    if (!visit(address, next)) return std::nullopt;
    waiting_.pop_back();
    return next;
  }

  void take_host_call(uint64_t address, uint64_t index) {
    if (index < imports_) result_.host_calls.insert(index);
    else bad(address, text("makes host call %" PRIu64 ", of which the import list has %zu", index, imports_));
  }

  void take_table(uint64_t address, uint64_t table, uint64_t count) {
    const Part* const part = part_at(table);
    const uint64_t left = part == nullptr || table - part->section.address >= part->section.length
                              ? 0 : (part->section.length - (table - part->section.address)) / 4;
    if (count > left) bad(address, text("has a table at 0x%" PRIx64 " that is not all there", table));
    count = std::min(count, left);
    if (count > most_table_entries - table_entries_) {
      ++result_.indirect;
      return;
    }
    table_entries_ += count;
    for (uint64_t i = 0; i < count; ++i) {
      const uint8_t* const bytes = part->section.bytes + (table - part->section.address) + 4 * i;
      const uint32_t word = bytes[0] | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
      visit(address, table + static_cast<uint64_t>(int64_t{static_cast<int32_t>(word)}));
    }
  }

  const comet_isa* isa_;
  std::vector<Part> parts_;
  size_t imports_ = 0;
  size_t exit_ = SIZE_MAX;  // the import that does not come back
  std::vector<uint64_t> waiting_;
  uint64_t table_entries_ = 0;
  Reach result_;
};

}  // namespace

Reach reach(const comet_image* image) { return Scan(image).from(comet_image_entry(image)); }

}  // namespace comet::runner
