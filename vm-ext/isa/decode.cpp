// Bytes to fields.
#include <bit>
#include <cstring>

#include "definitions.h"
#include "layout.h"

namespace comet::isa {

DecodeStatus read_field(const std::uint8_t* bytes, std::size_t available, std::size_t& at, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at == available) return DecodeStatus::truncated;
    const std::uint64_t byte = bytes[at++];
    if (shift == 63 && byte > 1) return DecodeStatus::field_too_wide;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return DecodeStatus::ok;
  }
  return DecodeStatus::field_too_wide;
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

// Nearly all instructions have an opcode of one or two bytes, then fields of one byte, of which the last may have up to
// four. These are decoded without a branch for each field. False, with nothing done, for all others; `bytes` must be
// eight at least.
inline bool decode_short(const std::uint8_t* bytes, Decoded& decoded) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  unsigned length = 1;
  decoded.opcode = word & 0x7f;
  if ((word & 0x80) != 0) {
    if ((word & 0x8000) != 0) return false;
    decoded.opcode |= word >> 1 & 0x3f80;
    ++length;
  }
  decoded.operation = find(decoded.opcode);
  const Layout layout = layouts[decoded.operation];
  if (layout.converted || decoded.operation == operation_count) return false;
  decoded.operand_count = layout.count;
  if (layout.count != 0) {
    const std::uint64_t fields = word >> 8 * length;
    const unsigned before = 8 * (layout.count - 1u); // the last
    const std::uint64_t last = fields >> before, ends = ~last & 0x80808080;
    if ((fields & 0x8080 & ((std::uint64_t{1} << before) - 1)) != 0 || ends == 0) return false;
    const std::uint64_t bits = last & (ends ^ (ends - 1)) & 0x7f7f7f7f;
    decoded.raw[0] = fields & 0xff;
    decoded.raw[1] = fields >> 8 & 0xff;
    decoded.raw[layout.count - 1u] = (bits & 0x7f) | (bits >> 1 & 0x3f80) | (bits >> 2 & 0x1fc000) | (bits >> 3 & 0xfe00000);
    for (unsigned i = 0; i < max_operands; ++i) {
      const std::uint64_t raw = decoded.raw[i], sign = layout.zigzag >> i & 1u;
      decoded.operands[i] = raw >> sign ^ (0 - (raw & sign));
    }
    length += layout.count + static_cast<unsigned>(std::countr_zero(ends)) / 8;
  }
  decoded.length = static_cast<std::uint8_t>(length);
  return true;
}

} // namespace

std::uint64_t meaning_of(char kind, std::uint64_t field) { return meaning(kind, field); }

DecodeStatus decode(const std::uint8_t* bytes, std::size_t available, const Definitions* own, Decoded& decoded) {
  std::size_t at = 0;
  decoded.definition = nullptr;
  decoded.broken = nullptr;
  if (own == nullptr && available >= sizeof(std::uint64_t) && decode_short(bytes, decoded)) return DecodeStatus::ok;
  decoded.operation = operation_count;
  decoded.operand_count = 0;
  DecodeStatus status = read_short_field(bytes, available, at, decoded.opcode);
  if (status == DecodeStatus::ok) {
    const char* kinds = nullptr;
    if (own != nullptr) decoded.definition = own->find(decoded.opcode);
    if (decoded.definition != nullptr) {
      kinds = decoded.definition->operands.c_str();
    } else {
      decoded.operation = find(decoded.opcode);
      if (decoded.operation != operation_count) kinds = describe(decoded.operation).operands;
    }
    if (kinds == nullptr) status = DecodeStatus::unknown_opcode;
    else
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
