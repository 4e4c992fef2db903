#include "image.h"

#include <algorithm>
#include <cinttypes>
#include <utility>

#include "../api/guard.h"
#include "../api/in_order.h"
#include "../host/host_table.h"
#include "text.h"

namespace comet {
namespace {

constexpr uint64_t page_of(uint64_t address) { return address / COMET_PAGE_SIZE; }

uint64_t last_byte(const Section& section) { return section.address + (section.memory_length - 1); }

bool contains(const Section& section, uint64_t address) {
  return address - section.address < section.memory_length;
}

void check_name(const char* what, std::string_view name) {
  if (valid_name(name)) return;
  if (name.empty()) fail(COMET_ERROR_ARGUMENT, 0, "a %s needs a name; give it at least one character", what);
  fail(COMET_ERROR_ARGUMENT, 0,
       "%s name %s is not valid: names are UTF-8 without control characters, at most 65535 bytes long", what,
       quoted(name).c_str());
}

// `lower` begins at or below `upper`; both occupy memory.
void check_neighbours(const Section& lower, const Section& upper) {
  if (contains(lower, upper.address)) {
    fail(COMET_ERROR_ARGUMENT, upper.address,
         "sections %s and %s overlap at address 0x%" PRIx64
         "; move one of them or make the lower one shorter",
         quoted(lower.name).c_str(), quoted(upper.name).c_str(), upper.address);
  }
  if (page_of(last_byte(lower)) == page_of(upper.address) && lower.protection != upper.protection) {
    fail(COMET_ERROR_ARGUMENT, upper.address,
         "sections %s and %s share the page at 0x%" PRIx64
         " but differ in protection; a page has one: begin the second on the next page",
         quoted(lower.name).c_str(), quoted(upper.name).c_str(), page_of(upper.address) * COMET_PAGE_SIZE);
  }
}

// An addition that finds no memory half-way takes back its first half.
template <class Value, class Undo>
void push_or_undo(std::vector<Value>& list, Value value, Undo&& undo) {
  try {
    list.push_back(value);
  } catch (...) {
    undo();
    throw;
  }
}

bool symbol_before(const Symbol* a, const Symbol* b) {
  return a->second != b->second ? a->second < b->second : a->first < b->first;
}

}  // namespace

void Image::add_section(std::string_view name, uint64_t address, const uint8_t* bytes, size_t length,
                        uint64_t memory_length, int protection) {
  check_name("section", name);
  if ((protection & ~(COMET_READ | COMET_WRITE | COMET_EXECUTE)) != 0) {
    fail(COMET_ERROR_ARGUMENT, 0,
         "section %s has protection %d, which is not a union of COMET_READ, COMET_WRITE and COMET_EXECUTE",
         quoted(name).c_str(), protection);
  }
  if (memory_length < length) {
    fail(COMET_ERROR_ARGUMENT, 0,
         "section %s has %zu bytes but a memory length of %" PRIu64
         "; the memory length must be at least as large",
         quoted(name).c_str(), length, memory_length);
  }
  if (memory_length > 0 && memory_length - 1 > UINT64_MAX - address) {
    fail(COMET_ERROR_ARGUMENT, address,
         "section %s at 0x%" PRIx64 " with memory length 0x%" PRIx64
         " goes beyond the end of the address space; place it lower or make it shorter",
         quoted(name).c_str(), address, memory_length);
  }
  Section section{std::string(name), address, {bytes, bytes + length}, memory_length, protection};
  if (memory_length > 0) {
    const auto above = by_address_.lower_bound(address);
    if (above != by_address_.end()) check_neighbours(section, *above->second);
    if (above != by_address_.begin()) check_neighbours(*std::prev(above)->second, section);
  }
  sections_.push_back(std::move(section));
  if (memory_length > 0) {
    try {
      by_address_.emplace(address, &sections_.back());
    } catch (...) {
      sections_.pop_back();
      throw;
    }
  }
  changed_ = true;
}

void Image::add_symbol(std::string_view name, uint64_t value) {
  check_name("symbol", name);
  const auto [place, added] = symbols_.emplace(name, value);
  if (!added) {
    fail(COMET_ERROR_ARGUMENT, 0,
         "symbol %s is in the image already, with value 0x%" PRIx64 "; names must be unique",
         quoted(name).c_str(), place->second);
  }
  const Symbol* symbol = &*place;
  const bool in_order = symbol_order_.empty() || symbol_before(symbol_order_.back(), symbol);
  push_or_undo(symbol_order_, symbol, [&, place = place] { symbols_.erase(place); });
  symbols_in_order_ = symbols_in_order_ && in_order;
  changed_ = true;
}

const std::string* Image::add_file(std::string_view name) {
  // Lines come in runs of one file.
  if (!lines_.empty() && *lines_.back().file == name) return lines_.back().file;
  return named("file", name);
}

const std::string* Image::named(const char* what, std::string_view name) {
  check_name(what, name);
  return &*names_.emplace(name).first;
}

void Image::add_line(uint64_t address, const std::string* file, uint32_t line, uint32_t column) {
  if (line == 0) {
    fail(COMET_ERROR_ARGUMENT, address,
         "line 0 of %s for address 0x%" PRIx64 " is not valid; lines count from 1", quoted(*file).c_str(),
         address);
  }
  const Line added{address, file, line, column};
  if (lines_in_order_ && !lines_.empty() && lines_.back().address == address) {
    lines_.back() = added;
  } else {
    const bool in_order = lines_.empty() || lines_.back().address < address;
    lines_.push_back(added);
    lines_in_order_ = lines_in_order_ && in_order;
  }
  changed_ = true;
}

void Image::add_expansion(uint64_t address, std::string_view macro, std::string_view file, uint32_t line,
                          uint32_t column) {
  if (line == 0) {
    fail(COMET_ERROR_ARGUMENT, address,
         "line 0 of %s for the expansion at 0x%" PRIx64 " is not valid; lines count from 1",
         quoted(file).c_str(), address);
  }
  if (!expansions_.empty() && address < expansions_.back().address) {
    fail(COMET_ERROR_ARGUMENT, address,
         "the expansion at 0x%" PRIx64 " comes behind one at 0x%" PRIx64 "; add them by ascending address",
         address, expansions_.back().address);
  }
  const std::string* macro_name = named("macro", macro);
  expansions_.push_back({address, macro_name, named("file", file), line, column});
  changed_ = true;
}

void Image::add_view(std::string_view name, std::string_view description) {
  check_name("view", name);
  check_name("view's description", description);
  if (!views_.empty() && name <= views_.back().name) {
    fail(COMET_ERROR_ARGUMENT, 0,
         "the view %s comes behind %s; add each view once, by ascending names", quoted(name).c_str(),
         quoted(views_.back().name).c_str());
  }
  views_.push_back({std::string(name), std::string(description)});
  changed_ = true;
}

void Image::add_import(std::string_view name) {
  if (!valid_host_name(name)) {
    fail(COMET_ERROR_ARGUMENT, 0,
         "import %s is not valid: names of host calls are 1 to 63 letters, digits, _ - .",
         quoted(name).c_str());
  }
  const auto [place, added] = import_names_.emplace(name);
  if (!added) {
    fail(COMET_ERROR_ARGUMENT, 0, "import %s is in the image already; each name has one place in the list",
         quoted(name).c_str());
  }
  push_or_undo(imports_, &*place, [&, place = place] { import_names_.erase(place); });
  changed_ = true;
}

void Image::add_instruction(isa::Definition definition) {
  if (definition.opcode < isa::first_user_opcode)
    fail(COMET_ERROR_ARGUMENT, 0, "an image cannot give the instruction `%s` of the table another meaning; a machine can", definition.name.c_str());
  if (isa_.definitions.find(definition.opcode) != nullptr)
    fail(COMET_ERROR_ARGUMENT, 0, "the image has an instruction with opcode %" PRIu64 " already", definition.opcode);
  isa_.definitions.add(std::move(definition));
  changed_ = true;
}

void Image::set_entry(uint64_t address) {
  entry_ = address;
  changed_ = true;
}

const std::vector<const Symbol*>& Image::symbols() const {
  if (!symbols_in_order_) {
    std::vector<const Symbol*> sorted;
    for (const size_t n : in_order(symbol_order_.size(), [&](size_t a, size_t b) {
           return symbol_before(symbol_order_[a], symbol_order_[b]);
         }))
      sorted.push_back(symbol_order_[n]);
    symbol_order_ = std::move(sorted);
    symbols_in_order_ = true;
  }
  return symbol_order_;
}

const std::vector<Line>& Image::lines() const {
  if (!lines_in_order_) {
    std::vector<Line> kept; // of one address the last that was added
    for (const size_t n : in_order(lines_.size(), [&](size_t a, size_t b) { return lines_[a].address < lines_[b].address; })) {
      if (!kept.empty() && kept.back().address == lines_[n].address) kept.pop_back();
      kept.push_back(lines_[n]);
    }
    lines_ = std::move(kept);
    lines_in_order_ = true;
  }
  return lines_;
}

const Section* Image::section_at(uint64_t address) const {
  const auto above = by_address_.upper_bound(address);
  if (above == by_address_.begin()) return nullptr;
  const Section* section = std::prev(above)->second;
  return contains(*section, address) ? section : nullptr;
}

const Symbol* Image::find_symbol(std::string_view name) const {
  const auto found = symbols_.find(name);
  return found == symbols_.end() ? nullptr : &*found;
}

const Symbol* Image::symbol_at(uint64_t address) const {
  const Section* section = section_at(address);
  if (section == nullptr) return nullptr;
  const std::vector<const Symbol*>& all = symbols();
  const auto above =
      std::upper_bound(all.begin(), all.end(), address,
                       [](uint64_t wanted, const Symbol* symbol) { return wanted < symbol->second; });
  if (above == all.begin()) return nullptr;
  const Symbol* symbol = *std::prev(above);
  return symbol->second >= section->address ? symbol : nullptr;
}

const Line* Image::line_at(uint64_t address) const {
  const Section* section = section_at(address);
  if (section == nullptr) return nullptr;
  const std::vector<Line>& all = lines();
  const auto above = std::upper_bound(all.begin(), all.end(), address, [](uint64_t wanted, const Line& line) {
    return wanted < line.address;
  });
  if (above == all.begin()) return nullptr;
  const Line* line = &*std::prev(above);
  return line->address >= section->address ? line : nullptr;
}

const Expansion* Image::expansion_at(uint64_t address, size_t level) const {
  const Section* section = section_at(address);
  if (section == nullptr) return nullptr;
  const auto address_before = [](const Expansion& expansion, uint64_t wanted) {
    return expansion.address < wanted;
  };
  const auto above = std::upper_bound(
      expansions_.begin(), expansions_.end(), address,
      [](uint64_t wanted, const Expansion& expansion) { return wanted < expansion.address; });
  if (above == expansions_.begin()) return nullptr;
  const uint64_t begin = std::prev(above)->address;
  const Line* line = line_at(address);
  if (begin < section->address || (line != nullptr && begin < line->address)) return nullptr;
  const auto first = std::lower_bound(expansions_.begin(), above, begin, address_before);
  return level < static_cast<size_t>(above - first) ? &first[static_cast<std::ptrdiff_t>(level)] : nullptr;
}

const std::vector<uint8_t>& Image::write() {
  if (changed_) {
    written_.push_back(write_image(*this));
    changed_ = false;
  }
  return written_.back();
}

}  // namespace comet
