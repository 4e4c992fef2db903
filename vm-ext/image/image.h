// An image: a program as it lies in a file. Sections, symbols, source lines, imports, entry.
//
// An Image is valid at every moment: what would make it invalid is refused when it is added, by a Failure
// of COMET_ERROR_ARGUMENT, and leaves it as it was. The reader of files adds through the same functions,
// so that there is one set of rules. It knows nothing of machines.
//
// Costs: adding is O(log n); symbols and lines are sorted when they are first asked for after something was
// added out of order, so that sharing an image between threads takes one look at each beforehand, or an
// image that was read from a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../isa/definitions.h"

namespace comet {

struct Section {
  std::string name;
  uint64_t address;
  std::vector<uint8_t> bytes;  // at the address; zeros follow up to memory_length
  uint64_t memory_length;
  int protection;
};

// Name and value; the address of the pair stays the same as long as the image lives.
using Symbol = std::pair<const std::string, uint64_t>;

struct Line {
  uint64_t address;
  const std::string* file;
  uint32_t line;
  uint32_t column;  // 0: unknown
};

// Where in a macro the code from `address` on was made, to the next expansion or the next line. Several for
// one address lie in each other, the outermost, which the source line calls, first.
struct Expansion {
  uint64_t address;
  const std::string* macro;
  const std::string* file;
  uint32_t line;
  uint32_t column;  // 0: unknown
};

// How a debugger shows memory: the description of a view, as text. What it says is for Scheme to judge.
struct View {
  std::string name;
  std::string description;
};

class Image {
 public:
  void add_section(std::string_view name, uint64_t address, const uint8_t* bytes, size_t length,
                   uint64_t memory_length, int protection);
  void add_symbol(std::string_view name, uint64_t value);
  // The name of a source file, for add_line; it stays where it is as long as the image lives.
  const std::string* add_file(std::string_view name);
  // Of several lines for one address the one that was added last counts.
  void add_line(uint64_t address, const std::string* file, uint32_t line, uint32_t column);
  // By ascending address.
  void add_expansion(uint64_t address, std::string_view macro, std::string_view file, uint32_t line,
                     uint32_t column);
  // By ascending name, as bytes.
  void add_view(std::string_view name, std::string_view description);
  void add_import(std::string_view name);
  void set_entry(uint64_t address);
  // An instruction of the program's own.
  void add_instruction(isa::Definition definition);

  // In the order in which they were added.
  const std::deque<Section>& sections() const { return sections_; }
  // By value, those of equal value by name.
  const std::vector<const Symbol*>& symbols() const;
  // By address; no two have the same.
  const std::vector<Line>& lines() const;
  const std::vector<Expansion>& expansions() const { return expansions_; }
  const std::deque<View>& views() const { return views_; }
  // In the order of the program's import list.
  const std::vector<const std::string*>& imports() const { return imports_; }
  uint64_t entry() const { return entry_; }
  const comet_isa& isa() const { return isa_; }

  // Null where there is none. Symbol and line are those of the address's own section.
  const Section* section_at(uint64_t address) const;
  const Symbol* find_symbol(std::string_view name) const;
  const Symbol* symbol_at(uint64_t address) const;
  const Line* line_at(uint64_t address) const;
  // level: 0 for the outermost.
  const Expansion* expansion_at(uint64_t address, size_t level) const;

  // The file's bytes. They stay where they are as long as the image lives; writing again after a change
  // gives others.
  const std::vector<uint8_t>& write();

 private:
  const std::string* named(const char* what, std::string_view name);

  std::deque<Section> sections_;
  std::map<uint64_t, const Section*> by_address_;  // those that occupy memory
  // Trees, not hash tables: nobody can choose names that make them slow.
  std::map<std::string, uint64_t, std::less<>> symbols_;
  std::set<std::string, std::less<>> names_;  // of files and macros
  std::set<std::string, std::less<>> import_names_;
  std::vector<const std::string*> imports_;
  uint64_t entry_ = 0;
  comet_isa isa_;

  mutable std::vector<const Symbol*> symbol_order_;
  mutable bool symbols_in_order_ = true;
  mutable std::vector<Line> lines_;
  mutable bool lines_in_order_ = true;
  std::vector<Expansion> expansions_;
  std::deque<View> views_;

  std::deque<std::vector<uint8_t>> written_;
  bool changed_ = true;  // since the last of them
};

// Reads and checks a file in full; fails with COMET_ERROR_FORMAT and the offset of what is wrong. Takes
// time linear in the length but for a sort's logarithm, and memory of at most some twenty times the length.
void read_image(const uint8_t* bytes, size_t length, Image& image);

// The file's bytes, the same for the same content.
std::vector<uint8_t> write_image(const Image& image);

}  // namespace comet

struct comet_image {
  comet::Image image;
};
