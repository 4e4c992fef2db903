// What the linker's two sources share: one linking, whose passes go over the objects' parts (pass.cpp) until nothing moves.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "linker.h"

namespace comet::linking {

constexpr uint64_t page = 65536;
constexpr uint64_t memory_limit = uint64_t{1} << 30;
// Sizes are the least ones in the first passes, as long as addresses are not known.
constexpr int free_passes = 2;

constexpr Wide two_to(unsigned n) { return Wide{1} << n; }

// A section of the program.
struct Output {
  std::string_view name;
  int protection;
  std::optional<uint64_t> address;
  Wide base;
  // How far the pass before had come at this place, and this one; behind a pass, the size.
  uint64_t before = 0, now = 0;
  std::vector<uint8_t> bytes;
};

struct Value {
  const Output* section = nullptr;  // null: the offset is the value
  Wide offset = 0;
  bool operator==(const Value&) const = default;
};

// What a symbol stands for: one for all objects that see it, or an object's own.
struct Meaning {
  std::string_view name;
  const Object* object = nullptr;  // which defines it, as its symbol number `index`
  const Object* member = nullptr;  // of an archive, which would
  size_t index = 0;
  bool visible = false;
  int pass = 0;  // that defined it last
  Value before, now;
  std::string_view file;  // where that stands

  const ObjectSymbol& symbol() const { return object->symbols[index]; }
};

// What names stand for: symbols that all objects see, numbers of imports, texts of views, sections, values in the program.
struct Named {
  Meaning* meaning = nullptr;
  uint64_t number = 0;
  std::string_view text{};
  bool constant = false;
  Output* output = nullptr;
};
using Names = std::map<std::string, Named, std::less<>>;

// For messages.
std::string place(std::string_view file, uint64_t line, uint64_t column);
std::string place_of(const Object& object, const ObjectSymbol& symbol);

// One linking: what the passes remember of one another.
class Link {
 public:
  Link(const Linker& linker, std::string_view entry, Image& image);

 private:
  friend class Pass;
  struct Unit {
    const Object* object;
    std::vector<Meaning*> symbols;
    std::vector<Output*> sections;
    std::vector<uint32_t> sizes;  // of what depends on addresses, in the pass before
  };
  struct SourceLine {
    Wide address;
    std::string_view file;
    uint32_t line, column;
    std::string_view macro{};  // of an expansion
  };

  void add(const Object& object);
  void add_with_needed(const Object& object);
  const Object* member_for(std::string_view name) const;
  bool any_named(std::string_view name) const;
  void resolve(const Linker& linker);
  Meaning& visible(std::string_view name);
  void define(const Object& object, size_t index);
  void add_instructions(const Object& object);
  Output& output(const Object& object, const ObjectSection& section);
  void pass();
  void pass_over(Unit& unit);
  void place_sections();
  uint64_t import(std::string_view name);
  Names list_symbols() const;
  uint64_t entry_of(const Names& symbols) const;
  void write();

  std::string_view entry_;
  Image& image_;
  std::list<Unit> units_;
  std::list<Meaning> meanings_;
  std::list<Output> outputs_;
  Names visible_, imports_, views_, sections_;
  std::vector<SourceLine> lines_, expansions_;
  std::optional<Wide> said_entry_;
  int pass_ = 0, patience_ = 1;  // until all objects are there
  bool changed_ = false, writing_ = false;
};

}  // namespace comet::linking
