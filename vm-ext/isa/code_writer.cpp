#include "code_writer.h"

#include <algorithm>

#include "../api/guard.h"
#include "../api/in_order.h"

namespace comet::isa {
namespace {

unsigned long long wide(std::uint64_t value) { return value; }

std::size_t encoded_length(std::uint64_t field) {
  std::size_t length = 1;
  while ((field >>= 7) != 0) ++length;
  return length;
}

void append(std::vector<std::uint8_t>& to, std::uint64_t field, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i, field >>= 7)
    to.push_back(static_cast<std::uint8_t>((field & 0x7f) | (i + 1 < length ? 0x80 : 0)));
}

constexpr std::uint64_t zigzag_encode(std::uint64_t value) { return (value << 1) ^ (0 - (value >> 63)); }

const char* kind_name(Operand::Kind kind) {
  switch (kind) {
    case Operand::Kind::window_register: return "a register";
    case Operand::Kind::thread_register: return "a thread register";
    case Operand::Kind::number: return "a number";
    default: return "a label";
  }
}

const char* wanted_by(char kind) {
  if (names_register(kind)) return "a register";
  if (kind == 't') return "a thread register";
  if (kind == 'p') return "an address or a label";
  return kind == 'u' || kind == 'i' || kind == 'o' ? "a number or a label" : "a number";
}

bool suits(char kind, Operand::Kind given) {
  switch (given) {
    case Operand::Kind::window_register: return names_register(kind);
    case Operand::Kind::thread_register: return kind == 't';
    case Operand::Kind::number: return !names_register(kind) && kind != 't';
    default: return kind == 'p' || kind == 'u' || kind == 'i' || kind == 'o' || kind == 'n';
  }
}

} // namespace

CodeWriter::Shape CodeWriter::shape_of(std::uint64_t opcode) const {
  if (const Definition* const own = own_.find(opcode)) return {own->name.c_str(), own->operands.c_str(), own};
  const Operation operation = isa::find(opcode);
  if (operation == operation_count) fail(COMET_ERROR_ARGUMENT, 0, "no instruction has opcode %llu", wide(opcode));
  return {describe(operation).name, describe(operation).operands, nullptr};
}

void CodeWriter::require_label(Label label) const {
  if (label >= labels_.size())
    fail(COMET_ERROR_ARGUMENT, 0, "this code has no label %u; it has %zu, counted from 0", label, labels_.size());
}

void CodeWriter::add(const Item& item) {
  items_.push_back(item);
  is_finished_ = false;
}

CodeWriter::Label CodeWriter::new_label() {
  labels_.push_back(nowhere);
  return static_cast<Label>(labels_.size() - 1);
}

void CodeWriter::place(Label label) {
  require_label(label);
  if (labels_[label] != nowhere) fail(COMET_ERROR_ARGUMENT, 0, "label %u is placed already; make another one", label);
  labels_[label] = items_.size();
  is_finished_ = false;
}

void CodeWriter::emit(std::string_view name, const Operand* operands, std::size_t count) {
  if (const Definition* const own = own_.find(name)) return emit(own->opcode, operands, count);
  for (std::size_t n = 0; n < operation_count; ++n)
    if (by_rank(n).name == name) return emit(by_rank(n).opcode, operands, count);
  fail(COMET_ERROR_ARGUMENT, 0, "there is no instruction `%.80s`", std::string(name).c_str());
}

void CodeWriter::emit(std::uint64_t opcode, const Operand* operands, std::size_t count) {
  const Shape shape = shape_of(opcode);
  const std::size_t n = items_.size(), wanted = std::string_view(shape.operands).size();
  if (count != wanted)
    fail(COMET_ERROR_ARGUMENT, 0, "item %zu, `%s`, takes %zu operands, not %zu", n, shape.name, wanted, count);
  Item item{.kind = Item::Kind::instruction, .operand_count = static_cast<std::uint8_t>(count), .value = opcode};
  item.relative = opcode == describe(op_pcimm).opcode || opcode == describe(op_spcimm).opcode;
  for (std::size_t i = 0; i < count; ++i) {
    const char kind = shape.operands[i];
    const Operand& operand = item.operands[i] = operands[i];
    if (!suits(kind, operand.kind) || (kind == 'n' && operand.kind == Operand::Kind::label && !item.relative))
      fail(COMET_ERROR_ARGUMENT, 0, "item %zu, `%s`: operand %zu is %s; it has to be %s", n, shape.name, i + 1,
           kind_name(operand.kind), wanted_by(kind));
    if (operand.kind == Operand::Kind::label) require_label(static_cast<Label>(std::min<std::uint64_t>(operand.value, UINT32_MAX)));
    if (kind == 't' && operand.value >= COMET_THREAD_REGISTERS)
      fail(COMET_ERROR_ARGUMENT, 0, "item %zu, `%s`: there is no thread register %llu", n, shape.name, wide(operand.value));
    if (kind == 'c' && operand.value >= 64)
      fail(COMET_ERROR_ARGUMENT, 0, "item %zu, `%s`: a shift by %llu; it has to be from 0 to 63", n, shape.name, wide(operand.value));
    if (kind == 'g' && operand.value >> 32 != 0)
      fail(COMET_ERROR_ARGUMENT, 0, "item %zu, `%s`: 0x%llx are more than the 32 bits of an f32", n, shape.name, wide(operand.value));
  }
  add(item);
}

void CodeWriter::bytes(const std::uint8_t* bytes, std::size_t length) {
  const std::size_t first = data_.size();
  data_.insert(data_.end(), bytes, bytes + length);
  add(Item{.kind = Item::Kind::bytes, .first = first, .length = length});
}

void CodeWriter::address_of(Label label, std::optional<Label> base, std::size_t length) {
  require_label(label);
  if (base) require_label(*base);
  if (length == 0 || length > 8) fail(COMET_ERROR_ARGUMENT, 0, "an address takes 1 to 8 bytes, not %zu", length);
  add(Item{.kind = Item::Kind::address, .relative = base.has_value(), .value = label, .first = base.value_or(0), .length = length});
}

void CodeWriter::align(std::uint64_t alignment) {
  if (alignment == 0 || alignment > COMET_PAGE_SIZE || (alignment & (alignment - 1)) != 0)
    fail(COMET_ERROR_ARGUMENT, 0, "%llu is no power of two up to %d to align to", wide(alignment), COMET_PAGE_SIZE);
  add(Item{.kind = Item::Kind::alignment, .value = alignment});
}

void CodeWriter::pad_to(std::uint64_t address) {
  if (address < address_ || address - address_ > UINT32_MAX)
    fail(COMET_ERROR_ARGUMENT, address, "code at 0x%llx cannot be filled up to 0x%llx", wide(address_), wide(address));
  add(Item{.kind = Item::Kind::padding, .value = address});
}

std::uint64_t CodeWriter::field(const Item& item, char kind, const Operand& operand) const {
  std::uint64_t value = operand.value;
  if (operand.kind == Operand::Kind::label) {
    value = label_addresses_[static_cast<std::size_t>(value)];
    if (item.relative) value = kind == 'n' ? item.at - value : value - item.at;
  }
  switch (kind) {
    case 'p': return zigzag_encode(value - item.at);
    case 'i': case 'o': return zigzag_encode(value);
    case 'f': return __builtin_bswap64(value);
    case 'g': return __builtin_bswap32(static_cast<std::uint32_t>(value));
    default: return value;
  }
}

std::size_t CodeWriter::needed(const Item& item) const {
  std::size_t length = encoded_length(item.value);
  const char* const kinds = shape_of(item.value).operands;
  for (unsigned i = 0; i < item.operand_count; ++i) length += encoded_length(field(item, kinds[i], item.operands[i]));
  return length;
}

// One pass over all items; whether an address has moved. `order`: labels by what they stand before.
bool CodeWriter::lay_out(const std::vector<std::size_t>& order) {
  bool moved = false;
  std::uint64_t at = address_;
  const auto put = [&](std::uint64_t& place) {
    moved = moved || place != at;
    place = at;
  };
  auto next = order.begin();
  for (std::size_t n = 0;; ++n) {
    for (; next != order.end() && labels_[*next] == n; ++next) put(label_addresses_[*next]);
    if (n == items_.size()) return moved;
    Item& item = items_[n];
    put(item.at);
    if (item.kind == Item::Kind::instruction) item.length = std::max(item.length, needed(item));
    if (item.kind == Item::Kind::alignment) item.length = static_cast<std::size_t>((0 - at) & (item.value - 1));
    if (item.kind == Item::Kind::padding) item.length = static_cast<std::size_t>(item.value > at ? item.value - at : 0);
    at += item.length;
  }
}

// What could not be known before all addresses were.
void CodeWriter::check(std::size_t n) const {
  const Item& item = items_[n];
  if (item.kind == Item::Kind::padding && item.at > item.value)
    fail(COMET_ERROR_ARGUMENT, item.at, "item %zu: the code before it takes %llu bytes too many to be filled up to 0x%llx", n,
         wide(item.at - item.value), wide(item.value));
  if (item.kind == Item::Kind::address && item.length < 8) {
    const std::uint64_t base = item.relative ? label_addresses_[item.first] : 0;
    const auto value = static_cast<std::int64_t>(label_addresses_[static_cast<std::size_t>(item.value)] - base);
    const auto half = std::int64_t{1} << (8 * item.length - 1);
    if (item.relative ? value < -half || value >= half : static_cast<std::uint64_t>(value) >> (8 * item.length) != 0)
      fail(COMET_ERROR_ARGUMENT, item.at, "item %zu: 0x%llx does not fit %zu bytes", n, wide(static_cast<std::uint64_t>(value)), item.length);
  }
  if (item.kind != Item::Kind::instruction) return;
  const Shape shape = shape_of(item.value);
  std::uint64_t meant[max_operands] = {};
  for (unsigned i = 0; i < item.operand_count; ++i) {
    const std::uint64_t encoded = field(item, shape.operands[i], item.operands[i]);
    if (item.relative && item.operands[i].kind == Operand::Kind::label && encoded >> 63 != 0)
      fail(COMET_ERROR_ARGUMENT, item.at, "item %zu, `%s`: the label lies on the other side; use %s", n, shape.name,
           shape.operands[i] == 'n' ? "pcimm" : "spcimm");
    meant[i] = meaning_of(shape.operands[i], encoded);
  }
  if (shape.definition == nullptr) return;
  if (const Constraint* const broken = broken_constraint(*shape.definition, meant))
    fail(COMET_ERROR_ARGUMENT, item.at, "item %zu, `%s`: %s", n, shape.name, words(*broken, *shape.definition).c_str());
}

void CodeWriter::write(const Item& item) {
  switch (item.kind) {
    case Item::Kind::bytes:
      finished_.insert(finished_.end(), data_.begin() + static_cast<std::ptrdiff_t>(item.first),
                       data_.begin() + static_cast<std::ptrdiff_t>(item.first + item.length));
      return;
    case Item::Kind::alignment: finished_.resize(finished_.size() + item.length); return;
    case Item::Kind::padding: finished_.resize(finished_.size() + item.length, static_cast<std::uint8_t>(describe(op_nop).opcode)); return;
    case Item::Kind::address: {
      std::uint64_t value = label_addresses_[static_cast<std::size_t>(item.value)] - (item.relative ? label_addresses_[item.first] : 0);
      for (std::size_t i = 0; i < item.length; ++i, value >>= 8) finished_.push_back(static_cast<std::uint8_t>(value));
      return;
    }
    case Item::Kind::instruction: break;
  }
  std::size_t spare = item.length - needed(item);
  const auto put = [&](std::uint64_t encoded) {
    const std::size_t shortest = encoded_length(encoded), more = std::min(spare, max_field_bytes - shortest);
    spare -= more;
    append(finished_, encoded, shortest + more);
  };
  append(finished_, item.value, encoded_length(item.value));
  const char* const kinds = shape_of(item.value).operands;
  for (unsigned i = 0; i < item.operand_count; ++i) put(field(item, kinds[i], item.operands[i]));
}

const std::vector<std::uint8_t>& CodeWriter::finish() {
  if (is_finished_) return finished_;
  for (std::size_t n = 0; n < items_.size(); ++n) {
    const auto require_placed = [&](std::uint64_t label) {
      if (labels_[static_cast<std::size_t>(label)] == nowhere)
        fail(COMET_ERROR_ARGUMENT, 0, "item %zu refers to label %llu, which was never placed", n, wide(label));
    };
    const Item& item = items_[n];
    for (unsigned i = 0; i < item.operand_count; ++i)
      if (item.operands[i].kind == Operand::Kind::label) require_placed(item.operands[i].value);
    if (item.kind != Item::Kind::address) continue;
    require_placed(item.value);
    if (item.relative) require_placed(item.first);
  }
  for (Item& item : items_)
    if (item.kind == Item::Kind::instruction) item.length = 0;
  label_addresses_.assign(labels_.size(), address_);
  const auto order = in_order(labels_.size(), [&](std::size_t a, std::size_t b) { return labels_[a] < labels_[b]; });
  while (lay_out(order)) {}
  for (std::size_t n = 0; n < items_.size(); ++n) check(n);
  finished_.clear();
  for (const Item& item : items_) write(item);
  is_finished_ = true;
  return finished_;
}

std::uint64_t CodeWriter::label_address(Label label) const {
  require_label(label);
  if (!is_finished_) fail(COMET_ERROR_STATE, 0, "where label %u lies is known when the code is finished; call comet_code_finish", label);
  if (labels_[label] == nowhere) fail(COMET_ERROR_ARGUMENT, 0, "label %u was never placed", label);
  return label_addresses_[label];
}

} // namespace comet::isa
