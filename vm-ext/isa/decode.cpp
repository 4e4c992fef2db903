// Bytes to fields.
#include "definitions.h"

namespace comet::isa {

DecodeStatus read_field(const std::uint8_t* bytes, std::size_t available, std::size_t& at, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (at == available) return DecodeStatus::truncated;
    const std::uint64_t byte = bytes[at++];
    if (shift == 63 && byte > 1) return DecodeStatus::field_too_wide;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return DecodeStatus::ok;
  }
}

namespace {

// Most fields are of one byte.
inline DecodeStatus read_short_field(const std::uint8_t* bytes, std::size_t available, std::size_t& at, std::uint64_t& value) {
  if (at == available || bytes[at] >= 0x80) return read_field(bytes, available, at, value);
  value = bytes[at++];
  return DecodeStatus::ok;
}

inline std::uint64_t meaning(char kind, std::uint64_t field) {
  if (is_zigzag(kind)) return zigzag_decode(field);
  switch (kind) {
    case 'n': return 0 - field;
    case 'f': return __builtin_bswap64(field);
    case 'g': return __builtin_bswap32(static_cast<std::uint32_t>(field));
    default: return field;
  }
}

} // namespace

std::uint64_t meaning_of(char kind, std::uint64_t field) { return meaning(kind, field); }

DecodeStatus decode(const std::uint8_t* bytes, std::size_t available, const Definitions* own, Decoded& decoded) {
  std::size_t at = 0;
  decoded.operation = operation_count;
  decoded.definition = nullptr;
  decoded.broken = nullptr;
  decoded.operand_count = 0;
  DecodeStatus status = read_short_field(bytes, available, at, decoded.opcode);
  if (status == DecodeStatus::ok) {
    const char* kinds = "";
    if (own != nullptr) decoded.definition = own->find(decoded.opcode);
    if (decoded.definition != nullptr) {
      kinds = decoded.definition->operands.c_str();
    } else {
      decoded.operation = find(decoded.opcode);
      if (decoded.operation == operation_count) status = DecodeStatus::unknown_opcode;
      else kinds = describe(decoded.operation).operands;
    }
    for (; *kinds != 0 && status == DecodeStatus::ok; ++kinds) {
      std::uint64_t& raw = decoded.raw[decoded.operand_count];
      status = read_short_field(bytes, available, at, raw);
      if (status == DecodeStatus::ok && *kinds == 'g' && raw >> 32 != 0) status = DecodeStatus::field_too_wide;
      if (status == DecodeStatus::ok) decoded.operands[decoded.operand_count++] = meaning(*kinds, raw);
    }
    if (status == DecodeStatus::ok && decoded.definition != nullptr) {
      decoded.broken = broken_constraint(*decoded.definition, decoded.operands);
      if (decoded.broken != nullptr) status = DecodeStatus::bad_operands;
    }
  }
  decoded.length = static_cast<std::uint8_t>(at);
  return status;
}

} // namespace comet::isa
