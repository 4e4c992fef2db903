#include "linker.h"

#include <algorithm>
#include <cinttypes>
#include <tuple>

#include "../api/guard.h"
#include "../api/in_order.h"
#include "link.h"
#include "text.h"

namespace comet::linking {
namespace {

constexpr uint64_t first_address = 65536;
// What is not settled after as many passes as may be taken, which only long chains of jumps over one another come to,
// takes as much as it ever can, and is given a few more passes.
constexpr int last_passes = 20;
int patience(uint64_t length) { return static_cast<int>(std::clamp<uint64_t>((uint64_t{1} << 28) / (length + 1), 30, 1000)); }

}  // namespace

std::string place(std::string_view file, uint64_t line, uint64_t column) {
  return std::string(file) + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string place_of(const Object& object, const ObjectSymbol& symbol) {
  return place(object.sources[symbol.file], symbol.line, symbol.column) + " in " + object.name;
}

// ---- what takes part ---------------------------------------------------------------------------------

Meaning& Link::visible(std::string_view name) {
  Meaning*& meaning = visible_[std::string(name)].meaning;
  if (meaning == nullptr) {
    meaning = &meanings_.emplace_back();
    meaning->name = name;
    meaning->visible = true;
  }
  return *meaning;
}

void Link::define(const Object& object, size_t index) {
  const ObjectSymbol& symbol = object.symbols[index];
  Meaning& meaning = visible(symbol.name);
  if (meaning.object != nullptr) {
    if (symbol.binding == ObjectSymbol::weak) return;
    if (meaning.symbol().binding == ObjectSymbol::global)
      fail(COMET_ERROR_FORMAT, 0, "%s: the label %s is defined already, at %s; one of them can be .weak or not .global",
           place_of(object, symbol).c_str(), quoted(symbol.name).c_str(), place_of(*meaning.object, meaning.symbol()).c_str());
  }
  meaning.object = &object;
  meaning.index = index;
}

void Link::add_instructions(const Object& object) {
  for (const isa::Definition& definition : object.definitions) {
    const isa::Definitions& there = image_.isa().definitions;
    const isa::Definition* other = there.find(definition.name);
    if (other == nullptr) other = there.find(definition.opcode);
    if (other == nullptr) {
      image_.add_instruction(definition);
    } else if (other->opcode != definition.opcode || other->name != definition.name ||
               other->operands != definition.operands || other->body != definition.body) {
      fail(COMET_ERROR_FORMAT, 0, "%s: the instruction %s (opcode %" PRIu64 ") is another one than in an object before it; all objects of a program need the same",
           object.name.c_str(), quoted(definition.name).c_str(), definition.opcode);
    }
  }
}

void Link::add(const Object& object) {
  Unit& unit = units_.emplace_back();
  unit.object = &object;
  for (size_t i = 0; i < object.symbols.size(); ++i) {
    const ObjectSymbol& symbol = object.symbols[i];
    if (symbol.binding != ObjectSymbol::local) {
      unit.symbols.push_back(&visible(symbol.name));
      if (symbol.defined) define(object, i);
      continue;
    }
    Meaning& own = meanings_.emplace_back();
    own.name = symbol.name;
    own.object = &object;
    own.index = i;
    unit.symbols.push_back(&own);
  }
  add_instructions(object);
}

// The member of an archive that defines what nothing has defined yet.
const Object* Link::member_for(std::string_view name) const {
  const auto known = visible_.find(name);
  return known == visible_.end() || known->second.meaning->object != nullptr ? nullptr : known->second.meaning->member;
}

// Depth first, so that members stand in the order in which they were found to be needed; with a stack of its own, for
// chains may be as long as archives.
void Link::add_with_needed(const Object& object) {
  add(object);
  std::vector<std::pair<const Object*, size_t>> under_way{{&object, 0}};
  while (!under_way.empty()) {
    auto& [of, next] = under_way.back();
    if (next == of->symbols.size()) {
      under_way.pop_back();
      continue;
    }
    const ObjectSymbol& symbol = of->symbols[next++];
    if (symbol.defined || symbol.binding != ObjectSymbol::global) continue;
    if (const Object* const member = member_for(symbol.name)) {
      add(*member);
      under_way.emplace_back(member, 0);
    }
  }
}

void Link::resolve(const Linker& linker) {
  for (const Linker::Input& input : linker.inputs_) {
    if (!input.archive) {
      add_with_needed(*input.objects.front());
      continue;
    }
    for (const auto& member : input.objects)
      for (const ObjectSymbol& symbol : member->symbols)
        if (symbol.defined && symbol.binding != ObjectSymbol::local)
          if (Meaning& meaning = visible(symbol.name); meaning.member == nullptr) meaning.member = member.get();
    if (!entry_.empty())
      if (const Object* const member = member_for(entry_)) add_with_needed(*member);
    const size_t count = units_.size();
    for (auto [n, unit] = std::pair(size_t{0}, units_.begin()); n < count; ++n, ++unit)
      for (const ObjectSymbol& symbol : unit->object->symbols)
        if (!symbol.defined && symbol.binding == ObjectSymbol::global)
          if (const Object* const member = member_for(symbol.name)) add_with_needed(*member);
  }
}

bool Link::any_named(std::string_view name) const {
  for (const Unit& unit : units_)
    for (const ObjectSymbol& symbol : unit.object->symbols)
      if (symbol.defined && !symbol.hidden && symbol.name == name) return true;
  return false;
}

// ---- passes ------------------------------------------------------------------------------------------

Output& Link::output(const Object& object, const ObjectSection& section) {
  Output*& output = sections_[std::string(section.name)].output;
  if (output == nullptr) {
    output = &outputs_.emplace_back(Output{section.name, section.protection, section.address, first_address, 0, 0, {}});
  } else if (output->protection != section.protection || (section.address && section.address != output->address)) {
    fail(COMET_ERROR_FORMAT, 0, "%s: the section %s has another protection or address in an object before it",
         object.name.c_str(), quoted(section.name).c_str());
  }
  return *output;
}

uint64_t Link::import(std::string_view name) {
  return imports_.emplace(name, Named{.number = imports_.size()}).first->second.number;
}

void Link::pass() {
  ++pass_;
  changed_ = false;
  for (Output& output : outputs_) output.before = output.now = 0;
  for (Unit& unit : units_) {
    if (unit.sections.empty())
      for (const ObjectSection& section : unit.object->sections) unit.sections.push_back(&output(*unit.object, section));
    pass_over(unit);
  }
  for (Meaning& meaning : meanings_) {
    if (meaning.object != nullptr && meaning.pass != pass_)
      fail(COMET_ERROR_FORMAT, 0, "%s: not a valid object: nothing defines symbol %zu; the file is damaged or its writer is at fault: make it again",
           meaning.object->name.c_str(), meaning.index);
    if (!(meaning.before == meaning.now)) changed_ = true;
    meaning.before = meaning.now;
  }
  place_sections();
}

// Each begins a page behind the end of the one before it, or where it says.
void Link::place_sections() {
  uint64_t total = 0;
  Wide base = first_address;
  for (Output& output : outputs_) {
    if (output.address) base = *output.address;
    if (base != output.base) changed_ = true;
    output.base = base;
    base = (base + std::max<uint64_t>(output.now, 1) + page - 1) / page * page;
    total += output.now;
  }
  if (total > memory_limit) fail(COMET_ERROR_FORMAT, 0, "the program would take %" PRIu64 " bytes of memory: the sections together may have 2^30", total);
}

Link::Link(const Linker& linker, std::string_view entry, Image& image) : entry_(entry), image_(image) {
  resolve(linker);
  pass();
  if (entry_.empty() && !said_entry_ && !any_named("_start") && !any_named("main")) {
    const Object* member = member_for("_start");
    if (member == nullptr) member = member_for("main");
    if (member != nullptr) add_with_needed(*member);
  }
  uint64_t length = 0;
  for (const Unit& unit : units_) length += unit.object->parts_length;
  patience_ = patience(length);
  if (units_.empty()) fail(COMET_ERROR_FORMAT, 0, "there is nothing to link; add objects first");
  do {
    if (pass_ == patience_ + last_passes)
      fail(COMET_ERROR_FORMAT, 0, "the labels do not settle: after %d passes they still move, because values are computed from one another in a circle", pass_);
    pass();
  } while (changed_ || pass_ <= free_passes + 1);
  writing_ = true;
  pass();
  write();
}

// ---- the program -------------------------------------------------------------------------------------

// A program has each name once: of several objects' own symbols of one name the first keeps it, and the others have
// their source behind it; constants that say the same are one.
Names Link::list_symbols() const {
  std::vector<const Meaning*> listed;
  for (const Meaning& meaning : meanings_)
    if (meaning.object != nullptr && !meaning.symbol().hidden) listed.push_back(&meaning);
  const auto value_of = [](const Meaning* meaning) {
    return meaning->now.section == nullptr ? meaning->now.offset : meaning->now.section->base + meaning->now.offset;
  };
  const std::vector<size_t> order = in_order(listed.size(), [&](size_t a, size_t b) {
    const Meaning *const x = listed[a], *const y = listed[b];
    return std::tuple(y->visible, value_of(x), x->name, x->object->name) < std::tuple(x->visible, value_of(y), y->name, y->object->name);
  });
  Names symbols;
  std::map<std::string, size_t> next_of; // objects may be many that have the same names
  for (const size_t place : order) {
    const Meaning* const meaning = listed[place];
    const Named symbol{.number = static_cast<uint64_t>(value_of(meaning)), .constant = meaning->now.section == nullptr};
    std::string name(meaning->name);
    if (const auto before = symbols.find(name); before != symbols.end()) {
      if (symbol.constant && before->second.constant && before->second.number == symbol.number) continue;
      name += "@" + std::string(meaning->file.substr(meaning->file.rfind('/') + 1));
      const std::string with_file = name;
      for (size_t& n = next_of.try_emplace(name, 2).first->second; symbols.contains(name); ++n)
        name = with_file + "." + std::to_string(n);
    }
    symbols.emplace(name, symbol);
  }
  return symbols;
}

uint64_t Link::entry_of(const Names& symbols) const {
  const auto named = [&](std::string_view name) {
    const auto found = symbols.find(name);
    return found == symbols.end() ? nullptr : &found->second.number;
  };
  if (!entry_.empty()) {
    if (const uint64_t* address = named(entry_)) return *address;
    fail(COMET_ERROR_FORMAT, 0, "the entry %s is not defined in any object", quoted(entry_).c_str());
  }
  if (said_entry_) {
    if (*said_entry_ >= 0 && *said_entry_ < two_to(64)) return static_cast<uint64_t>(*said_entry_);
    fail(COMET_ERROR_FORMAT, 0, "the entry that an object gives is no address of 0 to 2^64-1");
  }
  if (const uint64_t* address = named("_start")) return *address;
  if (const uint64_t* address = named("main")) return *address;
  const Output* found = nullptr;
  const auto rank = [](const Output& output) { return output.name == ".text" ? 2 : (output.protection & COMET_EXECUTE) != 0 ? 1 : 0; };
  for (const Output& output : outputs_)
    if (output.now > 0 && (found == nullptr || rank(output) > rank(*found))) found = &output;
  return found == nullptr ? first_address : static_cast<uint64_t>(found->base);
}

void Link::write() {
  for (const Output& output : outputs_) {
    if (output.now == 0) continue;
    if (output.base + output.now > two_to(64))
      fail(COMET_ERROR_FORMAT, 0, "the section %s ends behind the address space", quoted(output.name).c_str());
    image_.add_section(output.name, static_cast<uint64_t>(output.base), output.bytes.data(), output.bytes.size(), output.now, output.protection);
  }
  const Names symbols = list_symbols();
  for (const auto& [name, symbol] : symbols) image_.add_symbol(name, symbol.number);
  for (const SourceLine& line : lines_)
    image_.add_line(static_cast<uint64_t>(line.address), image_.add_file(line.file), line.line, line.column);
  for (const size_t n : in_order(expansions_.size(), [&](size_t a, size_t b) { return expansions_[a].address < expansions_[b].address; })) {
    const SourceLine& line = expansions_[n];
    image_.add_expansion(static_cast<uint64_t>(line.address), line.macro, line.file, line.line, line.column);
  }
  for (const auto& [name, view] : views_) image_.add_view(name, view.text);
  std::vector<std::string_view> names(imports_.size());
  for (const auto& [name, import] : imports_) names[import.number] = name;
  for (const std::string_view name : names) image_.add_import(name);
  image_.set_entry(entry_of(symbols));
}

}  // namespace comet::linking

namespace comet {

// ---- inputs ------------------------------------------------------------------------------------------

void Linker::add(std::string_view name, const uint8_t* bytes, size_t length) {
  Input input{is_archive(bytes, length), {}};
  if (input.archive) {
    input.objects = read_archive(name, bytes, length);
  } else {
    input.objects.push_back(read_object(name, bytes, length));
  }
  inputs_.push_back(std::move(input));
}

void Linker::link(std::string_view entry, Image& image) const {
  try {
    linking::Link(*this, entry, image);
  } catch (const Failure& failure) {
    // What the image refuses, too.
    fail(failure.status == COMET_ERROR_ARGUMENT ? COMET_ERROR_FORMAT : failure.status, failure.address, "%s", failure.message);
  }
}

}  // namespace comet
