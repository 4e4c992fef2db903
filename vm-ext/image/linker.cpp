#include "linker.h"

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <list>
#include <map>
#include <tuple>

#include "../api/guard.h"
#include "text.h"

namespace comet {
namespace {

constexpr uint64_t first_address = 65536, page = 65536;
constexpr uint64_t memory_limit = uint64_t{1} << 30, bytes_limit = uint64_t{1} << 28;
// Sizes are the least ones in the first passes, as long as addresses are not known. What is not settled after as many
// passes as may be taken, which only long chains of jumps over one another come to, takes as much as it ever can, and is
// given a few more passes.
constexpr int free_passes = 2, last_passes = 20;
int patience(uint64_t length) { return static_cast<int>(std::clamp<uint64_t>((uint64_t{1} << 28) / (length + 1), 30, 1000)); }

constexpr Wide two_to(unsigned n) { return Wide{1} << n; }
bool fits_64(Wide value) { return value >= -two_to(63) && value < two_to(64); }
constexpr uint64_t zigzag(uint64_t value) { return (value << 1) ^ (0 - (value >> 63)); }

unsigned bits(Wide value) {
  const Wide magnitude = value < 0 ? ~value : value;
  const uint64_t high = static_cast<uint64_t>(magnitude >> 64);
  return high != 0 ? 64 + static_cast<unsigned>(std::bit_width(high))
                   : static_cast<unsigned>(std::bit_width(static_cast<uint64_t>(magnitude)));
}

uint64_t encoded_length(uint64_t field) { return (static_cast<uint64_t>(std::bit_width(field | 1)) + 6) / 7; }

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

std::string place(std::string_view file, uint64_t line, uint64_t column) {
  return std::string(file) + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string place_of(const Object& object, const ObjectSymbol& symbol) {
  return place(object.sources[symbol.file], symbol.line, symbol.column) + " in " + object.name;
}

}  // namespace

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
    std::string_view macro;  // of an expansion
    size_t order;            // among those of one address
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

// Goes over the parts of one object.
class Pass {
 public:
  Pass(Link& link, Link::Unit& unit)
      : link_(link), unit_(unit), object_(*unit.object),
        in_(object_.file, object_.parts_offset, object_.parts_length, object_.name + ", chunk PART"), reached_(object_.sections.size()) {}

  void run() {
    while (in_.left() > 0) part();
    for (current_ = 0; current_ < reached_.size(); ++current_) take(object_.sections[current_].length - reached_[current_]);
  }

 private:
  [[noreturn, gnu::noinline]] void fail_here(const char* what, std::string_view name = "", const char* more = "") const {
    fail(COMET_ERROR_FORMAT, 0, "%s: %s%s%s (in %s, section %s)", place(file_, line_, column_).c_str(), what,
         name.empty() ? "" : quoted(name).c_str(), more, object_.name.c_str(),
         object_.sections.empty() ? "none" : quoted(section().name).c_str());
  }
  // What may be so only as long as nothing has settled.
  [[gnu::noinline]] Wide wrong(const char* what) const {
    if (link_.writing_) fail_here(what);
    return 0;
  }
  bool free_pass() const { return link_.pass_ <= free_passes; }

  const ObjectSection& section() const { return object_.sections[current_]; }
  Output& output() const { return *unit_.sections[current_]; }
  Wide here() const { return output().base + output().before; }

  void require_section() const {
    if (object_.sections.empty()) in_.refuse("there is no section for it");
  }

  uint64_t advance() {
    const uint64_t distance = in_.take_leb("a distance");
    if (object_.sections.empty()) return 0;
    if (distance > section().length - reached_[current_])
      in_.refuse("it lies behind the end of its section");
    take(distance);
    return distance;
  }

  void grow(uint64_t before, uint64_t now) {
    if (now > memory_limit - output().now) fail_here("the section would have more than 2^30 bytes");
    output().before += before;
    output().now += now;
  }

  // Bytes at the end of a section that has room for them already.
  void put(const uint8_t* bytes, uint64_t length) {
    if (!link_.writing_ || length == 0) return;
    if (output().now > bytes_limit) fail_here("the section would have more than 2^28 bytes in the image");
    output().bytes.resize(output().now - length);
    output().bytes.insert(output().bytes.end(), bytes, bytes + length);
  }

  void fill(uint64_t length, uint8_t byte) {
    if (!link_.writing_ || length == 0 || byte == 0) return;
    if (output().now > bytes_limit) fail_here("the section would have more than 2^28 bytes in the image");
    output().bytes.resize(output().now - length);
    output().bytes.resize(output().now, byte);
  }

  // The object's bytes from where the parts have come to.
  void take(uint64_t length) {
    const uint64_t start = reached_[current_], stored = section().bytes.size();
    reached_[current_] += length;
    const uint64_t bytes = start < stored ? std::min(length, stored - start) : 0;
    grow(bytes, bytes);
    put(section().bytes.data() + start, bytes);
    grow(length - bytes, length - bytes);
  }

  // What depends on addresses takes so many bytes now.
  void resize(uint64_t size) {
    if (item_ == unit_.sizes.size()) unit_.sizes.push_back(0);
    uint32_t& known = unit_.sizes[item_++];
    grow(known, size);
    if (known != size) link_.changed_ = true;
    known = static_cast<uint32_t>(size);
  }
  uint64_t size_before() const { return item_ < unit_.sizes.size() ? unit_.sizes[item_] : 0; }

  // ---- expressions -----------------------------------------------------------------------------------

  Wide look_up(uint64_t index) {
    const Meaning& meaning = *unit_.symbols[index];
    if (meaning.object == nullptr) {
      if (object_.symbols[index].binding == ObjectSymbol::weak) return 0;
      std::string hint;
      for (const Link::Unit& unit : link_.units_)
        for (const ObjectSymbol& symbol : unit.object->symbols)
          if (symbol.defined && !symbol.hidden && symbol.name == meaning.name)
            hint = "; there is one in " + place_of(*unit.object, symbol) + ", where .global is missing";
      fail_here("no object defines the label ", meaning.name, hint.c_str());
    }
    const Value& value = meaning.pass == link_.pass_ && meaning.now.section == nullptr ? meaning.now : meaning.before;
    return value.section == nullptr ? value.offset : value.section->base + value.offset;
  }

  Wide bounded(Wide value) const {
    return bits(value) > 125 ? wrong("a value has more than the 125 bits that this linker computes with") : value;
  }
  Wide product(Wide x, Wide y) const {
    if (bits(x) + bits(y) > 125) return wrong("a value has more than the 125 bits that this linker computes with");
    return x * y;
  }

  Wide operate(uint64_t number, Wide x, Wide y) const {
    if (number >= 1 && number <= 4 && y == 0) return wrong("division by zero");
    switch (number) {
      case 0: return product(x, y);
      case 1: return x % y != 0 ? wrong("a quotient is no integer") : x / y;
      case 2: return x / y;
      case 3: return x % y;
      case 4: return x % y != 0 && (x % y < 0) != (y < 0) ? x % y + y : x % y;
      case 5:
        if (y < 0) return x >> static_cast<int>(std::min<Wide>(-y, 127));
        return y > 125 ? wrong("a shift by more than 125 bits") : product(x, two_to(static_cast<unsigned>(y)));
      case 6: return x & y;
      case 7: return x | y;
      case 8: return x ^ y;
      case 9: return ~x;
      case 10: return x < 0 ? -x : x;
      case 11: return std::min(x, y);
      case 12: return std::max(x, y);
      case 13: return x == y;
      case 14: return x < y;
      case 15: return x > y;
      case 16: return x <= y;
      default: return x >= y;
    }
  }

  Wide node(uint64_t tag) {
    if (nodes_left_-- == 0) in_.refuse("an expression has more than 1000 parts");
    switch (tag) {
      case 0:
      case 3: return in_.take_integer();
      case 1: return look_up(in_.take_below(object_.symbols.size(), "the number of a symbol"));
      case 2: return static_cast<Wide>(link_.import(in_.take_text("the name of a host call")));
      case 4: {
        uint64_t count = in_.take_below(1000, "the number of terms");
        Wide sum = bounded(in_.take_integer());
        for (; count > 0; --count) {
          const Wide factor = in_.take_integer();
          sum = bounded(sum + product(factor, node(in_.take_leb("an expression"))));
        }
        return sum;
      }
      default: {
        const uint64_t number = tag - 16;
        if (number > 17) in_.refuse("there is no such expression");
        const Wide x = node(in_.take_leb("an expression"));
        return operate(number, x, number == 9 || number == 10 ? 0 : node(in_.take_leb("an expression")));
      }
    }
  }
  Wide expression(uint64_t tag) {
    nodes_left_ = 1000;
    return node(tag);
  }
  Wide expression() { return expression(in_.take_leb("an expression")); }

  // ---- parts -----------------------------------------------------------------------------------------

  void part() {
    const uint64_t at = in_.offset(), tag = in_.take_leb("a part");
    switch (tag) {
      case 0: current_ = in_.take_below(object_.sections.size(), "the number of a section"); return;
      case 1:
        advance();
        begin();
        if (in_.take_below(2, "a statement's flag") == 1) note_line(0, line_, column_);
        return;
      case 2: {
        require_section();
        advance();
        if (Meaning* meaning = definition()) define(*meaning, {&output(), static_cast<Wide>(output().now)});
        return;
      }
      case 3: {
        Meaning* const meaning = definition();
        const Wide value = expression();
        in_.take_below(2, "a symbol's kind");
        if (meaning != nullptr) define(*meaning, {nullptr, fits_64(value) ? value : wrong("a value does not fit into 64 bits")});
        return;
      }
      case 4: return instruction();
      case 5: return directive();
      case 6: link_.import(in_.take_text("the name of a host call")); return;
      case 7: return made();
      case 8: link_.said_entry_ = expression(); return;
      case 9: {
        const std::string_view name = in_.take_text("a name"), view = in_.take_text("a view");
        Named& there = link_.views_[std::string(name)];
        if (!there.text.empty() && there.text != view) fail_here("there is another view already of ", name);
        there.text = view;
        return;
      }
      case 10: return instructions();
      default: in_.refuse("there is no such part", at);
    }
  }

  // The meaning that the next symbol's definition gives, or null where another object's definition counts.
  Meaning* definition() {
    const uint64_t at = in_.offset(), index = in_.take_below(object_.symbols.size(), "the number of a symbol");
    if (!object_.symbols[index].defined) in_.refuse("it defines a symbol that is said to be elsewhere", at);
    Meaning* const meaning = unit_.symbols[index];
    return meaning->object == &object_ ? meaning : nullptr;  // an object has a name once
  }
  void define(Meaning& meaning, Value value) {
    meaning.now = value;
    meaning.pass = link_.pass_;
    meaning.file = file_;
  }

  void begin() {
    file_ = object_.sources[in_.take_below(object_.sources.size(), "the number of a file")];
    const uint64_t at = in_.offset();
    const Wide line = in_.take_integer() + static_cast<Wide>(statement_line_);
    if (line < 0 || line > UINT32_MAX) in_.refuse("there is no such line", at);
    line_ = statement_line_ = static_cast<uint64_t>(line);
    column_ = take_32("a column");
  }
  uint64_t take_32(const char* what) { return in_.take_below(uint64_t{1} << 32, what); }

  void note_line(uint64_t distance, uint64_t line, uint64_t column) {
    if (link_.writing_)
      link_.lines_.push_back({here() + distance, file_, static_cast<uint32_t>(line), static_cast<uint32_t>(column), {}, 0});
  }

  // The code of several lines, which lies between this part and the next.
  void instructions() {
    require_section();
    advance();
    begin();
    const std::span<const uint8_t> places = in_.take_blob("places");
    if (!link_.writing_) return;
    ObjectFields in(places, 0, places.size(), object_.name + ", chunk PART, in a run");
    uint64_t distance = 0, line = line_;
    while (in.left() > 0) {
      const uint64_t size = in.take_below(128, "an instruction's size");
      line = std::min<uint64_t>(line + in.take_below(uint64_t{1} << 32, "a line"), UINT32_MAX);
      note_line(distance, line, in.take_below(uint64_t{1} << 32, "a column"));
      distance += size;
    }
  }

  void made() {
    require_section();
    advance();
    const auto source = [&] { return object_.sources[in_.take_below(object_.sources.size(), "the number of a file")]; };
    const std::string_view file = source();
    const auto number = [&] { return static_cast<uint32_t>(take_32("a line or column")); };
    const uint32_t line = number(), column = number();
    if (link_.writing_) link_.lines_.push_back({here(), file, line, column, {}, 0});
    for (uint64_t left = in_.take_count(0, 5, "macros"); left > 0; --left) {
      const std::string_view macro = in_.take_text("a macro's name"), in_file = source();
      const uint32_t in_line = number(), in_column = number();
      if (link_.writing_) link_.expansions_.push_back({here(), in_file, in_line, in_column, macro, link_.expansions_.size()});
    }
  }

  // Place and stand-in of what depends on addresses.
  void begin_item() {
    require_section();
    advance();
    const uint64_t length = in_.take_leb("a length");
    if (length > section().length - reached_[current_]) in_.refuse("it goes beyond the end of its section");
    reached_[current_] += length;
    line_ = take_32("a line");
    column_ = take_32("a column");
  }

  uint64_t encode(char kind, Wide value) const {
    const bool fits = kind == 'h' ? value >= 0 && value <= UINT32_MAX : kind == 'n' ? value >= 0 && value < two_to(64) : fits_64(value);
    if (!fits) return static_cast<uint64_t>(wrong("a number does not fit into its operand"));
    const uint64_t low = static_cast<uint64_t>(value);
    if (kind == 'p') return zigzag(low - static_cast<uint64_t>(here()));
    return kind == 'i' || kind == 'o' ? zigzag(low) : low;
  }

  void instruction() {
    begin_item();
    const uint64_t at = in_.offset(), opcode = in_.take_leb("an opcode");
    const isa::Definition* const own = link_.image_.isa().definitions.find(opcode);
    const isa::Operation operation = own == nullptr ? isa::find(opcode) : isa::operation_count;
    if (own == nullptr && operation == isa::operation_count) in_.refuse("there is no such instruction", at);
    const std::string_view kinds = own != nullptr ? std::string_view(own->operands) : isa::describe(operation).operands;
    uint64_t fields[1 + isa::max_operands] = {opcode}, lengths[1 + isa::max_operands] = {encoded_length(opcode)};
    uint64_t size = lengths[0];
    for (size_t i = 0; i < kinds.size(); ++i) {
      const uint64_t tag = in_.take_leb("a field");
      uint64_t& field = fields[1 + i];
      if (tag == 0) {
        field = in_.take_leb("a field");
      } else {
        const Wide value = expression(tag);
        if (isa::names_register(kinds[i]) || kinds[i] == 't') in_.refuse("a register is an expression", at);
        field = free_pass() ? 0 : encode(kinds[i], value);
      }
      size += lengths[1 + i] = encoded_length(field);
    }
    uint64_t padding = size_before() > size ? size_before() - size : 0;
    if (link_.pass_ > link_.patience_) padding = lengths[0] + 10 * kinds.size() - size;
    resize(size + padding);
    if (!link_.writing_) return;
    for (size_t i = kinds.size(); i > 0 && padding > 0; --i) {
      const uint64_t more = std::min(padding, 10 - lengths[i]);
      lengths[i] += more;
      padding -= more;
    }
    uint8_t bytes[isa::max_instruction_bytes];
    size_t count = 0;
    for (size_t i = 0; i <= kinds.size(); ++i)
      for (uint64_t n = lengths[i]; n > 0; --n, fields[i] >>= 7)
        bytes[count++] = static_cast<uint8_t>((fields[i] & 0x7f) | (n > 1 ? 0x80 : 0));
    isa::Decoded decoded;
    if (isa::decode(bytes, count, &link_.image_.isa().definitions, decoded) != isa::DecodeStatus::ok)
      fail_here(decoded.broken != nullptr ? isa::words(*decoded.broken, *own).c_str() : "the operands are none of this instruction");
    put(bytes, count);
  }

  void put_number(Wide value, uint64_t size) {
    uint8_t bytes[16];
    for (uint64_t i = 0; i < size; ++i, value >>= 8) bytes[i] = static_cast<uint8_t>(value & 0xff);
    put(bytes, size);
  }

  // Numbers, each of its own size, that of the pass before at least where they are padded.
  void put_leb(Wide value, bool is_signed) {
    if (!(is_signed ? fits_64(value) : value >= 0 && value < two_to(64)))
      value = wrong("the number does not fit into 64 bits");
    uint64_t size = is_signed ? bits(value) / 7 + 1 : encoded_length(static_cast<uint64_t>(value));
    if (!is_signed) size = free_pass() ? 1 : std::max(size, std::min<uint64_t>(size_before(), 10));
    resize(size);
    uint8_t bytes[10];
    for (uint64_t i = 0; i < size; ++i, value >>= 7)
      bytes[i] = static_cast<uint8_t>((value & 0x7f) | (i + 1 < size ? 0x80 : 0));
    put(bytes, size);
  }

  uint64_t room(Wide size) const {
    return static_cast<uint64_t>(size < 0 || size > Wide{memory_limit} ? wrong("it would take less than nothing or more than 2^30 bytes") : size);
  }
  uint8_t byte(Wide value) const {
    return static_cast<uint8_t>((value < -128 || value > 255 ? wrong("a byte to fill with is none") : value) & 0xff);
  }

  void directive() {
    begin_item();
    enum { d_byte, d_half, d_word, d_quad, d_uleb128, d_sleb128, d_zero, d_skip, d_fill, d_align, d_org, d_assert, d_end };
    const uint64_t number = in_.take_below(d_end, "the number of a directive"), at = in_.offset();
    const uint64_t count = in_.take_count(0, 2, "operands");
    if (number <= d_sleb128) {
      for (uint64_t i = 0; i < count; ++i) {
        const Wide value = expression();
        if (number == d_uleb128 || number == d_sleb128) {
          put_leb(value, number == d_sleb128);
          continue;
        }
        const unsigned size = 1u << number;
        resize(size);
        const bool fits = value >= -two_to(8 * size - 1) && value < two_to(8 * size);
        put_number(fits ? value : wrong("the number does not fit into its bytes"), size);
      }
      return;
    }
    constexpr uint64_t most[] = {2, 2, 3, 2, 2, 2};
    if (count == 0 || count > most[number - d_zero]) in_.refuse("a directive has too few or too many operands", at);
    Wide values[3] = {0, number == d_fill ? 1 : 0, 0};
    std::string message = "what was asserted is false";
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t tag = in_.take_leb("an operand");
      if (number == d_assert && i == 1) {
        if (tag != 5) in_.refuse("an operand of .assert is of the wrong kind", at);
        const std::span<const uint8_t> bytes = in_.take_blob("a message");
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        message = valid_name(text) ? std::string(text) : quoted(text); // it may be shown by a terminal
      } else {
        values[i] = expression(tag);
      }
    }
    switch (number) {
      case d_assert:
        if (values[0] == 0) wrong(message.c_str());
        return;
      case d_fill: {
        const Wide size = values[1];
        if (size != 1 && size != 2 && size != 4 && size != 8) {
          wrong("`.fill` repeats values of 1, 2, 4 or 8 bytes");
          return;
        }
        const uint64_t times = room(values[0]), length = room(product(values[0], size));
        resize(length);
        if (values[2] == 0) return;
        if (size == 1) return fill(length, byte(values[2]));
        if (length > bytes_limit) wrong("it would take more than 2^28 bytes in the image");
        if (!link_.writing_) return;
        uint8_t bytes[8];
        for (Wide i = 0, value = values[2]; i < size; ++i, value >>= 8) bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(value & 0xff);
        const uint64_t end = output().now;
        for (uint64_t i = times; i > 0; --i) {
          output().now = end - (i - 1) * static_cast<uint64_t>(size);
          put(bytes, static_cast<uint64_t>(size));
        }
        return;
      }
      case d_align: {
        const Wide alignment = values[0];
        if (alignment < 1 || alignment > Wide{page} || (alignment & (alignment - 1)) != 0) {
          wrong("`.align` expects a power of two up to 65536");
          return;
        }
        const bool code = (section().protection & COMET_EXECUTE) != 0;
        const Wide nop = code && count == 1 ? isa::describe(isa::op_nop).opcode : values[1];
        const uint64_t length = static_cast<uint64_t>(-(output().base + output().now) & (alignment - 1));
        resize(length);
        return fill(length, byte(nop));
      }
      default: {
        const Wide address = output().base + output().now;
        if (number == d_org && values[0] < address) wrong("`.org` cannot go back");
        const uint64_t length = room(number == d_org ? values[0] - address : values[0]);
        resize(length);
        return fill(length, byte(values[1]));
      }
    }
  }

  Link& link_;
  Link::Unit& unit_;
  const Object& object_;
  ObjectFields in_;
  std::vector<uint64_t> reached_;  // how far each section of the object was taken
  size_t current_ = 0;
  size_t item_ = 0;
  unsigned nodes_left_ = 0;
  std::string_view file_ = "no source file";
  uint64_t statement_line_ = 0, line_ = 0, column_ = 0;
};

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
    Pass(*this, unit).run();
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
  std::sort(listed.begin(), listed.end(), [&](const Meaning* x, const Meaning* y) {
    return std::tuple(y->visible, value_of(x), x->name, x->object->name) < std::tuple(x->visible, value_of(y), y->name, y->object->name);
  });
  Names symbols;
  std::map<std::string, size_t> next_of; // objects may be many that have the same names
  for (const Meaning* meaning : listed) {
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
  std::sort(expansions_.begin(), expansions_.end(),
            [](const SourceLine& x, const SourceLine& y) { return std::tie(x.address, x.order) < std::tie(y.address, y.order); });
  for (const SourceLine& line : expansions_)
    image_.add_expansion(static_cast<uint64_t>(line.address), line.macro, line.file, line.line, line.column);
  for (const auto& [name, view] : views_) image_.add_view(name, view.text);
  std::vector<std::string_view> names(imports_.size());
  for (const auto& [name, import] : imports_) names[import.number] = name;
  for (const std::string_view name : names) image_.add_import(name);
  image_.set_entry(entry_of(symbols));
}

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
    Link(*this, entry, image);
  } catch (const Failure& failure) {
    // What the image refuses, too.
    fail(failure.status == COMET_ERROR_ARGUMENT ? COMET_ERROR_FORMAT : failure.status, failure.address, "%s", failure.message);
  }
}

}  // namespace comet
