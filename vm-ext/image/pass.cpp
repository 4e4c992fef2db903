// A pass over the parts of one object: link.h.
#include <algorithm>
#include <bit>

#include "../api/guard.h"
#include "link.h"
#include "text.h"

namespace comet::linking {
namespace {

constexpr uint64_t bytes_limit = uint64_t{1} << 28;

bool fits_64(Wide value) { return value >= -two_to(63) && value < two_to(64); }
constexpr uint64_t zigzag(uint64_t value) { return (value << 1) ^ (0 - (value >> 63)); }

unsigned bits(Wide value) {
  const Wide magnitude = value < 0 ? ~value : value;
  const uint64_t high = static_cast<uint64_t>(magnitude >> 64);
  return high != 0 ? 64 + static_cast<unsigned>(std::bit_width(high))
                   : static_cast<unsigned>(std::bit_width(static_cast<uint64_t>(magnitude)));
}

uint64_t encoded_length(uint64_t field) { return (static_cast<uint64_t>(std::bit_width(field | 1)) + 6) / 7; }

}  // namespace

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

  // So many bytes at the end of a section that has room for them already.
  uint8_t* bytes_for(uint64_t length, uint8_t byte) {
    if (output().now > bytes_limit) fail_here("the section would have more than 2^28 bytes in the image");
    output().bytes.resize(output().now - length);
    output().bytes.resize(output().now, byte);
    return output().bytes.data() + (output().now - length);
  }
  void put(const uint8_t* bytes, uint64_t length) {
    if (link_.writing_ && length != 0) std::copy_n(bytes, length, bytes_for(length, 0));
  }
  void fill(uint64_t length, uint8_t byte) {
    if (link_.writing_ && length != 0 && byte != 0) bytes_for(length, byte);
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
      link_.lines_.push_back({here() + distance, file_, static_cast<uint32_t>(line), static_cast<uint32_t>(column)});
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
    if (link_.writing_) link_.lines_.push_back({here(), file, line, column});
    for (uint64_t left = in_.take_count(0, 5, "macros"); left > 0; --left) {
      const std::string_view macro = in_.take_text("a macro's name"), in_file = source();
      const uint32_t in_line = number(), in_column = number();
      if (link_.writing_) link_.expansions_.push_back({here(), in_file, in_line, in_column, macro});
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
    // beyond tests: there is room for all of it
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
        message = valid_name(text) ? std::string(text) : quoted(text).c_str(); // it may be shown by a terminal
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

void Link::pass_over(Unit& unit) { Pass(*this, unit).run(); }

}  // namespace comet::linking
