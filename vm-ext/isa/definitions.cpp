// Definitions: their bodies are checked here, whoever they come from.
#include "definitions.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "../api/guard.h"

namespace comet::isa {
namespace {

constexpr std::size_t longest_name = 63;
constexpr std::string_view letters = "abc";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Fit for the assembler: no register, directive or number.
bool valid_mnemonic(std::string_view name) {
  if (name.empty() || name.size() > longest_name || !is_letter(name[0])) return false;
  if (!std::all_of(name.begin(), name.end(),
                   [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '?' || c == '!'; }))
    return false;
  const bool number = name.size() > 1 && std::all_of(name.begin() + 1, name.end(), is_digit);
  return !(number && (name[0] == 'r' || name[0] == 't'));
}

bool is_signed(char kind) { return kind == 'i' || kind == 'o' || kind == 'n'; }

// What may stand for what: registers, windows and numbers among themselves, all else only for its like.
char class_of(char kind) {
  switch (kind) {
    case 'd': case 's': case 'x': return 's';
    case 'u': case 'n': case 'i': case 'o': case 'c': return 'u';
    default: return kind;
  }
}

bool reads_register(char kind) { return kind == 's' || kind == 'x'; }

// Whether nothing may stand behind it: it goes elsewhere, ends the run, or writes any number of bytes.
bool must_stand_last(Operation operation) {
  switch (operation) {
    case op_bcopy: case op_bfill:
      return true;
    case op_nop: case op_select: case op_tget: case op_tset:
      return false;
    default:
      return std::strcmp(describe(operation).group, "control") == 0 || std::strcmp(describe(operation).group, "branch") == 0;
  }
}

class Body {
 public:
  Body(const Definition& definition) : definition_(definition), left_(definition.body) {}

  [[noreturn, gnu::format(printf, 2, 3)]] void refuse(const char* format, ...) const {
    char what[200];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    fail(COMET_ERROR_ARGUMENT, 0, "the instruction `%s` cannot be defined: %s", definition_.name.c_str(), what);
  }

  std::uint64_t take(const char* what) {
    std::uint64_t value = 0;
    std::size_t at = at_;
    if (read_field(left_.data(), left_.size(), at, value) != DecodeStatus::ok)
      refuse("its body ends, or is no ULEB128, at byte %zu, where %s is expected", at_, what);
    at_ = at;
    return value;
  }
  bool at_end() const { return at_ == left_.size(); }
  std::size_t at() const { return at_; }

 private:
  const Definition& definition_;
  const std::vector<std::uint8_t>& left_;
  std::size_t at_ = 0;
};

void read_ranges(Body& body, Definition& definition) {
  const std::uint64_t count = body.take("the number of ranges");
  if (count > definition.operands.size()) body.refuse("it has %llu ranges for %zu operands", static_cast<unsigned long long>(count), definition.operands.size());
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t operand = body.take("a range's operand");
    if (operand == 0 || operand > definition.operands.size()) body.refuse("range %llu is that of no operand", static_cast<unsigned long long>(i + 1));
    const char kind = definition.operands[operand - 1];
    if (class_of(kind) != 'u' && class_of(kind) != 's' && kind != 't' && kind != 'w')
      body.refuse("operand %c has a range, but only registers and numbers can have one", letters[operand - 1]);
    std::uint64_t low = body.take("a range's low end"), high = body.take("a range's high end");
    if (is_signed(kind)) {
      low = zigzag_decode(low);
      high = zigzag_decode(high);
    }
    const bool empty = is_signed(kind) ? static_cast<std::int64_t>(low) > static_cast<std::int64_t>(high) : low > high;
    if (empty) body.refuse("the range of operand %c is empty", letters[operand - 1]);
    definition.constraints.push_back({Constraint::Kind::range, static_cast<std::uint8_t>(operand - 1), low, high});
  }
}

void read_parts(Body& body, Definition& definition) {
  const std::uint64_t count = body.take("the number of parts");
  if (count == 0 || count > max_parts) body.refuse("it has %llu parts, and may have 1 to %zu", static_cast<unsigned long long>(count), max_parts);
  for (std::uint64_t i = 1; i <= count; ++i) {
    const std::uint64_t opcode = body.take("a part's opcode");
    Part part{find(opcode), {}, {}};
    if (part.operation == operation_count)
      body.refuse("part %llu has opcode %llu, which is none of the table; definitions are made of the table's instructions",
                  static_cast<unsigned long long>(i), static_cast<unsigned long long>(opcode));
    const Instruction& line = describe(part.operation);
    for (std::size_t n = 0; line.operands[n] != 0; ++n) {
      const char kind = line.operands[n];
      const std::uint64_t source = body.take("where an operand comes from");
      if (source > definition.operands.size())
        body.refuse("part %llu (%s) takes an operand number %llu, and there are %zu", static_cast<unsigned long long>(i), line.name,
                    static_cast<unsigned long long>(source), definition.operands.size());
      part.source[n] = static_cast<std::uint8_t>(source);
      if (source == 0) {
        const std::uint64_t field = body.take("a constant");
        if (kind == 'p' || kind == 'h')
          body.refuse("part %llu (%s) has a constant for an address or a host call, which must be operands", static_cast<unsigned long long>(i), line.name);
        if ((kind == 'g' && field >> 32 != 0) || (kind == 't' && field >= COMET_THREAD_REGISTERS))
          body.refuse("part %llu (%s) has a constant that is too large", static_cast<unsigned long long>(i), line.name);
        part.constant[n] = meaning_of(kind, field);
      } else if (class_of(definition.operands[source - 1]) != class_of(kind)) {
        body.refuse("part %llu (%s) needs an operand of kind %c, and %c is of kind %c", static_cast<unsigned long long>(i), line.name, kind,
                    letters[source - 1], definition.operands[source - 1]);
      }
    }
    if (i < count && must_stand_last(part.operation))
      body.refuse("part %llu (%s) must be the last: it goes elsewhere, ends the run or moves any number of bytes", static_cast<unsigned long long>(i), line.name);
    if (count > 1 && part.operation == op_hcall) body.refuse("hcall must stand alone: its answer may come later");
    definition.parts.push_back(part);
  }
  if (!body.at_end()) body.refuse("its body goes on behind the last part, at byte %zu", body.at());
}

std::string text_of(const Definition& definition) {
  std::string text;
  for (const Part& part : definition.parts) {
    const Instruction& line = describe(part.operation);
    if (!text.empty()) text += "; ";
    text += line.name;
    for (std::size_t n = 0; line.operands[n] != 0; ++n) {
      text += n == 0 ? " " : ", ";
      if (part.source[n] != 0) text += letters[part.source[n] - 1u];
      else text += operand_text(line.operands[n], part.constant[n], 0);
    }
  }
  return text;
}

void constrain(Definition& definition, Constraint constraint) {
  for (const Constraint& known : definition.constraints)
    if (known.kind == constraint.kind && known.operand == constraint.operand && known.low == constraint.low) return;
  definition.constraints.push_back(constraint);
}

// Follows the parts: operands must be read and written as their kinds say; and what is read behind a write
// must be another register than the one that was written.
void check_use(const Body& body, Definition& definition) {
  bool used[max_operands] = {}, written[max_operands] = {};
  std::vector<std::uint64_t> registers; // constants that were written
  for (const Part& part : definition.parts) {
    const char* kinds = describe(part.operation).operands;
    for (std::size_t n = 0; kinds[n] != 0; ++n) {
      if (!names_register(kinds[n]) || !reads_register(kinds[n])) continue;
      if (part.source[n] == 0) { // a constant register that is read must be no operand that was written
        for (std::size_t each = 0; each < definition.operands.size(); ++each)
          if (written[each] && part.constant[n] != 0)
            constrain(definition, {Constraint::Kind::other_register, static_cast<std::uint8_t>(each), part.constant[n], 0});
        continue;
      }
      const std::size_t operand = part.source[n] - 1u;
      const char kind = definition.operands[operand];
      if (kind == 'd' && !written[operand])
        body.refuse("operand %c is of kind d, written, but %s reads it first: kind x is read and written", letters[operand],
                    describe(part.operation).name);
      if (written[operand]) constrain(definition, {Constraint::Kind::other_register, static_cast<std::uint8_t>(operand), 0, 0});
      for (std::size_t each = 0; each < definition.operands.size(); ++each)
        if (written[each] && each != operand)
          constrain(definition, {Constraint::Kind::other_operand, static_cast<std::uint8_t>(std::max(each, operand)), std::min(each, operand), 0});
      for (const std::uint64_t number : registers)
        constrain(definition, {Constraint::Kind::other_register, static_cast<std::uint8_t>(operand), number, 0});
    }
    for (std::size_t n = 0; kinds[n] != 0; ++n) {
      if (part.source[n] != 0) used[part.source[n] - 1] = true;
      if (!writes_register(kinds[n])) continue;
      if (part.source[n] == 0) {
        if (part.constant[n] != 0) registers.push_back(part.constant[n]);
        continue;
      }
      const std::size_t operand = part.source[n] - 1u;
      if (definition.operands[operand] == 's')
        body.refuse("operand %c is of kind s, read, but %s writes it: kind d is written, x both", letters[operand],
                    describe(part.operation).name);
      written[operand] = true;
    }
  }
  for (std::size_t each = 0; each < definition.operands.size(); ++each) {
    if (!used[each]) body.refuse("no part uses operand %c", letters[each]);
    if (writes_register(definition.operands[each]) && !written[each])
      body.refuse("operand %c is of kind %c, written, but no part writes it", letters[each], definition.operands[each]);
  }
}

} // namespace

Definition make_definition(std::uint64_t opcode, std::string_view name, std::string_view operands,
                           std::string_view meaning, const std::uint8_t* body, std::size_t length) {
  Definition made{opcode, std::string(name), std::string(operands), std::string(meaning),
                  std::vector<std::uint8_t>(body, body + length), {}, {}, {}};
  if (!valid_mnemonic(name))
    fail(COMET_ERROR_ARGUMENT, 0, "this cannot be the name of an instruction: it has 1 to %zu letters, digits, `_`, `.`, `-`, `?` or `!`, "
         "begins with a letter, and is no register", longest_name);
  const Body checked(made);
  if (operands.size() > max_operands || operands.find_first_not_of("dsxwuniopcthfg") != std::string_view::npos)
    checked.refuse("it has up to %u operands, of the kinds d s x w u n i o p c t h f g", max_operands);
  const Operation replaced = find(opcode);
  if (replaced != operation_count) {
    if (name != describe(replaced).name || operands != describe(replaced).operands)
      checked.refuse("opcode %llu is that of `%s`, which keeps its name and the kinds of its operands, %s",
                     static_cast<unsigned long long>(opcode), describe(replaced).name, describe(replaced).operands);
  } else {
    if (opcode < first_user_opcode)
      checked.refuse("opcode %llu is not for users to define; theirs begin at %llu", static_cast<unsigned long long>(opcode),
                     static_cast<unsigned long long>(first_user_opcode));
    for (std::size_t rank = 0; rank < operation_count; ++rank)
      if (name == by_rank(rank).name)
        checked.refuse("the table has an instruction of this name, opcode %u", unsigned{by_rank(rank).opcode});
  }
  Body reader(made);
  read_ranges(reader, made);
  read_parts(reader, made);
  check_use(reader, made);
  made.text = text_of(made);
  return made;
}

void Definitions::add(Definition definition) {
  const auto place = std::lower_bound(all_.begin(), all_.end(), definition.opcode,
                                      [](const auto& each, std::uint64_t wanted) { return each->opcode < wanted; });
  const bool there = place != all_.end() && (*place)->opcode == definition.opcode;
  if (const Definition* other = find(definition.name); other != nullptr && other->opcode != definition.opcode)
    fail(COMET_ERROR_ARGUMENT, 0, "the instruction `%s` is defined already, with opcode %llu", definition.name.c_str(),
         static_cast<unsigned long long>(other->opcode));
  if (there && (*place)->operands != definition.operands)
    fail(COMET_ERROR_ARGUMENT, 0, "opcode %llu is that of `%s`, whose operands are of the kinds `%s`; take another opcode for `%s`",
         static_cast<unsigned long long>(definition.opcode), (*place)->name.c_str(), (*place)->operands.c_str(), definition.name.c_str());
  if (!there && all_.size() == max_definitions)
    fail(COMET_ERROR_ARGUMENT, 0, "there are %zu definitions already, and no more are allowed", max_definitions);
  auto made = std::make_shared<const Definition>(std::move(definition));
  if (there) *place = std::move(made);
  else all_.insert(place, std::move(made));
}

const Definition* Definitions::find(std::uint64_t opcode) const {
  const auto place = std::lower_bound(all_.begin(), all_.end(), opcode,
                                      [](const auto& each, std::uint64_t wanted) { return each->opcode < wanted; });
  return place != all_.end() && (*place)->opcode == opcode ? place->get() : nullptr;
}

const Definition* Definitions::find(std::string_view name) const {
  for (const auto& each : all_)
    if (each->name == name) return each.get();
  return nullptr;
}

bool Definitions::operator==(const Definitions& other) const {
  return std::equal(all_.begin(), all_.end(), other.all_.begin(), other.all_.end(),
                    [](const auto& x, const auto& y) { return x == y || *x == *y; });
}

const Constraint* broken_constraint(const Definition& definition, const std::uint64_t* operands) {
  for (const Constraint& each : definition.constraints) {
    const std::uint64_t value = operands[each.operand];
    bool holds = true;
    switch (each.kind) {  // beyond tests: there are no others
      case Constraint::Kind::range:
        holds = is_signed(definition.operands[each.operand])
                    ? static_cast<std::int64_t>(value) >= static_cast<std::int64_t>(each.low) &&
                          static_cast<std::int64_t>(value) <= static_cast<std::int64_t>(each.high)
                    : value >= each.low && value <= each.high;
        break;
      case Constraint::Kind::other_operand: holds = value != operands[each.low]; break;
      case Constraint::Kind::other_register: holds = value != each.low; break;
    }
    if (!holds) return &each;
  }
  return nullptr;
}

std::string words(const Constraint& constraint, const Definition& definition) {
  const std::string operand(1, letters[constraint.operand]);
  const bool with_sign = is_signed(definition.operands[constraint.operand]);
  const bool negated = definition.operands[constraint.operand] == 'n';
  const auto number = [&](std::uint64_t value) {
    return with_sign ? std::to_string(static_cast<std::int64_t>(negated ? 0 - value : value)) : std::to_string(value);
  };
  switch (constraint.kind) {
    case Constraint::Kind::range:
      return "operand " + operand + " must be " + number(negated ? constraint.high : constraint.low) + " to " +
             number(negated ? constraint.low : constraint.high);
    case Constraint::Kind::other_operand:
      return "operands " + std::string(1, letters[constraint.low]) + " and " + operand +
             " must be different registers, for one is read behind a write to the other";
    case Constraint::Kind::other_register: break;
  }
  return "operand " + operand + " must not be r" + std::to_string(constraint.low) + ", which its parts use meanwhile";
}

Decoded decoded_part(const Decoded& whole, const Part& part) {
  Decoded decoded{};
  decoded.operation = part.operation;
  decoded.length = whole.length;
  decoded.opcode = describe(part.operation).opcode;
  for (const char* kind = describe(part.operation).operands; *kind != 0; ++kind) {
    const unsigned n = decoded.operand_count++;
    decoded.operands[n] = part.source[n] == 0 ? part.constant[n] : whole.operands[part.source[n] - 1];
  }
  return decoded;
}

} // namespace comet::isa
